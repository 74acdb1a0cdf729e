# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in which one answer is exchanged: the account that each of them finds, and the wire."""

from __future__ import annotations

import os
import pickle
import shutil
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from ansible_collections.gpuops.cloud.tests.unit.chaos.answers import (
    KINDS,
    Mutant,
    Original,
    mutate,
)
from ansible_collections.gpuops.cloud.tests.unit.chaos.changes import Changes, compare, things
from ansible_collections.gpuops.cloud.tests.unit.chaos.controllers import Controller
from ansible_collections.gpuops.cloud.tests.unit.chaos.month import Calm, Scene
from ansible_collections.gpuops.cloud.tests.unit.chaos.runs import (
    DISK,
    FRESH,
    INVENTORY,
    LEDGER,
    NAMES,
    RUNS,
    Row,
    call_of,
    filled,
    inventory_of,
)
from ansible_collections.gpuops.cloud.tests.unit.chaos.strangers import PUBLIC, move_in
from ansible_collections.gpuops.cloud.tests.unit.chaos.wire import Line, Wire
from ansible_collections.gpuops.cloud.tests.unit.chaos.world import PLENTY
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import SECRET
from gpuops_simulator import Simulator
from gpuops_simulator.model import Account
from gpuops_simulator.wire import Request, Response


@dataclass(frozen=True)
class Case:
    """Which answer of which run is changed how; ``always`` is that one and all later ones."""

    number: int
    run: str
    kind: str
    call: str
    turn: int
    always: bool


