# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One read for all threads of a process that want the same at the same time (private)."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from ..._core.errors import GpuopsError
from ..._core.wait import Clock

T = TypeVar("T")
# Of a crowd each thread puts a read off by so much, up to the longest.
_GAP_S, _LONGEST_GAP_S = 1 / 32, 2.0


@dataclass(frozen=True)
class Look(Generic[T]):
    """What came of one read; ``number`` says which one it was."""

    number: int
    answer: T | GpuopsError

    def told(self) -> T:
        """Return the answer, or raise an error of one's own that tells the same."""
        if isinstance(self.answer, GpuopsError):
            error = copy.copy(self.answer)
            error.details = dict(error.details)
            raise error
        return self.answer


class Looks(Generic[T]):
    """Reads of one thing, shared by threads; nobody gets an older answer than he would alone.

    ``threads`` says how many are at work. The more they are, the longer after the last one a read is
    put off, so that more of them share it.
    """

    def __init__(self, read: Callable[[], T], clock: Clock, threads: Callable[[], int]) -> None:
        self._read, self._clock, self._threads = read, clock, threads
        self._reading, self._pausing = threading.Lock(), threading.Lock()
        self._last: Look[T] | None = None
        self._begun = 0
        self._begun_at = 0.0

    @property
    def number(self) -> int:
        """Return which read was the last that began."""
        return self._begun

    def fresh(self) -> Look[T]:
        """Return a read that began after this call."""
        before = self._begun
        with self._reading:
            if self._last is None or self._begun == before:
                self._last = self._look()
            return self._last

    def after_pause(self, seconds: float, seen: int) -> Look[T]:
        """Return a read that is later than the one that was ``seen``.

        Of all that wait, one pauses and then reads, unless somebody did meanwhile; that ends the
        pause of the others.
        """
        with self._pausing:
            if not self._later(seen):
                self._clock.sleep(seconds)
            return self._later(seen) or self.fresh()

    def _later(self, seen: int) -> Look[T] | None:
        return self._last if self._last and self._last.number > seen else None

    def _look(self) -> Look[T]:
        gap = min((self._threads() - 1) * _GAP_S, _LONGEST_GAP_S)
        early = self._begun_at + gap - self._clock.monotonic() if self._begun else 0.0
        if early > 0:
            self._clock.sleep(early)
        self._begun += 1
        self._begun_at = self._clock.monotonic()
        try:
            return Look(self._begun, self._read())
        except GpuopsError as error:
            return Look(self._begun, error)
        except BaseException:
            self._last = None  # nobody takes the one before for this one
            raise
