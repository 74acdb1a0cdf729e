# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What things cost: burn rate, runway and bills (private, pure).

The cloud takes money in steps of ten minutes and gives back the unused rest of the last one. It bills
running and stopped instances alike, and every volume that is neither deleted nor in the trash.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime
from typing import TypedDict

from .resources import Billed

# One line of a bill: hours and cost since it was made, the price per hour; a name is a Python word here.
BillRow = TypedDict(
    "BillRow",
    {
        "kind": str,
        "id": str,
        "name": "str | None",
        "from": "str | None",
        "hours": float,
        "price_per_hour": float,
        "cost": float,
    },
)


def checked_rate(row: Billed, currency: str | None = None) -> float:
    """Return what an instance or volume costs per hour now, as figures of limits need it.

    Raises UnreadableError for a price that is no number, and for one in another ``currency``.
    """
    return row.price.known(currency) if row.is_billed else 0.0


def burn_per_hour(rows: Iterable[Billed]) -> float:
    """Return the sum of all rates."""
    return round(sum(row.rate for row in rows), 4)


def runway_hours(balance: float, burn: float) -> float | None:
    """Return the hours until the balance is used up, or None when nothing burns, or nobody says."""
    return round(balance / burn, 1) if burn > 0 and math.isfinite(balance) else None


def bill_row(item: Billed, end: datetime) -> BillRow:
    """Return one line of a bill for an instance or volume, by what it cost until ``end``."""
    hours = max((end - (item.born or end)).total_seconds(), 0) / 3600
    return {
        "kind": item.kind,
        "id": item.id,
        "name": item.name,
        "from": item.created_at,
        "hours": round(hours, 3),
        "price_per_hour": round(item.rate, 4),
        "cost": round(hours * item.rate, 4),
    }
