# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated time, which may run faster than real time and may be moved forward."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timezone


class Clock:
    """Simulated time in seconds since the epoch: start + elapsed x speed + advances."""

    def __init__(
        self,
        speed: float = 1.0,
        real: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.speed = speed
        self.real = real
        self._wall = wall
        self.restart()

    def restart(self, offset: float = 0.0) -> None:
        """Begin at the wall clock's time plus `offset` seconds."""
        self._mark = self.real()
        self._start = self._wall() + offset

    def now(self) -> float:
        """Return the simulated time in seconds since the epoch."""
        return self._start + (self.real() - self._mark) * self.speed

    def advance(self, seconds: float) -> None:
        """Move forward; time never runs backwards."""
        if seconds < 0:
            raise ValueError("the clock only moves forward")
        self._start += seconds

    def offset(self) -> float:
        """Return by how many seconds simulated time is ahead of the wall clock."""
        return self.now() - self._wall()


def moment(stamp: float) -> datetime:
    """Return a time in UTC."""
    return datetime.fromtimestamp(stamp, timezone.utc)


def iso(stamp: float) -> str:
    """Return a time as the API writes it: ISO 8601 UTC with milliseconds and Z."""
    return moment(stamp).isoformat(timespec="milliseconds").replace("+00:00", "Z")
