# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Leases as lanes over a time line (private, pure)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypedDict

from .._core.times import read_time
from .axes import duration_text, moment_text, share, time_ticks
from .costs import price, running, time_of
from .facts import Cost, Thing

MOST_LANES = 60
_HOUR = timedelta(hours=1)
# What a time line shows at least and at most on both sides of now: more would make the hours, in
# which somebody can still do something, too small to see.
_AHEAD = (6 * _HOUR, 42 * _HOUR)
_BACK = (3 * _HOUR, 24 * _HOUR)
# What is over its lease is seen, however short it is yet; in percent.
_LEAST_OVER = 0.9


class Lane(TypedDict):
    """One instance and its lease."""

    name: str
    deployment: str
    owner: str
    type: str
    market: str
    per_hour: str
    state: str
    shape: str
    protected: bool
    text: str
    started: str
    ends: str
    x: float
    width: float
    rest_x: float
    rest_width: float
    cut_left: bool
    cut_right: bool


class Key(TypedDict):
    """What a shape means."""

    shape: str
    text: str


class Tick(TypedDict):
    """A time over the lanes."""

    x: float
    text: str
    shown: bool


class Lanes(TypedDict):
    """The instances, and the axis over them."""

    keys: list[Key]
    lanes: list[Lane]
    more: int
    machines: int
    expired: int
    unlimited: int
    now: float
    now_text: str
    ticks: list[Tick]


def _clamped(value: timedelta, ends: tuple[timedelta, timedelta]) -> timedelta:
    return min(max(value, ends[0]), ends[1])


def window(machines: list[Thing], now: datetime) -> tuple[datetime, datetime]:
    """Return the time that the line shows: what lies ahead first, and enough of what was."""
    ends = [end for row in machines if (end := read_time(row["lease_end"]))]
    starts = [time_of(row["from"], now) for row in machines]
    ahead = _clamped(max([end - now for end in ends], default=_AHEAD[0]), _AHEAD)
    overdue = max([now - end for end in ends], default=timedelta()) * 1.2
    oldest = max([now - start for start in starts], default=_BACK[0])
    back = _clamped(max(min(oldest, max(ahead / 2, 6 * _HOUR)), overdue), _BACK)
    # Some air, so that a lease which ends last is seen to end.
    return now - back * 1.04, now + ahead * 1.06


def _state(end: datetime | None, now: datetime) -> str:
    if end is None:
        return "none"
    if end <= now:
        return "expired"
    return "soon" if end - now <= _HOUR else "live"


# The shape of what lies after now, or after the lease, and what it says.
_SHAPES = {"live": "rest", "soon": "soon", "expired": "over", "none": "open"}
_KEYS = {
    "past": "ran until now",
    "rest": "left of the lease",
    "soon": "the last hour",
    "over": "over its lease",
    "open": "no lease",
    "guard": "protected: ended only when somebody confirms it",
}
_WORDS = {"none": "no lease", "expired": "expired {} ago", "soon": "{} left", "live": "{} left"}


def lane(row: Thing, ends: tuple[datetime, datetime], now: datetime) -> Lane:
    """Return one instance: its bar until now, what its lease leaves, or what went over it."""
    start, end = time_of(row["from"], now), read_time(row["lease_end"])
    state = _state(end, now)
    here = share(now.timestamp(), *_seconds(ends))
    left = share(start.timestamp(), *_seconds(ends))
    stop = share(end.timestamp(), *_seconds(ends)) if end else 100.0
    if state == "expired":
        stop = min(stop, here - _LEAST_OVER)
    paid, after = min(stop, here), (min(stop, here), max(stop, here))
    hours = abs((end - now).total_seconds()) / 3600 if end else 0.0
    return {
        "name": str(row["name"]),
        "deployment": row["deployment"] or "",
        "owner": row["owner"] or "",
        "type": row["instance_type"] or "",
        "market": str(row["market"] or "").replace("_", "-"),
        "per_hour": price(row["price_per_hour"]),
        "state": state,
        "shape": _SHAPES[state],
        "protected": bool(row.get("protected")),
        "text": _WORDS[state].format(duration_text(hours)),
        "started": moment_text(start),
        "ends": moment_text(end) if end else "never",
        "x": left,
        "width": round(max(paid - left, 0), 3),
        "rest_x": round(after[0], 3),
        "rest_width": round(after[1] - after[0], 3),
        "cut_left": start < ends[0],
        "cut_right": end is None or end > ends[1],
    }


def _seconds(ends: tuple[datetime, datetime]) -> tuple[float, float]:
    return ends[0].timestamp(), ends[1].timestamp()


def lease_lanes(cost: Cost, now: datetime, most: int = MOST_LANES) -> Lanes:
    """Return the instances that live as lanes, the most urgent first, and the axis over them."""
    machines = [row for row in running(cost) if row["kind"] == "instance"]
    never = datetime.max.replace(tzinfo=now.tzinfo)
    machines.sort(key=lambda row: (time_of(row["lease_end"], never), str(row["name"])))
    ends = window(machines, now)
    rows = [lane(row, ends, now) for row in machines]
    seconds = _seconds(ends)
    here = share(now.timestamp(), *seconds)
    places = [(share(at.timestamp(), *seconds), text) for at, text in time_ticks(*ends)]
    # The word over the line of now needs its place, and so do the edges.
    ticks: list[Tick] = [
        {"x": x, "text": text, "shown": abs(x - here) > 7 and 2 < x < 97} for x, text in places
    ]
    seen: set[str] = {"past", *(row["shape"] for row in rows)}
    seen |= {"guard" for row in rows if row["protected"]}
    return {
        "keys": [{"shape": key, "text": text} for key, text in _KEYS.items() if key in seen],
        "lanes": rows[:most],
        "more": len(rows[most:]),
        "machines": len(rows),
        "expired": sum(1 for row in rows if row["state"] == "expired"),
        "unlimited": sum(1 for row in rows if row["state"] == "none"),
        "now": here,
        "now_text": now.strftime("%H:%M"),
        "ticks": ticks,
    }
