# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One sequence from its seed to its end: chaos, then a healthy run, then the end of everything."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from functools import partial
from random import Random
from typing import Any

from ansible_collections.gpuops.cloud.plugins.module_utils._instances.fleet import fleet_names
from ansible_collections.gpuops.cloud.tests.unit.chaos.books import Books
from ansible_collections.gpuops.cloud.tests.unit.chaos.controllers import (
    ANY_GPU,
    DEPLOYMENT,
    NAMES,
    TYPES,
    Action,
    Controller,
    purchase,
)
from ansible_collections.gpuops.cloud.tests.unit.chaos.habits import draw
from ansible_collections.gpuops.cloud.tests.unit.chaos.schedule import Schedule
from ansible_collections.gpuops.cloud.tests.unit.chaos.spending import Spending
from ansible_collections.gpuops.cloud.tests.unit.chaos.strangers import PUBLIC, move_in
from ansible_collections.gpuops.cloud.tests.unit.chaos.weather import Weather
from ansible_collections.gpuops.cloud.tests.unit.chaos.wire import Wire
from gpuops_simulator import Simulator

PLACES = ("FIN-01", "FIN-02", "FIN-03")
PLENTY = {place: {"on_demand": dict.fromkeys(TYPES, 9), "spot": {}} for place in PLACES}


