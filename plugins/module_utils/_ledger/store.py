# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger: what was bought, extended and ended, kept in SQLite or PostgreSQL (private).

A ledger that cannot be written is a warning and never an error, so that no instance is lost over it.
SQLAlchemy is imported with the first event only: most calls of the modules write none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar, cast

from .._core.times import write_time
from .._models.resources import Billed, Instance
from .._providers.base.views import describe_instance, describe_marks
from .._providers.names import module_of
from .event import Event
from .schema import WAIT_S, columns_of, events, exist, insert, lives, noted, seen, tables
from .url import files_of, url_of

if TYPE_CHECKING:  # only those who keep a ledger need it
    from sqlalchemy import URL, Connection, Select, Table

T = TypeVar("T")

# A list may lag so long behind an order.
_LAG = timedelta(minutes=1)


class LedgerError(Exception):
    """The ledger cannot be used; the text says why and holds no password."""


def whose(row: Billed, machine: Instance | None = None) -> dict[str, str | None]:
    """Return deployment, owner and project of an instance or volume, null for what bears none."""
    of = describe_marks(row if isinstance(row, Instance) else machine)
    return {
        "deployment": of["deployment"] or row.deployment,
        "owner": of["owner"] or row.tagged_owner,
        "project": of["project"] or row.tagged_project,
    }


def event_of(
    event: str,
    row: Billed,
    at: datetime,
    *,
    source: str,
    cost: float | None = None,
    machine: Instance | None = None,
    estimated: bool = False,
) -> Event:
    """Return the event (purchase, extend, end, price, restore) of an instance or volume.

    ``machine`` is the instance a volume belongs to, which says whose it is.
    ``cost`` is the whole cost of the thing where that is known better than by time and price.
    Raises UnreadableError for a price that is no number.
    """
    shown: dict[str, Any] = {"location": row.location}
    if isinstance(row, Instance):
        shown.update(describe_instance(row))
    of = whose(row, machine)
    return {
        "at": write_time(at),
        "event": event,
        "kind": row.kind,
        "thing_id": row.id,
        "name": row.name,
        "deployment": of["deployment"],
        "owner": of["owner"],
        "project": of["project"],
        "gpu_model": shown.get("gpu_model"),
        "gpu_count": shown.get("gpu_count"),
        "instance_type": shown.get("instance_type"),
        "market": shown.get("market"),
        "location": shown["location"],
        "price_per_hour": row.price.known() if row.price.is_told else 0.0,
        "lease_end": shown.get("lease_end"),
        "started": write_time(row.born or at),
        "source": source,
        "cost": cost,
        "estimated": estimated,
    }


def record(
    url: str | None,
    rows: Sequence[Event],
    account: str,
    provider: str | None = None,
) -> str | None:
    """Append events of an account at a provider in one transaction; return a warning, or None.

    An event that is there already, by kind of event, thing and end of its lease, is left as it is.
    """
    place = url_of(url)
    if not rows or place is None:
        return None

    def write(connection: Connection) -> None:
        query = insert(connection.dialect.name, events()).on_conflict_do_nothing()
        for row in rows:
            mark = _mark(connection, row)
            values = {"account": account, "provider": provider, "mark": mark}
            connection.execute(query, {**row, **values})

    return _warning(lambda: transaction(place, write))


def _mark(connection: Connection, row: Event) -> str:
    """Return what tells two events of one sort and thing apart."""
    if row["event"] in ("price", "restore"):
        return str(row["at"])
    if row["event"] == "end":  # a volume that came back from the trash may end again
        return str(sum(1 for one in _of_thing(connection, row) if one == "restore"))
    return str(row["lease_end"] or "") if row["event"] == "extend" else ""


def _of_thing(connection: Connection, row: Event) -> list[str]:
    table = events()
    query = table.select().where(table.c.thing_id == row["thing_id"])
    return [str(found.event) for found in connection.execute(query)]


def saw(url: str | None, thing_ids: Sequence[str], at: datetime) -> str | None:
    """Note that these things were there, so that an end nobody told of can be placed in time."""
    place = url_of(url)
    if not thing_ids or place is None:
        return None

    return _warning(lambda: transaction(place, lambda connection: _note(connection, thing_ids, at)))


def _note(connection: Connection, thing_ids: Iterable[str], at: datetime) -> None:
    when = write_time(at)
    rows = [{"thing_id": one, "at": when} for one in sorted(set(thing_ids))]
    if rows:
        connection.execute(noted(connection.dialect.name), rows)


