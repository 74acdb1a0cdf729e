# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One round of questions about an account, each of them answered, or not, by itself (private)."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any

from .._core.errors import GpuopsError
from .._providers.base.client import Client
from .._providers.base.row import Row, Source
from .._providers.verda.parsing import (
    balance_of,
    instance_from,
    instance_type_from,
    script_from,
    ssh_key_from,
    stock_from,
    trashed_from,
    volume_from,
    volume_type_from,
)
from .forms import rows_in

# Whose values are the user's own. The others are alike for every account.
_PRIVATE = ("/balance", "/instances", "/volumes", "/volumes/trash", "/ssh-keys", "/scripts")
# How this collection reads them.
_READERS: dict[str, Callable[[Row], Any]] = {
    "/instances": instance_from,
    "/instance-types": instance_type_from,
    "/instance-availability": stock_from,
    "/volumes": volume_from,
    "/volumes/trash": trashed_from,
    "/volume-types": volume_type_from,
    "/ssh-keys": ssh_key_from,
    "/scripts": script_from,
}
# In which prices are asked for beside the API's default.
OTHER_CURRENCY = "eur"


@dataclass(frozen=True)
class Read:
    """One question."""

    name: str
    path: str
    params: dict[str, Any] = field(default_factory=dict)
    path_params: dict[str, str] = field(default_factory=dict)

    @property
    def request(self) -> str:
        """Return it as a report names it."""
        query = "&".join(f"{key}={value}" for key, value in self.params.items())
        return f"GET {self.path}" + (f"?{query}" if query else "")

    @property
    def is_private(self) -> bool:
        """Tell whether the answer holds what is the user's own."""
        return self.path in _PRIVATE


@dataclass(frozen=True)
class Seen:
    """What came back: an answer or an error, after how many seconds, by which clock."""

    read: Read
    answer: Any = None
    error: GpuopsError | None = None
    seconds: float = 0.0
    data: Any = None
    skew: int | None = None
    problem: str = ""

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Return the rows of the answer, none where there are none."""
        return rows_in(self.data)


def reads() -> tuple[Read, ...]:
    """Return the questions of a round; the last one is about an id that nobody has."""
    other, nobody = {"currency": OTHER_CURRENCY}, {"id": str(uuid.uuid4())}
    return (
        Read("balance", "/balance"),
        Read("instances", "/instances"),
        Read("ended_instances", "/instances", {"status": "discontinued"}),
        Read("instance_types", "/instance-types"),
        Read("instance_types_asked", "/instance-types", other),
        Read("stock", "/instance-availability", {"is_spot": "false"}),
        Read("spot_stock", "/instance-availability", {"is_spot": "true"}),
        Read("volumes", "/volumes"),
        Read("trash", "/volumes/trash"),
        Read("volume_types", "/volume-types"),
        Read("volume_types_asked", "/volume-types", other),
        Read("ssh_keys", "/ssh-keys"),
        Read("scripts", "/scripts", {"page": 1, "pageSize": 100}),
        Read("unknown_id", "/instances/{id}", {}, nobody),
    )


def look_around(client: Client) -> dict[str, Seen]:
    """Ask everything at the same time; return what came back by the name of the question.

    Raises only what a login raises.
    """
    client.log_in()
    found = client.together(*(partial(_look, client, read) for read in reads()))
    return {seen.read.name: seen for seen in found}


def _look(client: Client, read: Read) -> Seen:
    start = time.monotonic()
    try:
        source = client.get(read.path, read.params or None, **read.path_params)
    except GpuopsError as error:
        return Seen(read, error=error, seconds=time.monotonic() - start)
    answer: Any = source.answer
    seconds, skew = time.monotonic() - start, _skew(answer)
    try:
        data = answer.json()
    except ValueError:
        return Seen(read, answer, None, seconds, None, skew, "not JSON")
    return Seen(read, answer, None, seconds, data, skew, _problem(source, read))


def _problem(source: Source, read: Read) -> str:
    """Return why this collection would refuse an answer, or a part of it; empty where it would not."""
    reader = _READERS.get(read.path)
    try:
        rows = source.rows(reader) if reader else []
        if read.path == "/balance":
            source.one(balance_of)
    except GpuopsError as error:
        return error.message
    return next((text for row in rows for text in _problems(row)), "")


def _problems(row: Any) -> Iterator[str]:
    """Yield what of a row cannot be read, although it spoils no other."""
    yield from getattr(row, "problems", ())
    for name in ("price", "on_demand", "spot"):
        problem = getattr(getattr(row, name, None), "problem", "")
        if problem:
            yield problem


def _skew(answer: Any) -> int | None:
    """Return by how many seconds the controller's clock is ahead of an answer's."""
    try:
        date = parsedate_to_datetime(answer.headers["Date"])
        return round((datetime.now(timezone.utc) - date).total_seconds())
    except (KeyError, TypeError, ValueError):
        return None