@dataclass
class Seen:
    """What came of a run. ``turns`` counts its requests by their calls."""

    result: Row = field(default_factory=dict)
    problem: str = ""
    token: str = ""
    changes: Changes = field(default_factory=Changes)
    turns: Counter[str] = field(default_factory=Counter)
    writes: list[tuple[str, str]] = field(default_factory=list)
    mutants: list[Mutant] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Tell whether every answer had the form that it should have, and could be true."""
        return all(mutant.sound for mutant in self.mutants)


class Post(Wire):
    """A way to the simulator on which the answer to one call is exchanged."""

    case: Case | None = None
    seen = Seen()
    stranger = ""

    def exchange(self, request: Request, patience: float) -> tuple[Response | None, Line]:
        """Return what was answered, or what is to be answered instead."""
        response, line = super().exchange(request, patience)
        call, turns = call_of(request), self.seen.turns
        turns[call] += 1
        if request.method != "GET":
            self.seen.writes.append((f"{request.method} {request.path}", request.raw.decode()))
        case = self.case
        if case is None or response is None or case.call != call:
            return response, line
        if turns[call] == case.turn or (case.always and turns[call] > case.turn):
            return self._exchanged(case, request, response), line
        return response, line

    def _exchanged(self, case: Case, request: Request, response: Response) -> Response:
        token = str(request.headers.get("authorization") or "").removeprefix("Bearer ")
        body, kind = response.payload(), response.content_type
        original = Original(body, response.status, kind, token, SECRET, self.stranger)
        mutant = mutate(original, case.kind, Random(f"mutant {case.number}"))
        self.seen.mutants.append(mutant)
        self.seen.token = token
        headers = dict(response.headers)
        return Response(mutant.status, mutant.body, mutant.content_type, headers)


class Fuzz(Scene):
    """An account of which every run finds the same state, and knows what it does to it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(0)
        self._folder = folder
        self._actor = Controller(1, 0)

    def begin(self, sim: Simulator, **scenario: Any) -> None:
        """Let strangers and ourselves rent, and keep how it is then."""
        sim.reset({"balance": 10_000, "provision_seconds": 30, **scenario})
        sim.revoke_tokens()
        self.sim = sim
        for number in range(3):
            move_in(sim, Random(f"strangers {number}"))
        self.strangers = set(things(sim.cloud.account))
        shelves = {place: {**row, "spot": row["on_demand"]} for place, row in PLENTY.items()}
        sim.set_stock(shelves)
        self.wire = self._post = Post(sim, self.schedule, Calm())
        self._furnish()
        account = sim.cloud.account
        self._post.stranger = min(self.strangers & account.instances.keys())
        self._ids_by_name = {
            row.hostname: key for key, row in account.instances.items() if key not in self.strangers
        }
        self._now, self._moment = self.schedule.now, sim.cloud.moment
        self._saved = pickle.dumps(account)
        self.before: Account = pickle.loads(self._saved)
        self._usual: dict[str, Seen] = {}

    def _furnish(self) -> None:
        """Buy what the runs find: an instance with all it can have, one that is over, spares."""
        shop: list[tuple[str, Row]] = [
            ("datacrunch_ssh_key", {"name": "mine", "public_key": PUBLIC}),
            ("datacrunch_startup_script", {"deployment": "llm", "content": "#!/bin/sh\nfalse\n"}),
            ("datacrunch_instance", {**FRESH, "deployment": "llm", "data_volume_gb": 50}),
            ("datacrunch_instance", {**FRESH, "deployment": "old", "lease": "30m"}),
            (
                "datacrunch_instance",
                {**FRESH, "deployment": "gone", "market": "spot", "lease": "2d", "owner": "ada"},
            ),
            ("datacrunch_volume", {**DISK, "size_gb": 50, "location": "{place}"}),
            ("datacrunch_volume", {**DISK, "name": "thrown", "size_gb": 20, "location": "FIN-01"}),
            ("datacrunch_volume", {**DISK, "name": "thrown", "state": "absent"}),
            ("datacrunch_ledger", LEDGER),
        ]
        self._at_home("furnish")
        for module, args in shop:
            rows = self.sim.cloud.account.instances.values()
            known = {row.hostname: row for row in rows if row.id not in self.strangers}
            place = known["llm"].location if "llm" in known else ""
            result = self._run(module, filled(args, {"place": place, "home": str(self._home)}))
            assert not result.get("failed"), result["msg"]
            self.schedule.now += 600
        self.schedule.now += 3600
        self.sim.advance(0)
        self.sim.evict(known["gone"].id)
        self._ledger = self._home / "ledger.sqlite3"

    # -- a run -----------------------------------------------------------------------------------

    def _at_home(self, name: str) -> None:
        """Have nothing of what earlier runs have kept."""
        self._home = self._folder / name
        shutil.rmtree(self._home, ignore_errors=True)
        self._home.mkdir()
        os.environ["XDG_CACHE_HOME"] = str(self._home / "cache")
        os.environ["XDG_DATA_HOME"] = str(self._home / "data")

    def _again(self, name: str) -> Seen:
        """Set everything back to where each run begins."""
        cloud = self.sim.cloud
        cloud.account, cloud.moment = pickle.loads(self._saved), self._moment
        self.schedule.now = self._now
        self._ids = Random(f"ids {name}")
        self.sim.clear_log()
        self._at_home(name)
        seen = self._post.seen = Seen()
        return seen

    def perform(self, run: str, case: Case | None = None) -> Seen:
        """Run a module, with one answer exchanged if there is a case; returns what came of it."""
        seen = self._again(f"case {case.number}" if case else f"usual {run}")
        self._post.case = case
        module, args = RUNS[run]
        if args.get("ledger"):
            shutil.copy(self._ledger, self._home)
        try:
            known = {**self._ids_by_name, "home": str(self._home)}
            seen.result = self._run(module, filled(args, known))
        except Exception:  # noqa: BLE001 - which is what must not be
            seen.problem = traceback.format_exc()
        self._post.case = None
        self.sim.cloud.settle()
        seen.changes = compare(self.before, self.after)
        shutil.rmtree(self._home)
        return seen

    def _run(self, module: str, args: Row) -> Row:
        job = self.schedule.spawn(lambda: self._start(module, args), self._actor)
        self.schedule.run()
        result: Row = job.outcome()
        return {**result, "warnings": list(self._actor.warned)}

    def _start(self, module: str, args: Row) -> Row:
        if module == INVENTORY:
            return inventory_of(self._home / "datacrunch.yml")
        return self._actor.run(module, **args)

    # -- what is drawn -----------------------------------------------------------------------------

    def usual(self, run: str) -> Seen:
        """Return what a run does when all answers are sound."""
        if run not in self._usual:
            seen = self._usual[run] = self.perform(run)
            assert not seen.problem, f"{run}: {seen.problem}"
            assert not seen.result.get("failed"), f"{run}: {seen.result}"
        return self._usual[run]

    @property
    def after(self) -> Account:
        """The account as the last run has left it."""
        return self.sim.cloud.account

    def draw(self, number: int) -> Case:
        """Return a case: runs and kinds of changes take turns, all else hangs on its number."""
        dice = Random(f"case {number}")
        run = NAMES[number % len(NAMES)]
        kind = KINDS[number // len(NAMES) % len(KINDS)]
        turns = self.usual(run).turns
        calls = sorted(turns)
        common = Counter(call for name in NAMES for call in self.usual(name).turns)
        (call,) = dice.choices(calls, [1 / common[call] for call in calls])
        turn = dice.choice([1, 1, dice.randint(1, turns[call])])
        return Case(number, run, kind, call, turn, dice.random() < 0.35)
