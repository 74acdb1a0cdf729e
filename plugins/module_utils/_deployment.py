# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that belongs to a deployment (private)."""

from __future__ import annotations

from typing import Any

from ._client import Client
from ._describe import describe_instance, describe_ssh_key, describe_volume
from ._lease import belongs_to, check_name
from ._spend import volume_rate
from ._statuses import holders, is_stranded, is_there, volume_is_billed


def _leftover(
    kind: str, row: dict[str, Any], price: float, *, kept: bool = False
) -> dict[str, Any]:
    return {
        "kind": kind,
        "id": row["id"],
        "name": row["name"],
        "status": row.get("status"),
        "price_per_hour": price,
        "kept": kept,
    }


def _script(row: dict[str, Any]) -> dict[str, Any]:
    """Return a startup script without its text, which may be long and is nobody's business here."""
    return {key: row.get(key) for key in ("id", "name", "created_at")}


def survey(client: Client, want: dict[str, Any]) -> dict[str, Any]:
    """Return machines, volumes, keys and scripts of a deployment: what is left after its end.

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
        for row in filter(is_there, rows)
        if (described := describe_instance(row))["deployment"] == deployment
    ]
    ids = {row["id"] for row in instances}
    mine = [
        describe_volume(volume)
        for volume in filter(volume_is_billed, volumes)
        if belongs_to(volume, deployment) or ids.intersection(holders(volume))
    ]
    found = {
        "instances": instances,
        "volumes": mine,
        "ssh_keys": [describe_ssh_key(key) for key in keys if belongs_to(key, deployment)],
        "startup_scripts": [_script(row) for row in scripts if belongs_to(row, deployment)],
    }
    leftovers = _leftovers(found)
    return {
        "deployment": deployment,
        **found,
        "trash": [describe_volume(row) for row in trash if belongs_to(row, deployment)],
        "leftovers": leftovers,
        "cost_per_hour": round(sum(row["price_per_hour"] for row in leftovers), 4),
        "warnings": _stranded(
            rows, [row for row in volumes if row["id"] in {v["id"] for v in mine}]
        ),
    }


def _stranded(instances: list[dict[str, Any]], volumes: list[dict[str, Any]]) -> list[str]:
    """Return a warning for each volume that is attached to nothing but what is not there."""
    there = {row["id"] for row in filter(is_there, instances)}
    return [
        f"Volume {row['name']} ({row['id']}) is attached to an instance that no longer exists "
        f"({', '.join(holders(row))}) and costs {volume_rate(row):.4f} per hour: remove it with "
        "datacrunch_volume, or let datacrunch_reap do it."
        for row in volumes
        if is_stranded(row, there)
    ]


def _leftovers(found: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    rows = [_leftover("instance", row, row["cost_per_hour_now"]) for row in found["instances"]]
    for row in found["volumes"]:
        kind = "os_volume" if row["is_os_volume"] else "data_volume"
        rows.append(_leftover(kind, row, row["price_per_hour"], kept=row["kept"]))
    rows += [_leftover("ssh_key", row, 0.0) for row in found["ssh_keys"]]
    return rows + [_leftover("startup_script", row, 0.0) for row in found["startup_scripts"]]
