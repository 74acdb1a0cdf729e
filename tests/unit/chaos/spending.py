# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The budget of a sequence: what its runs have promised must fit into it, whoever else bought."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from ansible_collections.gpuops.cloud.plugins.module_utils._ledger import store
from ansible_collections.gpuops.cloud.tests.unit.chaos.books import DEAD, GONE, Row
from ansible_collections.gpuops.cloud.tests.unit.chaos.habits import Budget, Habits
from gpuops_simulator import Simulator

UNSEEN = "was not looked at again"  # what a run tells that could not look after its order


class Spending:
    """What the controllers may spend, and the instances of runs that ended well.

    Each run looks at the budget once more after its order. So whatever a run has promised fits at
    once, together with what others were promised before; nobody promises for a run that was killed,
    that failed and named what it left, or that told that it could not look.
    """

    def __init__(self, sim: Simulator, habits: Habits) -> None:
        self._instances = sim.cloud.account.instances
        self._budget: Budget | None = habits.budget
        self._unseen = habits.lag > sim.cloud.scenario.provision_seconds
        self._late = bool(habits.lag)
        self._promised: set[str] = set()
        self._options: Row = {}
        if self._budget is not None:
            self._options = {"budget": self._budget.limits(self._rate(self._instances))}
            if self._budget.period != "per_hour":
                self._options["ledger"] = f"sqlite:///{os.environ['XDG_DATA_HOME']}/ledger.sqlite3"
                store.begin(self._options["ledger"])

    def options(self, args: dict[str, Any]) -> dict[str, Any]:
        """Return the options of a run, with the budget and the ledger where there are any."""
        unlimited = args.get("state", "absent") == "absent"
        return {
            **args,
            **{k: v for k, v in self._options.items() if not unlimited or k == "ledger"},
        }

    def _rate(self, ids: Iterable[str]) -> float:
        """Return what instances cost per hour, those that are there and not dead."""
        rows = [self._instances[one] for one in ids if one in self._instances]
        return sum(float(row.price_per_hour) for row in rows if row.status not in GONE + DEAD)

    def after(self, args: Row, result: Row, made: set[str], warned: list[str]) -> Iterable[str]:
        """Yield by how much the budget is broken after a run that ended well and made these."""
        if self._budget is None or "budget" not in args:
            return
        # What lists show late is looked at again once an instance runs.
        surely = not self._unseen and (args.get("wait", True) or not self._late)
        told = any(UNSEEN in text for text in warned)
        if result.get("failed") or result.get("killed") or told or not surely:
            return
        self._promised |= made
        rate = self._rate(self._promised)
        if rate > self._budget.room + 1e-9:
            names = ", ".join(sorted(one for one in self._promised if self._rate([one])))
            yield f"{rate:g} per hour is above the budget of {self._budget.room:g}: {names}"
