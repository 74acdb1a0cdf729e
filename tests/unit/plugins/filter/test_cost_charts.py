# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The geometry of the page of the costs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.gpuops.cloud.plugins.filter.cost_charts import FilterModule, cost_charts
from ansible_collections.gpuops.cloud.plugins.module_utils._charts import costs as _costs
from ansible_collections.gpuops.cloud.tests.unit.plugins.cost_data import (
    BUDGETS,
    CASES,
    NOW,
    TEAMS,
    budget,
    costs,
    crowd,
    disk,
    iso,
    thing,
    usual,
)


def amount(text: str) -> float:
    """Return the number of an amount as the page writes it."""
    return float(text.replace(",", ""))


@pytest.mark.parametrize("name", CASES)
def test_columns_add_up_to_what_was_spent_and_stay_in_the_plot(name: str) -> None:
    cost = CASES[name]()
    chart = cost_charts(cost)["spend"]
    if not cost["things"]:
        assert chart is None
        return
    assert sum(amount(row["cost"]) for row in chart["legend"]) == pytest.approx(
        cost["total"], abs=0.05
    )
    totals = sum(amount(column["total"]) for column in chart["columns"])
    assert totals == pytest.approx(cost["total"], abs=0.01 * len(chart["columns"]))
    for column in chart["columns"]:
        assert 0 <= column["x"] < column["x"] + column["width"] <= 100.01
        at = float(chart["height"])
        for part in column["parts"]:
            assert part["y"] + part["height"] == pytest.approx(at, abs=0.02)
            at = part["y"]
        assert at >= -0.02


def test_column_is_as_high_as_its_axis_says() -> None:
    day = thing(1, 14, 10, kind=3)  # 17.97 on one day
    chart = cost_charts(costs([day], days=1))["spend"]
    (column,) = [row for row in chart["columns"] if row["parts"]]
    assert [row["text"] for row in chart["ticks"]] == ["0", "5", "10", "15", "20"]
    assert column["parts"][0]["height"] == pytest.approx(chart["height"] * 17.97 / 20, abs=0.01)
    assert chart["dearest"]["total"] == "17.97"


def test_cost_is_spread_over_the_days_it_was_caused() -> None:
    row = thing(1, 38, 38, kind=3)  # from 00:20 on the day before to now, 14:20
    spans = [(NOW.replace(hour=0, minute=0) + timedelta(days=n), NOW) for n in (-1, 0)]
    spans = [(spans[0][0], spans[1][0]), (spans[1][0], spans[1][0] + timedelta(days=1))]
    parts = _costs.spread(row, spans, NOW - timedelta(days=9), NOW)
    assert parts[0] / row["cost"] == pytest.approx((24 - 1 / 3) / 38)
    assert sum(parts.values()) == pytest.approx(row["cost"])


@pytest.mark.parametrize("hour", [-30.0, -0.5, 400.0])
def test_cost_of_a_moment_is_not_lost(hour: float) -> None:
    at = iso(NOW - timedelta(hours=hour))
    row = {**thing(1, 1, 1), "from": at, "until": at, "cost": 0.59}
    chart = cost_charts(costs([row], days=22))["spend"]
    assert sum(amount(column["total"]) for column in chart["columns"]) == 0.59


def test_dearest_groups_have_colours_and_the_rest_shares_one() -> None:
    chart = cost_charts(crowd())["spend"]
    assert [row["series"] for row in chart["legend"]] == [0, 1, 2, 3, 4, 5]
    assert chart["legend"][-1]["name"] == "others"
    costs_of = [amount(row["cost"]) for row in chart["legend"][:-1]]
    assert costs_of == sorted(costs_of, reverse=True)
    assert chart["unit"] == "week"


@pytest.mark.parametrize("count", [1, 5, 6, 7, 8])
def test_no_colour_is_spent_on_a_rest_of_one(count: int) -> None:
    things = [thing(n, 20 - n, 3, team=n) for n in range(min(count, len(TEAMS)))]
    names = _costs.groups(things, "deployment")
    assert len(names) == min(count, 6)
    assert ("others" in names) is (count > 6)


def test_same_group_has_the_same_colour_in_both_charts() -> None:
    page = cost_charts(usual())
    spent = {row["name"]: row["series"] for row in page["spend"]["legend"]}
    for row in page["burn"]["bars"]:
        assert row["series"] == spent.get(row["name"], 5)


def test_burn_counts_what_runs_and_nothing_else() -> None:
    rows = [thing(1, 9), thing(2, 9), disk(3, 9), thing(4, 9, 3), thing(5, 9, kind=5, team=1)]
    (first, second) = cost_charts(costs(rows))["burn"]["bars"]
    assert (first["name"], first["per_hour"]) == ("chat-prod", "3.62")
    assert (first["width"], first["things"]) == (100.0, "2 instances, 1 volume")
    assert (second["per_hour"], second["things"]) == ("0.190", "1 instance")
    assert second["width"] == pytest.approx(100 * 0.19 / 3.6214, abs=0.01)


