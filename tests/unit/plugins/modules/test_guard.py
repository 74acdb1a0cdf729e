# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard before each purchase: what costs too much is not bought, and the figures say why."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._providers.verda import client as _client
from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import Cloud, stock

H200, V100 = "1H200.141S.44V", "1V100.6V"
TIER = {"tier": "h200_or_less"}
DISK = 100 * 0.2 / 730
PRICE = 4.639 + DISK
MODULE = "datacrunch_instance"


def poor(start: Start, hours: float, **more: Any) -> Cloud:
    """Return a cloud whose balance lasts so many hours for one H200."""
    return start(balance=PRICE * hours, stock=stock(H200), **more)


def refused(cloud: Cloud, **args: Any) -> dict[str, Any]:
    """Return what is told when a purchase costs too much; nothing was bought."""
    writes = len(cloud.sim.writes())
    result = cloud.fails(MODULE, **{"deployment": "llm", **TIER, **args})
    assert result["error"]["code"] == "over_budget"
    assert len(cloud.sim.writes()) == writes
    return result


# -- balance and lease -----------------------------------------------------------------------------


def test_balance_for_three_hours_refuses_a_lease_of_four(start: Start) -> None:
    cloud = poor(start, 3)
    result = refused(cloud, lease="4h")
    assert (
        f"the balance of {3 * PRICE:.2f} usd lasts 3.0 h at {PRICE:.4g} usd/h (0 now and "
        f"{PRICE:.4g} more), and the lease is 4.0 h"
    ) in result["msg"]
    spend = result["spend"]
    assert spend["broken"] == [result["msg"].partition(": ")[2].partition(". It")[0]]
    assert spend["balance"] == pytest.approx(3 * PRICE, abs=1e-3)
    assert spend["price_per_hour"] == spend["burn_after_per_hour"] == pytest.approx(PRICE, abs=1e-3)
    assert (spend["lease_hours"], spend["runway_hours"]) == (pytest.approx(4, abs=1e-3), 3)
    assert spend["lease_cost"] == pytest.approx(4 * PRICE, abs=0.01)
    assert (spend["machines"], spend["burn_per_hour"], spend["currency"]) == (1, 0, "usd")
    assert spend["max_price_per_hour"] == pytest.approx(0.75 * PRICE - DISK, abs=1e-3)


@pytest.mark.parametrize("lease", ["30m", "2h", "175m"])
def test_lease_that_the_balance_outlasts_is_bought(start: Start, lease: str) -> None:
    cloud = poor(start, 3)
    result = cloud.buy(**TIER, lease=lease)
    assert result["changed"]
    assert result["spend"]["broken"] == []
    assert result["warnings"] == []


def test_what_the_hint_says_fits(start: Start) -> None:
    cloud = start(balance=PRICE * 3.5, stock=stock(H200, V100))
    result = refused(cloud, lease="4h")
    assert "max_price_per_hour=" in result["msg"]
    assert "lease=3h" in result["msg"]
    price = result["spend"]["max_price_per_hour"]
    cheap = cloud.buy(**TIER, lease="4h", max_price_per_hour=price, check=True)
    assert cheap["instance"]["instance_type"] == V100
    assert cloud.buy(**TIER, lease="3h")["instance"]["instance_type"] == H200


def test_what_burns_already_shortens_the_runway(start: Start) -> None:
    cloud = poor(start, 10)
    cloud.buy(**TIER, deployment="other", lease="4h")
    result = refused(cloud, lease="6h")
    assert f"({PRICE:.4g} now and {PRICE:.4g} more)" in result["msg"]
    assert cloud.buy(**TIER, lease="4h")["changed"]


def test_foreign_machines_and_free_volumes_burn_too(start: Start) -> None:
    cloud = start(balance=PRICE * 10, stock=stock(H200))
    cloud.ok("datacrunch_volume", deployment="x", name="data", size_gb=10000, location="FIN-03")
    result = refused(cloud, lease="9h")
    assert result["spend"]["burn_per_hour"] == pytest.approx(100 * DISK, abs=1e-3)


def test_all_machines_of_a_fleet_count(start: Start) -> None:
    cloud = poor(start, 10)
    result = refused(cloud, lease="4h", count=3)
    assert result["msg"].startswith("llm, llm-2, llm-3 would cost too much")
    assert result["spend"]["machines"] == 3
    assert result["spend"]["price_per_hour"] == pytest.approx(3 * PRICE, abs=1e-3)
    assert cloud.buy(**TIER, lease="4h", count=2)["changed"]


