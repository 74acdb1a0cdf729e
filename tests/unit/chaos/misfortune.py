# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong at the second of two clouds, and when either of them is down for a while."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from ansible_collections.gpuops.cloud.tests.unit.chaos.schedule import BEGIN, Schedule
from ansible_collections.gpuops.cloud.tests.unit.chaos.weather import AIMED, HTML, Weather
from gpuops_simulator.doors.lambda_cloud import LAUNCH, TERMINATE

# Numbers of mishaps there, apart from those of the first cloud.
FIRST_OF_SECOND, FIRST_OUTAGE = 1_000_000, 2_000_000


@dataclass(frozen=True)
class Stroke:
    """What becomes of one request: whether it is executed, and what comes back of it."""

    kind: str = ""
    executes: bool = True
    status: int = 200
    body: Any = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0


def _answer(status: int, body: Any = HTML, *, executes: bool = False, **headers: str) -> Stroke:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Stroke("answer", executes, status, body, names)


def _coded(status: int, code: str) -> Stroke:
    return _answer(status, {"error": {"code": code, "message": f"Refused: {code}"}})


NOTHING = Stroke()
ANYWHERE = (
    Stroke("refused", executes=False),
    Stroke("reset", executes=False),
    Stroke("hang", executes=False),
    _answer(500, {"error": {"code": "global/internal-error", "message": "oops"}}),
    _answer(502),
    _answer(504, ""),
    _answer(429, {"error": {"code": "global/rate-limit", "message": "Slow"}}, Retry_After="1"),
    _answer(429, {"error": {"code": "global/rate-limit", "message": "Slow"}}, Retry_After="45"),
    *(Stroke("late", delay=seconds) for seconds in (0.5, 5, 29, 31, 38)),
)
READS = (_answer(503), _answer(200), _answer(200, {"data": None}))
TAKEN = (
    *(_answer(status, executes=True) for status in (500, 502, 520, 200)),
    _answer(504, "", executes=True),
    _answer(202, "", executes=True),
    Stroke("reset"),
    Stroke("hang"),
)
REFUSED = (
    _coded(400, "instance-operations/launch/insufficient-capacity"),
    _coded(400, "instance-operations/launch/insufficient-capacity"),
    _coded(400, "global/quota-exceeded"),
    _coded(403, "global/account-inactive"),
)
NOT_NOW = (_coded(409, "instance-operations/conflict"), _coded(400, "global/unknown"))
TARGETS = ((), (), ("order",), ("order",), ("order", "list"), ("list",), ("end",), ("market",))


@dataclass(frozen=True)
class Outage:
    """A span of time in which nobody listens at one cloud."""

    number: int
    cloud: str
    begin: float
    end: float


class Outages:
    """When which cloud is down. ``calm`` are the numbers of those that are left out."""

    def __init__(self, dice: Random, schedule: Schedule, calm: frozenset[int]) -> None:
        self._schedule = schedule
        self.settled = False
        count = dice.choice([0, 0, 0, 1, 2])
        spans = []
        for number in range(FIRST_OUTAGE, FIRST_OUTAGE + count):
            begin = BEGIN + dice.choice([0, 2, 15, 40, 120])
            length = dice.choice([20, 90, 600])
            spans.append(Outage(number, dice.choice(["verda", "lambda"]), begin, begin + length))
        self.mishaps = [one.number for one in spans]
        self._spans = [one for one in spans if one.number not in calm]

    def is_down(self, cloud: str) -> bool:
        """Tell whether nobody listens there now."""
        now = self._schedule.now
        spans = [one for one in self._spans if one.cloud == cloud and not self.settled]
        return any(one.begin <= now < one.end for one in spans)

    def __str__(self) -> str:
        spans = [f"{o.cloud} {o.begin - BEGIN:g}-{o.end - BEGIN:g} s" for o in self._spans]
        return f"down: {', '.join(spans) or 'never'}"


class FirstWeather(Weather):
    """What goes wrong at the first cloud, which may be down as well."""

    outages: Outages

    def before(self, method: str, path: str, body: bytes) -> str | None:
        """Let something happen at this request, or not."""
        return "refused" if self.outages.is_down("verda") else super().before(method, path, body)


class Misfortune:
    """Strikes requests at the second cloud; what happens at the n-th hangs on seed and n alone."""

    def __init__(self, seed: int, calm: frozenset[int], trace: list[str], outages: Outages) -> None:
        dice = Random(f"misfortune {seed}")
        self.requests = FIRST_OF_SECOND
        self.mishaps: list[int] = []
        self.settled = False
        self._seed, self._calm, self._trace, self._outages = seed, calm, trace, outages
        self._usual = dice.choice([0.0, 0.01, 0.05])
        self._targets = dice.choice(TARGETS)

    def of(self, method: str, path: str) -> Stroke:
        """Return what becomes of this request."""
        self.requests += 1
        if self._outages.is_down("lambda"):
            return ANYWHERE[0]
        dice = Random(f"{self._seed} {self.requests}")
        kind = _kind(method, path)
        rate = AIMED if kind in self._targets else self._usual
        if self.settled or dice.random() >= rate:
            return NOTHING
        self.mishaps.append(self.requests)
        if self.requests in self._calm:
            return NOTHING
        stroke = dice.choice(_strokes(dice, kind))
        done = "executed" if stroke.executes else "not executed"
        told = f"{stroke.kind} {stroke.status} {stroke.delay:g} s, {done}"
        self._trace.append(f"    lambda #{self.requests} {method} {path}: {told}")
        return stroke


def _kind(method: str, path: str) -> str:
    """Return which kind of call this is."""
    if path in (LAUNCH, TERMINATE):
        return "order" if path == LAUNCH else "end"
    first, _slash, rest = path.removeprefix("/v1/").partition("/")
    if first == "instances":
        return "label" if method == "POST" else "poll" if rest else "list"
    return "market"


def _strokes(dice: Random, kind: str) -> tuple[Stroke, ...]:
    """Return what can happen to a request; orders and ends get what only they can have."""
    if kind == "order":
        return dice.choice([ANYWHERE, TAKEN, TAKEN, REFUSED])
    if kind == "end":
        return dice.choice([ANYWHERE, TAKEN, NOT_NOW])
    return ANYWHERE if kind == "label" else ANYWHERE + READS
