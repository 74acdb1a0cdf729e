# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Budgets and books by tables: where a state changes, and what a thing has cost when."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._billing import budget as _budget
from ansible_collections.gpuops.cloud.plugins.module_utils._core import periods
from ansible_collections.gpuops.cloud.plugins.module_utils._core.errors import InvalidError
from ansible_collections.gpuops.cloud.plugins.module_utils._ledger import history
from ansible_collections.gpuops.cloud.plugins.module_utils._ledger.event import Event

NOON = datetime(2026, 11, 22, 12, tzinfo=timezone.utc)
OPTIONS = {"hour": "per_hour", "day": "per_day", "month": "per_month", "total": "total"}


def _rows(budget: Any, burn: float, spent: dict[str, float]) -> Any:
    return _budget.budget_rows(_budget.check_budget(budget), burn, spent)


def state(period: str, limit: float, used: float, **more: Any) -> str:
    """Return the state of one period when so much of its limit is used."""
    spent = {"day": 0.0, "month": 0.0, "total": 0.0, period: used}
    burn = spent.pop("hour", 0.0)
    (row,) = _rows({OPTIONS[period]: limit, **more}, burn, spent)
    assert row["period"] == period
    return str(row["state"])


@pytest.mark.parametrize("period", OPTIONS)
@pytest.mark.parametrize(
    ("percent", "expected"),
    [
        (0, "ok"),
        (79.9999, "ok"),
        (80, "warning"),
        (89.9999, "warning"),
        (90, "critical"),
        (99.9999, "critical"),
        (100, "exceeded"),
        (250, "exceeded"),
    ],
)
@pytest.mark.parametrize("limit", [0.1, 3, 7.3, 100, 12345.67])
def test_state_changes_exactly_at_its_percentage(
    period: str, percent: float, expected: str, limit: float
) -> None:
    assert state(period, limit, limit * percent / 100) == expected
    assert state(period, limit, percent / 100 * limit) == expected


@pytest.mark.parametrize(
    ("used", "expected"),
    [(49.9, "ok"), (50, "warning"), (74.9, "warning"), (75, "critical"), (120, "exceeded")],
)
def test_thresholds_can_be_others(used: float, expected: str) -> None:
    assert state("day", 100, used, thresholds=[50, 75, 120]) == expected


@pytest.mark.parametrize(
    ("factors", "limit", "expected"),
    [
        ({}, 100, "exceeded"),
        ({"growth": 1.25}, 125, "warning"),
        ({"season": 2}, 200, "ok"),
        ({"growth": 1.25, "season": 0.8}, 100, "exceeded"),
        ({"growth": 0.5}, 50, "exceeded"),
    ],
)
def test_growth_and_season_are_factors_on_the_limit(
    factors: dict[str, float], limit: float, expected: str
) -> None:
    (row,) = _rows({"per_day": 100, **factors}, 0, {"day": 100.0})
    assert (row["limit"], row["state"]) == (pytest.approx(limit), expected)


def test_rows_hold_all_figures() -> None:
    budget = {"per_hour": 10, "per_day": 200, "per_month": 3000, "total": 50000}
    rows = _rows(budget, 9.5, {"day": 170.0, "month": 300.0, "total": 50000.0})
    for row in rows:
        assert (row.pop("owner"), row.pop("project")) == (None, None)
    assert rows == [
        {"period": "hour", "limit": 10, "used": 9.5, "share_percent": 95, "state": "critical"},
        {"period": "day", "limit": 200, "used": 170, "share_percent": 85, "state": "warning"},
        {"period": "month", "limit": 3000, "used": 300, "share_percent": 10, "state": "ok"},
        {
            "period": "total",
            "limit": 50000,
            "used": 50000,
            "share_percent": 100,
            "state": "exceeded",
        },
    ]
    assert _budget.worst(rows) == "exceeded"
    assert _budget.worst(rows[:2]) == "critical"
    assert _budget.worst([]) == "ok"


@pytest.mark.parametrize("budget", [None, {}, {"growth": 2.0}, {"per_day": None}])
def test_no_budget(budget: Any) -> None:
    assert _budget.check_budget(budget) == _budget.Budget()
    assert _rows(budget, 5, {"day": 5.0}) == []


@pytest.mark.parametrize(
    "budget",
    [
        {"per_hour": 0},
        {"per_day": -1},
        {"total": 5, "growth": 0},
        {"total": 5, "season": -1},
        {"total": 5, "thresholds": [80, 90]},
        {"total": 5, "thresholds": [90, 80, 100]},
        {"total": 5, "thresholds": [80, 80, 100]},
        {"total": 5, "thresholds": [0, 80, 100]},
        {"total": float("nan")},
    ],
)
def test_budget_that_makes_no_sense(budget: Any) -> None:
    with pytest.raises(InvalidError, match="must be"):
        _budget.check_budget(budget)


