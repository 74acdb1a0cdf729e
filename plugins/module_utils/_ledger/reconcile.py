# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the cloud shows and a ledger lacks, as events (private, pure).

What exists is rebuilt exactly. Of what has ended without a word only the span is known in which it
happened: such an end is an estimate, the better the more often somebody looks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from .._core.times import read_time
from .._models.ownership import ENDED_TAG, part_name
from .._models.resources import Billed, Instance, Volume
from .event import Event
from .history import Thing, things_of
from .store import event_of

SOURCE = "cloud"
# An instance and the volumes of its order are made within this time.
_TOGETHER_S = 60


@dataclass(frozen=True)
class Shown:
    """What the cloud shows: living and terminated instances, volumes, and those in the trash.

    ``providers`` are those that were asked; what was at any other has not ended for not being shown.
    """

    instances: list[Instance]
    volumes: list[Volume]
    ended: list[Instance] = field(default_factory=list)
    trash: list[Volume] = field(default_factory=list)
    providers: tuple[str, ...] = ()

    def living(self) -> list[Billed]:
        """Return everything that costs."""
        found: list[Billed] = [*self.instances, *self.volumes]
        return [row for row in found if row.is_billed]

    def covers(self, thing: Thing) -> bool:
        """Tell whether a thing would be shown if it were there."""
        return not self.providers or thing.provider in (None, *self.providers)

    def dead(self) -> list[Billed]:
        """Return everything that costs nothing any more."""
        orders = [row for row in self.instances if not row.is_billed]
        return [*orders, *self.ended, *self.trash]


def missing_events(
    known: Iterable[Event], shown: Shown, now: datetime, account: str | None = None
) -> tuple[list[Event], list[Thing]]:
    """Return the events that a ledger lacks, and what it holds that nobody can say anything about.

    That is what has no end in the ledger, is not shown, and was written by other accounts: those of
    ``account`` and of everything that is shown are taken for one. Without ``account`` all are.
    """
    things = {thing.id: thing for thing in things_of(known)}
    found: list[Event] = []
    machines = {row.id: row for row in (*shown.instances, *shown.ended)}
    living = shown.living()
    for row in living:
        owner = row.holder_among(machines) if isinstance(row, Volume) else None
        found += _of_living(things.get(row.id), row, now, owner)
    for row in shown.dead():
        found += _of_dead(things.get(row.id), row, shown.trash, now)
    seen = {row.id for row in (*living, *shown.dead())}
    ours = {account} | {thing.account for thing in things.values() if thing.id in seen}
    unclear = []
    for thing in things.values():
        if thing.until is None and thing.id not in seen and shown.covers(thing):
            if account is None or thing.account in ours:
                found.append(_vanished(thing, shown.trash, now))
            else:
                unclear.append(thing)
    return found, unclear


def _of_living(
    thing: Thing | None, row: Billed, now: datetime, machine: Instance | None
) -> list[Event]:
    def event(name: str, at: datetime, *, estimated: bool = False) -> Event:
        return event_of(name, row, at, source=SOURCE, machine=machine, estimated=estimated)

    bought = event("purchase", row.born or now)
    if thing is None:
        return [bought]
    found = []
    if thing.until is not None:
        found.append(event("restore", now))
    if abs(bought["price_per_hour"] - thing.price) > 1e-9:
        found.append(event("price", now, estimated=True))
    lease = read_time(bought["lease_end"])
    if lease and (thing.lease_end is None or lease > thing.lease_end):
        found.append(event("extend", now, estimated=True))
    return found


def _of_dead(thing: Thing | None, row: Billed, trash: list[Volume], now: datetime) -> list[Event]:
    stranger = isinstance(row, Instance) and row.ownership is None
    if (thing is None and stranger) or (thing is not None and thing.until is not None):
        return []  # nobody knows when a stranger's instance ended that was never seen alive
    found = []
    if thing is None:
        found.append(event_of("purchase", row, row.born or now, source=SOURCE))
        thing = things_of(found)[0]
    cost = 0.0 if isinstance(row, Instance) and row.was_free else None
    known = read_time(row.deleted_at or row.tag_values.get(ENDED_TAG))
    at = known or _estimate(thing, trash, now)
    guess = known is None and cost is None
    end = event_of("end", row, at, source=SOURCE, cost=cost, estimated=guess)
    return [*found, end]


def _end_of_its_disk(thing: Thing, trash: list[Volume]) -> datetime | None:
    """Return when the volume that an instance booted from, and came with, went into the trash."""
    if thing.facts["kind"] != "instance" or not thing.facts["deployment"]:
        return None
    name = part_name(str(thing.facts["deployment"]), str(thing.facts["name"]), "os")
    for disk in trash:
        apart = abs((disk.born - thing.start).total_seconds()) if disk.born else _TOGETHER_S
        if disk.name == name and apart < _TOGETHER_S:
            return read_time(disk.deleted_at)
    return None


def _estimate(thing: Thing, trash: list[Volume], now: datetime) -> datetime:
    """Return when a thing may have ended: with its disk or its lease, else midway since last seen."""
    earliest = max(thing.start, thing.seen or thing.start)
    with_disk = _end_of_its_disk(thing, trash)
    if with_disk and earliest <= with_disk <= now:
        return with_disk
    if thing.lease_end and earliest <= thing.lease_end <= now:
        return thing.lease_end
    return earliest + max(now - earliest, now - now) / 2


def _vanished(thing: Thing, trash: list[Volume], now: datetime) -> Event:
    """Return the end of a thing that is shown no longer."""
    kind = Instance if thing.facts["kind"] == Instance.kind else Volume
    gone = kind(thing.id, created_at=thing.start.isoformat())
    blank = event_of("end", gone, _estimate(thing, trash, now), source=SOURCE)
    lease = {"lease_end": None, "price_per_hour": thing.price, "estimated": True}
    return cast(Event, {**blank, **thing.facts, **lease})


def gone_or_there(known: Iterable[Event], shown: Shown, now: datetime) -> list[Thing]:
    """Return everything that a ledger and the cloud tell of together, nothing written."""
    events = list(known)
    more, _unclear = missing_events(events, shown, now)
    return things_of([*events, *more])