def test_only_the_missing_machines_of_a_fleet_count(start: Start) -> None:
    cloud = poor(start, 12)
    cloud.buy(**TIER, lease="4h", count=2)
    result = refused(cloud, lease="5h", count=3)
    assert result["spend"]["machines"] == 1
    assert cloud.buy(**TIER, lease="3h", count=3)["spend"]["machines"] == 1


def test_machine_that_exists_is_kept_without_a_look_at_the_money(start: Start) -> None:
    cloud = poor(start, 5)
    cloud.buy(**TIER, lease="4h")
    cloud.sim.clear_log()
    again = cloud.buy(**TIER, lease="4h", max_lease_cost=0.01, budget={"per_hour": 0.01})
    assert not again["changed"]
    assert again["spend"] is None
    assert cloud.calls() == ["GET /instances"]


def test_machine_that_is_replaced_does_not_count_twice(start: Start) -> None:
    cloud = start(balance=PRICE * 5, stock=stock(H200, V100))
    cloud.buy(**TIER, lease="4h")
    result = cloud.buy(instance_type=V100, replace=True, lease="4h", check=True)
    assert result["spend"]["burn_per_hour"] == pytest.approx(DISK, abs=1e-3)


def test_without_a_lease_only_what_needs_one_refuses(start: Start) -> None:
    cloud = poor(start, 3)
    result = refused(cloud, lease="none", max_lease_cost=1000, budget={"total": 1e6})
    assert len(result["spend"]["broken"]) == 2
    assert "there is no lease" in result["msg"]
    assert result["spend"]["lease_cost"] is result["spend"]["lease_hours"] is None
    assert cloud.buy(**TIER, lease="none", budget={"per_hour": 10})["changed"]


# -- ceilings and budgets --------------------------------------------------------------------------


def test_cost_of_a_lease_has_a_ceiling(cloud: Cloud) -> None:
    result = refused(cloud, lease="10h", max_lease_cost=40)
    assert f"the lease of 10.0 h at {PRICE:.4g} usd/h costs {10 * PRICE:.2f} usd" in result["msg"]
    assert "more than max_lease_cost (40 usd)" in result["msg"]
    assert "lease=8h" in result["msg"]
    assert cloud.buy(**TIER, lease="8h", max_lease_cost=40)["changed"]


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        ({"per_hour": 4}, "usd/h would burn, and the budget of 4 usd per hour allows no more"),
        ({"per_day": 4}, "this day it would be"),
        ({"per_month": 4}, "this month it would be"),
        ({"total": 4}, "in total it would be"),
        ({"total": 80, "growth": 0.5, "season": 0.5}, "of the budget of 20 usd"),
        ({"total": 60, "thresholds": [50, 60, 70]}, "of the budget of 60 usd"),
    ],
)
def test_budget_that_the_purchase_crosses(cloud: Cloud, budget: Any, words: str) -> None:
    cloud.sim.advance(_to_noon(cloud))
    result = refused(cloud, lease="10h", budget=budget)
    assert words in result["msg"]
    assert [row["state"] for row in result["spend"]["budgets"]] == ["exceeded"]


def _to_noon(cloud: Cloud) -> float:
    """Return the seconds until it is noon on the tenth of a month."""
    now = cloud.sim.now()
    noon = now.replace(day=10, hour=12, minute=0, second=0, microsecond=0)
    if noon < now:
        noon = (noon.replace(day=28, hour=0) if noon.day > 28 else noon).replace(
            month=noon.month % 12 + 1, year=noon.year + noon.month // 12
        )
    return (noon - now).total_seconds()


@pytest.mark.parametrize("period", ["per_hour", "per_day", "per_month", "total"])
def test_purchase_fits_as_long_as_a_budget_is_not_used_up(cloud: Cloud, period: str) -> None:
    cloud.sim.advance(_to_noon(cloud))
    cost = PRICE if period == "per_hour" else 10 * PRICE
    for factor, fits in ((0.999, False), (1.0, False), (1.01, True)):
        args = {"lease": "10h", "budget": {period: cost * factor}, "check": True}
        if fits:
            (row,) = cloud.buy(**TIER, **args)["spend"]["budgets"]
            assert row["state"] == "critical"
        else:
            refused(cloud, **args)


def test_cost_of_a_lease_counts_for_this_day_only_until_midnight(cloud: Cloud) -> None:
    cloud.sim.advance(_to_noon(cloud))
    result = refused(cloud, lease="3d", budget={"per_day": 11 * PRICE})
    (row,) = result["spend"]["budgets"]
    assert row["used"] == pytest.approx(12 * PRICE, rel=1e-3)


def test_what_other_leases_go_on_to_cost_counts(cloud: Cloud) -> None:
    cloud.sim.advance(_to_noon(cloud))
    cloud.buy(**TIER, deployment="other", lease="6h")
    result = refused(cloud, lease="4h", budget={"total": 9.5 * PRICE})
    (row,) = result["spend"]["budgets"]
    assert row["used"] == pytest.approx(10 * PRICE, rel=0.01)


