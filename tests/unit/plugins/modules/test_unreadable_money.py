# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Money that cannot be read, in options and answers: nothing is bought, and nothing breaks."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import Cloud, reasons, stock

A100, V100 = "1A100.22V", "1V100.6V"
NAN = float("nan")
Change = Callable[[Any], Any]


def answers(cloud: Cloud, path: str, body: Any, times: int | None = None) -> None:
    """Let every GET of a path, or so many, be answered by something else."""
    match = {"method": "GET", "path": f"/v1/{path}"}
    more = {"status": 200, "body": json.dumps(body), "content_type": "application/json"}
    cloud.fault("status", match, times=times, **more)


def refused(cloud: Cloud, **args: Any) -> dict[str, Any]:
    """Return what is told where nothing may be bought."""
    args = {"deployment": "llm", "tier": "a100_80_or_less", **args}
    before = len(cloud.machines())
    result = cloud.fails("datacrunch_instance", **args)
    assert (cloud.orders(), len(cloud.machines())) == (0, before)
    return result


# -- options ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["nan", "NaN", "inf", "-inf", "1_0", "٤", "1,797", "$2", True])
@pytest.mark.parametrize("option", ["max_price_per_hour", "max_lease_cost", "os_volume_gb"])
def test_option_that_is_no_number_buys_nothing(cloud: Cloud, option: str, value: Any) -> None:
    result = cloud.run(
        "datacrunch_instance", deployment="llm", tier="a100_80_or_less", **{option: value}
    )
    assert result["failed"]
    assert option in result["msg"]
    assert (cloud.calls(), cloud.machines()) == ([], [])


@pytest.mark.parametrize(
    "budget",
    [
        {"per_hour": "nan"},
        {"per_day": "inf"},
        {"total": "1_0"},
        {"per_month": 9, "thresholds": [80, 90, "inf"]},
        {"per_hour": 9, "growth": "nan"},
        {"owners": {"ada": {"per_hour": "nan"}}},
        {"projects": {"x": {"total": "1,000"}}},
    ],
)
@pytest.mark.parametrize("module", ["instance", "balance", "reap", "lease"])
def test_budget_that_is_no_number_costs_no_request(
    cloud: Cloud, module: str, budget: dict[str, Any]
) -> None:
    whole = {"reap": {"everything": True, "mode": "delete"}, "lease": {"extend": "1h"}}
    args = {"instance": {"tier": "a100"}, **whole}.get(module, {})
    args |= {"deployment": "llm"} if module in ("instance", "lease") else {}
    result = cloud.fails(f"datacrunch_{module}", **args, budget=budget)
    assert result["error"]["code"] == "invalid"
    assert "budget." in result["msg"]
    assert cloud.calls() == []


def test_zero_is_a_ceiling(cloud: Cloud) -> None:
    assert refused(cloud, max_price_per_hour=0)["error"]["code"] == "no_capacity"
    for args in ({"max_lease_cost": 0}, {"budget": {"per_hour": 0}}):
        assert refused(cloud, **args)["error"]["code"] == "invalid"


# -- answers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("price", ["NaN", NAN, "1,797", "$0.10", "1_0", "٤", -1, True, [1]])
def test_offer_with_a_price_that_cannot_be_read_is_rejected(cloud: Cloud, price: Any) -> None:
    cloud.sim.set_stock(stock(A100, V100))
    rows = cloud.shows("/instance-types")
    next(row for row in rows if row["instance_type"] == A100)["price_per_hour"] = price
    answers(cloud, "instance-types", rows)
    result = cloud.ask(tier="a100_80_or_less")
    assert [row["instance_type"] for row in result["offers"]] == [V100]
    assert reasons(result)[A100] == "unreadable"
    detail = next(r["detail"] for r in result["rejected"] if r["instance_type"] == A100)
    assert detail.startswith("GET /instance-types: price_per_hour ")
    limits = {"max_price_per_hour": 0.5, "budget": {"per_hour": 0.5}}
    assert refused(cloud, instance_type=A100, tier=None, **limits)["error"]["code"] == "no_capacity"


@pytest.mark.parametrize("amount", ["NaN", NAN, None, "1,797", "500 usd", float("inf"), {}])
def test_balance_that_cannot_be_read_buys_nothing(cloud: Cloud, amount: Any) -> None:
    answers(cloud, "balance", {"amount": amount, "currency": "usd"})
    result = refused(cloud)
    assert result["error"]["code"] == "unreadable"
    assert result["msg"].startswith("GET /balance: amount ")
    for module in ("balance", "cost_info"):
        assert cloud.fails(f"datacrunch_{module}")["error"]["code"] == "unreadable"
    asked = cloud.ask(tier="a100_80_or_less")
    assert asked["offers"]
    assert "another currency" in asked["warnings"][0]
    assert cloud.buy(tier="a100_80_or_less", budget_policy="warn")["changed"]


