# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which state a job is, and what has to be done next (private, pure).

A job is the wanted state *finished*. Where it stands follows from what the cloud says of its
instance, what the host says of its attempts, and what is home already. Nothing else decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum


class Cloud(Enum):
    """What the cloud says of the instance of a job."""

    NONE = "none"
    ORDERED = "ordered"
    RUNNING = "running"


class Step(Enum):
    """What has to be done next."""

    BUY = "buy"
    WAIT = "wait"
    START = "start"
    FOLLOW = "follow"
    FETCH = "fetch"
    END = "end"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Exit:
    """How an attempt has ended. ``signal`` is empty for a program that ended by itself."""

    exit_code: int
    reason: str
    signal: str = ""


@dataclass(frozen=True)
class Attempt:
    """One try at a job, as its host shows it.

    ``active`` says that its unit runs, ``this_boot`` that the host has not booted since, ``stop``
    for which reason it was told to stop, ``checkpoint`` that it left one behind.
    """

    number: int
    started: bool = True
    active: bool = False
    this_boot: bool = True
    checkpoint: bool = False
    stop: str = ""
    exit: Exit | None = None


@dataclass(frozen=True)
class Seen:
    """All that is known. ``bought`` counts purchases, ``home`` is the result that is home.

    ``closed`` says that the end of what was bought was proven after that result came home.
    """

    cloud: Cloud = Cloud.NONE
    reachable: bool = True
    attempts: Sequence[Attempt] = ()
    bought: int = 0
    home: Exit | None = None
    closed: bool = True


@dataclass(frozen=True)
class Rules:
    """How often an attempt that was lost is repeated, and whether its data outlive an instance.

    ``left_s`` are the seconds of its limit of time that are left.
    """

    retries: int = 0
    data: bool = False
    left_s: float | None = None


@dataclass(frozen=True)
class State:
    """A state, why it is so, what comes next, and of which attempt."""

    name: str
    step: Step
    reason: str = ""
    attempt: int = 0


# With less time it is not worth beginning.
LEAST_S = 60
# What each reason to end means for the job.
_ENDS = {
    "cancelled": "cancelled",
    "time_limit": "timed_out",
    "cost_limit": "timed_out",
    "lease": "timed_out",
}


def end_of(result: Exit) -> str:
    """Return the last state of a job that ended so."""
    if result.reason == "succeeded":
        return "succeeded"
    return _ENDS.get(result.reason, "failed")


def state_of(seen: Seen, rules: Rules) -> State:
    """Return where a job stands."""
    last = seen.attempts[-1] if seen.attempts else None
    number = last.number if last else 0
    if seen.home:
        over = seen.cloud is Cloud.NONE and seen.closed
        step = Step.NOTHING if over else Step.END
        return State(end_of(seen.home), step, seen.home.reason, number)
    if seen.cloud is Cloud.ORDERED:
        return State("buying", Step.WAIT, attempt=number)
    if seen.cloud is Cloud.NONE:
        return _without_instance(seen, rules, number)
    if not seen.reachable:
        # Not to be reached is not gone: only the word of the cloud starts another attempt.
        return State("running" if last else "setting_up", Step.WAIT, "unreachable", number)
    return _on_host(seen.attempts, rules)


def _without_instance(seen: Seen, rules: Rules, number: int) -> State:
    if not seen.bought:
        return State("planned", Step.BUY)
    last = seen.attempts[-1] if seen.attempts else None
    if last and last.exit and rules.data:
        # It ended while nobody looked, and its results lie on the volume.
        return State("fetching", Step.BUY, last.exit.reason, number)
    if not rules.data and last:
        return State("lost", Step.END, "evicted", number)
    why = _why_not_again(seen.attempts, max(seen.bought - 1, 0), rules)
    return State("failed" if why else "evicted", Step.END if why else Step.BUY, why, number)


def _on_host(attempts: Sequence[Attempt], rules: Rules) -> State:
    last = attempts[-1] if attempts else None
    if last is None or not last.started:
        return State("setting_up", Step.START, attempt=last.number if last else 0)
    number = last.number
    if last.exit:
        return State("fetching", Step.FETCH, last.exit.reason, number)
    if last.active:
        return State("stopping" if last.stop else "running", Step.FOLLOW, last.stop, number)
    if last.stop:
        # It was to end, and went with its host before it could say how.
        return State("fetching", Step.FETCH, last.stop, number)
    if last.this_boot:
        return State("fetching", Step.FETCH, "machine_error", number)
    why = _why_not_again(attempts, len(attempts) - 1, rules)
    if why:
        return State("fetching", Step.FETCH, why, number)
    return State("evicted", Step.START, "evicted", number)


def _why_not_again(attempts: Sequence[Attempt], repeated: int, rules: Rules) -> str:
    """Return why a job that lost its instance is not begun again; nothing where it is."""
    if rules.left_s is not None and rules.left_s < LEAST_S:
        return "time_limit"
    if repeated >= rules.retries:
        return "evicted"
    # What one that ran when it was last seen has left, only its disk can tell.
    tried = [one for one in attempts if one.started and not one.active]
    if len(tried) > 1 and not any(one.checkpoint for one in tried[-2:]):
        return "no_progress"
    return ""
