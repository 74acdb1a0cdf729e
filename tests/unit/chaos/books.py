# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator's own account of a sequence, and what must be true of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from ansible_collections.gpuops.cloud.plugins.module_utils._models.ownership import Identity
from ansible_collections.gpuops.cloud.tests.unit.plugins.shown import ownership
from gpuops_simulator import Simulator
from gpuops_simulator.views import instance_view

GONE = ("discontinued", "deleting")
DEAD = ("error", "installation_failed", "no_capacity")
Row = dict[str, Any]


class Books:
    """What belongs to strangers, and what orders have made since."""

    def __init__(self, sim: Simulator) -> None:
        self._sim = sim
        self._foreign = self._things()
        self._known = set(sim.cloud.account.instances)
        self.made: dict[str, Identity | None] = {}
        self._blind: list[str] = []
        self.excused: set[str] = set()
        self._buyers: dict[str, object] = {}

    def _things(self) -> dict[str, Row]:
        state = self._sim.state()
        rows = [*state["instances"], *state["volumes"], *state["trash"], *state["ssh_keys"]]
        return {row["id"]: row for row in rows}

    def note(self, buyer: object) -> None:
        """Take down what was made since the last look, with the marks that it bore at once."""
        for row_id, instance in self._sim.cloud.account.instances.items():
            if row_id in self._known:
                continue
            marks = ownership(instance_view(self._sim.cloud, instance))
            same = [key for key, other in self.made.items() if _same_order(marks, other)]
            self._known.add(row_id)
            self._buyers[row_id] = buyer
            self.made[row_id] = marks
            if self.living_ids().intersection(same) and self._known_in_time(row_id):
                self._blind.append(f"the order of {row_id} was repeated blindly")

    def excuse(self, order: Row) -> None:
        """Take down an order that is taken so late that nobody can know."""
        marks = ownership(order)
        self.excused |= {marks.request} if marks else set()

    def _known_in_time(self, row_id: str) -> bool:
        marks = self.made[row_id]
        return marks is None or marks.request not in self.excused

    def made_by(self, buyer: object, before: set[str]) -> set[str]:
        """Return the ids of what a buyer has made beside what was there ``before``."""
        return {one for one in self.made.keys() - before if self._buyers[one] is buyer}

    def strangers(self) -> set[str]:
        """Return the ids of what was there before."""
        return set(self._foreign)

    def living(self) -> list[Row]:
        """Return the instances of ours that are there and not dead."""
        rows = self._sim.state()["instances"]
        return [row for row in rows if row["id"] in self.made and row["status"] not in GONE + DEAD]

    def living_ids(self) -> set[str]:
        """Return the ids of those."""
        return {row["id"] for row in self.living()}

    def disks(self) -> set[str]:
        """Return the ids of the volumes of those."""
        accounts = self._sim.cloud.account.instances
        return {disk for row_id in self.living_ids() for disk in accounts[row_id].volume_ids}

    def stuck(self, name: str) -> bool:
        """Tell whether an instance of this name will never be built."""
        plans = {key: one.plan for key, one in self._sim.cloud.account.instances.items()}
        rows = [row for row in self.living() if row["hostname"] == name]
        last = [plans[row["id"]][-1][1] if plans[row["id"]] else row["status"] for row in rows]
        return "provisioning" in last

    # -- what must be true ---------------------------------------------------------------------

    def complaints(self) -> Iterable[str]:
        """Yield what must never be, whatever has happened."""
        for row_id, marks in self.made.items():
            if marks is None:
                yield f"instance {row_id} was ordered without an identity"
        yield from self._blind
        now = self._things()
        for row_id, row in self._foreign.items():
            if now.get(row_id) != row:
                name = row.get("hostname") or row.get("name")
                yield f"{name} of a stranger was touched: {row_id}"

    def check_told(self, buyer: object, before: set[str], result: Row) -> Iterable[str]:
        """Yield what a module bought since ``before`` and lives, though it failed and is silent."""
        if not result.get("failed"):
            return
        text = json.dumps(result, default=str)
        for row in self.living():
            mine = row["id"] not in before and self._buyers[row["id"]] is buyer
            told = row["id"] in text or f"buy {row['hostname']}:" in text or "same again" in text
            if mine and not told and self._known_in_time(row["id"]):
                yield f"instance {row['id']} was bought and not told: {result['msg']}"

    def check_names(self, wanted: set[str]) -> Iterable[str]:
        """Yield the names of which there is not exactly one instance, or one too many."""
        have = Counter(row["hostname"] for row in self.living())
        for name in sorted(wanted | set(have)):
            if have[name] != (name in wanted):
                yield f"{have[name]} instances are called {name}, not {int(name in wanted)}"

    def check_disks(self, doomed: set[str]) -> Iterable[str]:
        """Yield the volumes that should be gone and are not."""
        for row in self._sim.state()["volumes"]:
            if row["id"] in doomed and row["status"] != "deleting":
                yield f"volume {row['id']} is {row['status']}, not gone"

    def check_costs(self, leftovers: list[Row]) -> Iterable[str]:
        """Yield what goes on costing, or stands there dead, and is not reported."""
        reported = {row["id"] for row in leftovers}
        state = self._sim.state()
        for row in state["instances"]:
            if row["id"] in self.made and row["status"] not in GONE and row["id"] not in reported:
                yield f"instance {row['id']} ({row['status']}) is not reported"
        for row in state["bill"]:
            open_ = row["until"] is None
            if open_ and row["id"] not in self._foreign and row["id"] not in reported:
                yield f"{row['kind']} {row['name']} ({row['id']}) costs money and is not reported"
        for row_id in reported & self._foreign.keys():
            yield f"{row_id} is reported and belongs to a stranger"


def _same_order(one: Identity | None, other: Identity | None) -> bool:
    return one is not None and other is not None and one.request == other.request
