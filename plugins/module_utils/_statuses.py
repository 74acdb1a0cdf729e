# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the cloud's statuses mean: what is alive, attached to what, billed (private, pure)."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import Any

from ._lease import half_marks, read_identity

Row = dict[str, Any]
# Of an instance. A dead order is to be terminated still, but costs nothing; new statuses count as alive.
BUILDING = frozenset({"new", "ordered", "validating", "provisioning"})
DEAD = frozenset({"error", "installation_failed", "no_capacity"})
ENDED = frozenset({"discontinued", "deleting", "notfound", "deleted"})
# It is no more. While it is `deleting` it is not billed, and still holds its volumes.
GONE = ENDED - {"deleting"}
# Of a volume that is in the trash, or no more, or on its way there.
VOLUME_ENDED = frozenset({"deleting", "deleted", "canceled"})


# -- instances -------------------------------------------------------------------------------------


def is_there(instance: Row) -> bool:
    """Tell whether something of an instance is left to be terminated: it lives, or its order failed."""
    return instance.get("status") not in ENDED


def is_alive(instance: Row) -> bool:
    """Tell whether an instance runs, is built or stopped."""
    return is_there(instance) and instance.get("status") not in DEAD


def is_billed(instance: Row) -> bool:
    """Tell whether an instance costs money now; a stopped one does."""
    return is_alive(instance)


def living_deployments(instances: Iterable[Row]) -> set[str | None]:
    """Return the deployments that have an instance; half of its marks are enough for that."""
    found: set[str | None] = set()
    for row in filter(is_alive, instances):
        marks = read_identity(row)
        found |= half_marks(row) | ({marks.deployment} if marks else set())
    return found


# -- volumes ---------------------------------------------------------------------------------------


def volume_is_alive(volume: Row) -> bool:
    """Tell whether a volume exists, and not in the trash."""
    return volume.get("status") not in VOLUME_ENDED and not volume.get("deleted_at")


def volume_is_billed(volume: Row) -> bool:
    """Tell whether a volume costs money now; a detached one does."""
    return volume_is_alive(volume)


def holders(volume: Row) -> list[str]:
    """Return the ids of the instances that a volume is attached to: a shared file system has several.

    ``instance_id`` names only the first of them.
    """
    ids = [one["id"] for one in volume.get("instances") or [] if one.get("id")]
    if not ids and volume.get("instance_id"):
        ids = [volume["instance_id"]]
    return ids


def is_attached(volume: Row) -> bool:
    """Tell whether an instance has a volume, or is about to."""
    return bool(holders(volume)) or volume.get("status") in ("attached", "attaching")


def held_by(volumes: Iterable[Row], instance_id: str) -> list[Row]:
    """Return the volumes that are attached to an instance, alone or with others."""
    return [volume for volume in volumes if instance_id in holders(volume)]


def is_stranded(volume: Row, there: Container[str]) -> bool:
    """Tell whether a volume names only instances that are not among those that exist, by id."""
    has = holders(volume)
    free = not any(one in there for one in has)
    return bool(has) and free and volume.get("status") in ("attached", "detached")


def holder_among(volume: Row, instances: Mapping[str, Row]) -> Row | None:
    """Return the first instance of those given, by id, that has a volume; None without one."""
    return next((instances[one] for one in holders(volume) if one in instances), None)
