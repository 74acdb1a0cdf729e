# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a deployment ever was, and which others there are (private)."""

from __future__ import annotations

from typing import TypedDict

from .._core.nearest import nearest
from .._ledger import store
from .._models.resources import Instance, Volume
from .._providers.base.client import Client


def was_known(client: Client, deployment: str, ledger: str | None) -> bool:
    """Tell whether ended instances, or the ledger, know of a deployment of which nothing exists."""
    if any(row.of(deployment) for row in client.ended_instances()):
        return True
    return was_booked(deployment, ledger)


def was_booked(deployment: str, ledger: str | None) -> bool:
    """Tell whether the ledger knows of a deployment."""
    try:
        return any(event["deployment"] == deployment for event in store.read(ledger))
    except store.LedgerError:
        return False


class OtherRow(TypedDict):
    """Another deployment of ours, and what it costs."""

    deployment: str
    cost_per_hour: float


class OthersRow(TypedDict):
    """What the other deployments of ours cost, and the names that are near one."""

    others: list[OtherRow]
    nearest: list[str]


def others(deployment: str, rows: list[Instance], volumes: list[Volume]) -> OthersRow:
    """Return what the other deployments of ours cost per hour, and which have a name near it."""
    found: dict[str, float] = {}
    there = {row.id: row for row in rows}
    for one in (*rows, *volumes):
        holder = one.holder_among(there) if isinstance(one, Volume) else None
        name = one.deployment or (holder.deployment if holder else None)
        if name and name != deployment and one.rate:
            found[name] = round(found.get(name, 0.0) + one.rate, 4)
    costs: list[OtherRow] = [
        {"deployment": name, "cost_per_hour": found[name]} for name in sorted(found)
    ]
    return {"others": costs, "nearest": list(nearest(deployment, found))}
