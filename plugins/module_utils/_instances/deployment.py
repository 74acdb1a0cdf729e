# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that belongs to a deployment (private)."""

from __future__ import annotations

from typing import TypedDict

from .._models.ownership import check_name
from .._models.resources import Instance, StartupScript, Volume
from .._providers.base.client import Client
from .._providers.base.views import (
    InstanceRow,
    SshKeyRow,
    VolumeRow,
    describe_instance,
    describe_ssh_key,
    describe_volume,
)
from .._providers.names import module_of
from .other_deployments import OthersRow, others, was_known


class SurveyOptions(TypedDict):
    """Which deployment is looked for, and the ledger that may know of it."""

    deployment: str
    ledger: str | None


class ScriptRow(TypedDict):
    """A startup script as a survey shows it."""

    id: str
    name: str | None
    created_at: str | None


class LeftoverRow(TypedDict):
    """Something that is left of a deployment, and what it costs."""

    kind: str
    id: str | None
    name: str | None
    status: str | None
    price_per_hour: float
    kept: bool


class _Mine(TypedDict):
    instances: list[InstanceRow]
    volumes: list[VolumeRow]
    ssh_keys: list[SshKeyRow]
    startup_scripts: list[ScriptRow]


class Survey(_Mine, OthersRow):
    """Everything of a deployment, as results show it."""

    deployment: str
    known: bool
    trash: list[VolumeRow]
    leftovers: list[LeftoverRow]
    cost_per_hour: float
    warnings: list[str]


def _script(row: StartupScript) -> ScriptRow:
    """Return a startup script without its text, which may be long and is nobody's business here."""
    return {"id": row.id, "name": row.name, "created_at": row.created_at}


def survey(client: Client, want: SurveyOptions) -> Survey:
    """Return instances, volumes, keys and scripts of a deployment: what is left after its end.

    Volumes in the trash cost nothing, so they are told apart from what is left over.
    """
    deployment = check_name(want["deployment"], "deployment")
    rows, volumes, trash, keys, scripts = client.together(
        client.instances,
        client.volumes,
        client.trashed_volumes,
        client.ssh_keys,
        client.startup_scripts,
    )
    instances = [
        described
        for row in rows
        if row.exists and (described := describe_instance(row))["deployment"] == deployment
    ]
    ids = {str(row["id"]) for row in instances}
    mine = [
        volume
        for volume in volumes
        if volume.is_billed
        and (volume.deployment == deployment or ids.intersection(volume.holders))
    ]
    found: _Mine = {
        "instances": instances,
        "volumes": [describe_volume(volume) for volume in mine],
        "ssh_keys": [describe_ssh_key(key) for key in keys if key.deployment == deployment],
        "startup_scripts": [_script(row) for row in scripts if row.deployment == deployment],
    }
    leftovers = _leftovers(found, {row.id for row in mine if row.is_boot})
    in_trash = [row for row in trash if row.deployment == deployment]
    return {
        "deployment": deployment,
        **found,
        "known": bool(leftovers or in_trash) or was_known(client, deployment, want["ledger"]),
        **others(deployment, rows, volumes),
        "trash": [describe_volume(row) for row in in_trash],
        "leftovers": leftovers,
        "cost_per_hour": round(sum(row["price_per_hour"] for row in leftovers), 4),
        "warnings": _stranded(rows, mine),
    }


def _stranded(instances: list[Instance], volumes: list[Volume]) -> list[str]:
    """Return a warning for each volume that is attached to nothing but what is not there."""
    there = {row.id for row in instances if row.exists}
    return [
        f"Volume {row.name} ({row.id}) is attached to an instance that no longer exists "
        f"({', '.join(row.holders)}) and costs {row.rate:.4f} per hour: remove it with "
        f"{module_of('volume')}, or let {module_of('reap')} do it."
        for row in volumes
        if row.is_stranded(there)
    ]


def _leftover(
    kind: str,
    row: InstanceRow | VolumeRow | SshKeyRow | ScriptRow,
    price: float = 0.0,
    *,
    status: str | None = None,
    kept: bool = False,
) -> LeftoverRow:
    return {
        "kind": kind,
        "id": row["id"],
        "name": row["name"],
        "status": status,
        "price_per_hour": price,
        "kept": kept,
    }


def _leftovers(mine: _Mine, boot: set[str]) -> list[LeftoverRow]:
    """Return everything that is left; ``boot`` are the ids of volumes that instances boot from."""
    rows = [
        _leftover("instance", row, row["cost_per_hour_now"], status=row["status"])
        for row in mine["instances"]
    ]
    for row in mine["volumes"]:
        kind = "os_volume" if row["id"] in boot else "data_volume"
        price, status = row["price_per_hour"], row["status"]
        rows.append(_leftover(kind, row, price, status=status, kept=row["kept"]))
    rows += [_leftover("ssh_key", row) for row in mine["ssh_keys"]]
    return rows + [_leftover("startup_script", row) for row in mine["startup_scripts"]]
