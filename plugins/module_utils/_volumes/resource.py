# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes of the account: find by our tags, plan, list (private)."""

from __future__ import annotations

from typing import TypedDict

from .._core.errors import InvalidError, NotFoundError
from .._core.plan import Plan
from .._core.resource import Resource
from .._lifecycle.power import Timing
from .._lifecycle.proof import is_proven_gone
from .._models.ownership import check_name, part_name
from .._models.resources import Volume
from .._models.volumes import is_meant
from .._providers.base.client import Client
from .._providers.base.views import ShownVolumeRow, show_volume
from .operations import VolumeWork, gone
from .options import VolumeListOptions, VolumeOptions
from .plan import FoundVolumes, in_trash_text, plan_absent, plan_present
from .record import book_volume


class _Found(TypedDict):
    volume: ShownVolumeRow | None
    trashed: list[ShownVolumeRow]


class VolumeResult(_Found, total=False):
    """What the module tells: the volume, and those of its name that are in the trash."""

    warnings: list[str]


class VolumeList(TypedDict):
    """Volumes by name."""

    volumes: list[ShownVolumeRow]


class VolumeResource(Resource[Client, VolumeOptions, FoundVolumes, VolumeResult]):
    """A volume of a deployment, or one that is named by its id."""

    # -- find ----------------------------------------------------------------------------------

    def find(self, client: Client, want: VolumeOptions) -> FoundVolumes:
        _check(want)
        rows = _by_id(client, want["id"], want) if want["id"] else _by_name(client, want)
        usual = client.capabilities.volume_type
        found = FoundVolumes(client.now(), usual, [row for row in rows if row.is_alive])
        absent = want["state"] == "absent"
        if want["wait"]:
            found.living = [_settled(client, row, want) for row in found.living]
        if absent and want["policy"] == "delete" and want["wait"]:
            for row in rows:  # whether to the trash or for good is known only once it is there
                if row.status == "deleting":
                    _work(row, want).reach(client, "gone", gone, frozenset())
        if _needs_trash(found, want):
            found.trashed = [
                row
                for row in client.trashed_volumes()
                if not row.is_permanently_deleted and _is_wanted(row, want)
            ]
            _refuse_foreign(found.trashed, want)
        if not absent:
            self._complete(client, found, want)
        self._find_machines(client, found, want)
        found.now = client.now()
        return found

    @staticmethod
    def _complete(client: Client, found: FoundVolumes, want: VolumeOptions) -> None:
        """Look at what only a wanted volume needs: that it is one, or what a new one costs."""
        if len(found.living) > 1:
            raise _ambiguous(found.living, want)
        if not found.living and want["restore"] and len(found.trashed) > 1:
            raise _ambiguous(found.trashed, want)
        if want["id"] and not found.living and not found.trashed:
            raise NotFoundError(f"There is no volume {want['id']} any more")
        if not found.living and not (found.trashed and want["restore"]) and not want["id"]:
            found.types = {kind.name: kind for kind in client.volume_types()}

    @staticmethod
    def _find_machines(client: Client, found: FoundVolumes, want: VolumeOptions) -> None:
        absent = want["state"] == "absent"
        name = None if absent else want["instance"]
        leaves = absent or want["attached"] is False
        if not name and not (leaves and any(row.holders for row in found.living)):
            return
        rows = client.instances()
        there = {row.id for row in rows}
        lost = {one for volume in found.living for one in volume.holders if one not in there}
        pause = want["wait_interval"]
        found.gone = {one for one in sorted(lost) if is_proven_gone(client, one, pause)}
        for row in rows:
            if not row.of(want["deployment"] or "") or not row.exists:
                continue
            found.machines[row.id] = row
            if name in (row.id, row.ownership.name if row.ownership else None):
                found.target = found.target or row
        if name and found.target is None and not leaves:
            raise NotFoundError(
                f"Deployment {want['deployment']!r} has no instance {name!r}",
                hint="Instances of others are never changed.",
            )

    # -- plan ----------------------------------------------------------------------------------

    def plan(self, found: FoundVolumes, want: VolumeOptions) -> Plan:
        absent = want["state"] == "absent"
        return plan_absent(found, want) if absent else plan_present(found, want)

    def record(
        self, client: Client, found: FoundVolumes, want: VolumeOptions, *, applied: bool
    ) -> list[str]:
        return book_volume(client, found, want["ledger"]) if applied else []

    # -- result --------------------------------------------------------------------------------

    def result(
        self, client: Client, found: FoundVolumes, plan: Plan, *, applied: bool
    ) -> VolumeResult:
        work = found.work
        if work is None:
            return {"volume": None, "trashed": []}
        after = plan.after
        if applied:
            after = show_volume(client.volume(work.id), client.now())
        stays = work.id not in [row.id for row in found.trashed]
        return {
            "volume": after,
            "trashed": [show_volume(row, found.now) for row in found.trashed if stays],
            "warnings": _warnings(found, stays) if found.trashed else [],
        }


