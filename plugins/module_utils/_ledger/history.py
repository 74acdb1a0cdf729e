# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a ledger: what each instance and volume has cost, and when (private, pure).

Exact time counts: the cloud takes ten minutes in advance and gives back the unused rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypedDict, cast

from .._core.numbers import price as price_of
from .._core.periods import begin_of, end_of
from .._core.times import read_time, write_time
from .event import Event

# What costs can be told apart by.
Fact = Literal["deployment", "job", "owner", "project", "gpu_model"]


class _Facts(TypedDict):
    kind: str
    name: str | None
    deployment: str | None
    owner: str | None
    project: str | None
    gpu_model: str | None
    gpu_count: int | None
    instance_type: str | None
    market: str | None
    location: str | None


class Facts(_Facts, total=False):
    """What a thing is and whose; ``job`` only where somebody has asked which one it was for."""

    job: str | None


# By a call, since "from" cannot be the name of a field.
_Begin = TypedDict("_Begin", {"from": str})


class ThingRow(Facts, _Begin):
    """A thing as results show it."""

    id: str
    until: str | None
    lease_end: str | None
    hours: float
    price_per_hour: float
    cost: float
    estimated: bool


class CostRow(TypedDict):
    """What all things of one name have cost, and the hours of the instances among them."""

    name: str | None
    cost: float
    hours: float


class DayRow(TypedDict):
    """What a day has cost."""

    day: str
    cost: float


@dataclass
class Thing:
    """An instance or volume: whose it is, its prices per hour by time, and its end if it has one.

    ``cost`` is the whole cost where that is known better than by time and price.
    """

    id: str
    facts: Facts
    prices: list[tuple[datetime, float]]
    account: str | None = None
    provider: str | None = None
    until: datetime | None = None
    lease_end: datetime | None = None
    seen: datetime | None = None
    cost: float | None = None
    estimated: bool = False

    @property
    def groups(self) -> dict[str, str | None]:
        """Whose it is, for the budgets of owners and projects."""
        return {key: self.facts[key] for key in ("deployment", "owner", "project")}

    @property
    def start(self) -> datetime:
        return self.prices[0][0]

    @property
    def price(self) -> float:
        """The price per hour that holds now, or held at the end."""
        return self.prices[-1][1]

    def hours_between(self, since: datetime | None, until: datetime) -> float:
        """Return the hours that it existed within a span."""
        first = max(self.start, since) if since else self.start
        last = min(self.until or until, until)
        return max((last - first).total_seconds(), 0) / 3600

    def cost_between(self, since: datetime | None, until: datetime) -> float:
        """Return what it cost within a span."""
        if self.cost is not None and self.until:
            whole = self.hours_between(None, self.until)
            share = self.hours_between(since, until) / whole if whole else 1.0
            return self.cost * share
        total = 0.0
        ends = [at for at, _price in self.prices[1:]] + [self.until or until]
        for (at, price), end in zip(self.prices, ends, strict=True):
            last = min(end, until, self.until or until)
            first = max(at, since) if since else at
            total += max((last - first).total_seconds(), 0) / 3600 * price
        return total


def things_of(events: Iterable[Event]) -> list[Thing]:
    """Return what the events of a ledger tell of, in the order of their first events."""
    found: dict[str, Thing] = {}
    for event in events:
        thing = found.get(event["thing_id"])
        if thing is None:
            thing = found[event["thing_id"]] = _first_heard_of(event)
        _take(thing, event)
    return list(found.values())


def _time(text: str | None) -> datetime | None:
    return read_time(text) if text else None


def _price(event: Event) -> float:
    return price_of(event["price_per_hour"], f"The ledger: price_per_hour of {event['thing_id']}")


def _first_heard_of(event: Event) -> Thing:
    start = _time(event["started"]) or _time(event["at"])
    if start is None:
        raise AssertionError("every event has its times")
    return Thing(
        event["thing_id"],
        _facts(event),
        [(start, _price(event))],
        account=event.get("account"),
        provider=event.get("provider"),
        seen=_time(event.get("seen")),
    )


