# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the simulator itself knows of one account, whatever its answers show, and what must hold."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from ansible_collections.gpuops.cloud.plugins.module_utils._models.ownership import read_identity
from gpuops_simulator import Simulator
from gpuops_simulator.model import Instance, Volume

Row = dict[str, Any]
GONE = ("discontinued", "deleting")
DEAD = ("error", "installation_failed", "no_capacity")
# What changes on things of others although nobody writes to them.
_UNTOLD = ("looks",)


@dataclass(frozen=True)
class Facts:
    """What there is of the deployment at one moment; ``size`` and ``attached`` are of the volume.

    ``living`` and ``costing`` hold ids. ``ordered`` counts the instances that were ever ordered,
    ``writes`` the requests that could have changed something.
    """

    living: tuple[str, ...]
    ordered: int
    status: str
    lease: str
    protected: bool
    size: int | None
    attached: bool
    costing: tuple[str, ...]
    writes: int


class Books:
    """The account of the simulator, and all that the modules have told."""

    def __init__(self, sim: Simulator, volume: str) -> None:
        self._account = sim.cloud.account
        self._sim = sim
        self._volume = volume
        self._theirs = self._things()
        self._paid = set(self._account.meters)
        self._told: list[str] = []

    def _things(self) -> dict[str, Row]:
        account = self._account
        found: dict[str, Row] = {key: dict(row) for key, row in account.keys.items()}
        found.update((key, asdict(row)) for key, row in account.instances.items())
        found.update((key, asdict(row)) for key, row in account.volumes.items())
        return {
            key: {name: value for name, value in row.items() if name not in _UNTOLD}
            for key, row in found.items()
        }

    # -- what there is -------------------------------------------------------------------------

    def _living(self) -> list[Instance]:
        rows = self._account.instances.values()
        return [r for r in rows if r.id not in self._theirs and r.status not in GONE + DEAD]

    def _volumes(self) -> list[Volume]:
        return [row for row in self._account.volumes.values() if row.id not in self._theirs]

    def ordered(self) -> list[str]:
        """Return the ids of all instances that were ever ordered, the oldest first."""
        meters = self._account.meters.values()
        return [one.id for one in meters if one.kind == "instance" and one.id not in self._paid]

    def _costing(self) -> list[str]:
        meters = self._account.meters.values()
        return [one.id for one in meters if one.until is None and one.id not in self._paid]

    def facts(self) -> Facts:
        """Return what there is now."""
        self._sim.advance(0)
        living = self._living()
        one = living[0] if living else None
        tags = {tag["key"]: tag["value"] for tag in one.tags} if one else {}
        marks = read_identity(tags, one.description) if one else None
        rows = [row for row in self._volumes() if row.name.startswith(self._volume)]
        disk = next((row for row in rows if row.deleted_at is None), None)
        return Facts(
            living=tuple(row.id for row in living),
            ordered=len(self.ordered()),
            status=one.status if one else "none",
            lease=marks.lease if marks else "none",
            protected=bool(marks and marks.protected),
            size=disk.size if disk else None,
            attached=bool(disk and disk.instance_ids),
            costing=tuple(self._costing()),
            writes=len(self._sim.writes()),
        )

    def price(self, instance_id: str) -> float:
        """Return what an instance costs per hour."""
        return float(self._account.meters[instance_id].price_per_hour)

    # -- what must hold ------------------------------------------------------------------------

    def tell(self, result: Row) -> None:
        """Take down what a module has told."""
        self._told.append(json.dumps(result, default=str))

    def always(self) -> Iterable[str]:
        """Yield what must never be: twins, an instance that nobody told of, a hand on others."""
        for name, count in Counter(row.hostname for row in self._living()).items():
            if count > 1:
                yield f"{count} instances are called {name}"
        for one in self.ordered():
            if not any(one in text for text in self._told):
                yield f"instance {one} was ordered and never named"
        now = self._things()
        for one, row in self._theirs.items():
            if now.get(one) != row:
                yield f"{row.get('hostname') or row.get('name')} of somebody else was written to"

    def at_the_end(self) -> Iterable[str]:
        """Yield what goes on costing and was not named, and disks that are left."""
        for one in self._costing():
            if not any(one in text for text in self._told):
                yield f"{self._account.meters[one].kind} {one} goes on costing and was not named"
        costing = set(self._costing())
        for row in self._volumes():
            going = row.status == "deleting" or row.deleted_at is not None
            if row.id not in costing and not (going and row.permanent):
                yield f"volume {row.name} is {row.status}, not deleted for good"
