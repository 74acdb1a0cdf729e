# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One round of questions about an account, each of them answered, or not, by itself (private)."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any

from .._core.errors import GpuopsError
from .._providers.base.answers import Answer
from .._providers.base.client import Client
from .._providers.base.questions import Question
from .._providers.base.row import Source
from .forms import Record, Told


@dataclass(frozen=True)
class Seen:
    """What came back: an answer or an error, after how many seconds, by which clock."""

    read: Question
    answer: Answer | None = None
    error: GpuopsError | None = None
    seconds: float = 0.0
    data: Any = None
    skew: int | None = None
    problem: str = ""

    @property
    def rows(self) -> list[Record]:
        """Return the rows of the answer, none where there are none."""
        return Told(self.data).rows()


def look_around(client: Client) -> dict[str, Seen]:
    """Ask everything at the same time; return what came back by the name of the question.

    Raises only what a login raises.
    """
    client.log_in()
    found = client.together(*(partial(_look, client, read) for read in client.questions()))
    return {seen.read.name: seen for seen in found}


def _look(client: Client, read: Question) -> Seen:
    start = time.monotonic()
    try:
        source = client.get(read.path, read.params or None, **read.path_params)
    except GpuopsError as error:
        return Seen(read, error=error, seconds=time.monotonic() - start)
    answer = source.answer
    if answer is None:
        raise AssertionError("what was asked for has an answer")
    seconds, skew = time.monotonic() - start, _skew(answer)
    try:
        data = answer.json()
    except ValueError:
        return Seen(read, answer, None, seconds, None, skew, "not JSON")
    return Seen(read, answer, None, seconds, data, skew, _problem(source, read))


def _problem(source: Source, read: Question) -> str:
    """Return why this collection would refuse an answer, or a part of it; empty where it would not."""
    if read.reader is None:
        return ""
    try:
        rows = [source.one(read.reader)] if read.is_one else source.rows(read.reader)
    except GpuopsError as error:
        return error.message
    for row in rows:
        # What of a row cannot be read, although it spoils no other.
        prices = (getattr(row, name, None) for name in ("price", "on_demand", "spot"))
        told = [*getattr(row, "problems", ()), *(getattr(one, "problem", "") for one in prices)]
        if found := next(filter(None, told), ""):
            return str(found)
    return ""


def _skew(answer: Answer) -> int | None:
    """Return by how many seconds the controller's clock is ahead of an answer's."""
    try:
        date = parsedate_to_datetime(answer.headers["Date"])
        return round((datetime.now(timezone.utc) - date).total_seconds())
    except (KeyError, TypeError, ValueError):
        return None
