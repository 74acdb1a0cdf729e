# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What exists now and costs: so far, until the end of its lease, and whose it is (private, pure)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ._describe import describe_marks
from ._lease import LEASE_TAG, is_kept, read_time, tag_values
from ._ledger import whose
from ._spend import checked_rate
from ._statuses import holder_among

GROUPS = ("deployment", "owner", "project")


@dataclass(frozen=True)
class Live:
    """A machine or volume that exists, with its price per hour; a free volume has no lease."""

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
    instances: Sequence[dict[str, Any]],
    volumes: Sequence[dict[str, Any]],
    now: datetime,
    currency: str | None = None,
) -> list[Live]:
    """Return everything that costs; a volume has the owner and the lease of its machine.

    Raises UnreadableError for a price that cannot be read, or that is in another ``currency``.
    """
    machines = {row["id"]: row for row in instances}
    found = [
        _live("instance", row, checked_rate("instance", row, currency), now, None)
        for row in instances
    ]
    for row in volumes:
        machine = holder_among(row, machines)
        rate = checked_rate("volume", row, currency)
        found.append(_live("volume", row, rate, now, machine))
    return [one for one in found if one.rate > 0]


def _live(
    kind: str, row: dict[str, Any], rate: float, now: datetime, machine: dict[str, Any] | None
) -> Live:
    start = read_time(row.get("created_at")) or now
    lease = describe_marks(machine or row)["lease_end"]
    if kind == "volume" and not machine and not is_kept(row):
        lease = tag_values(row).get(LEASE_TAG)
    groups = whose(kind, row, machine)
    return Live(row["id"], kind, rate, start, read_time(lease), groups)


def burn(things: Iterable[Live]) -> float:
    """Return the price per hour of all of them."""
    return sum(one.rate for one in things)


def sums(things: Sequence[Live], now: datetime) -> dict[str, Any]:
    """Return burn rate, numbers, and costs so far and until the ends of leases."""
    return {
        "burn_per_hour": round(burn(things), 4),
        "machines": sum(1 for one in things if one.kind == "instance"),
        "volumes": sum(1 for one in things if one.kind == "volume"),
        "cost_so_far": round(sum(one.so_far(now) for one in things), 4),
        "cost_until_lease_end": round(sum(one.ahead(now) for one in things), 4),
    }


def sums_by(things: Sequence[Live], now: datetime) -> dict[str, list[dict[str, Any]]]:
    """Return the sums for each deployment, owner and project, what burns most first."""
    return {key: _grouped(things, key, now) for key in GROUPS}


def _grouped(things: Sequence[Live], key: str, now: datetime) -> list[dict[str, Any]]:
    names = sorted({one.groups[key] for one in things}, key=lambda name: (name is None, name))
    rows = [
        {"name": name, **sums([one for one in things if one.groups[key] == name], now)}
        for name in names
    ]
    return sorted(rows, key=lambda row: -row["burn_per_hour"])