def test_machine_whose_price_cannot_be_read_ends_nevertheless(cloud: Cloud) -> None:
    bought = cloud.buy(tier="a100_80_or_less", lease="1h")["instance"]
    cloud.sim.advance(7200)
    row = {**cloud.shows(f"/instances/{bought['id']}"), "price_per_hour": NAN}
    answers(cloud, "instances", [row], times=1)  # then the list shows that it is gone
    budget = {"per_hour": 1}
    result = cloud.ok("datacrunch_reap", everything=True, mode="delete", budget=budget)
    assert [row["outcome"] for row in result["reaped"]] == ["ended"]
    assert any("budget was not held in this round" in text for text in result["warnings"])


# -- a table of malformed answers ------------------------------------------------------------------

BAD: list[Any] = [
    *("NaN", "Infinity", "1,797", "$1.797", "1.797 €", "٤", "1_0", "", " ", "abc", "0x10", "½"),
    *("1e999", "1.7.9", "1e", "+-1", NAN, float("inf"), float("-inf"), 1e300, -1.5, True, False),
    *([], {}, [1.797], {"amount": 1}, 10**400, "9" * 400, "1" + chr(0)),
]
SHAPES: list[Any] = [None, {}, [None], ["x"], [{}], [[]], "text", 7, {"data": []}, [{"id": 5}], NAN]


def field(*path: str) -> Callable[[Any], Change]:
    """Return what puts a value into one field of all rows, or of the one object."""

    def with_value(value: Any) -> Change:
        def change(body: Any) -> Any:
            for row in body if isinstance(body, list) else [body]:
                for part in path[:-1]:
                    row = row[part]
                row[path[-1]] = value
            return body

        return change

    return with_value


# Request, and what becomes of its answer for a value.
FIELDS: list[tuple[str, Callable[[Any], Change], list[Any]]] = [
    ("balance", field("amount"), [one for one in [*BAD, None] if one != -1.5]),  # a debt is one
    ("balance", field("currency"), [*BAD, None]),
    ("instance-types", field("price_per_hour"), [*BAD, None]),
    ("instance-types", field("currency"), [one for one in BAD if one not in ("", "abc")]),
    ("instance-types", field("gpu", "number_of_gpus"), BAD),
    ("instance-types", field("gpu"), [one for one in BAD if one != {}]),
    ("volume-types", field("price", "price_per_month_per_gb"), [*BAD, None]),
    ("volume-types", field("price"), [*BAD, None]),
    ("instances", field("price_per_hour"), [*BAD, None]),
    ("volumes", field("base_hourly_cost"), [*BAD, None]),
]
PATHS = (
    "balance",
    "instance-types",
    "volume-types",
    "instances",
    "volumes",
    "instance-availability",
)
# Which requests the modules that only ask need for what they tell.
NEEDS = {
    "capacity": {"instance-types", "instance-availability"},
    "balance": {"balance", "instances", "volumes"},
    "cost_info": {"balance", "instances", "volumes"},
}


def _replaced(shape: Any, _body: Any) -> Any:
    """Return another body instead of the one that was to be sent."""
    return shape


def table(count: int, seed: int) -> list[tuple[str, str, Change]]:
    """Return module, path, and change of so many malformed answers."""
    dice, rows = Random(seed), []
    for _case in range(count):
        module = dice.choice(["instance", "instance", *NEEDS])
        path, make, values = dice.choice(FIELDS)
        change = make(dice.choice(values))
        if dice.random() < 0.15:
            path, change = dice.choice(PATHS), partial(_replaced, dice.choice(SHAPES))
        rows.append((module, path, change))
    return rows


@pytest.fixture
def rich(start: Start) -> Cloud:
    """Return a cloud with an old instance of ours, and a disk."""
    cloud = start(stock=stock(A100, V100))
    cloud.buy(tier="v100", deployment="other", owner="me", wait=False)
    return cloud


@pytest.mark.parametrize("seed", range(8))
def test_malformed_answers_buy_nothing_and_break_nothing(rich: Cloud, seed: int) -> None:
    faults = rich.sim.cloud.account.faults
    bodies = {path: rich.shows(f"/{path}") for path in PATHS}
    rich.sim.clear_log()
    for number, (module, path, change) in enumerate(table(65, seed)):
        faults.clear()
        wrong = change(json.loads(json.dumps(bodies[path])))
        answers(rich, path, wrong)
        args = {"tier": "a100_80_or_less"} if module in ("instance", "capacity") else {}
        args |= {"deployment": "llm"} if module == "instance" else {}
        result = rich.run(f"datacrunch_{module}", **args)
        case = f"{number}: {module} with {path} {json.dumps(wrong)[:300]}"
        assert "Traceback" not in json.dumps(result), case
        assert "exception" not in result, case
        assert rich.orders() == 0, case
        if module == "instance" or path in NEEDS[module]:
            bad = result.get("failed") or not result.get("offers", [1])
            assert bad, f"{case}: {result}"
            assert not result.get("failed") or result["error"]["code"], case
