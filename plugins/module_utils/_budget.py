# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Budgets: what may be spent in an hour, a day, a month and in total (private, pure).

Days and months are those of UTC. ``growth`` and ``season`` are factors on every limit.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from ._errors import InvalidError

OK, EXCEEDED = "ok", "exceeded"
STATES = (OK, "warning", "critical", EXCEEDED)
THRESHOLDS = (80.0, 90.0, 100.0)
# Period -> option that limits it.
LIMITS = {"hour": "per_hour", "day": "per_day", "month": "per_month", "total": "total"}


def check_budget(budget: dict[str, Any] | None) -> dict[str, Any]:
    """Return a budget whose figures make sense, empty for none; else raise InvalidError."""
    given = {key: value for key, value in (budget or {}).items() if value is not None}
    for key in (*LIMITS.values(), "growth", "season"):
        if key in given and not given[key] > 0:
            raise InvalidError(f"budget.{key} {given[key]:g} is not usable: above zero")
    steps = given.get("thresholds") or THRESHOLDS
    if len(steps) != len(THRESHOLDS) or sorted(set(steps)) != list(steps) or steps[0] <= 0:
        shown = ", ".join(f"{step:g}" for step in steps)
        raise InvalidError(
            f"budget.thresholds [{shown}] are not usable: three rising percentages are needed",
            hint="They are where warning, critical and exceeded begin, usually [80, 90, 100].",
        )
    return given if any(given.get(key) for key in LIMITS.values()) else {}


def limit_of(budget: dict[str, Any], period: str) -> float | None:
    """Return what may be spent in a period, growth and season included, or None without a limit."""
    limit = budget.get(LIMITS[period])
    if limit is None:
        return None
    return float(limit) * float(budget.get("growth") or 1) * float(budget.get("season") or 1)


def budget_rows(
    budget: dict[str, Any] | None, burn_per_hour: float, spent: dict[str, float]
) -> list[dict[str, Any]]:
    """Return for each limited period what is used, its share in percent, and the state.

    ``spent`` holds the cost of this ``day``, this ``month`` and in ``total``.
    """
    given = budget or {}
    used = {"hour": burn_per_hour, **spent}
    rows = []
    for period in LIMITS:
        limit = limit_of(given, period)
        if limit is None:
            continue
        # Rounded, so that 2.4 of 3 are 80 % although the machine's numbers say a trifle less.
        share = round(used.get(period, 0.0) / limit * 100, 6)
        rows.append(
            {
                "period": period,
                "limit": round(limit, 4),
                "used": round(used.get(period, 0.0), 4),
                "share_percent": round(share, 2),
                "state": state_at(share, given.get("thresholds")),
            }
        )
    return rows


def state_at(share_percent: float, thresholds: Any = None) -> str:
    """Return the state at a share of a budget: it changes exactly at the thresholds."""
    return STATES[sum(share_percent >= step for step in thresholds or THRESHOLDS)]


def worst(rows: list[dict[str, Any]]) -> str:
    """Return the worst state of all rows, ``ok`` without any."""
    return max((row["state"] for row in rows), key=STATES.index, default=OK)


def begin_of(period: str, now: datetime) -> datetime | None:
    """Return when the day or month of a time began, None for the total."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return {"day": midnight, "month": midnight.replace(day=1)}.get(period)


def end_of(period: str, now: datetime) -> datetime | None:
    """Return when the day or month of a time ends, None for the total."""
    begin = begin_of(period, now)
    if begin is None:
        return None
    if period == "day":
        return begin + timedelta(days=1)
    return (begin + timedelta(days=32)).replace(day=1)
