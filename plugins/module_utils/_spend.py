# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What things cost: burn rate, runway and bills (private, pure).

The cloud takes money in steps of ten minutes and gives back the unused rest of the last one. It bills
running and stopped machines alike, and every volume that is neither deleted nor in the trash.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ._lease import read_time
from ._numbers import UnreadableError, plain, price, shown
from ._statuses import is_billed, volume_is_billed


def instance_rate(instance: dict[str, Any]) -> float:
    """Return what an instance costs per hour now, in the account's currency, 0 where none can tell.

    For what is shown and what ends: an end does not wait for a price. What is compared with a limit
    comes from ``checked_rate``.
    """
    if not is_billed(instance):
        return 0.0
    return max(plain(instance.get("price_per_hour")) or 0.0, 0.0)


def volume_rate(volume: dict[str, Any]) -> float:
    """Return what a volume costs per hour now, as ``instance_rate`` does."""
    if not volume_is_billed(volume):
        return 0.0
    return max(plain(volume.get("base_hourly_cost")) or 0.0, 0.0)


def checked_rate(kind: str, row: dict[str, Any], currency: str | None = None) -> float:
    """Return what an instance or volume costs per hour now, as figures of limits need it.

    Raises UnreadableError for a price that is no number, and for one in another ``currency``.
    """
    if kind == "instance":
        costs, field, path = is_billed(row), "price_per_hour", "/instances"
    else:
        costs, field, path = volume_is_billed(row), "base_hourly_cost", "/volumes"
    if not costs:
        return 0.0
    what = f"GET {path}: {field} of {row.get('hostname') or row.get('name')} ({row['id']})"
    found, paid = price(row.get(field), what), row.get("currency")
    if currency and found and isinstance(paid, str) and paid.lower() != currency:
        raise UnreadableError(
            f"{what} is in {shown(paid)}, and the account pays in {currency}",
            hint="Two currencies are never added up. Look at the account in the console.",
        )
    return found


def unread_rates(instances: list[dict[str, Any]], volumes: list[dict[str, Any]]) -> list[str]:
    """Return a sentence for each price that cannot be read, for those who go on without it."""
    found = []
    for kind, rows in (("instance", instances), ("volume", volumes)):
        for row in rows:
            try:
                checked_rate(kind, row)
            except UnreadableError as error:
                found.append(f"{error.message}; it counts as nothing.")
    return found


def burn_per_hour(instances: list[dict[str, Any]], volumes: list[dict[str, Any]]) -> float:
    """Return the sum of all rates."""
    total = sum(map(instance_rate, instances)) + sum(map(volume_rate, volumes))
    return round(total, 4)


def runway_hours(balance: float, burn: float) -> float | None:
    """Return the hours until the balance is used up, or None when nothing burns."""
    return round(balance / burn, 1) if burn > 0 else None


def bill_row(kind: str, item: dict[str, Any], rate: float, end: datetime) -> dict[str, Any]:
    """Return one line of a bill for an instance or volume that cost ``rate`` per hour until ``end``."""
    start = read_time(item.get("created_at")) or end
    hours = max((end - start).total_seconds(), 0) / 3600
    return {
        "kind": kind,
        "id": item.get("id"),
        "name": item.get("hostname") or item.get("name"),
        "from": item.get("created_at"),
        "hours": round(hours, 3),
        "price_per_hour": round(rate, 4),
        "cost": round(hours * rate, 4),
    }