@pytest.mark.parametrize(
    ("now", "end_of_day", "end_of_month"),
    [
        ("2026-11-22T12:00:00", "2026-11-23T00:00:00", "2026-12-01T00:00:00"),
        ("2026-12-31T23:59:59", "2027-01-01T00:00:00", "2027-01-01T00:00:00"),
        ("2028-02-29T00:00:00", "2028-03-01T00:00:00", "2028-03-01T00:00:00"),
        ("2026-01-31T00:00:00", "2026-02-01T00:00:00", "2026-02-01T00:00:00"),
    ],
)
def test_days_and_months(now: str, end_of_day: str, end_of_month: str) -> None:
    at, day, month = (
        datetime.fromisoformat(f"{text}+00:00") for text in (now, end_of_day, end_of_month)
    )
    assert (periods.end_of("day", at), periods.end_of("month", at)) == (day, month)
    assert periods.begin_of("month", at) == at.replace(day=1, hour=0, minute=0, second=0)
    assert periods.begin_of("total", at) is periods.end_of("total", at) is None


# -- books -----------------------------------------------------------------------------------------


def event(name: str, hours: float, thing: str = "a", **more: Any) -> Any:
    """Return an event so many hours after noon."""
    at = (NOON + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")
    facts = {"kind": "instance", "deployment": "llm", "price_per_hour": 2.0, "lease_end": None}
    rest = {"cost": None, "estimated": False, "account": "mine"}
    return {"event": name, "thing_id": thing, "at": at, "started": at, **facts, **rest, **more}


STORIES: list[tuple[str, list[Event], float]] = [
    ("still there", [event("purchase", 0)], 20),
    ("ended", [event("purchase", 0), event("end", 3)], 6),
    ("end before begin", [event("purchase", 3), event("end", 0)], 0),
    ("dead order", [event("purchase", 0), event("end", 1, cost=0.0)], 0),
    ("known cost", [event("purchase", 0), event("end", 1, cost=0.5)], 0.5),
    (
        "resized",
        [
            event("purchase", 0),
            event("price", 4, price_per_hour=5.0),
            event("end", 6),
        ],
        18,
    ),
    ("out of the trash", [event("purchase", 0), event("end", 1), event("restore", 5)], 20),
    (
        "ended twice",
        [event("purchase", 0), event("end", 1), event("restore", 5), event("end", 7)],
        14,
    ),
    ("only its end is known", [event("end", 3, started="2026-11-22T12:00:00Z")], 6),
    ("extended", [event("purchase", 0), event("extend", 1), event("end", 2)], 4),
]


@pytest.mark.parametrize(("events", "cost"), [pytest.param(*row[1:], id=row[0]) for row in STORIES])
def test_cost_of_a_thing_until_ten_hours_after(events: list[Event], cost: float) -> None:
    (thing,) = history.things_of(events)
    until = NOON + timedelta(hours=10)
    assert thing.cost_between(None, until) == pytest.approx(cost)
    middle = NOON + timedelta(hours=2.5)
    parts = thing.cost_between(None, middle) + thing.cost_between(middle, until)
    assert parts == pytest.approx(cost)


def test_cost_by_what_it_is_for() -> None:
    things = history.things_of(
        [
            event("purchase", 0, "a"),
            event("purchase", 0, "b", deployment="web", price_per_hour=10.0),
            event("purchase", 0, "c", kind="volume", price_per_hour=0.5),
            event("purchase", 9, "d", deployment="late"),
        ]
    )
    rows = history.cost_by(things, "deployment", None, NOON + timedelta(hours=2))
    assert rows == [
        {"name": "web", "cost": 20, "hours": 2},
        {"name": "llm", "cost": 5, "hours": 2},
    ]


def test_cost_by_day_and_month_adds_up() -> None:
    things = history.things_of([event("purchase", 0), event("end", 24 * 12)])
    until = NOON + timedelta(days=20)
    days = history.cost_by_day(things, NOON, until)
    assert [days[0], days[1], days[-1]] == [
        {"day": "2026-11-22", "cost": 24},
        {"day": "2026-11-23", "cost": 48},
        {"day": "2026-12-12", "cost": 0},
    ]
    months = history.cost_by_month(things, NOON, until)
    assert months == [
        {"name": "2026-11", "cost": 408, "hours": 204},
        {"name": "2026-12", "cost": 168, "hours": 84},
    ]
    whole = things[0].cost_between(None, until)
    assert sum(row["cost"] for row in days) == sum(row["cost"] for row in months) == whole


def test_spent_today_this_month_and_ever() -> None:
    things = history.things_of([event("purchase", -24 * 30), event("end", 1)])
    assert history.spent(things, NOON) == {
        "day": pytest.approx(24),
        "month": pytest.approx(2 * (21 * 24 + 12)),
        "total": pytest.approx(2 * 24 * 30),
    }


def test_thing_as_results_show_it() -> None:
    lease = "2026-11-22T20:00:00Z"
    (thing,) = history.things_of([event("purchase", 0), event("extend", 1, lease_end=lease)])
    row = history.thing_row(thing, None, NOON + timedelta(hours=2))
    assert (row["from"], row["until"], row["lease_end"]) == ("2026-11-22T12:00:00Z", None, lease)
    assert (row["hours"], row["price_per_hour"], row["cost"]) == (2, 2, 4)
    assert row["estimated"] is False
