# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One sequence over two clouds: chaos at both, then healthy runs, then the end of everything."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterable
from functools import partial
from random import Random
from typing import Any

from ansible_collections.gpuops.cloud.plugins.module_utils._instances.fleet import fleet_names
from ansible_collections.gpuops.cloud.plugins.module_utils._ledger import store
from ansible_collections.gpuops.cloud.tests.unit.chaos.both_books import BothBooks
from ansible_collections.gpuops.cloud.tests.unit.chaos.controllers import (
    DEPLOYMENT,
    NAMES,
    TYPES,
    VERDA_URL,
    Action,
    Controller,
)
from ansible_collections.gpuops.cloud.tests.unit.chaos.misfortune import (
    FirstWeather,
    Misfortune,
    Outages,
)
from ansible_collections.gpuops.cloud.tests.unit.chaos.schedule import Schedule
from ansible_collections.gpuops.cloud.tests.unit.chaos.second_account import (
    KEY_NAME,
    STRANGERS,
    Account,
    SecondWire,
    Switchboard,
)
from ansible_collections.gpuops.cloud.tests.unit.chaos.strangers import PUBLIC, move_in
from ansible_collections.gpuops.cloud.tests.unit.chaos.told import reaped_early, short, summary
from ansible_collections.gpuops.cloud.tests.unit.chaos.wire import Wire
from ansible_collections.gpuops.cloud.tests.unit.chaos.wishes import Wishes
from ansible_collections.gpuops.cloud.tests.unit.chaos.world import PLACES, PLENTY
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import SECRET
from gpuops_simulator import Simulator

HOUR = 3600.0
LAMBDA_URL = "http://lambda.localhost/v1"
PROVIDERS = ("verda", "lambda")
# What runs tell that could not look for twins elsewhere, or not write down a purchase.
UNSURE, UNWRITTEN = "Nobody could look again whether", "is not in the ledger yet"
# Hours of every lease where a budget holds, so that every limit comes to the same.
LEASE_HOURS = 12.0
# What is bought under a budget costs 1.29 or 1.80 per hour: one, two or three of them fit.
ROOMS = (1.9, 3.2, 4.5)
Row = dict[str, Any]


class Tenant(Controller):
    """A controller with an account at each cloud."""

    providers: tuple[str, ...] = PROVIDERS

    def login(self, module: str) -> Row:
        """Return the options that name the accounts."""
        if module.startswith("datacrunch_"):
            return super().login(module)
        verda = {"client_id": self.client_id, "client_secret": SECRET, "base_url": VERDA_URL}
        other = {"api_key": "the-key-of-the-account", "base_url": LAMBDA_URL}
        accounts = {"verda": verda, "lambda": other}
        return {"accounts": accounts, "providers": list(self.providers), "timeout": 30.0}


class Mishaps:
    """What went wrong at either cloud, by numbers that can be left out."""

    def __init__(self, *parts: Any) -> None:
        self._parts = parts

    @property
    def mishaps(self) -> list[int]:
        """Return all numbers so far."""
        return [number for part in self._parts for number in part.mishaps]

    def settle(self, *, settled: bool = True) -> None:
        """Let nothing go wrong any more, or again."""
        for part in self._parts:
            part.settled = settled


