# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of the ledger, and connections that several controllers may use at once (private).

Every import of SQLAlchemy is inside a function, so that nobody pays for it who keeps no ledger.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

    from sqlalchemy import URL, Connection, Engine, Insert, MetaData, Select, Table
    from sqlalchemy.pool import ConnectionPoolEntry

# Others may write meanwhile; each write takes milliseconds.
WAIT_S = 15.0
_CONNECT_S = 5
# Databases whose tables this process has made.
_MADE: set[URL] = set()
_TEXTS = (
    *("event", "kind", "thing_id", "mark", "at", "started", "account", "source"),
    *("name", "deployment", "owner", "project", "lease_end"),
    *("gpu_model", "instance_type", "market", "location", "provider"),
)
# What earlier releases have not made.
_LATER = ("provider",)
# What an event does to the number of lives that a thing has left.
_STEPS = {"purchase": 1, "restore": 1, "end": -1}
_REQUIRED = ("event", "kind", "thing_id", "mark", "at", "started")


@cache
def _metadata() -> MetaData:
    import sqlalchemy as sql

    found = sql.MetaData()
    sql.Table(
        "gpuops_events",
        found,
        sql.Column("number", sql.Integer, primary_key=True),
        *(sql.Column(name, sql.Text, nullable=name not in _REQUIRED) for name in _TEXTS),
        sql.Column("gpu_count", sql.Integer),
        sql.Column("price_per_hour", sql.Double, nullable=False),
        sql.Column("cost", sql.Double),
        sql.Column("estimated", sql.Boolean, nullable=False),
        sql.UniqueConstraint("event", "thing_id", "mark"),
        sql.Index("gpuops_events_by_thing", "thing_id", "at"),
    )
    sql.Table(
        "gpuops_seen",
        found,
        sql.Column("thing_id", sql.Text, primary_key=True),
        sql.Column("at", sql.Text, nullable=False),
    )
    sql.Table(
        "gpuops_notices",
        found,
        sql.Column("receiver", sql.Text, primary_key=True),
        sql.Column("event_id", sql.Text, primary_key=True),
        sql.Column("at", sql.Text, nullable=False),
        *(sql.Column(name, sql.Text) for name in ("event", "claimed_until", "told")),
    )
    sql.Table(
        "gpuops_rounds",
        found,
        *(sql.Column(name, sql.Text, primary_key=True) for name in ("account", "scope", "host")),
        sql.Column("at", sql.Text, nullable=False),
        sql.Column("before", sql.Text),
    )
    return found


def events() -> Table:
    """Return the table of events; times are ISO 8601 in UTC, prices per hour."""
    return _metadata().tables["gpuops_events"]


def seen() -> Table:
    """Return the table that tells when a thing was last noticed."""
    return _metadata().tables["gpuops_seen"]


def notices() -> Table:
    """Return the table of who was told of what; a time in ``told`` says that it is done."""
    return _metadata().tables["gpuops_notices"]


def rounds() -> Table:
    """Return the table of the last round that a reaper made of a scope, and of the one before."""
    return _metadata().tables["gpuops_rounds"]


def insert(dialect: str, table: Table) -> Insert:
    """Return an insertion that can pass over rows which are there already."""
    from sqlalchemy.dialects import postgresql, sqlite

    kinds = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
    return kinds[dialect](table)


@cache
def noted(dialect: str) -> Insert:
    """Return an insertion that moves the time at which a thing was seen."""
    query = insert(dialect, seen())
    later = {"at": query.excluded.at}
    return query.on_conflict_do_update(index_elements=["thing_id"], set_=later)


@cache
def lives() -> Select:
    """Return a query for the things that live by the ledger, or are among those in ``living``.

    Of each: how many lives it has left, and when the last of them began. All others stay in the
    database: a ledger may hold years, and a reaper looks every few minutes.
    """
    import sqlalchemy as sql

    table = events()
    step = sql.case(_STEPS, value=table.c.event, else_=0)
    left, begun = sql.func.sum(step), sql.func.max(sql.case((step > 0, table.c.at)))
    query = sql.select(table.c.thing_id, left, begun).group_by(table.c.thing_id)
    shown = table.c.thing_id.in_(sql.bindparam("living", expanding=True))
    return query.having((left > 0) | shown)


@contextlib.contextmanager
def tables(url: URL, *, write: bool) -> Iterator[Connection]:
    """Yield a connection inside a transaction, with the tables made if it writes.

    Raises what SQLAlchemy raises, and ValueError for a kind of database that is not known here.
    """
    engine = _engine(url, "BEGIN IMMEDIATE" if write else "BEGIN")
    if write and not _is_made(url):
        _make_file(url)
        _make_tables(engine)
        _MADE.add(url)
    with engine.begin() as connection:
        yield connection


def _is_made(url: URL) -> bool:
    """Tell whether this process has made the tables, and nobody has removed the file since."""
    return url in _MADE and (
        url.get_backend_name() != "sqlite" or Path(url.database or "").is_file()
    )


def exist(connection: Connection, table: Table | None = None) -> bool:
    """Tell whether the tables were made, or one that an earlier release did not make."""
    import sqlalchemy as sql

    name = (events() if table is None else table).name
    return bool(sql.inspect(connection).has_table(name))


def columns_of(connection: Connection) -> set[str]:
    """Return the columns that the table of events has."""
    import sqlalchemy as sql

    return {str(row["name"]) for row in sql.inspect(connection).get_columns(events().name)}


@cache
def _engine(url: URL, begin: str) -> Engine:
    """Return what makes connections; it keeps none, only statements that were understood before."""
    import sqlalchemy as sql

    kind = url.get_backend_name()
    if kind in ("postgres", "postgresql"):
        driver = url.set(drivername="postgresql+psycopg")
        return sql.create_engine(
            driver, poolclass=sql.NullPool, connect_args={"connect_timeout": _CONNECT_S}
        )
    if kind != "sqlite":
        raise ValueError(f"{kind} is not known here, only sqlite and postgresql")
    made = sql.create_engine(url, poolclass=sql.NullPool, connect_args={"timeout": WAIT_S})
    sql.event.listen(made, "connect", _prepare_sqlite)
    # A lock that is asked for in mid-transaction cannot be waited for: writers take it at once.
    sql.event.listen(made, "begin", lambda connection: connection.exec_driver_sql(begin))
    return made


def _make_file(url: URL) -> None:
    """Make the file of a SQLite database, which nobody else may read."""
    if url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:"):
        file = Path(url.database)
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600)


def _prepare_sqlite(connection: sqlite3.Connection, _record: ConnectionPoolEntry) -> None:
    """Let others read meanwhile, and leave transactions to us."""
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")


def _make_tables(engine: Engine) -> None:
    """Make what is missing; of two that do so at the same moment, one looks again."""
    import sqlalchemy as sql

    try:
        _metadata().create_all(engine)
    except (sql.exc.ProgrammingError, sql.exc.IntegrityError):
        _metadata().create_all(engine)
    try:
        _add_columns(engine)
    except (sql.exc.ProgrammingError, sql.exc.OperationalError):
        _add_columns(engine)


def _add_columns(engine: Engine) -> None:
    """Add to the table of events what an earlier release has not made."""
    import sqlalchemy as sql

    with engine.begin() as connection:
        there = columns_of(connection)
        for name in _LATER:
            if name not in there:
                text = f"ALTER TABLE {events().name} ADD COLUMN {name} TEXT"
                connection.execute(sql.text(text))