def test_what_has_ended_counts_by_the_ledger(cloud: Cloud) -> None:
    budget = {"total": 10 * PRICE}
    cloud.buy(**TIER, lease="8h", budget=budget)
    cloud.sim.advance(7 * 3600)
    cloud.end(os_volume="delete")
    result = refused(cloud, lease="4h", budget=budget)
    (row,) = result["spend"]["budgets"]
    assert row["used"] == pytest.approx(11 * PRICE, rel=0.01)
    assert cloud.buy(**TIER, lease="4h", budget={"total": 12 * PRICE})["changed"]


def test_costlier_offer_is_not_taken_when_the_first_is_refused(start: Start) -> None:
    cloud = start(balance=20, stock=stock("1A100.22V", spot=["1A100.22V"]))
    cloud.sim.switch(availability_lies=["1A100.22V"])
    result = cloud.fails(MODULE, deployment="llm", tier="a100_80", market="spot_first", lease="12h")
    assert result["error"]["code"] == "no_capacity"
    assert {row["market"] for row in result["attempts"]} == {"spot"}
    assert "budget, balance and lease allow" in result["msg"]


# -- policy, check mode, and what it costs ---------------------------------------------------------


def test_policy_warn_buys_and_says_what_it_breaks(start: Start) -> None:
    cloud = poor(start, 3)
    args = {"lease": "4h", "budget_policy": "warn", "budget": {"per_hour": 1}}
    result = cloud.buy(**TIER, **args)
    assert result["changed"]
    (warning,) = result["warnings"]
    assert "lasts 3.0 h" in warning
    assert "the budget of 1 usd per hour" in warning
    assert "bought anyway" in warning
    assert len(result["spend"]["broken"]) == 2


def test_check_mode_refuses_and_warns_alike(start: Start) -> None:
    cloud = poor(start, 3)
    foretold = refused(cloud, lease="4h", check=True)
    assert foretold == refused(cloud, lease="4h")
    warned = cloud.buy(**TIER, lease="4h", budget_policy="warn", check=True)
    assert "lasts 3.0 h" in warned["warnings"][0]
    assert cloud.sim.writes() == []


def test_balance_that_cannot_be_read_refuses_unless_excess_is_a_warning(start: Start) -> None:
    cloud = start(stock=stock(H200))
    body = {"code": "forbidden_action", "message": "Insufficient scope"}
    match = {"method": "GET", "path": "/v1/balance"}
    cloud.fault("status", match, status=403, body=body, times=None)
    assert cloud.fails(MODULE, deployment="llm", **TIER)["error"]["code"] in ("auth", "forbidden")
    assert cloud.machines() == []
    result = cloud.buy(**TIER, budget_policy="warn")
    assert "Budget check skipped" in result["warnings"][0]


@pytest.mark.parametrize("args", [{"max_lease_cost": 0}, {"budget": {"per_day": -1}}])
def test_limits_that_make_no_sense_cost_no_request(cloud: Cloud, args: Any) -> None:
    result = cloud.fails(MODULE, deployment="llm", **TIER, **args)
    assert result["error"]["code"] == "invalid"
    assert cloud.calls() == []


def test_money_is_looked_at_while_the_stock_is(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("instance_types", "balance", "volumes", "volume_types")
    meeting = threading.Barrier(len(names), timeout=30)  # broken unless all are asked at once

    def together(read: Any) -> Any:
        def waiting(client: Any) -> Any:
            meeting.wait()
            return read(client)

        return waiting

    for name in names:
        monkeypatch.setattr(_client.Client, name, together(getattr(_client.Client, name)))
    assert cloud.buy(**TIER, check=True, ledger="none")["actions"]


def test_money_is_looked_at_again_when_stock_was_awaited(start: Start, home: Path) -> None:
    cloud = poor(start, 8)
    cloud.sim.set_stock({})

    def meanwhile(_seconds: float) -> None:
        if cloud.sim.state()["stock"].get("FIN-03", {}).get("on_demand"):
            return
        cloud.clock.on_sleep = lambda _seconds: None
        cloud.sim.set_stock(stock(H200))
        cloud.buy(**TIER, deployment="other", lease="5h", budget_policy="warn")

    cloud.clock.on_sleep = meanwhile
    result = cloud.fails(MODULE, deployment="llm", **TIER, lease="6h", wait_for_capacity=300)
    assert result["error"]["code"] == "no_capacity"
    assert "budget, balance and lease allow" in result["msg"]
    assert [row["hostname"] for row in cloud.machines()] == ["other"]
