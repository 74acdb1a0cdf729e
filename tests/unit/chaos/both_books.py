# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The own accounts of two clouds as one, and what must be true of both together."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from ansible_collections.gpuops.cloud.plugins.module_utils._ledger import store
from ansible_collections.gpuops.cloud.plugins.module_utils._ledger.history import Thing, things_of
from ansible_collections.gpuops.cloud.tests.unit.chaos.books import DEAD, GONE, Books
from ansible_collections.gpuops.cloud.tests.unit.chaos.second_account import (
    Account,
    SecondBooks,
    label_of,
)
from gpuops_simulator import Simulator

# Verda bills ten minutes in advance and gives back the rest, Lambda Cloud every minute begun; an
# end is written down when it is proven, which may take a while where answers are lost.
SLACK_H = 0.25
Row = dict[str, Any]


class BothBooks:
    """What each cloud has made for us and what it bills, by its own books."""

    def __init__(self, sim: Simulator, account: Account) -> None:
        self.sim, self.account = sim, account
        self.first, self.second = Books(sim), SecondBooks(account)
        self.ledger: str | None = None
        self.unwritten = False  # a run told that it could not write down what it bought
        self._promised: set[str] = set()
        self._others = self._rates()

    def made(self) -> set[str]:
        """Return the ids of all that was made for us."""
        return set(self.first.made) | {one.id for one in self.second.made}

    def made_by(self, buyer: object, before: set[str]) -> set[str]:
        """Return the ids of what a buyer has made beside what was there ``before``."""
        return self.first.made_by(buyer, before) | self.second.made_by(buyer, before)

    def living(self) -> dict[str, tuple[str, str]]:
        """Return cloud and name of each of our instances that lives, by its id."""
        found = {row["id"]: ("verda", str(row["hostname"])) for row in self.first.living()}
        for one in self.second.living():
            label = label_of(one)
            found[one.id] = ("lambda", label.name if label else "?")
        return found

    def _rates(self) -> dict[str, float]:
        """Return what each instance that lives costs per hour, ours and others'."""
        rows = self.sim.cloud.account.instances.values()
        rates = {row.id: float(row.price_per_hour) for row in rows if row.status not in GONE + DEAD}
        return rates | {one.id: self.account.price(one) for one in self.account.living()}

    def others_rate(self) -> float:
        """Return what strangers cost per hour."""
        return sum(self._others.values())

    # -- what must be true ---------------------------------------------------------------------

    def complaints(self) -> Iterable[str]:
        """Yield what must never be, whatever has happened."""
        yield from self.first.complaints()
        yield from self.second.complaints()

    def check_doubles(self, failures: Iterable[str] = ()) -> Iterable[str]:
        """Yield names of which several live on, over both clouds, and no failure tells of it."""
        told = "\n".join(failures)
        rows: dict[str, list[str]] = {}
        for one, (cloud, name) in self.living().items():
            if one not in told and f"{name} (id unknown)" not in told:
                rows.setdefault(name, []).append(f"{one} at {cloud}")
        for name, where in rows.items():
            if len(where) > 1:
                yield f"{len(where)} instances are called {name}: {', '.join(where)}"

    def check_names(self, wanted: set[str]) -> Iterable[str]:
        """Yield the names of which there is not exactly one instance, or one too many."""
        have = Counter(name for _cloud, name in self.living().values())
        for name in sorted(wanted | set(have)):
            if have[name] != (name in wanted):
                yield f"{have[name]} instances are called {name}, not {int(name in wanted)}"

    def check_told(self, buyer: object, before: set[str], result: Row) -> Iterable[str]:
        """Yield what a module bought since ``before`` and lives, though it failed and is silent."""
        if not result.get("failed"):
            return
        text, living = json.dumps(result, default=str), self.living()
        for one in sorted(self.made_by(buyer, before) & living.keys()):
            name = living[one][1]
            if one not in text and f"buy {name}:" not in text and "same again" not in text:
                yield f"instance {one} was bought and not told: {result['msg']}"

    def check_budget(self, made: set[str], room: float) -> Iterable[str]:
        """Yield by how much one budget is broken, after a run that ended well and made these."""
        self._promised |= made
        rates = self._rates()
        rate = sum(rates.get(one, 0.0) for one in self._promised)
        if rate > room + 1e-9:
            yield f"{rate:g} per hour is above the budget of {room:g}: {sorted(self._promised)}"

    def check_ledger(self) -> Iterable[str]:
        """Yield what of the ledger does not agree with what each cloud has billed."""
        if self.ledger is None:
            return
        rows = store.read(self.ledger)
        for row in rows:
            if row["provider"] not in ("verda", "lambda"):
                yield f"{row['event']} of {row['thing_id']} is at {row['provider']}"
        things = {one.id: one for one in things_of(rows)}
        bill = {row["id"]: row for row in self.sim.state()["bill"]}
        state = {row["id"]: row["status"] for row in self.sim.state()["instances"]}
        for one in sorted(self.first.made):
            billed = bill.get(one)
            died = state.get(one) in DEAD and one not in things  # before anybody wrote it down
            if billed and billed["cost"] and not died:
                price = billed["price_per_hour"]
                yield from self._agree(things.get(one), one, "verda", price, billed["cost"])
        for machine in self.second.made:
            price, cost = self.account.price(machine), self.second.cost(machine)
            yield from self._agree(things.get(machine.id), machine.id, "lambda", price, cost)

    def _agree(
        self, thing: Thing | None, one: str, cloud: str, price: float, cost: float
    ) -> Iterable[str]:
        if thing is None:
            if not self.unwritten:
                yield f"{one} at {cloud} has cost {cost:.3f} and is in no ledger"
            return
        if thing.provider != cloud:
            yield f"{one} at {cloud} is in the ledger as one of {thing.provider}"
        if abs(thing.price - price) > 1e-6:
            yield f"{one} costs {price} per hour, by the ledger {thing.price}"
        if thing.until is None:
            yield f"{one} at {cloud} has no end in the ledger"
        told = thing.cost_between(None, thing.until or self.sim.now())
        if not thing.estimated and abs(told - cost) > SLACK_H * price:
            yield f"{one} at {cloud} has cost {cost:.3f}, by the ledger {told:.3f}"
