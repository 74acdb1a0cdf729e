# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a machine of a name has left behind: disks to use again, places where it was lost (private)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ._ending import Ending
from ._errors import InvalidError
from ._lease import KEEP_SUFFIX, belongs_to, part_name, read_identity, tag_values
from ._machine import ENDED_TAG
from ._statuses import is_there


@dataclass(frozen=True)
class Kept:
    """Free disks of one name: what it booted from and its data, each None when there is none."""

    os_volume: dict[str, Any] | None = None
    data_volume: dict[str, Any] | None = None

    @property
    def volumes(self) -> list[dict[str, Any]]:
        return [row for row in (self.os_volume, self.data_volume) if row]

    @property
    def location(self) -> str | None:
        """Where a machine must stand to use them; None when that is open."""
        return next((row["location"] for row in self.volumes), None)

    def undo(self, timeout: float, interval: float, *, stuck: bool = False) -> Ending:
        """Return how an order ends that came to nothing: new disks go, those of before stay."""
        os_volume = "leave" if self.os_volume else "delete"
        data = "leave" if self.data_volume else "delete"
        return Ending(os_volume, data, timeout, interval, stuck=stuck)

    def check(self) -> None:
        """Raise InvalidError when the disks lie at different locations."""
        if len({row["location"] for row in self.volumes}) > 1:
            names = ", ".join(f"{row['name']} in {row['location']}" for row in self.volumes)
            raise InvalidError(
                f"The kept volumes lie at different locations: {names}",
                hint="Remove one of them, or boot from a new volume with os_volume=trash.",
            )


def find_kept(volumes: list[dict[str, Any]], deployment: str, name: str, *, boot: bool) -> Kept:
    """Return the disks that a machine of this name has left, the newest of each kind.

    ``boot`` says whether the one that it booted from is wanted.
    """

    def newest(part: str, os_volume: bool) -> dict[str, Any] | None:
        rows = [
            row
            for row in volumes
            if str(row.get("name")).removesuffix(KEEP_SUFFIX) == part_name(deployment, name, part)
            and belongs_to(row, deployment)
            and row.get("status") in ("detached", "detaching")
            and bool(row.get("is_os_volume")) is os_volume
        ]
        return max(rows, key=lambda row: row.get("created_at") or "", default=None)

    return Kept(newest("os", True) if boot else None, newest("data", False))


def evicted(rows: list[dict[str, Any]], deployment: str | None) -> list[dict[str, Any]]:
    """Return the spot machines of one or all deployments that were taken away, not ended by us."""
    found = []
    for row in rows:
        marks = read_identity(row)
        lost = row.get("is_spot") and not is_there(row)
        if not lost or not marks or ENDED_TAG in tag_values(row):
            continue
        if deployment in (None, marks.deployment):
            found.append(row)
    return found


def place_of(row: dict[str, Any]) -> tuple[str, str | None, str]:
    """Return type, location and market of a machine."""
    market = "spot" if row.get("is_spot") else "on_demand"
    return row["instance_type"], row.get("location"), market
