# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for a rate limit before it refuses: what is left of it stands in every answer (private)."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from ..._core.wait import Clock

LONGEST_S = 60.0
# Of ``RateLimit: "project";r=499;t=60, "endpoint";r=59;t=60``: left, and seconds until all are back.
# Others name the window in place of what is counted, which is an account then.
_LIMIT = re.compile(r'"(\w+)"\s*;\s*r=(\d{1,9})\s*;\s*t=(\d{1,9})\b')
_PROJECT = "project"
_OF_ALL = (_PROJECT, "minute", "hour", "day")
# Requests of a process on their way at the same time; and to one limit that nobody knows yet.
MOST_AT_ONCE, _SCOUTS = 32, 8
# Answers tell whole seconds, and take a while.
_JITTER_S = 2.0
# While others on their way may be counted already, or not.
_SHORT_S = 0.25


@dataclass
class _Window:
    """What one limit leaves until a time; ``flying`` are requests whose answers are not here yet.

    ``told`` is None before the first answer, and False for one that tells of no limit.
    """

    told: bool | None = None
    left: int = 0
    until: float = 0.0
    flying: int = 0

    def pause(self, now: float) -> float:
        """Return how long to wait before the next request, in seconds; zero for not at all."""
        if self.told is False:
            return 0.0
        if now >= self.until:
            return 0.0 if self.flying < _SCOUTS else _SHORT_S
        if self.left > self.flying:
            return 0.0
        return _SHORT_S if self.left else self.until - now

    def note(self, left: int, until: float) -> None:
        """Take note of an answer, which may come late and tell of more than there is."""
        self.told = True
        if until < self.until - _JITTER_S:
            return  # of the window before
        if until > self.until + _JITTER_S:
            self.left, self.until = left, until
        self.left = min(self.left, left)


class Pace:
    """What the limits of a project leave to the threads of this process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._windows: dict[str, _Window] = {}

    @contextmanager
    def turn(self, endpoint: str, most: float) -> Iterator[Callable[[Mapping[str, str]], None]]:
        """Wait until a request may be sent, or ``most`` seconds; count it while it is on its way.

        Yields what is to be told the headers of its answer.
        """
        end = self._clock.monotonic() + most
        while (pause := self._claim(endpoint, end)) > 0:
            self._clock.sleep(pause)
        try:
            yield lambda headers: self._note(endpoint, headers)
        finally:
            with self._lock:
                for window in self._both(endpoint):
                    window.flying -= 1

    def _both(self, endpoint: str) -> list[_Window]:
        return [self._windows.setdefault(key, _Window()) for key in (_PROJECT, endpoint)]

    def _claim(self, endpoint: str, end: float) -> float:
        """Return how long to wait before asking again; zero where the request may be sent now."""
        with self._lock:
            now, windows = self._clock.monotonic(), self._both(endpoint)
            crowded = _SHORT_S if windows[0].flying >= MOST_AT_ONCE else 0.0
            pause = min(max(crowded, *(window.pause(now) for window in windows)), end - now)
            if pause <= 0:
                for window in windows:
                    window.flying += 1
            return pause

    def _note(self, endpoint: str, headers: Mapping[str, str]) -> None:
        told = {
            name: (int(left), int(seconds))
            for name, left, seconds in _LIMIT.findall(_text(headers))
        }
        of_all = [told[name] for name in _OF_ALL if name in told]
        if of_all:
            told[_PROJECT] = min(of_all)
        with self._lock:
            now = self._clock.monotonic()
            for name, window in zip((_PROJECT, "endpoint"), self._both(endpoint), strict=True):
                if name in told:
                    left, seconds = told[name]
                    window.note(left, now + min(seconds, LONGEST_S))
                elif window.told is None:
                    window.told = False


def _text(headers: Mapping[str, str]) -> str:
    return str(headers.get("RateLimit", ""))
