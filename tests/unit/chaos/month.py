# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated month: many deployments that come, crash and stay away, and one reaper."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from random import Random
from typing import Any

from ansible_collections.gpuops.cloud.plugins.module_utils._core.times import read_time
from ansible_collections.gpuops.cloud.tests.unit.chaos.books import GONE, Books, Row
from ansible_collections.gpuops.cloud.tests.unit.chaos.controllers import ANY_GPU, Controller
from ansible_collections.gpuops.cloud.tests.unit.chaos.schedule import BEGIN
from ansible_collections.gpuops.cloud.tests.unit.chaos.strangers import PUBLIC, move_in
from ansible_collections.gpuops.cloud.tests.unit.chaos.turns import Calendar
from ansible_collections.gpuops.cloud.tests.unit.chaos.wire import Session, Wire
from ansible_collections.gpuops.cloud.tests.unit.chaos.world import PLENTY
from ansible_collections.gpuops.cloud.tests.unit.plugins.shown import ownership
from gpuops_simulator import Simulator
from gpuops_simulator.views import instance_view

HOUR, DAY = 3600.0, 86400.0
EVERY, GRACE = 300.0, 900.0
REQUESTS = 20.0  # seconds that the requests of one reaper may take on their way
LEASES = ("30m", "2h", "8h", "1d", "3d")
LONGEST = 4 * DAY  # an extended lease, grace and all
TRUST = {"trust_cloud_clock": True}  # it is a month of its own
REAP = {"mode": "delete", **TRUST}
MARKETS = ("on_demand", "spot_first", "spot", "any")


class Calm:
    """No weather at all."""

    def before(self, method: str, path: str, body: bytes) -> None:
        """Let the request through."""

    def done(self, sender: object, method: str, path: str) -> None:
        """Take no note."""

    def after(self, method: str, path: str, response: object) -> None:
        """Take no note."""


