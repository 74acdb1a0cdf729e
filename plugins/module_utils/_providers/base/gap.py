# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests of all processes of a user kept apart, where an API takes so many a second (private).

One small file an account says when the last request goes; whoever comes takes the next place.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from dataclasses import dataclass

from ..._core.private_files import cache_folder
from ..._core.wait import Clock

# A time further ahead is of a clock that began anew since.
_LONGEST_S = 600.0


class Gap:
    """Lets a request go ``seconds`` after the one before; none are apart where that is zero."""

    def __init__(self, account: str, seconds: float, clock: Clock) -> None:
        self._account, self._seconds, self._clock = account, seconds, clock

    def wait(self) -> None:
        """Wait for our turn. Without a writable cache only what the API refuses slows us down."""
        if self._seconds <= 0:
            return
        pause = 0.0
        with contextlib.suppress(OSError):
            pause = self._claim()
        if pause > 0:
            self._clock.sleep(pause)

    def _claim(self) -> float:
        """Take the next place, and return how long to wait for it."""
        path = cache_folder("paces") / self._account
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(handle, "r+", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            now = self._clock.monotonic()
            last = _number(file.read())
            known = last is not None and last < now + _LONGEST_S
            mine = max(now, last + self._seconds) if known and last is not None else now
            file.seek(0)
            file.truncate()
            file.write(f"{mine!r}\n")
        return mine - now


@dataclass(frozen=True)
class Endpoint:
    """Requests that an API counts by themselves: a pattern of ``METHOD /path``, and how far apart they go."""

    name: str
    requests: re.Pattern[str]
    seconds: float


class Gaps:
    """A gap for each endpoint that is counted by itself, and one for all other requests."""

    def __init__(
        self, account: str, seconds: float, endpoints: tuple[Endpoint, ...], clock: Clock
    ) -> None:
        self._rest = Gap(account, seconds, clock)
        self._own = [
            (one.requests, Gap(f"{account}-{one.name}", one.seconds, clock)) for one in endpoints
        ]

    def wait(self, request: str) -> None:
        """Wait for the turn of a request."""
        mine = (gap for requests, gap in self._own if requests.fullmatch(request))
        next(mine, self._rest).wait()


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
