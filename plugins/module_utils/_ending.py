# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an instance is to be terminated, with its volumes (private, pure)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ._statuses import held_by, holders

Row = dict[str, Any]
# Policies under which a volume outlives its instance.
STAYS = frozenset({"keep", "leave"})


@dataclass(frozen=True)
class Ending:
    """How an instance is terminated. Policies: ``delete`` (for good), ``trash`` (96 h), ``keep``.

    ``leave`` is ``keep`` without the mark of a volume that is kept on purpose. ``spare`` holds the
    ids of volumes that are left whatever the policies say. ``stuck`` tells that an instance was built
    for too long already, and is not waited for. Times in seconds.
    """

    os_volume: str = "trash"
    data_volumes: str = "leave"
    timeout: float = 900
    interval: float = 5
    spare: frozenset[str] = frozenset()
    stuck: bool = False

    def policies(self, instance: Row) -> dict[str, str]:
        """Return the policy of each volume of an instance, by id."""
        ids = list(instance.get("volume_ids") or [])
        found = dict.fromkeys(ids, self.data_volumes)
        if instance.get("os_volume_id"):
            found[instance["os_volume_id"]] = self.os_volume
        return {key: "leave" if key in self.spare else how for key, how in found.items()}

    def policy(self, volume: Row) -> str:
        """Return the policy of one volume."""
        part = self.os_volume if volume.get("is_os_volume") else self.data_volumes
        return "leave" if volume["id"] in self.spare else part

    @classmethod
    def of(cls, want: Row) -> Ending:
        """Return how instances are terminated by module options."""
        data = want["data_volumes"] or "leave"
        return cls(want["os_volume"], data, want["wait_timeout"], want["wait_interval"])


def complete(instance: Row, volumes: list[Row]) -> list[Row]:
    """Add to an instance the volumes that name it as their holder, and return those that it has.

    An answer may lack ``volume_ids``, and the record of an unfinished order names its volumes late.
    """
    ids = [volume_id for volume_id in instance.get("volume_ids") or [] if volume_id]
    ids += [row["id"] for row in held_by(volumes, instance["id"]) if row["id"] not in ids]
    mine = [row for row in volumes if row["id"] in ids]
    root = next((row["id"] for row in mine if row.get("is_os_volume")), None)
    instance["volume_ids"] = ids
    instance["os_volume_id"] = instance.get("os_volume_id") or root
    return mine


def others_of(volume: Row, instance_id: str) -> list[str]:
    """Return the other instances that have a volume."""
    return [one for one in holders(volume) if one != instance_id]


def volume_plan(instance: Row, volumes: list[Row], how: Ending) -> Row:
    """Return what to say about volumes with the delete: those that go with it, and for good or not.

    Without a list the API takes the OS volume alone, so one is sent as soon as the ids are known.
    What another instance has as well never goes with one of them.
    """
    policies = how.policies(instance)
    shared = {row["id"] for row in volumes if others_of(row, instance["id"])}
    os_volume = instance.get("os_volume_id")
    first = policies.get(os_volume, how.os_volume) if os_volume else how.os_volume
    if first in STAYS:
        return {"volume_ids": []}
    extra: Row = {"delete_permanently": True} if first == "delete" else {}
    if os_volume:
        others = [v for v, policy in policies.items() if policy == first and v != os_volume]
        extra["volume_ids"] = [os_volume, *(v for v in others if v not in shared)]
    return extra