class Scene:
    """Time, ids and a way to the simulator for controllers that are told what to do."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.schedule = Calendar(Random(f"schedule {seed}"))
        self._dice = Random(f"month {seed}")
        self._ids = Random(f"ids {seed}")

    def uuid(self) -> uuid.UUID:
        """Return the next of the ids that this scene has."""
        return uuid.UUID(int=self._ids.getrandbits(128), version=4)

    def doubles(self) -> dict[str, Any]:
        """Return what stands in for the sessions of the client."""
        return {"new_session": lambda: Session(self.wire)}

    def begin(self, sim: Simulator, **scenario: Any) -> None:
        """Start with an ample market, and strangers in it."""
        sim.reset({"balance": 10_000_000, "provision_seconds": 90, **scenario})
        sim.revoke_tokens()
        self.sim = sim
        move_in(sim, self._dice)
        self.books = Books(sim)
        shelves = {
            place: dict.fromkeys(("on_demand", "spot"), row["on_demand"])
            for place, row in PLENTY.items()
        }
        sim.set_stock(shelves)
        self.wire = Wire(sim, self.schedule, Calm())

    # -- what the simulator's own books say ------------------------------------------------------

    def ours(self) -> set[str]:
        """Return the ids of our instances, and of every volume that was made for them."""
        strangers = self.books.strangers()
        return {row["id"] for row in self.sim.state()["bill"]} - strangers

    def spent(self) -> float:
        """Return what our instances and volumes have cost."""
        ours = self.ours()
        return sum(row["cost"] for row in self.sim.state()["bill"] if row["id"] in ours)

    def still_costing(self) -> list[str]:
        """Return what of ours goes on costing."""
        ours = self.ours()
        rows = self.sim.state()["bill"]
        return [f"{r['kind']} {r['name']}" for r in rows if r["id"] in ours and r["until"] is None]

    def overtime(self) -> Iterable[str]:
        """Yield our instances that lived beyond lease, grace and one round of the reaper."""
        bill = {row["id"]: row for row in self.sim.state()["bill"]}
        for row_id, instance in self.sim.cloud.account.instances.items():
            marks = ownership(instance_view(self.sim.cloud, instance))
            if row_id not in self.books.made or not marks or row_id not in bill:
                continue
            limit = _seconds(marks.lease) + GRACE + EVERY + REQUESTS
            end = _seconds(bill[row_id]["until"]) if bill[row_id]["until"] else self.schedule.now
            if end > limit:
                hours = (end - limit) / HOUR
                yield f"{marks.deployment}: {marks.name} lived {hours:.2f} h too long"


def _seconds(text: str) -> float:
    found = read_time(text)
    assert isinstance(found, datetime), text
    return found.timestamp()


class Month(Scene):
    """Deployments of many people, evictions, crashed controllers, and a reaper every 5 minutes."""

    def __init__(self, seed: int, days: float, deployments: int) -> None:
        super().__init__(seed)
        self._end = BEGIN + days * DAY
        self._names = [f"d{number:02}" for number in range(1, deployments + 1)]
        self.reaped: list[Row] = []
        self.told = 0.0
        self.rounds = 0
        self.wrong: list[str] = []

    def play(self) -> list[str]:
        """Play the month; returns what was found to be wrong."""
        for number, name in enumerate(self._names):
            actor = Controller(number, self.seed, mortality=0.15)
            self.schedule.spawn(partial(self._live, actor, name), actor)
        keeper = Controller(900, self.seed)
        self.schedule.spawn(partial(self._reap, keeper), keeper)
        self.schedule.spawn(self._evict)
        self.schedule.run()
        self.schedule.spawn(partial(self._count, keeper), keeper)
        self.schedule.run()
        self.wrong += [f"{text} at the end" for text in self.still_costing()]
        self.wrong += [*self.overtime(), *self.books.complaints()]
        return self.wrong

    def _count(self, keeper: Controller) -> None:
        """Ask the ledger what everything of ours has cost."""
        result = keeper.run("datacrunch_cost_info")
        self.told = sum(row["cost"] for row in result["things"] if row["deployment"] in self._names)

    # -- who does what ---------------------------------------------------------------------------

    def _live(self, actor: Controller, name: str) -> None:
        """Begin at some time, buy, and then be orderly, or crash, or come back."""
        dice = Random(f"{self.seed} {name}")
        self.schedule.pause(dice.uniform(0, self._end - BEGIN - LONGEST))
        want = self._want(dice, name)
        self._run(actor, "datacrunch_ssh_key", {"deployment": name, "public_key": PUBLIC})
        self._run(actor, "datacrunch_instance", want)
        habit = dice.choice(["orderly", "forgetful", "forgetful", "long", "again"])
        self.schedule.pause(dice.uniform(60, 0.9 * 1800))
        if habit == "long":
            self._run(actor, "datacrunch_lease", {"deployment": name, "extend": "+90m", **TRUST})
        if habit == "again":
            self._run(actor, "datacrunch_instance", want)
        if habit == "orderly":
            gone = {"state": "absent", "os_volume": "delete", "data_volumes": "delete"}
            self._run(
                actor, "datacrunch_instance", {"deployment": name, "owner": want["owner"], **gone}
            )
            self._run(actor, "datacrunch_ssh_key", {"deployment": name, "state": "absent"})

    @staticmethod
    def _want(dice: Random, name: str) -> dict[str, Any]:
        return {
            "deployment": name,
            "owner": dice.choice(["ada", "max", "ml-team", "ci"]),
            "state": "running",
            "tier": dice.choice([ANY_GPU, "h100_or_less", "a100_or_less"]),
            "market": dice.choice(MARKETS),
            "count": dice.choice([1, 1, 2, 3]),
            "lease": dice.choice(LEASES),
            "data_volume_gb": dice.choice([None, None, 100]),
            "on_spot_discontinue": dice.choice(["trash", "keep", "delete"]),
        }

    def _run(self, actor: Controller, module: str, args: dict[str, Any]) -> dict[str, Any]:
        result = actor.run(module, **args)
        self.books.note(actor)
        if result.get("failed") and "no instance" not in result["msg"].lower():
            self.wrong.append(f"{module} of {args['deployment']}: {result['msg']}")
        return result

    def _evict(self) -> None:
        """Take a spot instance away now and then."""
        while self.schedule.now < self._end:
            self.schedule.pause(self._dice.uniform(0.5, 6) * HOUR)
            rows = self.sim.state()["instances"]
            spot = [r["id"] for r in rows if r["is_spot"] and r["status"] == "running"]
            mine = [row_id for row_id in spot if row_id not in self.books.strangers()]
            if mine:
                self.sim.evict(self._dice.choice(mine))

    def _reap(self, keeper: Controller) -> None:
        """Do what the timer does: begin every 5 minutes, unless the last round still runs."""
        want = {**REAP, "deployments": self._names, "grace": "15m"}
        while self.schedule.now < self._end:
            self.rounds += 1
            result = keeper.run("datacrunch_reap", **want)
            self.reaped += result.get("reaped", [])
            if result.get("failed"):
                self.wrong.append(f"the reaper failed: {result['msg']}")
            self.schedule.pause(EVERY - (self.schedule.now - BEGIN) % EVERY)


class Crash(Scene):
    """A controller that is killed at one request of a bring-up or a teardown, then a reaper."""

    def __init__(self, number: int, *, late: bool, teardown: bool, **scenario: Any) -> None:
        super().__init__(number)
        self.number, self.late, self.teardown, self.scenario = number, late, teardown, scenario
        self.finished = False
        self.survivors: list[Row] = []

    def begin(self, sim: Simulator, **scenario: Any) -> None:
        """Start with the scenario of this crash."""
        super().begin(sim, **{**self.scenario, **scenario})

    def play(self) -> list[str]:
        """Play it; returns what was found to be wrong."""
        actor = Controller(1, self.seed)
        self.schedule.spawn(partial(self._act, actor), actor)
        self.schedule.run()
        keeper = Controller(900, self.seed)
        self.schedule.spawn(partial(self._clean, keeper), keeper)
        self.schedule.run()
        reported = {row["id"] for row in self.survivors}
        wrong = [f"{text} goes on costing" for text in self.still_costing()]
        wrong += self.books.check_costs(self.survivors)
        wrong += [
            f"key {row['name']} is not reported"
            for row in self._keys()
            if row["id"] not in reported
        ]
        return [*wrong, *self.books.complaints()]

    def _keys(self) -> list[Row]:
        rows = self.sim.state()["ssh_keys"]
        return [row for row in rows if row["name"].startswith("gpuops.crash.")]

    def _act(self, actor: Controller) -> None:
        key: Row = {"deployment": "crash", "public_key": PUBLIC}
        up: Row = {"deployment": "crash", "tier": ANY_GPU, "count": 2, "lease": "1h", "owner": "me"}
        up |= {"state": "running", "data_volume_gb": 50}
        down: Row = {"deployment": "crash", "state": "absent", "owner": "me"}
        first = [("datacrunch_ssh_key", key), ("datacrunch_instance", up)]
        last: list[tuple[str, Row]] = [
            ("datacrunch_instance", {**down, "os_volume": "delete", "data_volumes": "delete"}),
            ("datacrunch_ssh_key", {"deployment": "crash", "state": "absent"}),
        ]
        for module, args in first if self.teardown else ():
            assert not actor.run(module, **args).get("failed")
        actor.die_at(self.number, late=self.late)
        for module, args in last if self.teardown else first:
            result = actor.run(module, **args)
            self.books.note(actor)
            if result.get("killed"):
                return
        self.finished = True

    def _clean(self, keeper: Controller) -> None:
        """Run nothing but the reaper, once the lease and the grace are over."""
        self.schedule.pause(HOUR + GRACE + EVERY)
        self.books.note(keeper)
        for _round in range(2):  # an order that is built can only be ended later
            keeper.run("datacrunch_reap", **REAP, deployments=["crash"])
            self.schedule.pause(EVERY)
        survey = keeper.run("datacrunch_deployment_info", deployment="crash")
        self.survivors = survey["leftovers"]


__all__ = ["DAY", "GONE", "Crash", "Month"]