def test_many_bars_are_cut_and_the_rest_is_told() -> None:
    burn = cost_charts(crowd())["burn"]
    assert (len(burn["bars"]), burn["more"]) == (12, 28)
    shown = sum(amount(row["per_hour"]) for row in burn["bars"])
    now = crowd()["now"]["burn_per_hour"]
    assert shown + amount(burn["more_per_hour"]) == pytest.approx(now, abs=0.1)


@pytest.mark.parametrize("by", ["deployment", "owner", "project", "gpu_model"])
def test_groups_may_be_others_than_deployments(by: str) -> None:
    page = cost_charts(usual(), by=by)
    names = {str(row[by] or "without tags") for row in usual()["things"]}
    assert {row["name"] for row in page["spend"]["legend"]} <= names | {"others"}
    assert page["by"] == ("GPU model" if by == "gpu_model" else by)


# -- budgets -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("used", "state", "filled"),
    [(0, "ok", 0), (79.99, "ok", 69.557), (80, "warning", 69.565), (100, "exceeded", 86.957)],
)
def test_budget_fills_its_bar_up_to_the_mark_of_its_share(
    used: float, state: str, filled: float
) -> None:
    (row,) = cost_charts(costs([], budgets=[budget("day", 100, used)]))["budgets"]
    assert (row["state"], row["width"]) == (state, pytest.approx(filled, abs=0.01))
    assert [mark["text"] for mark in row["marks"]] == ["80", "90", "100"]
    assert row["marks"][-1]["x"] == pytest.approx(86.957)


def test_budget_far_exceeded_is_cut_at_the_edge() -> None:
    (row,) = _costs.budget_bars([budget("total", 10, 900)])
    assert (row["width"], row["percent"], row["marks"][-1]["x"]) == (100.0, "9000", 40.0)


def test_marks_of_budgets_may_be_others() -> None:
    (row,) = cost_charts(costs([], budgets=[budget("day", 9, 1)]), thresholds=[50, 75])["budgets"]
    assert [mark["text"] for mark in row["marks"]] == ["50", "75"]


def test_worst_budget_is_the_state_of_all() -> None:
    assert cost_charts(costs([], budgets=BUDGETS))["figures"]["budget_state"] == "exceeded"
    assert cost_charts(costs([], budgets=BUDGETS[:2]))["figures"]["budget_state"] == "warning"
    assert cost_charts(costs([]))["figures"]["budget_state"] is None


@pytest.mark.parametrize(("limit", "drawn"), [(20, True), (40, True), (90, False)])
def test_budget_of_a_day_is_a_line_unless_it_lies_far_above(limit: float, drawn: bool) -> None:
    cost = costs([thing(1, 12, 10)], days=2, budgets=[budget("day", limit, 17.97)])
    line = cost_charts(cost)["spend"]["limit"]
    assert bool(line) is drawn


# -- figures -----------------------------------------------------------------------------------


def test_figures() -> None:
    figures = cost_charts(usual())["figures"]
    assert (figures["spent"], figures["since"], figures["until"]) == (
        "3,495.00",
        "31 Oct",
        "22 Nov 2026",
    )
    assert (figures["burn"], figures["burn_day"], figures["machines"]) == ("27.36", "656.56", 6)
    assert (figures["runway"], figures["runway_end"]) == ("2 d 6 h", "Tue 24 Nov, 20:26")


@pytest.mark.parametrize(
    ("balance", "text", "state"),
    [
        (1.8, "1 h", "critical"),
        (60, "1 d 9 h", "warning"),
        (1000, "23 d", "ok"),
        (0, "0 min", "critical"),
    ],
)
def test_runway(balance: float, text: str, state: str) -> None:
    figures = cost_charts(costs([thing(1, 5)], balance=balance))["figures"]
    assert (figures["runway"], figures["runway_state"]) == (text, state)


def test_nothing_to_burn_lasts_for_ever() -> None:
    figures = cost_charts(costs([]))["figures"]
    assert (figures["runway"], figures["runway_end"], figures["runway_state"]) == ("∞", "", "ok")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0.00"), (0.0274, "0.0274"), (0.19, "0.190"), (1.797, "1.80"), (1234.5, "1,234.50")],
)
def test_prices(value: float, text: str) -> None:
    assert _costs.price(value) == text


def test_balance_that_is_not_known_is_not_made_up() -> None:
    assert cost_charts(costs([], now={}))["figures"]["balance"] == "-"
    assert _costs.big(1_920_408.63) == "1,920,409"


def test_costs_of_the_past_do_not_move_the_present() -> None:
    cost = {**costs([thing(1, 50, lease_h=5)]), "until": iso(NOW - timedelta(hours=40))}
    page = cost_charts(cost, now=iso(NOW))
    assert page["leases"]["lanes"][0]["text"] == "5 h left"
    assert page["figures"]["until"] == "20 Nov 2026"
    assert page["spend"]["columns"][-1]["day"] == "20 Nov"


# -- the filter --------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [None, [], "x", {}])
def test_other_input_is_refused(given: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="needs the result of datacrunch_cost_info"):
        cost_charts(given)


def test_unknown_group_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="by 'month' is not one of deployment, job, owner"):
        cost_charts(costs([]), by="month")


def test_filter_is_known_by_its_name() -> None:
    assert FilterModule().filters() == {"cost_charts": cost_charts}