def _check(want: VolumeOptions) -> None:
    """Raise InvalidError for options that do not fit together."""
    name, deployment = want["name"], want["deployment"]
    if deployment:
        check_name(deployment, "deployment")
        for part in (name or deployment).removeprefix(part_name(deployment) + ".").split("."):
            check_name(part, "name")
    moves = want["instance"] or want["attached"] is not None
    owned = deployment or (want["foreign"] and want["id"])
    size = want["size_gb"]
    for wrong, message, hint in (
        (not owned, "deployment is missing", "Without it, give id and foreign: true."),
        (want["foreign"] and not want["id"], "foreign needs the id of the volume", None),
        (want["instance"] == "", "instance is empty", "To detach, write attached: false."),
        (moves and not deployment, "Attaching and detaching need deployment", None),
        (want["attached"] and not want["instance"], "attached: true needs instance", None),
        (size is not None and size < 1, f"size_gb must be at least 1 (got {size})", None),
    ):
        if wrong:
            raise InvalidError(message, hint=hint)


def _work(row: Volume, want: VolumeOptions) -> VolumeWork:
    return VolumeWork(Timing.of(want), row.id, str(row.name))


def _settled(client: Client, row: Volume, want: VolumeOptions) -> Volume:
    if row.is_settled:
        return row
    work = _work(row, want)
    work.settle(client)
    return work.row


def _by_name(client: Client, want: VolumeOptions) -> list[Volume]:
    return [row for row in client.volumes() if _is_wanted(row, want)]


def _by_id(client: Client, wanted_id: str, want: VolumeOptions) -> list[Volume]:
    try:
        rows = [client.volume(wanted_id)]
    except NotFoundError:
        if want["state"] != "absent":
            raise
        rows = [row for row in client.volumes() if row.id == wanted_id]
    _refuse_foreign(rows, want)
    return rows


def _is_wanted(row: Volume, want: VolumeOptions) -> bool:
    if want["id"]:
        return bool(row.id == want["id"])
    return is_meant(row, want["name"], want["deployment"])


def _needs_trash(found: FoundVolumes, want: VolumeOptions) -> bool:
    if want["state"] == "absent":
        return bool(want["policy"] == "delete")
    return not found.living


def _refuse_foreign(rows: list[Volume], want: VolumeOptions) -> None:
    """Raise InvalidError for a volume that is not the deployment's, unless that is written out."""
    for row in rows:
        owner = row.deployment
        if want["foreign"] or (want["deployment"] and owner == want["deployment"]):
            continue
        raise InvalidError(
            f"Volume {row.name} ({row.id}) "
            + (f"belongs to deployment {owner!r}" if owner else "bears no tags of a deployment")
            + f", not to {want['deployment']!r}",
            hint="Volumes of others are changed only with foreign: true.",
        )


def _ambiguous(rows: list[Volume], want: VolumeOptions) -> InvalidError:
    each = ", ".join(f"{row.id} ({row.size_gb} GB, of {row.created_at})" for row in rows)
    return InvalidError(
        f"{len(rows)} volumes of deployment {want['deployment']!r} are called {want['name']!r}: {each}",
        hint="Say which one by its id.",
    )


def _warnings(found: FoundVolumes, stays: bool) -> list[str]:
    if stays:
        text = f"In the trash there is a volume of the same name: {in_trash_text(found)}."
        return [f"{text} With restore: true it comes back instead of a blank one."]
    return [
        f"Restoring {row['name']} charges about {row['restore_charge']} {row['currency'] or ''} "
        "for its time in the trash."
        for row in (show_volume(row, found.now) for row in found.trashed)
    ]


def list_volumes(client: Client, want: VolumeListOptions) -> VolumeList:
    """Return the volumes of the account, of a deployment, a name, an id or a status."""
    calls = [client.volumes, client.trashed_volumes] if want["trash"] else [client.volumes]
    rows = {row.id: row for part in client.together(*calls) for row in part}.values()
    found = [
        show_volume(row, client.now())
        for row in rows
        if is_meant(row, want["name"], want["deployment"])
        and want["id"] in (None, row.id)
        and want["status"] in (None, row.status)
    ]
    return {"volumes": sorted(found, key=lambda row: (row["name"] or "", row["id"] or ""))}
