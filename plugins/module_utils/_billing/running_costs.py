# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What exists now and costs: so far, until the end of its lease, and whose it is (private, pure)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from .._core.periods import end_of
from .._core.times import read_time, write_time
from .._ledger.store import whose
from .._models.ownership import LEASE_TAG
from .._models.rates import checked_rate
from .._models.resources import Billed, Instance, Volume
from .._providers.base.views import describe_marks

GROUPS = ("deployment", "owner", "project")


@dataclass(frozen=True)
class Live:
    """An instance or volume that exists, with its price per hour; a free volume has no lease."""

    id: str
    kind: str
    rate: float
    start: datetime
    lease_end: datetime | None
    groups: dict[str, str | None]

    def so_far(self, now: datetime) -> float:
        """Return what it has cost."""
        return self.rate * max((now - self.start).total_seconds(), 0) / 3600

    def ahead(self, now: datetime, until: datetime | None = None) -> float:
        """Return what it is going to cost until its lease ends, or ``until`` if that comes first.

        Without a lease that is what it costs until ``until``, and nothing without that either.
        """
        ends = [end for end in (self.lease_end, until) if end]
        return self.rate * max((min(ends) - now).total_seconds(), 0) / 3600 if ends else 0.0


def living(
    instances: Sequence[Instance],
    volumes: Sequence[Volume],
    now: datetime,
    currency: str | None = None,
) -> list[Live]:
    """Return everything that costs; a volume has the owner and the lease of its instance.

    Raises UnreadableError for a price that cannot be read, or that is in another ``currency``.
    """
    machines = {row.id: row for row in instances}
    found = [_live(row, checked_rate(row, currency), now, row) for row in instances]
    for volume in volumes:
        machine = volume.holder_among(machines)
        found.append(_live(volume, checked_rate(volume, currency), now, machine))
    return [one for one in found if one.rate > 0]


def _live(row: Billed, rate: float, now: datetime, machine: Instance | None) -> Live:
    lease = describe_marks(machine)["lease_end"]
    if machine is None and isinstance(row, Volume) and not row.is_kept:
        lease = row.tag_values.get(LEASE_TAG)
    groups = whose(row, machine)
    return Live(row.id, row.kind, rate, row.born or now, read_time(lease), groups)


def burn(things: Iterable[Live]) -> float:
    """Return the price per hour of all of them."""
    return sum(one.rate for one in things)


class Sums(TypedDict):
    """What some things cost together."""

    burn_per_hour: float
    machines: int
    volumes: int
    cost_so_far: float
    cost_until_lease_end: float


class Group(Sums):
    """What all things of one name cost."""

    name: str | None


class Forecast(TypedDict):
    """What a month will have cost: as the leases say, and if all goes on as it is."""

    until: str
    spent: float
    as_leased: float
    unchanged: float


def sums(things: Sequence[Live], now: datetime) -> Sums:
    """Return burn rate, numbers, and costs so far and until the ends of leases."""
    return {
        "burn_per_hour": round(burn(things), 4),
        "machines": sum(1 for one in things if one.kind == "instance"),
        "volumes": sum(1 for one in things if one.kind == "volume"),
        "cost_so_far": round(sum(one.so_far(now) for one in things), 4),
        "cost_until_lease_end": round(sum(one.ahead(now) for one in things), 4),
    }


def forecast(spent: float, things: Sequence[Live], now: datetime) -> Forecast:
    """Return what this month (UTC), in which ``spent`` was spent, will have cost when it ends."""
    end = end_of("month", now) or now
    hours = (end - now).total_seconds() / 3600
    return {
        "until": write_time(end),
        "spent": round(spent, 4),
        "as_leased": round(spent + sum(one.ahead(now, end) for one in things), 4),
        "unchanged": round(spent + burn(things) * hours, 4),
    }


def sums_by(things: Sequence[Live], now: datetime) -> dict[str, list[Group]]:
    """Return the sums for each deployment, owner and project, what burns most first."""
    return {key: _grouped(things, key, now) for key in GROUPS}


def _grouped(things: Sequence[Live], key: str, now: datetime) -> list[Group]:
    names = sorted({one.groups[key] for one in things}, key=lambda name: (name is None, name))
    rows: list[Group] = [
        {"name": name, **sums([one for one in things if one.groups[key] == name], now)}
        for name in names
    ]
    return sorted(rows, key=lambda row: -row["burn_per_hour"])
