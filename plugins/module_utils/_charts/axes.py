# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Axes of charts: round numbers, round times, places in percent (private, pure)."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

_FACTORS = (1, 2, 2.5, 5, 10)
_STEPS_H = (1, 2, 3, 6, 12, 24, 48, 96, 168, 336)
_DAY = timedelta(days=1)


def share(value: float, low: float, high: float) -> float:
    """Return where a value lies between two others, in percent from 0 to 100."""
    if high <= low:
        return 0.0
    return round(min(max((value - low) / (high - low), 0.0), 1.0) * 100, 3)


def nice_ticks(top: float, wanted: int = 4) -> list[float]:
    """Return round numbers from 0 to at least ``top``, about ``wanted`` steps apart."""
    if top <= 0:
        return [0.0, 1.0]
    raw = top / wanted
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in _FACTORS if factor * power >= raw * (1 - 1e-9))
    return [round(step * number, 10) for number in range(math.ceil(top / step - 1e-9) + 1)]


def tick_text(value: float, ticks: list[float]) -> str:
    """Return a number of an axis with as many decimals as its steps need; thousands as ``20k``."""
    if ticks[-1] >= 10_000:
        return f"{value / 1000:,g}k" if value else "0"
    step = ticks[1] - ticks[0]
    decimals = next((n for n in range(4) if abs(step - round(step, n)) < 1e-9), 4)
    return f"{value:,.{decimals}f}"


def midnight(when: datetime) -> datetime:
    """Return the start of the day."""
    return when.replace(hour=0, minute=0, second=0, microsecond=0)


def buckets(since: datetime, until: datetime) -> tuple[str, list[tuple[datetime, datetime]]]:
    """Cut a time into days, or into weeks and months where days would be too thin to see.

    The first and the last one are whole, also where the time starts or ends within them.
    """
    days = (until - since) / _DAY
    unit = "day" if days <= 100 else "week" if days <= 700 else "month"
    start = midnight(since)
    if unit == "week":
        start -= timedelta(days=start.weekday())
    elif unit == "month":
        start = start.replace(day=1)
    found: list[tuple[datetime, datetime]] = []
    while start < until or not found:
        end = _after(start, unit)
        found.append((start, end))
        start = end
    return unit, found


def _after(start: datetime, unit: str) -> datetime:
    if unit == "month":
        return (start + timedelta(days=32)).replace(day=1)
    return start + (7 * _DAY if unit == "week" else _DAY)


def time_ticks(start: datetime, end: datetime, wanted: int = 7) -> list[tuple[datetime, str]]:
    """Return round times between two others, at most ``wanted``, with what to write at them."""
    hours = (end - start).total_seconds() / 3600
    step = next((h for h in _STEPS_H if hours / h <= wanted), math.ceil(hours / wanted / 24) * 24)
    at, found = midnight(start), []
    while at <= end:
        if at >= start:
            found.append((at, day_text(at) if at == midnight(at) else at.strftime("%H:%M")))
        at += timedelta(hours=step)
    return found


def day_text(when: datetime) -> str:
    """Return a day as ``5 Nov``."""
    return f"{when.day} {when:%b}"


def moment_text(when: datetime) -> str:
    """Return a moment as ``Sun 22 Nov, 08:52``."""
    return f"{when:%a} {day_text(when)}, {when:%H:%M}"


def duration_text(hours: float) -> str:
    """Return a length of time in its two greatest units, such as ``1 d 9 h`` or ``20 min``."""
    minutes = round(abs(hours) * 60)
    days, rest = divmod(minutes, 24 * 60)
    full, left = divmod(rest, 60)
    if days >= 14:
        return f"{days:,} d"
    if days:
        return f"{days} d {full} h" if full else f"{days} d"
    if full:
        return f"{full} h {left:02d} min" if left else f"{full} h"
    return f"{left} min"
