# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ending machines until they are really gone, with their volumes (private)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ._client import Client
from ._errors import (
    ForbiddenError,
    GpuopsError,
    NotFoundError,
    UnavailableError,
    WaitTimeoutError,
)
from ._lease import MOST_TAGS, tag_values, write_time
from ._machine import ENDED_TAG
from ._marking import keep_volume
from ._spend import FREE_VOLUME
from ._statuses import BUILDING, DEAD
from ._volume_facts import holders
from ._wait import wait_until

# Policies under which a volume outlives its machine.
STAYS = frozenset({"keep", "leave"})
GONE = frozenset({"discontinued", "notfound", "deleted"})


@dataclass(frozen=True)
class Ending:
    """How a machine ends. Policies: ``delete`` (for good), ``trash`` (96 h), ``keep``; seconds.

    ``leave`` is ``keep`` without the mark of a volume that is kept on purpose. ``spare`` holds the
    ids of volumes that are left whatever the policies say.
    """

    os_volume: str = "trash"
    data_volumes: str = "leave"
    timeout: float = 900
    interval: float = 5
    spare: frozenset[str] = frozenset()

    def policies(self, instance: dict[str, Any]) -> dict[str, str]:
        """Return the policy of each volume of a machine, by id."""
        ids = list(instance.get("volume_ids") or [])
        found = dict.fromkeys(ids, self.data_volumes)
        if instance.get("os_volume_id"):
            found[instance["os_volume_id"]] = self.os_volume
        return {key: "leave" if key in self.spare else how for key, how in found.items()}


def _status(client: Client, instance_id: str) -> str:
    try:
        return client.instance(instance_id).get("status") or "unknown"
    except NotFoundError:
        return "notfound"
    except UnavailableError as error:
        return f"not readable ({error.message})"


def _volume_plan(instance: dict[str, Any], how: Ending) -> dict[str, Any]:
    """Return what to say about volumes with the delete: those that go with it, and for good or not.

    Without a list the API takes the OS volume alone, so one is sent as soon as the ids are known.
    """
    policies = how.policies(instance)
    os_volume = instance.get("os_volume_id")
    first = policies.get(os_volume, how.os_volume) if os_volume else how.os_volume
    if first in STAYS:
        return {"volume_ids": []}
    extra: dict[str, Any] = {"delete_permanently": True} if first == "delete" else {}
    if os_volume:
        others = [v for v, policy in policies.items() if policy == first and v != os_volume]
        extra["volume_ids"] = [os_volume, *others]
    return extra


def _mark_kept(client: Client, instance: dict[str, Any], how: Ending) -> None:
    """Write on the volumes that are kept on purpose that they are, before nobody has them."""
    marked = instance.setdefault("kept_on_purpose", set())
    for volume_id, policy in how.policies(instance).items():
        if policy == "keep" and volume_id not in marked:
            keep_volume(client, volume_id)
            marked.add(volume_id)


def _mark_ended(client: Client, instance: dict[str, Any]) -> None:
    """Write on a spot machine that its end is ours, so that it does not look evicted later.

    Where tags are refused a machine that we ended counts as evicted, which costs a detour only.
    """
    tags = tag_values(instance)
    room = len([key for key in tags if key.startswith("gpuops-")]) < MOST_TAGS
    if instance.get("is_spot") and room and ENDED_TAG not in tags:
        with contextlib.suppress(GpuopsError):
            client.tag("instances", instance["id"], ENDED_TAG, write_time(client.now()))
            instance["tags"] = [*(instance.get("tags") or []), {"key": ENDED_TAG}]


def _send_delete(client: Client, instance: dict[str, Any], how: Ending) -> str:
    """Ask once for the end of a machine, and return what came of it.

    Completes ``instance``: the record of an unfinished order names its volumes only later.
    """
    instance_id = instance["id"]
    if not instance.get("os_volume_id"):
        instance.update(client.instance(instance_id))
    extra = _volume_plan(instance, how)
    _mark_kept(client, instance, how)
    _mark_ended(client, instance)
    try:
        client.instance_action("delete", instance_id, **extra)
    except ForbiddenError as error:
        if "discontinued instance" in error.message:
            return "discontinued"
        status = _status(client, instance_id)
        if status not in DEAD:
            return status if status in GONE else f"refused ({error.message})"
        client.instance_action("delete_stuck", instance_id, **extra)
    return "accepted"


