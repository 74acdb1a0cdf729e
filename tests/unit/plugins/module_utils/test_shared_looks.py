# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Threads that share reads, and wait for a rate limit before it refuses."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._core.errors import UnavailableError
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.base.pace import Pace
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.base.shared_reads import Looks


class Clock:
    """A clock that does not sleep."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)


class Source:
    """Something to read, which answers when it is let."""

    def __init__(self) -> None:
        self.reads = 0
        self.begun = threading.Event()
        self.let = threading.Event()

    def read(self) -> int:
        self.reads += 1
        number = self.reads
        self.begun.set()
        assert self.let.wait(10)
        return number


# -- reads -----------------------------------------------------------------------------------------


def test_who_asks_during_a_read_gets_the_next_one() -> None:
    source = Source()
    looks = Looks(source.read, Clock(), lambda: 1)
    with ThreadPoolExecutor(max_workers=9) as pool:
        first = pool.submit(looks.fresh)
        assert source.begun.wait(10)
        asking = threading.Barrier(9)

        def ask() -> int:
            asking.wait(10)
            return looks.fresh().told()

        later = [pool.submit(ask) for _unused in range(8)]
        asking.wait(10)
        source.let.set()
        assert first.result().told() == 1
        assert min(one.result() for one in later) >= 2, "what had changed meanwhile is seen"


def test_who_asks_alone_reads_at_once_each_time() -> None:
    source, clock = Source(), Clock()
    source.let.set()
    looks = Looks(source.read, clock, lambda: 1)
    assert [looks.fresh().told() for _unused in range(3)] == [1, 2, 3]
    assert clock.slept == []


@pytest.mark.parametrize(("threads", "gap"), [(9, 0.25), (33, 1.0), (999, 2.0)])
def test_the_more_ask_the_longer_a_read_is_put_off(threads: int, gap: float) -> None:
    source, clock = Source(), Clock()
    source.let.set()
    looks = Looks(source.read, clock, lambda: threads)
    looks.fresh()
    looks.fresh()
    assert clock.slept == [gap]


def test_one_pauses_for_all_that_have_seen_the_same() -> None:
    source, clock = Source(), Clock()
    source.let.set()
    looks = Looks(source.read, clock, lambda: 1)
    seen = looks.fresh().number
    assert [looks.after_pause(5, seen).told() for _unused in range(4)] == [2] * 4
    assert clock.slept == [5]


def test_each_gets_an_error_of_its_own() -> None:
    def read() -> int:
        raise UnavailableError("away", status=502, details={"tried": 3})

    look = Looks(read, Clock(), lambda: 1).fresh()
    errors = []
    for _unused in range(2):
        with pytest.raises(UnavailableError) as caught:
            look.told()
        caught.value.details["mine"] = True
        errors.append(caught.value)
    assert errors[0] is not errors[1]
    assert (errors[1].status, str(look.answer)) == (502, str(errors[0]))
    assert isinstance(look.answer, UnavailableError)
    assert look.answer.details == {"tried": 3}


def test_read_that_is_broken_off_leaves_no_older_answer() -> None:
    answers = iter([1, KeyboardInterrupt, 3])

    def read() -> int:
        answer = next(answers)
        if not isinstance(answer, int):
            raise answer
        return answer

    looks = Looks(read, Clock(), lambda: 1)
    seen = looks.fresh().number
    with pytest.raises(KeyboardInterrupt):
        looks.fresh()
    assert looks.after_pause(0, seen).told() == 3


# -- rate limits -----------------------------------------------------------------------------------


def left(endpoint: int, seconds: int, project: int = 400) -> dict[str, str]:
    """Return the header of an answer."""
    return {"RateLimit": f'"project";r={project};t={seconds}, "endpoint";r={endpoint};t={seconds}'}


def ask(pace: Pace, headers: dict[str, str], endpoint: str = "GET /x", most: float = 600) -> None:
    """Send a request that gets an answer with these headers."""
    with pace.turn(endpoint, most) as note:
        note(headers)


@pytest.mark.parametrize(
    ("answers", "slept"),
    [
        ([{}, {}, {}], []),
        ([{"RateLimit": "soon"}, {}], []),
        ([left(1, 60), {}], []),
        ([left(0, 7), {}], [7]),
        ([left(0, 999), {}], [60]),
        ([left(5, 7, project=0), {}], [7]),
        ([left(0, 7), left(59, 60), {}], [7]),
    ],
)
def test_limit_that_is_used_up_is_waited_for(
    answers: list[dict[str, str]], slept: list[float]
) -> None:
    clock = Clock()
    pace = Pace(clock)
    for headers in answers:
        ask(pace, headers)
    assert clock.slept == slept


def test_limit_of_one_endpoint_holds_no_other() -> None:
    clock = Clock()
    pace = Pace(clock)
    ask(pace, left(0, 50))
    ask(pace, left(10, 50), endpoint="POST /x")
    assert clock.slept == []


def test_wait_that_ends_earlier_is_not_held_longer() -> None:
    clock = Clock()
    pace = Pace(clock)
    ask(pace, left(0, 50))
    ask(pace, {}, most=3)
    assert clock.slept == [3]


def test_late_answer_of_the_window_before_changes_nothing() -> None:
    clock = Clock()
    pace = Pace(clock)
    with pace.turn("GET /x", 600) as late:
        ask(pace, left(0, 5))
        ask(pace, left(59, 60))  # after a pause
        late(left(0, 1))
    ask(pace, {})
    assert clock.slept == [5]


def test_requests_on_their_way_count_as_if_they_were_served() -> None:
    clock = Clock()
    pace = Pace(clock)
    ask(pace, left(2, 10))
    with pace.turn("GET /x", 600), pace.turn("GET /x", 600):
        ask(pace, {}, most=1)
    assert sum(clock.slept) == 1


def test_limit_that_nobody_knows_yet_is_tried_by_few() -> None:
    clock = Clock()
    pace = Pace(clock)
    turns: list[Callable[..., object]] = []
    for _unused in range(8):
        turn = pace.turn("GET /x", 600)
        turn.__enter__()
        turns.append(turn.__exit__)
    assert clock.slept == []
    ask(pace, {}, most=1)
    assert sum(clock.slept) == 1