def watch(url: str | None, living: set[str], at: datetime) -> tuple[set[str], set[str]] | None:
    """Note what was there; return what the ledger knows nothing of, and what it holds that is gone.

    ``at`` is when ``living`` was listed. What others have ended since is not new, and what they have
    bought since, or so shortly before that a list may lag behind it, is not gone. Things that are
    gone keep the time at which they were last seen. None when the ledger is off; raises LedgerError.
    """
    place = url_of(url)
    if place is None:
        return None

    def look(connection: Connection) -> tuple[set[str], set[str]]:
        rows = connection.execute(lives(), {"living": list(living)}).all()
        known = {thing_id for thing_id, _left, _begun in rows}
        open_things = {thing_id for thing_id, left, _begun in rows if left > 0}
        young = {thing_id for thing_id, _left, begun in rows if begun and begun > settled}
        _note(connection, living, at)
        return living - known, open_things - living - young

    settled = write_time(at - _LAG)
    return transaction(place, look)


def read(
    url: str | None, since: datetime | None = None, until: datetime | None = None
) -> list[Event]:
    """Return the events of everything that cost between two times, in their order.

    ``seen`` in each is when its thing was last noticed. Raises LedgerError; returns nothing when the
    ledger is off or was never written.
    """
    return history(url, since, until) or []


def history(
    url: str | None, since: datetime | None = None, until: datetime | None = None
) -> list[Event] | None:
    """Return what ``read`` does, but None when the ledger is off or was never written."""
    place = url_of(url)
    if place is None or not exists(place):
        return None

    def ask(connection: Connection) -> list[Event] | None:
        if not exist(connection):
            return None
        table, looks = events(), seen()
        wanted = _overlapping(table, since, until)
        joined = table.outerjoin(looks, looks.c.thing_id == table.c.thing_id)
        # A ledger that an earlier release has made, and none has written to since, lacks some.
        there = columns_of(connection)
        columns = [one for one in table.c if one.name != "number" and one.name in there]
        query = wanted.with_only_columns(*columns, looks.c.at.label("seen")).select_from(joined)
        found = connection.execute(query.order_by(table.c.at, table.c.number))
        return [cast(Event, dict(row)) for row in found.mappings()]

    return transaction(place, ask, write=False)


def begin(url: str | None) -> None:
    """Make an empty ledger where there is none yet, so that others can tell it from a lost one.

    What a purchase costs is written down when it is over, and others may look before. A ledger that
    cannot be made is told when something is written to it.
    """
    place = url_of(url)
    if place is not None:
        _warning(lambda: transaction(place, lambda _connection: None))


def _overlapping(table: Table, since: datetime | None, until: datetime | None) -> Select:
    """Return a query for the events of what had begun by one time and not ended by the other."""
    query = table.select()
    if until:
        query = query.where(table.c.at <= write_time(until))
    if since:
        other = table.alias()
        ended = other.select().with_only_columns(other.c.thing_id)
        back = ended.where(other.c.event == "restore")
        gone = ended.where(other.c.event == "end", other.c.at < write_time(since))
        query = query.where(table.c.thing_id.not_in(gone) | table.c.thing_id.in_(back))
    return query


def exists(url: str) -> bool:
    """Tell whether there can be anything: a look must not make an empty SQLite file."""
    files = files_of(url)
    try:
        return not files or files[0].exists()
    except OSError as error:
        raise LedgerError(f"The ledger {files[0]} cannot be used: {error.strerror}.") from None


def _warning(work: Callable[[], None]) -> str | None:
    try:
        work()
    except LedgerError as error:
        return str(error)
    return None


def transaction(url: str, work: Callable[[Connection], T], *, write: bool = True) -> T:
    """Run something inside a transaction; every fault becomes a LedgerError without a password."""
    try:
        import sqlalchemy
    except ImportError as error:
        raise LedgerError(
            f"Cannot write the ledger: the Python package SQLAlchemy is missing ({error}): "
            "pip install 'SQLAlchemy>=2,<3', or switch it off with ledger=none."
        ) from None
    try:
        place = sqlalchemy.make_url(url)
    except (sqlalchemy.exc.ArgumentError, ValueError):
        raise LedgerError(
            "Cannot write the ledger: its URL cannot be read. Write sqlite:////path/to/file or "
            "postgresql://user@host/database."
        ) from None
    try:
        with tables(place, write=write) as connection:
            return work(connection)
    except (sqlalchemy.exc.SQLAlchemyError, OSError, ImportError, ValueError) as error:
        shown = place.render_as_string(hide_password=True).partition("?")[0]
        raise LedgerError(
            f"The ledger {shown} cannot be used: {_reason(error, place)}. What was done in the cloud "
            f"is done; run {module_of('ledger')} later to add it."
        ) from None


def _reason(error: Exception, place: URL) -> str:
    """Return the first line of an error without the passwords of the URL."""
    text = str(getattr(error, "orig", None) or error).strip() or type(error).__name__
    text = text.splitlines()[0]
    if "locked" in text:
        text += f" for more than {WAIT_S:.0f} s"
    for secret in (place.password, place.query.get("password")):
        text = text.replace(str(secret), "***") if secret else text
    return text.rstrip(".")