def _complete_by_volumes(client: Client, instance: dict[str, Any]) -> None:
    """Add the volumes of an order that is not finished: only they know whose they are."""
    mine = [row for row in client.volumes() if row.get("instance_id") == instance["id"]]
    instance["volume_ids"] = [row["id"] for row in mine]
    root = next((row["id"] for row in mine if row.get("is_os_volume")), None)
    instance["os_volume_id"] = instance.get("os_volume_id") or root


def _ask_to_end(client: Client, instance: dict[str, Any], how: Ending) -> str:
    """Send the delete until it is accepted or needless; return the last status seen."""

    def attempt() -> str:
        try:
            return _send_delete(client, instance, how)
        except NotFoundError:
            return "notfound"
        except UnavailableError as error:
            return f"unclear ({error.message})"  # a delete may be repeated

    try:  # Refused while provisioning: ask again until it is through.
        return wait_until(
            attempt,
            lambda seen: seen == "accepted" or seen in GONE,
            what=f"the end of {instance['id']} to be accepted",
            timeout=how.timeout,
            interval=how.interval,
            clock=client.clock,
        )
    except WaitTimeoutError:
        if _status(client, instance["id"]) not in BUILDING:
            raise
        # It will never be through. There is an action for those alone.
        _complete_by_volumes(client, instance)
        _mark_kept(client, instance, how)
        client.instance_action("delete_stuck", instance["id"], **_volume_plan(instance, how))
        return "accepted"


def end_instance(client: Client, instance: dict[str, Any], how: Ending) -> datetime:
    """End one machine, wait until it is gone, then see to its volumes; return when its bill ended.

    Raises WaitTimeoutError that says what was seen last and that the machine may still cost money.
    """
    instance = dict(instance)
    instance_id = instance["id"]
    try:
        accepted = _ask_to_end(client, instance, how)
        ended = client.now()
        if accepted not in GONE:
            wait_until(
                lambda: _status(client, instance_id),
                lambda seen: seen in GONE,
                what=f"{instance.get('hostname')} ({instance_id}) to be gone",
                timeout=how.timeout,
                interval=how.interval,
                clock=client.clock,
            )
    except GpuopsError as error:
        error.hint = (
            f"{error.hint} The machine {instance_id} may still cost "
            f"{instance.get('price_per_hour')} per hour: run the same again, or end it in the console."
        ).strip()
        error.details.setdefault("instance_id", instance_id)
        raise
    _end_volumes(client, instance, how)
    return ended


def _end_volumes(client: Client, instance: dict[str, Any], how: Ending) -> None:
    """Remove the volumes whose policy asks for it and which did not go with the machine.

    Those that stay are waited for as well, until they can be used again.
    """
    policies = how.policies(instance)

    def unsettled() -> list[str]:
        """Return the volumes that are not as wanted, after asking for the end of detached ones."""
        rows = [v for v in client.volumes() if v["id"] in policies]
        left = [v for v in rows if not _is_settled(v, policies[v["id"]], instance["id"])]
        for volume in left:
            if volume["status"] == "detached" and not volume.get("instances"):
                permanent = policies[volume["id"]] == "delete"
                client.volume_action("delete", volume["id"], is_permanent=permanent)
        return [f"{volume['id']} {volume['status']}" for volume in left]

    if policies:
        _wait_for_volumes(client, unsettled, str(instance.get("hostname")), how)


def _is_settled(volume: dict[str, Any], policy: str, instance_id: str) -> bool:
    """Tell whether a volume is gone, or stays and this machine has it no longer."""
    if volume["status"] in FREE_VOLUME or policy not in STAYS:
        return volume["status"] in FREE_VOLUME
    others = holders(volume)  # a shared file system stays attached to the rest
    return volume["status"] == "detached" or bool(others and instance_id not in others)


def wait_detached(client: Client, volume_ids: list[str], name: str, how: Ending) -> None:
    """Wait until disks of an earlier machine can be used: they follow its end after a while."""

    def attached() -> list[str]:
        rows = [row for row in client.volumes() if row["id"] in volume_ids]
        return [f"{row['id']} {row['status']}" for row in rows if row["status"] != "detached"]

    _wait_for_volumes(client, attached, name, how)


def _wait_for_volumes(
    client: Client, look: Callable[[], list[str]], name: str, how: Ending
) -> None:
    wait_until(
        look,
        lambda left: not left,
        what=f"the volumes of {name} to settle",
        timeout=how.timeout,
        interval=how.interval,
        clock=client.clock,
        seen=", ".join,
    )
