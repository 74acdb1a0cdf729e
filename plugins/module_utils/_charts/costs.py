# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the page of the costs draws: figures, columns, bars and lanes (private, pure).

Places along the time are in percent of the width, so that a chart fits any screen without a
script; heights are in pixels. Texts are plain: whoever writes them into a page must escape them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from typing import TypedDict

from .._core.periods import words_of
from .._core.times import read_time
from .axes import buckets, day_text, duration_text, moment_text, nice_ticks, share, tick_text
from .facts import Budget, Cost, Now, Thing

PLOT_HEIGHT = 240
SERIES = 5  # groups with a colour of their own; the rest shares one
NAMELESS = "without tags"
OTHERS = "others"
_LABELS = 8
_STATES = ("ok", "warning", "critical", "exceeded")


class Part(TypedDict):
    """What a group has cost in a column."""

    series: int
    name: str
    cost: str
    y: float
    height: float


class Column(TypedDict):
    """What was spent in a day, a week or a month."""

    x: float
    width: float
    middle: float
    day: str
    total: str
    parts: list[Part]
    label: str
    minor: bool


class Line(TypedDict):
    """A line across the columns, with what stands at it."""

    y: float
    text: str


class Group(TypedDict):
    """A row of the legend."""

    series: int
    name: str
    cost: str


class Dearest(TypedDict):
    """The column that is the highest."""

    day: str
    total: str


class Spend(TypedDict):
    """Columns of the spend over time."""

    unit: str
    height: int
    ticks: list[Line]
    columns: list[Column]
    legend: list[Group]
    limit: Line | None
    dearest: Dearest
    average: str


class BurnBar(TypedDict):
    """What a group burns now."""

    name: str
    series: int
    width: float
    per_hour: str
    per_day: str
    things: str


class Burn(TypedDict):
    """The bars, and what is left out."""

    bars: list[BurnBar]
    more: int
    more_per_hour: str


class Mark(TypedDict):
    """A place on a bar."""

    x: float
    text: str


class BudgetBar(TypedDict):
    """A budget as a bar."""

    period: str
    used: str
    limit: str
    percent: str
    state: str
    width: float
    marks: list[Mark]


class Figures(TypedDict):
    """The head of the page."""

    spent: str
    since: str
    until: str
    burn: str
    burn_day: str
    machines: int
    balance: str
    runway: str
    runway_end: str
    runway_state: str
    budget_state: str | None


def money(amount: float | None, decimals: int = 2) -> str:
    """Return an amount of money as ``1,234.50``, or a dash."""
    return "-" if amount is None else f"{amount:,.{decimals}f}"


def price(amount: float) -> str:
    """Return a price per hour: small ones keep what makes them differ from nothing."""
    return money(amount, 2 if amount >= 1 or not amount else 3 if amount >= 0.1 else 4)


def big(amount: float | None) -> str:
    """Return an amount as a figure at the head of a page, where cents of a fortune take space."""
    return money(amount, 0 if amount and abs(amount) >= 100_000 else 2)


def time_of(text: str | None, default: datetime) -> datetime:
    """Return a time of a result, or the default where it is null."""
    return read_time(text) or default


def name_of(thing: Thing, by: str) -> str:
    """Return the group of a thing."""
    return str(thing.get(by) or NAMELESS)


def groups(things: list[Thing], by: str) -> list[str]:
    """Return the groups that get a colour, dearest first, and ``others`` where there are more."""
    total: defaultdict[str, float] = defaultdict(float)
    for thing in things:
        total[name_of(thing, by)] += thing["cost"]
    names = [name for name, _cost in sorted(total.items(), key=lambda row: (-row[1], row[0]))]
    if len(names) <= SERIES + 1:
        return names
    return [*names[:SERIES], OTHERS]


