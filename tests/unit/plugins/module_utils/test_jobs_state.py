# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of a job's states: what is seen, what that means, and what comes next."""

from __future__ import annotations

import itertools

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.state import (
    Attempt,
    Cloud,
    Exit,
    Rules,
    Seen,
    State,
    Step,
    state_of,
)

GOOD, BAD = Exit(0, "succeeded"), Exit(3, "exit_code")
RUNS, ENDED = Attempt(1, active=True), Attempt(1, exit=BAD)
LOST = Attempt(1, this_boot=False)
AGAIN = Attempt(2, this_boot=False)
NONE, ORDERED, RUNNING = Cloud.NONE, Cloud.ORDERED, Cloud.RUNNING
SPOT, ONCE = Rules(retries=2, data=True), Rules()

TABLE = {
    "nothing there": (Seen(), ONCE, State("planned", Step.BUY)),
    "ordered": (Seen(ORDERED, bought=1), ONCE, State("buying", Step.WAIT)),
    "no attempt": (Seen(RUNNING, bought=1), ONCE, State("setting_up", Step.START)),
    "attempt that never began": (
        Seen(RUNNING, attempts=[Attempt(1, started=False)]),
        ONCE,
        State("setting_up", Step.START, attempt=1),
    ),
    "runs": (Seen(RUNNING, attempts=[RUNS]), ONCE, State("running", Step.FOLLOW, attempt=1)),
    "stopping": (
        Seen(RUNNING, attempts=[Attempt(1, active=True, stop="cancelled")]),
        ONCE,
        State("stopping", Step.FOLLOW, "cancelled", 1),
    ),
    "ended": (
        Seen(RUNNING, attempts=[ENDED]),
        ONCE,
        State("fetching", Step.FETCH, "exit_code", 1),
    ),
    "a user error is not repeated": (
        Seen(RUNNING, attempts=[ENDED]),
        SPOT,
        State("fetching", Step.FETCH, "exit_code", 1),
    ),
    "a unit without an end": (
        Seen(RUNNING, attempts=[Attempt(1)]),
        SPOT,
        State("fetching", Step.FETCH, "machine_error", 1),
    ),
    "out of reach": (
        Seen(RUNNING, reachable=False, attempts=[RUNS]),
        SPOT,
        State("running", Step.WAIT, "unreachable", 1),
    ),
    "out of reach before it began": (
        Seen(RUNNING, reachable=False),
        SPOT,
        State("setting_up", Step.WAIT, "unreachable"),
    ),
    "booted": (Seen(RUNNING, attempts=[LOST]), SPOT, State("evicted", Step.START, "evicted", 1)),
    "booted, and nothing is repeated": (
        Seen(RUNNING, attempts=[LOST]),
        ONCE,
        State("fetching", Step.FETCH, "evicted", 1),
    ),
    "booted while it was cancelled": (
        Seen(RUNNING, attempts=[Attempt(1, this_boot=False, stop="cancelled")]),
        SPOT,
        State("fetching", Step.FETCH, "cancelled", 1),
    ),
    "no progress": (
        Seen(RUNNING, attempts=[LOST, AGAIN]),
        SPOT,
        State("fetching", Step.FETCH, "no_progress", 2),
    ),
    "what it has left is not known": (
        Seen(NONE, attempts=[LOST, Attempt(2, active=True)], bought=2),
        SPOT,
        State("evicted", Step.BUY, "", 2),
    ),
    "out of time": (
        Seen(RUNNING, attempts=[LOST]),
        Rules(retries=2, data=True, left_s=59),
        State("fetching", Step.FETCH, "time_limit", 1),
    ),
    "evicted": (Seen(NONE, attempts=[RUNS], bought=1), SPOT, State("evicted", Step.BUY, "", 1)),
    "evicted before it began": (Seen(NONE, bought=1), SPOT, State("evicted", Step.BUY)),
    "evicted too often": (
        Seen(NONE, attempts=[RUNS], bought=3),
        SPOT,
        State("failed", Step.END, "evicted", 1),
    ),
    "lost with its disk": (
        Seen(NONE, attempts=[RUNS], bought=1),
        Rules(retries=5),
        State("lost", Step.END, "evicted", 1),
    ),
    "ended alone, on its volume": (
        Seen(NONE, attempts=[ENDED], bought=1),
        SPOT,
        State("fetching", Step.BUY, "exit_code", 1),
    ),
    "home": (
        Seen(NONE, attempts=[ENDED], bought=1, home=BAD),
        SPOT,
        State("failed", Step.NOTHING, "exit_code", 1),
    ),
    "home, and its instance still there": (
        Seen(RUNNING, attempts=[ENDED], home=GOOD),
        SPOT,
        State("succeeded", Step.END, "succeeded", 1),
    ),
    "home, and its end not proven": (
        Seen(NONE, attempts=[ENDED], home=GOOD, closed=False),
        SPOT,
        State("succeeded", Step.END, "succeeded", 1),
    ),
}


@pytest.mark.parametrize(("seen", "rules", "expected"), TABLE.values(), ids=TABLE.keys())
def test_what_is_seen_says_what_comes_next(seen: Seen, rules: Rules, expected: State) -> None:
    assert state_of(seen, rules) == expected


@pytest.mark.parametrize(
    ("reason", "name"),
    [
        ("succeeded", "succeeded"),
        ("exit_code", "failed"),
        ("oom", "failed"),
        ("time_limit", "timed_out"),
        ("lease", "timed_out"),
        ("cancelled", "cancelled"),
    ],
)
def test_each_reason_has_a_last_state(reason: str, name: str) -> None:
    assert state_of(Seen(home=Exit(1, reason)), ONCE).name == name


def everything() -> list[Seen]:
    """Return all that can be seen of a job with up to two attempts."""
    flags = (True, False)
    one = [
        Attempt(1, *rest, stop, end)
        for *rest, stop, end in itertools.product(
            flags, flags, flags, flags, ("", "cancelled"), (None, GOOD)
        )
    ]
    two = [[first, Attempt(2, active=active)] for first in one for active in flags]
    rows = [[], *([row] for row in one), *two]
    return [
        Seen(cloud, reachable, attempts, bought, home)
        for cloud in Cloud
        for reachable in flags
        for attempts in rows
        for bought in (0, 1, 2)
        for home in (None, GOOD)
    ]


def test_nothing_is_bought_while_the_cloud_has_an_instance() -> None:
    found = [state_of(seen, SPOT) for seen in everything() if seen.cloud is not Cloud.NONE]
    assert len(found) > 1000
    assert [state for state in found if state.step is Step.BUY] == []


def test_nothing_begins_beside_an_attempt_that_runs_or_has_ended() -> None:
    for seen in everything():
        last = seen.attempts[-1] if seen.attempts else None
        if last and last.started and (last.active or last.exit or last.stop):
            assert state_of(seen, SPOT).step is not Step.START, seen


def test_nobody_who_cannot_be_reached_is_acted_on() -> None:
    for seen in everything():
        if seen.cloud is Cloud.RUNNING and not seen.reachable and not seen.home:
            assert state_of(seen, SPOT).step is Step.WAIT, seen
