# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What instances say of their own use, and what of it can be believed (private, pure)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict

from .._core.data import Data
from .._core.errors import InvalidError
from .._core.times import read_duration, read_time

VERSION = 1
NEVER = "never"
# An older report says nothing about now, and neither does one of a clock that goes wrong.
FRESH = timedelta(minutes=10)


class Gpu(TypedDict):
    """How much of a GPU is used."""

    index: int | None
    utilization_percent: int | None
    memory_used_mb: int | None


class Server(TypedDict):
    """A model server, and since when it has failed its health check."""

    port: int
    down_since: str | None
    why: str


class Report(TypedDict):
    """What an instance says of its use, once it has been read field by field."""

    version: int
    at: str
    idle_since: str | None
    idle_after: str
    done: bool
    gpus: list[Gpu]
    vllm_running: int | None
    vllm_waiting: int | None
    users: int
    load1: float
    why_busy: list[str]
    servers: list[Server]


class NamedReport(Report):
    """A report with the id of its instance."""

    id: str


@dataclass(frozen=True)
class Use:
    """When an instance told of its use, since when nobody uses it, and whether its work is done.

    ``idle_after`` is how long it wants to be left alone for, None where it does not say.
    """

    at: datetime
    idle_since: datetime | None = None
    done: bool = False
    idle_after: timedelta | None = None


def read_idle_after(text: str, option: str = "idle_after") -> timedelta | None:
    """Return ``2h`` as a duration, None for ``never``. Raises InvalidError that names the option."""
    return None if text.strip().lower() == NEVER else read_duration(text, option)


def read_reports(reports: Iterable[Data], now: datetime) -> tuple[dict[str, Use], list[str]]:
    """Return the use of instances by their ids, and sentences about reports that are not used."""
    uses: dict[str, Use] = {}
    notes: list[str] = []
    for report in reports:
        claim = _Claim(report if isinstance(report, dict) else {})
        machine = claim.row.get("id")
        if not isinstance(machine, str) or not machine:
            notes.append("An idle report without the id of an instance is not used.")
            continue
        use = claim.use()
        if use is None:
            notes.append(f"The idle report of {machine} cannot be read, and is not used.")
        elif abs(now - use.at) > FRESH:
            minutes = int(abs(now - use.at).total_seconds() // 60)
            when = "old" if use.at < now else "ahead of time"
            notes.append(f"The idle report of {machine} is {minutes} minutes {when}, and not used.")
        else:
            uses[machine] = use
    return uses, notes


@dataclass(frozen=True)
class _Claim:
    """A report as somebody has handed it over: nothing in it is believed before it is looked at."""

    row: dict[str, Data]

    def use(self) -> Use | None:
        """Return what can be believed of it, None for nothing."""
        at = self._time("at")
        if at is None or self.row.get("version") != VERSION:
            return None
        busy = self.row.get("why_busy", ())
        if not isinstance(busy, (list, tuple)):
            return None
        since = None if busy else self._time("idle_since")
        try:
            # A guard of an earlier release says nothing of it.
            limit = read_idle_after(str(self.row.get("idle_after") or NEVER))
        except InvalidError:
            return None
        return Use(at, since, self.row.get("done") is True, limit)

    def _time(self, name: str) -> datetime | None:
        value = self.row.get(name)
        return read_time(value) if isinstance(value, str) else None