def spread(
    thing: Thing, spans: list[tuple[datetime, datetime]], since: datetime, until: datetime
) -> dict[int, float]:
    """Spread the cost of a thing evenly over the time it cost something; cost by span."""
    start = max(time_of(thing["from"], since), since)
    end = min(time_of(thing["until"], until), until)
    length = (end - start).total_seconds()
    if length <= 0:  # billed, though over within a second
        at = min(max(start, spans[0][0]), spans[-1][0])
        return {max(n for n, span in enumerate(spans) if span[0] <= at): thing["cost"]}
    found = {}
    for number, (left, right) in enumerate(spans):
        part = (min(end, right) - max(start, left)).total_seconds()
        if part > 0:
            found[number] = thing["cost"] * part / length
    return found


def _stacks(
    cost: Cost,
    by: str,
    names: list[str],
    spans: list[tuple[datetime, datetime]],
    ends: tuple[datetime, datetime],
) -> list[dict[str, float]]:
    """Return the cost of each span by group."""
    stacks: list[dict[str, float]] = [defaultdict(float) for _span in spans]
    for thing in cost["things"]:
        name = name_of(thing, by)
        for number, part in spread(thing, spans, *ends).items():
            stacks[number][name if name in names else OTHERS] += part
    return stacks


def _columns(
    spans: list[tuple[datetime, datetime]],
    stacks: list[dict[str, float]],
    names: list[str],
    top: float,
) -> list[Column]:
    slot = 100 / len(spans)
    # A few days must not become walls.
    width = min(slot * (0.72 if len(spans) <= 45 else 0.86), 7.0)
    step = -(-len(spans) // _LABELS)
    found: list[Column] = []
    for number, ((start, _end), stack) in enumerate(zip(spans, stacks, strict=True)):
        middle, day = (number + 0.5) * slot, day_text(start)
        found.append(
            {
                "x": round(middle - width / 2, 3),
                "width": round(width, 3),
                "middle": round(middle, 3),
                "day": day,
                "total": money(sum(stack.values())),
                "parts": _parts(stack, names, top),
                "label": day if number % step == 0 else "",
                "minor": number // step % 2 == 1 and len(spans) > 4,
            }
        )
    return found


def _parts(stack: dict[str, float], names: list[str], top: float) -> list[Part]:
    """Return the parts of a column, from its foot upwards."""
    parts: list[Part] = []
    base = float(PLOT_HEIGHT)
    for series, name in enumerate(names):
        height = stack.get(name, 0.0) / top * PLOT_HEIGHT
        if height > 0:
            base -= height
            part = Group(series=series, name=name, cost=money(stack[name]))
            parts.append({**part, "y": round(base, 2), "height": round(height, 2)})
    return parts


def _shown_time(cost: Cost, now: datetime) -> tuple[datetime, datetime]:
    """Return the time to draw: what lies before the first cost is left out, but for a week."""
    since = time_of(cost["since"], now)
    until = min(time_of(cost["until"], now), now)
    first = min(time_of(thing["from"], since) for thing in cost["things"])
    return max(since, min(first, until - timedelta(days=6))), until


def spend_chart(cost: Cost, by: str, now: datetime) -> Spend | None:
    """Return columns of the spend over time, stacked by group; None when nothing was spent."""
    if not cost["things"]:
        return None
    ends = _shown_time(cost, now)
    unit, spans = buckets(*ends)
    names = groups(cost["things"], by)
    stacks = _stacks(cost, by, names, spans, ends)
    totals = [sum(stack.values()) for stack in stacks]
    budgets = [
        row
        for row in cost.get("budgets") or []
        if not words_of(row.get("owner"), row.get("project"))
    ]
    rows = {row["period"]: row["limit"] for row in budgets if row["limit"]}
    limit = rows.get("day") if unit == "day" else None
    # A limit far above would press the columns flat.
    shown = limit if limit and limit <= 2.5 * max(totals) else None
    ticks = nice_ticks(max([*totals, shown or 0]))
    columns = _columns(spans, stacks, names, ticks[-1])
    sums = [sum(stack.get(name, 0.0) for stack in stacks) for name in names]
    dearest = max(range(len(spans)), key=lambda number: totals[number])
    return {
        "unit": unit,
        "height": PLOT_HEIGHT,
        "ticks": [
            {"y": round(PLOT_HEIGHT * (1 - tick / ticks[-1]), 2), "text": tick_text(tick, ticks)}
            for tick in ticks
        ],
        "columns": columns,
        "legend": [
            {"series": number, "name": name, "cost": money(total)}
            for number, (name, total) in enumerate(zip(names, sums, strict=True))
        ],
        "limit": {"y": round(PLOT_HEIGHT * (1 - shown / ticks[-1]), 2), "text": money(shown)}
        if shown
        else None,
        "dearest": {"day": columns[dearest]["day"], "total": columns[dearest]["total"]},
        "average": money(sum(totals) / len(totals)),
    }


def running(cost: Cost) -> list[Thing]:
    """Return the things that still cost something."""
    return [thing for thing in cost["things"] if thing["until"] is None]


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def burn_bars(cost: Cost, by: str, most: int = 12) -> Burn:
    """Return what burns per hour now as bars by group, dearest first, and how much is left out."""
    rate: defaultdict[str, float] = defaultdict(float)
    count: dict[str, Counter[str]] = defaultdict(Counter)
    for thing in running(cost):
        name = name_of(thing, by)
        rate[name] += thing["price_per_hour"]
        count[name][thing["kind"]] += 1
    rows = sorted(rate.items(), key=lambda row: (-row[1], row[0]))
    names = groups(cost["things"], by)
    top = rows[0][1] if rows else 0.0
    bars: list[BurnBar] = [
        {
            "name": name,
            "series": names.index(name) if name in names else SERIES,
            "width": share(value, 0, top),
            "per_hour": price(value),
            "per_day": money(value * 24),
            "things": ", ".join(
                _counted(count[name][kind], kind)
                for kind in ("instance", "volume")
                if count[name][kind]
            ),
        }
        for name, value in rows[:most]
    ]
    hidden = sum(value for _name, value in rows[most:])
    return {"bars": bars, "more": len(rows[most:]), "more_per_hour": price(hidden)}


_PERIODS = {"hour": "per hour, now", "day": "today", "month": "this month", "total": "in total"}


def budget_bars(rows: list[Budget], marks: tuple[float, ...] = (80, 90, 100)) -> list[BudgetBar]:
    """Return the budgets as bars with marks; a bar that is far over its budget is cut."""
    found: list[BudgetBar] = []
    for row in rows:
        percent = float(row["share_percent"] or 0)
        top = min(max(percent * 1.04, max(marks) * 1.15), 250.0)
        found.append(
            {
                "period": _PERIODS.get(row["period"], str(row["period"]))
                + words_of(row.get("owner"), row.get("project")),
                "used": money(row["used"]),
                "limit": money(row["limit"]),
                "percent": f"{percent:.0f}" if percent >= 10 else f"{percent:.1f}",
                "state": row["state"],
                "width": share(percent, 0, top),
                "marks": [{"x": share(mark, 0, top), "text": f"{mark:g}"} for mark in marks],
            }
        )
    return found


def worst_state(rows: list[Budget]) -> str | None:
    """Return the worst state of the budgets, or None without one."""
    states = [row["state"] for row in rows]
    return max(states, key=_STATES.index) if states else None


def figures(cost: Cost, now: datetime) -> Figures:
    """Return the figures at the head of the page."""
    here: Now = cost.get("now") or {}
    since, until = time_of(cost["since"], now), time_of(cost["until"], now)
    hours, burn = here.get("runway_hours"), here.get("burn_per_hour") or 0.0
    # Nobody can picture the end of a runway of years.
    ends = now + timedelta(hours=hours) if hours is not None and hours < 24 * 365 else None
    state = "ok" if hours is None or hours >= 72 else "warning" if hours >= 24 else "critical"
    return {
        "spent": big(cost["total"]),
        "since": day_text(since) if since.year == until.year else f"{day_text(since)} {since.year}",
        "until": f"{day_text(until)} {until.year}",
        "burn": price(burn),
        "burn_day": money(burn * 24),
        "machines": here.get("machines", 0),
        "balance": big(here.get("balance")),
        "runway": "∞" if hours is None else duration_text(hours),
        "runway_end": moment_text(ends) if ends else "",
        "runway_state": state,
        "budget_state": worst_state(cost.get("budgets") or []),
    }
