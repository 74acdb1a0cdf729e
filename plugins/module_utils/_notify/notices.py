# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who was told of what, beside the ledger, so that all who use one ledger tell everything once (private).

A message is noted before it is sent, claimed by one process for as long as sending may take, and
noted as told afterwards. A process that dies between sending and noting leaves a claim that runs out,
and the message is sent again, under the same id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, cast

from .._core.times import read_time, write_time
from .._ledger.schema import events, exist, insert, notices
from .._ledger.store import exists, transaction
from .._ledger.url import file_url, url_of
from .due import REGISTERED, Notice
from .event import Event, read_event, write_event
from .rows import Row

if TYPE_CHECKING:  # only those who keep notes need it
    from sqlalchemy import Connection, RowMapping, Select, Table, Update

_GIVEN_UP = "given up"


class Notices:
    """The notes about messages, in the database of the ledger, or in one of its own without it.

    Everything raises LedgerError.
    """

    def __init__(self, ledger: str | None) -> None:
        self._ledger = url_of(ledger)
        self._url = self._ledger or file_url("notices.sqlite3")

    # -- reading: makes nothing ------------------------------------------------------------------

    def look(self, receivers: Iterable[str], ids: Iterable[str]) -> list[Notice]:
        """Return what is noted of some receivers: of these events, and of all that is not told yet."""
        table = notices()
        open_or_asked = table.c.told.is_(None) | table.c.event_id.in_([*ids, REGISTERED])
        query = table.select().where(table.c.receiver.in_([*receivers]), open_or_asked)
        return [_notice(row) for row in self._read(self._url, table, query)]

    def past(self, since: datetime) -> list[Row]:
        """Return the purchases and ends of instances that the ledger knows since a time."""
        if self._ledger is None:
            return []
        table = events()
        query = table.select().where(
            table.c.at >= write_time(since),
            table.c.kind == "instance",
            table.c.event.in_(["purchase", "end"]),
        )
        found = self._read(self._ledger, table, query.order_by(table.c.at, table.c.number))
        return [cast(Row, dict(row)) for row in found]

    @staticmethod
    def _read(url: str, table: Table, query: Select) -> list[RowMapping]:
        def ask(connection: Connection) -> list[RowMapping]:
            if not exist(connection, table):
                return []
            return list(connection.execute(query).mappings())

        found: list[RowMapping] = transaction(url, ask, write=False) if exists(url) else []
        return found

    # -- writing ---------------------------------------------------------------------------------

    def add(self, receiver: str, new: Iterable[Event], now: datetime) -> None:
        """Note events that are to be told; one that is noted already stays as it is."""
        told = {"at": write_time(now), "told": write_time(now)}
        rows = [{"event_id": REGISTERED, **told}]
        for event in new:
            rows.append(
                {"event_id": event.id, "at": write_time(event.at), "event": write_event(event)}
            )
            rows += [{"event_id": one, **told} for one in event.covers]

        def write(connection: Connection) -> None:
            query = insert(connection.dialect.name, notices()).on_conflict_do_nothing()
            for row in rows:
                connection.execute(query, {"receiver": receiver, **row})

        transaction(self._url, write)

    def claim(self, receiver: str, event_id: str, now: datetime, until: datetime) -> bool:
        """Take a message for as long as sending it may last; False when somebody else has it."""
        table = notices()
        free = table.c.claimed_until.is_(None) | (table.c.claimed_until <= write_time(now))
        return self._change(
            receiver,
            event_id,
            lambda query: query.where(table.c.told.is_(None), free),
            claimed_until=write_time(until),
        )

    def release(self, receiver: str, event_id: str) -> None:
        """Leave a message that was not taken to whoever comes next."""
        self._change(receiver, event_id, claimed_until=None)

    def settle(self, receiver: str, event_id: str, now: datetime | None) -> None:
        """Note that a message was taken, or without a time that it is given up."""
        self._change(receiver, event_id, told=write_time(now) if now else _GIVEN_UP)

    def _change(
        self,
        receiver: str,
        event_id: str,
        narrow: Callable[[Update], Update] = lambda query: query,
        **values: str | None,
    ) -> bool:
        table = notices()
        of = (table.c.receiver == receiver, table.c.event_id == event_id)
        query = narrow(table.update().where(*of)).values(**values)
        changed: int = transaction(self._url, lambda connection: connection.execute(query).rowcount)
        return changed == 1


def _notice(row: RowMapping) -> Notice:
    return Notice(
        row["receiver"],
        row["event_id"],
        read_time(row["at"]),
        read_event(row["event"] or ""),
        read_time(row["claimed_until"]),
        row["told"] is not None,
    )