class TwoClouds(Wishes):
    """Everything of one sequence. ``calm`` names mishaps that do not happen after all."""

    def __init__(self, seed: int, calm: frozenset[int] = frozenset()) -> None:
        self.seed = seed
        self.trace: list[str] = []
        self.wrong: list[str] = []
        self.unsure = False
        self._failures: list[str] = []
        self._dice = Random(f"two clouds {seed}")
        self._ids = Random(f"ids {seed}")
        self._calm = calm
        self.schedule = Schedule(Random(f"schedule {seed}"))
        self.habits = "two clouds"

    def uuid(self) -> uuid.UUID:
        """Return the next of the ids that this sequence has."""
        return uuid.UUID(int=self._ids.getrandbits(128), version=4)

    def doubles(self) -> Row:
        """Return nothing: all of the clients is the real thing."""
        return {}

    def begin(self, sim: Simulator) -> None:
        """Set the scene: an account of each, with strangers in it."""
        dice = self._dice
        building, lag = dice.choice([0, 20, 60]), dice.choice([0.0, 0.0, 5.0, 15.0])
        self._lag = lag if building > lag else 0.0
        scenario = {
            "balance": 1_000_000,
            "provision_seconds": building,
            "dialect": {"list_lag_seconds": self._lag} if self._lag else {},
        }
        sim.reset(scenario)
        sim.revoke_tokens()
        self.sim = sim
        move_in(sim, dice)
        account = Account(sim.cloud.clock, self._lag)
        for name in dice.sample(STRANGERS, dice.randint(0, 3)):
            account.make(name=name, instance_type_name="gpu_1x_a10", tags=[])
        sim.advance(120)
        self.books = BothBooks(sim, account)
        self._shelve(dice, account)
        outages = Outages(dice, self.schedule, self._calm)
        first = FirstWeather(sim, self.books.first, self.seed, self._calm, self.trace)
        first.outages = outages
        second = Misfortune(self.seed, self._calm, self.trace, outages)
        self.weather = Mishaps(first, second, outages)
        self._first_weather = first
        wires = {
            "cloud.localhost": Wire(sim, self.schedule, first),
            "lambda.localhost": SecondWire(self.books.second, self.schedule, second, self.trace),
        }
        self.wire: Wire = Switchboard(wires)
        self._choose_money(dice)
        self.habits = f"lists {self._lag:g} s late, {outages}, {self._money}"

    def _shelve(self, dice: Random, account: Account) -> None:
        """Fill the shelves of both: short, or ample."""
        counts = dice.choice([(0, 0, 1, 2), (0, 1), (9,), (9,)])
        self.sim.set_stock(
            {
                place: {"on_demand": {name: dice.choice(counts) for name in TYPES}, "spot": {}}
                for place in PLACES
            }
        )
        account.stock = {name: dice.choice(counts) for name in account.stock}
        account.lies = dice.random() < 0.3
        self.sim.switch(availability_lies=dice.sample(TYPES, dice.choice([0, 0, 1])))

    def _choose_money(self, dice: Random) -> None:
        """Choose budget and ledger, of which each may be none."""
        period = dice.choice([None, None, "per_hour", "per_hour", "total"])
        self._room = dice.choice(ROOMS)
        self._budget = period
        self._money: Row = {"ledger": "none"}
        if period == "total" or dice.random() < 0.5:
            place = f"{os.environ['XDG_DATA_HOME']}/ledger.sqlite3"
            self._money = {"ledger": f"sqlite:///{place}"}
            self.books.ledger = self._money["ledger"]
            store.begin(self.books.ledger)
        if period:
            hours = 1.0 if period == "per_hour" else LEASE_HOURS
            limit = (self.books.others_rate() + self._room) * hours
            self._money["budget"] = {period: limit}

    # -- the sequence --------------------------------------------------------------------------

    def play(self) -> list[str]:
        """Play the sequence; returns what was found to be wrong."""
        dice = self._dice
        race = dice.random() < 0.5
        count = dice.choice([2, 2, 3] if race else [1, 1, 2, 3])
        actors = [Tenant(number, self.seed) for number in range(count)]
        shared = [self._purchase(dice)]
        plans = [shared if race else self._draw(dice) for _actor in actors]
        self._register(Tenant(98, self.seed))
        for actor, plan in zip(actors, plans, strict=True):
            actor.providers = PROVIDERS if dice.random() < 0.5 else PROVIDERS[::-1]
            self.schedule.spawn(partial(self._act, actor, plan), actor)
        self.schedule.run()
        if not self.unsure:
            self.wrong += self.books.check_doubles(self._failures)
        self._calm_down()
        most = max([args.get("count", 1) for plan in plans for _module, args in plan] or [1])
        return list(dict.fromkeys([*self.wrong, *self._healthy(most), *self._ended()]))

    def _register(self, actor: Tenant) -> None:
        key = {"deployment": "keys", "name": KEY_NAME, "public_key": PUBLIC}
        self.weather.settle()
        self._one(actor, "datacrunch_ssh_key", key)
        self.weather.settle(settled=False)

    def _act(self, actor: Tenant, plan: list[Action]) -> None:
        for number, (module, args) in enumerate(plan):
            if number and self._budget != "total" and self.seed % 3 == 0:
                self.schedule.pause(0.8 * HOUR)
            self.schedule.pause(self._lag)  # nobody runs twice before what was bought is listed
            self._run(actor, module, args)

    def _run(self, actor: Tenant, module: str, args: Row) -> Row:
        now = f"{self.sim.now():%H:%M:%S}"
        self.trace.append(f"{now} {actor.client_id} begins {module} {short(args)}")
        before = self.books.made()
        if module == "datacrunch_lease":
            args = {**args, "trust_cloud_clock": True, "ledger": self._money["ledger"]}
        result = actor.run(module, **args)
        self.trace.append(f"{self.sim.now():%H:%M:%S} {actor.client_id} ends   {summary(result)}")
        self.trace.extend(f"        warned: {text}" for text in actor.warned)
        told = [*actor.warned, *map(str, result.get("errors") or [])]
        self.unsure |= any(UNSURE in text for text in told)
        self.books.unwritten |= any(UNWRITTEN in text for text in told)
        if result.get("failed"):
            self._failures.append(json.dumps(result, default=str))
        self.wrong += self.books.check_told(actor, before, result)
        if module == "gpu_instance" and "budget" in args and not self._first_weather.late:
            made = self.books.made_by(actor, before)
            surely = not result.get("failed") and not any("not looked at" in t for t in told)
            self.wrong += self.books.check_budget(made if surely else set(), self._room)
        if module == "gpu_reap":
            self.wrong += reaped_early(result, self.sim.now())
        return result

    # -- afterwards ----------------------------------------------------------------------------

    def _calm_down(self) -> None:
        self.weather.settle()
        self.sim.clear_faults()
        self.sim.switch(availability_lies=[])
        self.sim.set_stock(PLENTY)
        self.books.account.lies = False
        self.books.account.stock = dict.fromkeys(self.books.account.stock, 99)
        self._money.pop("budget", None)

    def _healthy(self, count: int) -> Iterable[str]:
        """Run every name once more without any fault, and look at the books."""
        wanted: set[str] = set()
        actor = Tenant(99, self.seed)
        for name in NAMES:
            state = self._dice.choice(["present", "running", "absent"])
            names = fleet_names(name, count)
            state = "present" if any(map(self.books.first.stuck, names)) else state
            self.sim.advance(120)  # what is to fail has failed
            if state == "absent":
                args = {**self._end(name=name), "count": count}
            else:
                wanted |= set(names)
                args = self._wish(None, True, deployment=DEPLOYMENT, name=name, count=count)
                args["state"] = state
            yield from self._well(actor, args)
        yield from self.books.check_names(wanted)
        yield from self.books.complaints()

    def _well(self, actor: Tenant, args: Row) -> Iterable[str]:
        """Run once, and again after what a message asks for; yields what is wrong then."""
        result = self._one(actor, "gpu_instance", args)
        code = result["error"]["code"] if result.get("failed") else ""
        if code == "conflict" and any(self.books.check_doubles()):
            end = {**self._end(name=args["name"]), "count": args["count"]}
            self._one(actor, "gpu_instance", end)
        if code in ("conflict", "failed_state"):
            result = self._one(actor, "gpu_instance", args)
        if result.get("failed"):
            yield f"a healthy run failed: {result['msg']}"

    def _ended(self) -> Iterable[str]:
        """End the deployment, by hand or by its leases, and look at the books again."""
        actor = Tenant(100, self.seed)
        if self._dice.random() < 0.5:
            self.sim.advance(14 * HOUR)
            reaped = self._one(actor, "gpu_reap", self._reap())
            if reaped.get("failed"):
                yield f"a healthy reaper failed: {reaped['msg']}"
            yield from self.books.check_names(set())
        result = self._one(actor, "gpu_instance", self._end())
        if result.get("failed"):
            yield f"a healthy end failed: {result['msg']}"
        yield from (f"left: {row}" for row in result.get("leftovers", []))
        yield from self.books.check_names(set())
        yield from self.books.complaints()
        self._one(actor, "gpu_reap", self._reap())  # what ended without a word is written down
        yield from self.books.check_ledger()

    def _one(self, actor: Tenant, module: str, args: Row) -> Row:
        self.sim.advance(self._lag)
        job = self.schedule.spawn(lambda: self._run(actor, module, args), actor)
        self.schedule.run()
        result: Row = job.outcome()
        return result
