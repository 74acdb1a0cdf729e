# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an instance of a name has left behind: disks to use again, places where it was lost (private)."""

from __future__ import annotations

from dataclasses import dataclass

from .._core.errors import InvalidError
from .._models.offer import SPOT
from .._models.ownership import ENDED_TAG, KEEP_SUFFIX, part_name
from .._models.resources import Instance, Volume
from .termination_policy import Ending


@dataclass(frozen=True)
class Kept:
    """Free disks of one name: what it booted from and its data, each None when there is none."""

    os_volume: Volume | None = None
    data_volume: Volume | None = None

    @property
    def volumes(self) -> list[Volume]:
        return [row for row in (self.os_volume, self.data_volume) if row]

    @property
    def location(self) -> str | None:
        """Where an instance must stand to use them; None when that is open."""
        return next((row.location for row in self.volumes), None)

    def undo(self, timeout: float, interval: float, *, stuck: bool = False) -> Ending:
        """Return how an order ends that came to nothing: new disks go, those of before stay."""
        os_volume = "leave" if self.os_volume else "delete"
        data = "leave" if self.data_volume else "delete"
        return Ending(os_volume, data, timeout, interval, stuck=stuck)

    def check(self) -> None:
        """Raise InvalidError when the disks lie at different locations."""
        if len({row.location for row in self.volumes}) > 1:
            names = ", ".join(f"{row.name} in {row.location}" for row in self.volumes)
            raise InvalidError(
                f"The retained volumes are at different locations: {names}",
                hint="Remove one of them, or boot from a new volume with os_volume=trash.",
            )


def find_kept(volumes: list[Volume], deployment: str, name: str, *, boot: bool) -> Kept:
    """Return the disks that an instance of this name has left, the newest of each kind.

    ``boot`` says whether the one that it booted from is wanted.
    """

    def newest(part: str, os_volume: bool) -> Volume | None:
        rows = [
            row
            for row in volumes
            if (row.name or "").removesuffix(KEEP_SUFFIX) == part_name(deployment, name, part)
            and row.deployment == deployment
            and row.status in ("detached", "detaching")
            and row.is_boot is os_volume
        ]
        return max(rows, key=lambda row: row.created_at or "", default=None)

    return Kept(newest("os", True) if boot else None, newest("data", False))


def evicted(rows: list[Instance], deployment: str | None) -> list[Instance]:
    """Return the spot instances of one or all deployments that were taken away, not terminated by us."""
    found = []
    for row in rows:
        lost = row.market == SPOT and not row.exists
        if not lost or not row.ownership or ENDED_TAG in row.tag_values:
            continue
        if deployment in (None, row.ownership.deployment):
            found.append(row)
    return found


def place_of(row: Instance) -> tuple[str, str | None, str]:
    """Return type, location and market of an instance."""
    return row.instance_type or "", row.location, row.market