def _facts(event: Event) -> Facts:
    return {
        "kind": event["kind"],
        "name": event.get("name"),
        "deployment": event.get("deployment"),
        "owner": event.get("owner"),
        "project": event.get("project"),
        "gpu_model": event.get("gpu_model"),
        "gpu_count": event.get("gpu_count"),
        "instance_type": event.get("instance_type"),
        "market": event.get("market"),
        "location": event.get("location"),
    }


def _take(thing: Thing, event: Event) -> None:
    at = _time(event["at"]) or thing.start
    lease = _time(event["lease_end"])
    known = {key: value for key, value in thing.facts.items() if value is not None}
    thing.facts = cast(Facts, {**_facts(event), **known})
    if lease and event["event"] in ("purchase", "extend"):
        thing.lease_end = max(lease, thing.lease_end or lease)
    if event["event"] == "price":
        thing.prices.append((max(at, thing.start), _price(event)))
    elif event["event"] == "end":
        thing.until = max(at, thing.start)
        thing.cost, thing.estimated = event["cost"], bool(event["estimated"])
    elif event["event"] == "restore":  # what comes out of the trash is billed for its time there
        thing.until, thing.cost, thing.estimated = None, None, False


def thing_row(thing: Thing, since: datetime | None, until: datetime) -> ThingRow:
    """Return a thing as results show it, with its hours and cost within a span."""
    return {
        "id": thing.id,
        **thing.facts,
        "from": write_time(thing.start),
        "until": write_time(thing.until) if thing.until else None,
        "lease_end": write_time(thing.lease_end) if thing.lease_end else None,
        "hours": round(thing.hours_between(since, until), 3),
        "price_per_hour": round(thing.price, 6),
        "cost": round(thing.cost_between(since, until), 4),
        "estimated": thing.estimated,
    }


def spent(things: Iterable[Thing], now: datetime) -> dict[str, float]:
    """Return the cost of this day and this month (UTC) and of all time."""
    known = list(things)
    return {
        period: sum(thing.cost_between(begin_of(period, now), now) for thing in known)
        for period in ("day", "month", "total")
    }


def cost_by(
    things: Sequence[Thing], key: Fact, since: datetime | None, until: datetime
) -> list[CostRow]:
    """Return name, cost and hours of instances for each value of a fact, the dearest first."""
    groups: dict[str | None, list[Thing]] = {}
    for thing in things:
        groups.setdefault(thing.facts.get(key), []).append(thing)
    rows: list[CostRow] = [
        {
            "name": name,
            "cost": sum(one.cost_between(since, until) for one in group),
            "hours": sum(
                one.hours_between(since, until) for one in group if one.facts["kind"] == "instance"
            ),
        }
        for name, group in groups.items()
    ]
    rows.sort(key=lambda row: (-row["cost"], str(row["name"])))
    return [_rounded(row) for row in rows if row["cost"] or row["hours"]]


def _rounded(row: CostRow) -> CostRow:
    return {**row, "cost": round(row["cost"], 4), "hours": round(row["hours"], 3)}


def _spans(since: datetime, until: datetime, period: str) -> list[tuple[datetime, datetime]]:
    """Return the days or months between two times, the first and the last cut to fit."""
    found = []
    at = since
    while at < until:
        end = min(end_of(period, at) or until, until)
        found.append((at, end))
        at = end
    return found


def cost_by_month(things: Sequence[Thing], since: datetime, until: datetime) -> list[CostRow]:
    """Return cost and hours of instances for each month, such as ``2026-11``."""
    machines = [thing for thing in things if thing.facts["kind"] == "instance"]
    return [
        _rounded(
            {
                "name": begin.strftime("%Y-%m"),
                "cost": sum(thing.cost_between(begin, end) for thing in things),
                "hours": sum(thing.hours_between(begin, end) for thing in machines),
            }
        )
        for begin, end in _spans(since, until, "month")
    ]


def cost_by_day(things: Sequence[Thing], since: datetime, until: datetime) -> list[DayRow]:
    """Return the cost of each day, such as ``2026-11-22``."""
    return [
        {
            "day": begin.strftime("%Y-%m-%d"),
            "cost": round(sum(thing.cost_between(begin, end) for thing in things), 4),
        }
        for begin, end in _spans(since, until, "day")
    ]
