# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of one deployment in one account: every operation, once, in order."""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import partial
from typing import Any
from zlib import crc32

from ansible_collections.gpuops.cloud.plugins.modules import datacrunch_volume
from ansible_collections.gpuops.cloud.tests.unit.chaos.controllers import TYPES, Controller
from ansible_collections.gpuops.cloud.tests.unit.chaos.month import Calm, Scene
from ansible_collections.gpuops.cloud.tests.unit.chaos.strangers import move_in
from ansible_collections.gpuops.cloud.tests.unit.chaos.wire import Wire
from ansible_collections.gpuops.cloud.tests.unit.matrix.books import Books, Facts
from ansible_collections.gpuops.cloud.tests.unit.matrix.operations import (
    BUY,
    DEPLOYMENT,
    END,
    MAKE,
    OPERATIONS,
    PLACE,
    PROOF,
    REMOVE,
    VOLUME,
    Operation,
    Row,
)
from ansible_collections.gpuops.cloud.tests.unit.matrix.table import WORKS, Case, End, How
from gpuops_simulator import Simulator

# The stage replaces names in what is loaded, so all that is played must be.
UNDER_TEST = (datacrunch_volume,)
SECONDS = 30  # from an order to an instance that runs


class Life(Scene):
    """One account, in which everything is done once; a case always meets the same strangers."""

    def __init__(self, case: Case) -> None:
        super().__init__(crc32(case.name.encode()))
        # Near the controller's own time, by which the clock of a cloud is judged.
        self.schedule.now = float(int(time.time()))
        self.case = case
        self.wrong: list[str] = []
        self.trace: list[str] = []

    def begin(self, sim: Simulator, **scenario: Any) -> None:
        """Begin with strangers, and all types in one place."""
        settings = self.case.settings(late=False)
        sim.reset({"balance": 10_000_000, "provision_seconds": SECONDS, **settings, **scenario})
        sim.revoke_tokens()
        self.sim = sim
        move_in(sim, self._dice)
        sim.advance(600)  # until nothing of them is on its way any more
        sim.set_stock({PLACE: {"on_demand": dict.fromkeys(TYPES, 4), "spot": {}}})
        self.account = Books(sim, f"gpuops.{DEPLOYMENT}.{VOLUME}")
        self.wire = Wire(sim, self.schedule, Calm())

    def play(self) -> list[str]:
        """Play it; returns what was found to be wrong."""
        actor = Controller(self.seed, self.seed)
        job = self.schedule.spawn(partial(self._act, actor), actor)
        self.schedule.run()
        job.outcome()
        return list(dict.fromkeys(self.wrong))

    def _act(self, actor: Controller) -> None:
        worked, bought, late = set[str](), WORKS, False
        for operation in OPERATIONS:
            if worked.issuperset(operation.needs):
                end = self.case.end(operation.name, late=late)
                if bought != WORKS:
                    end = self.case.without_instance(operation.name, bought, late=late)
                self._do(actor, operation, end, idle=bought != WORKS)
                worked |= {operation.name} if end == WORKS else set()
                bought = end if operation is BUY else bought
            if operation is MAKE:
                late = True
                self.sim.switch(dialect=self.case.settings(late=True)["dialect"])
        if self.case.end(END.name, late=late) != WORKS:
            self._recover(actor, worked)
        self.wrong += self.account.at_the_end()

    def _recover(self, actor: Controller, worked: set[str]) -> None:
        """Take everything down once the account can be read again."""
        self.sim.switch(dialect={})
        for operation in (REMOVE, END, PROOF):
            if worked.issuperset(operation.needs):
                self._do(actor, operation, WORKS)

    def _do(self, actor: Controller, operation: Operation, end: End, *, idle: bool = False) -> None:
        """Run an operation; one that is idle finds no instance that it could do anything to."""
        before = self.account.facts()
        result = actor.run(operation.module, **operation.options())
        after = self.account.facts()
        self.account.tell(result)
        told = f"failed: {result['msg']}" if result.get("failed") else f"well: {after}"
        self.trace.append(f"{operation.name}: {told}")
        found = [*self._against(end, before, after, result), *self.account.always()]
        if end == WORKS and not idle and not found and not operation.effect(before, after, result):
            found.append(f"no such effect: {before} became {after}")
        self.wrong += [f"{operation.name}: {text}" for text in found]

    def _against(self, end: End, before: Facts, after: Facts, result: Row) -> Iterable[str]:
        """Yield what is not as the table says."""
        code = result["error"]["code"] if result.get("failed") else ""
        if code != end.code:
            words = result.get("msg", f"it works: {after}")
            yield f"expected: {end.how.value} {end.code}. What came: {code} {words}"
        elif end.how is How.REFUSED and _bought(before) != _bought(after):
            yield f"refused, but only after an order or an end: {result['msg']}"
        elif end.how is How.STOPPED:
            yield from self._unnamed(before, after, result["msg"])

    def _unnamed(self, before: Facts, after: Facts, text: str) -> Iterable[str]:
        """Yield the instances that were ordered and are not named with id and price."""
        if after.ordered == before.ordered:
            yield f"stopped, but nothing was ordered: {text}"
        for one in self.account.ordered()[before.ordered :]:
            price = f"{self.account.price(one)} per hour"
            if one not in text or price not in text:
                yield f"{one} ({price}) is not named: {text}"


def _bought(facts: Facts) -> tuple[int, tuple[str, ...], tuple[str, ...]]:
    """Return what no refusal may change: what was ordered, lives and costs."""
    return facts.ordered, facts.living, facts.costing
