# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for a state, with a limit, failure states and an injected clock (private)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Protocol, TypeVar

from .errors import FailedStateError, WaitTimeoutError
from .progress import tell

T = TypeVar("T")
# The last look of a wait comes when its time is over; it gets as long as this, and no longer.
LAST_LOOK_S = 3.0


class _Limit:
    """The time that the requests of one look have together, counted from the first of them."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until: float | None = None

    def left(self) -> float:
        """Return what is left of it in seconds."""
        now = time.monotonic()
        if self._until is None:
            self._until = now + self._seconds
        return max(self._until - now, 0.0)


_limit: ContextVar[_Limit | None] = ContextVar("limit", default=None)


def time_left() -> float | None:
    """Return how many seconds a request may take within the present wait, None outside of one."""
    limit = _limit.get()
    return None if limit is None else limit.left()


def _look_within(seconds: float, look: Callable[[], T]) -> T:
    outer = _limit.get()
    most = seconds if outer is None else min(seconds, outer.left())
    token = _limit.set(_Limit(max(most, LAST_LOOK_S)))
    try:
        return look()
    finally:
        _limit.reset(token)


class Clock(Protocol):
    """What waiting needs of a clock; tests give one that does not sleep."""

    def monotonic(self) -> float:
        """Return seconds of a clock that never goes back."""

    def sleep(self, seconds: float) -> None:
        """Wait so many seconds."""


class SystemClock:
    """The clock of the controller."""

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def doubling(interval: float) -> Iterator[float]:
    """Yield pauses for what mostly ends early: a quarter of ``interval``, a half, then all of it."""
    pause = interval / 4
    while True:
        yield pause
        pause = min(pause * 2, interval)


def steady(interval: float) -> Iterator[float]:
    """Yield pauses for what may take long: a sixteenth of the time that has passed.

    None is shorter than a quarter of ``interval``, or longer than all of it.
    """
    passed = 0.0
    while True:
        pause = max(interval / 4, min(passed / 16, interval))
        yield pause
        passed += pause


def wait_until(
    look: Callable[[], T],
    done: Callable[[T], bool],
    *,
    what: str,
    timeout: float,
    interval: float,
    clock: Clock,
    seen: Callable[[T], str] = str,
    failed: Callable[[T], bool] = lambda _seen: False,
    pauses: Callable[[float], Iterator[float]] = doubling,
    rest: Callable[[float], None] | None = None,
) -> T:
    """Look until ``done``, and return what was seen then.

    ``pauses`` yields those between two looks, for an ``interval``; ``rest`` makes one, and may look
    for all that wait. A look that takes long ends with the wait. Raises FailedStateError at once
    when ``failed``, WaitTimeoutError after ``timeout`` seconds; both say what was seen last.
    """
    start, rest = clock.monotonic(), rest or clock.sleep
    seconds = pauses(interval)
    while True:
        last = _look_within(timeout - (clock.monotonic() - start), look)
        elapsed = clock.monotonic() - start
        if done(last):
            return last
        if failed(last):
            raise FailedStateError(f"Waiting for {what}: it ended as {seen(last)}")
        if elapsed >= timeout:
            raise WaitTimeoutError(
                f"Waiting for {what}: not reached within {timeout:.0f} s, last seen {seen(last)}"
            )
        tell(f"{what}: {seen(last)}")
        rest(min(next(seconds), max(timeout - elapsed, 0)))
