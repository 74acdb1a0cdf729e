# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rounds of reapers, noted where bring-up and status look for them (private).

Who made a round notes it in a file of the controller, and in the ledger where one is named that
several controllers may use. A reaper that has not come back in time is none.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, cast

from .._core.times import read_time, write_time
from . import schema, store
from .url import VARIABLE, url_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

FILE = "reaper_rounds.json"
# Home of the role reaper, which is another user than whoever brings instances up.
OF_THE_ROLE = Path("/var/lib/gpuops-reaper")
# How long a reaper may stay away: twice the time between its last rounds, within these, and a day
# where it was seen only once.
LEAST, MOST, ONCE = timedelta(minutes=30), timedelta(days=2), timedelta(days=1)
_FORGOTTEN = timedelta(days=30)


class Written(TypedDict):
    """A round as the file keeps it, and the ledger; ``scope`` is JSON, and ``before`` a time, too."""

    account: str
    scope: str
    host: str
    at: str
    before: str | None


class _Told(TypedDict):
    at: str
    host: str
    deployments: list[str] | None
    owner: str | None


class Told(_Told, total=False):
    """A round as modules tell it, with the provider where they ask several."""

    provider: str


@dataclass(frozen=True)
class Round:
    """A round that ended what was over in a scope; ``before`` is the one before it."""

    account: str
    deployments: list[str] | None
    owner: str | None
    host: str
    at: datetime
    before: datetime | None = None

    @property
    def scope(self) -> str:
        """Return what it looked at, as one text."""
        return json.dumps([self.deployments, self.owner])

    def is_recent(self, now: datetime) -> bool:
        """Tell whether its reaper can be relied on to come back."""
        pause = min(max(2 * (self.at - self.before), LEAST), MOST) if self.before else ONCE
        return abs(now - self.at) <= pause

    def as_written(self) -> Written:
        """Return it as the file keeps it, which is as the ledger does."""
        return {
            "account": self.account,
            "scope": self.scope,
            "host": self.host,
            "at": write_time(self.at),
            "before": write_time(self.before) if self.before else None,
        }

    def as_result(self) -> Told:
        """Return it as modules tell it."""
        return {
            "at": write_time(self.at),
            "host": self.host,
            "deployments": self.deployments,
            "owner": self.owner,
        }


def covers(row: Told, deployment: str | None, owner: str | None) -> bool:
    """Tell whether a round, as modules tell it, looks at something of a deployment and owner."""
    named = row["deployments"] is None or deployment in row["deployments"]
    return named and row["owner"] in (None, owner)


def home(option: str | None = None) -> Path:
    """Return the folder of the controller in which rounds are noted."""
    return Path(option or os.environ.get("GPUOPS_HOME") or "~/.config/gpuops").expanduser()


def this_host() -> str:
    """Return the name of the controller."""
    return socket.gethostname()


def note(config_dir: str | None, ledger: str | None, made: Round) -> list[str]:
    """Note a round; return warnings, never raise."""
    warnings, path = [], home(config_dir) / FILE
    try:
        _write(path, made)
    except OSError as error:
        warnings.append(f"The round is not noted in {path}: {error.strerror}.")
    try:
        _write_to_ledger(_shared(ledger), made)
    except store.LedgerError as error:
        warnings.append(str(error))
    return warnings


def seen(config_dir: str | None, ledger: str | None, account: str, now: datetime) -> list[Round]:
    """Return the rounds of reapers that can be relied on, as far as anybody can read of them."""
    found = [row for path in (home(config_dir), OF_THE_ROLE) for row in _read(path / FILE)]
    with contextlib.suppress(store.LedgerError):
        found += _rounds(_rows_of_ledger(_shared(ledger)))
    return [row for row in found if row.account == account and row.is_recent(now)]


def _shared(option: str | None) -> str | None:
    """Return a ledger that somebody has named, None for the one that only this user has."""
    return url_of(option) if option or os.environ.get(VARIABLE) else None


def _write_to_ledger(url: str | None, made: Round) -> None:
    def write(connection: Connection) -> None:
        table = schema.rounds()
        query = schema.insert(connection.dialect.name, table)
        later = {"before": table.c.at, "at": query.excluded.at}
        query = query.on_conflict_do_update(index_elements=["account", "scope", "host"], set_=later)
        connection.execute(query, made.as_written())

    if url:
        store.transaction(url, write)


def _rows_of_ledger(url: str | None) -> list[Written]:
    def ask(connection: Connection) -> list[Written]:
        table = schema.rounds()
        found = connection.execute(table.select()) if schema.exist(connection, table) else None
        return [cast(Written, dict(row)) for row in found.mappings()] if found else []

    if not url or not store.exists(url):
        return []
    return store.transaction(url, ask, write=False)


def _write(path: Path, made: Round) -> None:
    """Put a round in the place of the one before it, for every user of the controller to read."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    rows = _read(path)
    same = [row for row in rows if (row.account, row.scope) == (made.account, made.scope)]
    others = [row for row in rows if row not in same and made.at - row.at < _FORGOTTEN]
    made = replace(made, before=same[0].at if same else None)
    text = json.dumps([row.as_written() for row in [*others, made]])
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.chmod(0o644)
    unfinished.replace(path)


def _read(path: Path) -> list[Round]:
    try:
        return list(_rounds(json.loads(path.read_text(encoding="utf-8"))))
    except (OSError, ValueError, TypeError, KeyError):
        return []


def _rounds(rows: Iterable[Written]) -> Iterator[Round]:
    """Yield the rounds of rows as they were written. Raises ValueError, TypeError or KeyError."""
    for row in rows:
        deployments, owner = json.loads(row["scope"])
        at, before = read_time(row["at"]), read_time(row["before"])
        if at:
            yield Round(row["account"], deployments, owner, row["host"], at, before)
