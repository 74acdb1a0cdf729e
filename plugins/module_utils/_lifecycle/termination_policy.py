# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an instance is to be terminated, with its volumes (private, pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypedDict

from .._core.errors import GpuopsError
from .._models.orders import Disposal
from .._models.rates import BillRow, bill_row
from .._models.resources import Billed, Instance, Volume, held_by

# Policies under which a volume outlives its instance.
STAYS = frozenset({"keep", "leave"})


class EndingOptions(TypedDict):
    """The options of modules that say how instances are terminated."""

    os_volume: str
    data_volumes: str | None
    wait_timeout: float
    wait_interval: float


@dataclass(frozen=True)
class Ending:
    """How an instance is terminated. Policies: ``delete`` (for good), ``trash`` (96 h), ``keep``.

    ``leave`` is ``keep`` without the mark of a volume that is retained on purpose. ``spare`` holds the
    ids of volumes that are left whatever the policies say. ``stuck`` tells that an instance was built
    for too long already, and is not waited for. ``wanted`` tells that it is to stay after all: a
    delete that is refused is asked for again for minutes, in which its reason may go. Times in
    seconds.
    """

    os_volume: str = "trash"
    data_volumes: str = "leave"
    timeout: float = 900
    interval: float = 5
    spare: frozenset[str] = frozenset()
    stuck: bool = False
    wanted: Callable[[], bool] | None = None

    def policies(self, instance: Instance) -> dict[str, str]:
        """Return the policy of each volume of an instance, by id."""
        found = dict.fromkeys(instance.volume_ids, self.data_volumes)
        if instance.boot_volume_id:
            found[instance.boot_volume_id] = self.os_volume
        return {key: "leave" if key in self.spare else how for key, how in found.items()}

    def policy(self, volume: Volume) -> str:
        """Return the policy of one volume."""
        part = self.os_volume if volume.is_boot else self.data_volumes
        return "leave" if volume.id in self.spare else part

    @classmethod
    def of(cls, want: EndingOptions) -> Ending:
        """Return how instances are terminated by module options."""
        data = want["data_volumes"] or "leave"
        return cls(want["os_volume"], data, want["wait_timeout"], want["wait_interval"])


@dataclass
class Outcome:
    """What came of the end of one instance.

    ``row`` is its last record with the ids of all its volumes, and ``volumes`` are those that it
    had. ``at`` is when its bill ended, ``volumes_at`` when that of the volumes that went with it
    did; None where that did not happen, and ``error`` says why. ``left`` are the ids of the volumes
    that outlive it, ``marked`` of those that bear that they are retained on purpose. ``stays`` tells that
    it was wanted after all, and lives on.
    """

    row: Instance
    how: Ending
    volumes: list[Volume] = field(default_factory=list)
    at: datetime | None = None
    volumes_at: datetime | None = None
    error: GpuopsError | None = None
    left: frozenset[str] = frozenset()
    marked: set[str] = field(default_factory=set)
    stays: bool = False

    @property
    def policies(self) -> dict[str, str]:
        """The policy of each volume, by id."""
        return self.how.policies(self.row)

    def bill(self) -> list[BillRow]:
        """Return what the instance and each volume that it had have cost."""
        if self.at is None:
            return []
        had: tuple[Billed, ...] = (self.row, *self.volumes)
        return [bill_row(one, self.at) for one in had]

    def add_volumes(self, ids: Iterable[str]) -> None:
        """Note that the instance has these volumes as well."""
        more = [one for one in ids if one not in self.row.volume_ids]
        if more:
            self.row = replace(self.row, volume_ids=(*self.row.volume_ids, *more))

    def complete(self, volumes: list[Volume]) -> None:
        """Take from the listed volumes those that the instance has.

        An answer may lack ``volume_ids``, and the record of an unfinished order names its volumes
        late.
        """
        self.add_volumes(volume.id for volume in held_by(volumes, self.row.id))
        self.volumes = [volume for volume in volumes if volume.id in self.row.volume_ids]
        root = next((volume.id for volume in self.volumes if volume.is_boot), None)
        self.row = replace(self.row, boot_volume_id=self.row.boot_volume_id or root)


def disposal_of(end: Outcome) -> Disposal:
    """Return which volumes go with an instance, and whether for good.

    What another instance has as well never goes with one of them.
    """
    policies, boot = end.policies, end.row.boot_volume_id
    shared = {volume.id for volume in end.volumes if volume.others(end.row.id)}
    first = policies.get(boot, end.how.os_volume) if boot else end.how.os_volume
    if first in STAYS:
        return Disposal(())
    for_good = first == "delete"
    if not boot:
        return Disposal(None, for_good)
    others = [one for one, policy in policies.items() if policy == first and one != boot]
    return Disposal((boot, *(one for one in others if one not in shared)), for_good)