class World:
    """Everything of one sequence. ``calm`` names requests at which nothing happens after all."""

    def __init__(self, seed: int, calm: frozenset[int] = frozenset()) -> None:
        self.seed = seed
        self.trace: list[str] = []
        self.wrong: list[str] = []
        self.results: list[dict[str, Any]] = []
        self.alone = False
        self._dice = Random(f"world {seed}")
        self._ids = Random(f"ids {seed}")
        self._calm = calm
        self.habits = draw(seed)
        self.schedule = Schedule(Random(f"schedule {seed}"))

    def uuid(self) -> uuid.UUID:
        """Return the next of the ids that this sequence has."""
        return uuid.UUID(int=self._ids.getrandbits(128), version=4)

    def doubles(self) -> dict[str, Any]:
        """Return nothing: all of the client is the real thing."""
        return {}

    def begin(self, sim: Simulator) -> None:
        """Set the scene in a simulator that is used again and again."""
        dice = self._dice
        self._building = dice.choice([0, 20, 20, 60])
        scenario = {
            "balance": 1_000_000,
            "rate_limits": True,
            "provision_seconds": self._building,
            "quoted_ids": dice.random() < 0.2,
            "tags_supported": self.habits.tags_supported,
            "token_seconds": dice.choice([3600, 3600, 90, 20]),
            "remember_seconds": dice.choice([3600, 60]),
            "dialect": dict(self.habits.dialect),
        }
        sim.reset(scenario)
        sim.revoke_tokens()
        self.sim = sim
        move_in(sim, dice)
        self.books = Books(sim)
        sim.set_stock(self._shelves(dice))
        sim.switch(availability_lies=dice.sample(TYPES, dice.choice([0, 0, 1, 2])))
        self.spending = Spending(sim, self.habits)
        mildly = {"needs_tags": self.habits.needs_tags, "gentle": bool(self.habits.budget)}
        self.weather = Weather(sim, self.books, self.seed, self._calm, self.trace, **mildly)
        self.wire = Wire(sim, self.schedule, self.weather)

    def _shelves(self, dice: Random) -> dict[str, Any]:
        """Return a stock that is short, or ample: one of both limits what can be bought."""
        counts = dice.choice([(0, 0, 1, 2), (0, 0, 0, 1), (9,)])
        counts = (9,) if self.habits.budget else counts
        return {
            place: {
                market: {name: dice.choice(counts) for name in TYPES}
                for market in ("on_demand", "spot")
            }
            for place in PLACES
        }

    # -- the sequence --------------------------------------------------------------------------

    def play(self) -> list[str]:
        """Play the sequence; returns what was found to be wrong."""
        dice = self._dice
        race = dice.random() < 0.5  # all want the same at the same time
        count = dice.choice([2, 2, 3, 8] if race else [1, 1, 2, 2, 3])
        mortality = dice.choice([0.0, 0.0, 0.3] if race else [0.0, 0.2, 0.5])
        actors = [Controller(number, self.seed, mortality) for number in range(count)]
        self.alone = count == 1
        plans = self._race(count) if race else [actor.draw() for actor in actors]
        for actor, plan in zip(actors, plans, strict=True):
            self.schedule.spawn(partial(self._act, actor, plan), actor)
        self.schedule.run()
        if race and not self.habits.budget:
            self.wrong += self._after_race(plans[0][0][1])
        self._calm_down()
        most = max(args.get("count", 1) for plan in plans for _module, args in plan)
        return list(dict.fromkeys([*self.wrong, *self._healthy(most), *self._ended()]))

    def _race(self, count: int) -> list[list[Action]]:
        """Return the same plan for each; where money is short, half of them want another name."""
        module, args = purchase(self._dice)
        other = next(name for name in NAMES if name != args["name"])
        names = [args["name"], other if self.habits.budget else args["name"]]
        return [[(module, {**args, "name": names[number % 2]})] for number in range(count)]

    def _after_race(self, args: dict[str, Any]) -> Iterable[str]:
        """Yield what is wrong after all who wanted the same instances believe to have them."""
        there = set(fleet_names(args["name"], args["count"]))
        promised = [result.get("instances", []) for result in self.results]
        whole = all({row["name"] for row in rows} == there for rows in promised)
        unseen = self.habits.lag > self._building  # it runs before any list shows it
        if self.weather.losses or self.books.excused or not whole or unseen:
            return
        yield from self.books.check_names(there)
        gone = {row["id"] for rows in promised for row in rows} - self.books.living_ids()
        yield from (f"instance {row_id} was promised and is gone" for row_id in sorted(gone))

    def _act(self, actor: Controller, plan: list[Action]) -> None:
        if plan[0][1].get("ssh_keys") or self._dice.random() < 0.2:
            key = {"name": "gpuops.llm.key", "public_key": PUBLIC}
            self._run(actor, "datacrunch_ssh_key", {"deployment": DEPLOYMENT, **key})
        for module, args in plan:
            if self.habits.lag:  # nobody runs twice before what was bought is listed
                self.schedule.pause(self.habits.lag)
            self._run(actor, module, self.spending.options(args))

    def _run(self, actor: Controller, module: str, args: dict[str, Any]) -> dict[str, Any]:
        self.trace.append(f"{self._when()} {actor.client_id} begins {_short(args)}")
        before = set(self.books.made)
        result = actor.run(module, **args)
        if module == "datacrunch_instance":
            self.results.append(result)
            self.wrong += self._after_alone(args, result)
            self.wrong += self._after_purchase(actor, before, args, result)
        self.wrong += self.books.check_told(actor, before, result)
        self.trace.append(f"{self._when()} {actor.client_id} ends   {_summary(result)}")
        return result

    def _after_alone(self, args: dict[str, Any], result: dict[str, Any]) -> Iterable[str]:
        """Yield what is wrong after the only controller there is believes to be done."""
        done = not (result.get("failed") or result.get("killed"))
        if not (self.alone and done) or self.weather.late:
            return
        names = fleet_names(args["name"], args["count"]) if args.get("name") else None
        rows = [row["hostname"] for row in self.books.living()]
        surely = args["state"] == "running" and args.get("wait", True)
        surely = surely and not args.get("min_count") and not self.weather.losses
        for name in names or set(rows):
            most = 0 if args["state"] == "absent" else 1
            if not int(surely) <= rows.count(name) <= most:
                yield f"{rows.count(name)} instances are called {name} after state={args['state']}"

    def _after_purchase(
        self, actor: Controller, before: set[str], args: dict[str, Any], result: dict[str, Any]
    ) -> Iterable[str]:
        """Yield what is wrong with the money after a run; a late order may be anybody's."""
        if not self.weather.late:
            made = self.books.made_by(actor, before)
            yield from self.spending.after(args, result, made, actor.warned)

    def _when(self) -> str:
        return f"{self.sim.now():%H:%M:%S}"

    def _calm_down(self) -> None:
        self.weather.settled = True
        self.sim.clear_faults()
        self.sim.switch(availability_lies=[])
        self.sim.set_stock(PLENTY)

    def _healthy(self, count: int) -> Iterable[str]:
        """Run every name once more without any fault, and look at the books."""
        wanted: set[str] = set()
        actor = Controller(99, self.seed)
        results = []
        for name in NAMES:
            state = self._dice.choice(["present", "running", "absent"])
            names = fleet_names(name, count)
            if state == "running" and any(map(self.books.stuck, names)):
                state = "present"
            if state == "present":  # does not wait, so what is to fail must have failed
                self.sim.advance(120)
            wanted |= set() if state == "absent" else set(names)
            args = {"deployment": DEPLOYMENT, "name": name, "count": count, "state": state}
            more = {"tier": ANY_GPU, "owner": "me", "wait_interval": 30}
            results.append(self._patiently(actor, {**args, **more}))
        yield from (_failure(result) for result in results if result.get("failed"))
        yield from self.books.check_names(wanted)
        yield from self._check(actor)

    def _patiently(self, actor: Controller, args: dict[str, Any]) -> dict[str, Any]:
        """Run a module, and again when it waited for an order of others that came to nothing."""
        result = self._one(actor, args)
        if result.get("failed") and result["error"]["code"] == "failed_state":
            result = self._one(actor, args)
        return result

    def _ended(self) -> Iterable[str]:
        """Terminate the deployment, and look at the books again."""
        actor = Controller(100, self.seed)
        how = {"os_volume": "delete", "data_volumes": "delete", "wait_interval": 30}
        doomed = self.books.disks()
        end = {"deployment": DEPLOYMENT, "state": "absent", "owner": "me", **how}
        result = self._one(actor, end)
        if result.get("failed"):
            yield _failure(result)
        yield from self.books.check_names(set())
        yield from self.books.check_disks(doomed)
        yield from self._check(actor)

    def _check(self, actor: Controller) -> Iterable[str]:
        survey = self._one(actor, {"deployment": DEPLOYMENT}, "datacrunch_deployment_info")
        yield from self.books.check_costs(survey.get("leftovers", []))
        yield from self.books.complaints()

    def _one(
        self, actor: Controller, args: dict[str, Any], module: str = "datacrunch_instance"
    ) -> dict[str, Any]:
        self.sim.advance(self.habits.lag)
        job = self.schedule.spawn(lambda: self._run(actor, module, args), actor)
        self.schedule.run()
        result: dict[str, Any] = job.outcome()
        return result


def _short(args: dict[str, Any]) -> str:
    """Return options as few words."""
    rows = [f"{key}={value}" for key, value in args.items() if value is not None]
    return " ".join(rows)


def _summary(result: dict[str, Any]) -> str:
    """Return a result in one line."""
    if result.get("killed"):
        return "killed"
    if result.get("failed"):
        return f"failed: {result['msg']}"
    return f"well: {'; '.join(result.get('actions', []))}"


def _failure(result: dict[str, Any]) -> str:
    return f"a healthy run failed: {result['msg']}"
