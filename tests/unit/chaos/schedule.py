# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Threads of which one runs at a time, chosen by a seed, in a time that nobody waits for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from random import Random
from types import SimpleNamespace
from typing import Any

# Simulated time begins here in every sequence, so that a sequence can be replayed.
BEGIN = 1_800_000_000.0
NEVER = float("inf")


class DeadlockError(AssertionError):
    """Every job waits for another one."""


class Job:
    """Work that runs in a thread of its own, but only when it is its turn."""

    def __init__(self, schedule: Schedule, work: Callable[[], Any], owner: Any) -> None:
        self.owner = owner
        self.wake = schedule.now
        self.ready: Callable[[], bool] | None = None
        self.over = False
        self._schedule = schedule
        self._work = work
        self._outcome: Any = None
        self._problem: BaseException | None = None
        self.turn = threading.Lock()
        self.turn.acquire()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        self.turn.acquire()
        try:
            self._outcome = self._work()
        except BaseException as problem:  # noqa: BLE001 - whoever asks for the result gets it
            self._problem = problem
        self.over = True
        self._schedule.leave()

    def awake(self, now: float) -> bool:
        """Tell whether the job can go on."""
        return self.wake <= now or (self.ready is not None and self.ready())

    def result(self) -> Any:
        """Return what the work returned, or raise what it raised, once it is over."""
        self._schedule.until(lambda: self.over)
        return self.outcome()

    def outcome(self) -> Any:
        """Return or raise what came of a job that is over."""
        if self._problem is not None:
            raise self._problem
        return self._outcome


class Schedule:
    """Who runs next, and what time it is in seconds."""

    def __init__(self, dice: Random) -> None:
        self.now = BEGIN
        self._dice = dice
        self._sticky = dice.choice([0.0, 0.5, 0.9])  # some sequences hardly interleave
        self._jobs: list[Job] = []
        self._current: Job | None = None
        self._deadlock = False
        self._done = threading.Lock()

    @property
    def owner(self) -> Any:
        """Who the running job belongs to."""
        return self._current.owner if self._current else None

    def spawn(self, work: Callable[[], Any], owner: Any = None) -> Job:
        """Add a job, of the same owner as the one that adds it unless another is given."""
        job = Job(self, work, self.owner if owner is None else owner)
        self._jobs.append(job)
        return job

    def run(self) -> None:
        """Run until every job is over. Raises DeadlockError when none can go on."""
        self._done.acquire()
        self.leave()
        self._done.acquire()
        self._done.release()
        if self._deadlock:
            raise DeadlockError("every job waits for another one")

    def pause(self, seconds: float = 0.0) -> None:
        """Let others run, for at least this long."""
        self._wait(seconds, None)

    def travel(self) -> None:
        """Let as much time pass as a request takes on its way."""
        self.pause(self._dice.choice([0.001, 0.001, 0.01, 0.2]))

    def until(self, ready: Callable[[], bool], limit: float = NEVER) -> None:
        """Let others run until something is true, but no longer than to the time ``limit``."""
        if not ready():
            self._wait(limit - self.now, ready)

    def _wait(self, seconds: float, ready: Callable[[], bool] | None) -> None:
        """Give up the turn until ``ready``, or for so many seconds."""
        me = self._current
        assert me is not None, "only jobs may wait"
        me.wake, me.ready = self.now + max(seconds, 0), ready
        chosen = self._choose(me)
        if chosen is not me:
            self._pass_on(chosen)
            me.turn.acquire()

    def leave(self) -> None:
        """Go on with another job; this one is over."""
        self._jobs = [job for job in self._jobs if not job.over]
        self._pass_on(self._choose(None))

    def _pass_on(self, chosen: Job | None) -> None:
        self._current = chosen
        (chosen.turn if chosen else self._done).release()

    def _choose(self, me: Job | None) -> Job | None:
        """Return who runs next, moving time on if need be; None when all is over or stuck."""
        while True:
            awake = [job for job in self._jobs if job.awake(self.now)]
            if awake:
                stay = me in awake and self._dice.random() < self._sticky
                return me if stay else self._dice.choice(awake)
            soonest = min((job.wake for job in self._jobs), default=NEVER)
            if soonest == NEVER:
                self._deadlock = bool(self._jobs)
                return None
            self.now = soonest

    # -- what stands in for the real things ----------------------------------------------------

    def pool(self, max_workers: int | None = None) -> Pool:
        """Return what stands in for a ThreadPoolExecutor."""
        return Pool(self, max_workers)

    def lock(self) -> Lock:
        """Return what stands in for a threading.Lock."""
        return Lock(self)

    def time(self) -> SimpleNamespace:
        """Return what stands in for the time module."""
        return SimpleNamespace(sleep=self.pause, time=lambda: self.now, monotonic=lambda: self.now)


class Clock:
    """The clock of a controller."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule

    def monotonic(self) -> float:
        """Return the time in seconds."""
        return self._schedule.now

    def sleep(self, seconds: float) -> None:
        """Let time pass, and others run."""
        self._schedule.pause(seconds)


class Lock:
    """A lock for jobs."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._held = False

    def __enter__(self) -> None:
        self._schedule.until(lambda: not self._held)
        self._held = True

    def __exit__(self, *_exc: object) -> None:
        self._held = False


class Pool:
    """An executor whose workers are jobs."""

    def __init__(self, schedule: Schedule, max_workers: int | None) -> None:
        self._schedule = schedule
        self._free = max_workers or 32
        self._jobs: list[Job] = []

    def submit(self, work: Callable[..., Any], *args: Any) -> Job:
        """Start work, or queue it while no worker is free."""

        def when_free() -> Any:
            self._schedule.until(lambda: self._free > 0)
            self._free -= 1
            try:
                return work(*args)
            finally:
                self._free += 1

        self._jobs.append(self._schedule.spawn(when_free))
        return self._jobs[-1]

    def map(self, work: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
        """Return the results in order."""
        return (job.result() for job in [self.submit(work, item) for item in items])

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._schedule.until(lambda: all(job.over for job in self._jobs))
