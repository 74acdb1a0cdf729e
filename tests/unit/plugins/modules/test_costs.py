# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What things have cost: by the ledger as much as by the simulator's own bill."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._core import argspecs
from ansible_collections.gpuops.cloud.tests.unit.plugins.bills import (
    DISK,
    PLENTY,
    PRICE,
    TIER,
    costs,
    disk,
    hours,
    own_total,
    sync,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import Cloud

# -- the bill --------------------------------------------------------------------------------------


def test_bill_of_a_busy_week_is_the_clouds_own(start: Start) -> None:
    cloud = start(provision_seconds=90, balance=5000, stock=PLENTY)
    cloud.buy(**TIER, lease="30h", owner="ada", project="apollo")
    hours(cloud, 3)
    cloud.buy(**TIER, lease="30h", deployment="batch", count=3, market="spot", data_volume_gb=500)
    disk(cloud, size_gb=1000)
    hours(cloud, 5.3)
    cloud.sim.evict(next(row["id"] for row in cloud.machines() if row["hostname"] == "batch-2"))
    hours(cloud, 0.1)
    sync(cloud)
    disk(cloud, size_gb=3000)
    hours(cloud, 9)
    cloud.end(os_volume="keep", owner="ada")
    hours(cloud, 20)
    cloud.fault("no_capacity_later")
    cloud.buy(**TIER, lease="1d", os_volume="keep")
    cloud.buy(deployment="batch", name="batch-3", state="absent", data_volumes="delete")
    hours(cloud, 30)
    disk(cloud, state="absent")
    hours(cloud, 30)
    disk(cloud, restore=True, size_gb=3000)
    hours(cloud, 50)
    cloud.end(deployment="batch", os_volume="delete", data_volumes="trash")
    hours(cloud, 7)
    result = costs(cloud)
    assert result["total"] == pytest.approx(own_total(cloud), rel=0.01)
    assert result["total"] > 250
    for key in ("deployment", "job", "owner", "project", "gpu_model", "month"):
        rows = result["by"][key]
        assert sum(row["cost"] for row in rows) == pytest.approx(result["total"], abs=0.01), key
    assert sum(row["cost"] for row in result["daily"]) == pytest.approx(result["total"], abs=0.01)
    bill = {row["id"]: row["cost"] for row in cloud.sim.state()["bill"]}
    for row in result["things"]:
        assert row["cost"] == pytest.approx(bill[row["id"]], abs=0.9, rel=0.01), row


def test_a_job_costs_what_all_its_attempts_and_its_volume_did(start: Start) -> None:
    cloud = start(provision_seconds=60, balance=5000, stock=PLENTY)
    job = {**TIER, "deployment": "job-train", "name": "job-train", "lease": "1d", "market": "spot"}
    cloud.buy(**TIER, lease="1d")
    cloud.buy(**job, data_volume_gb=100)
    hours(cloud, 2)
    cloud.sim.evict(next(row["id"] for row in cloud.machines() if row["hostname"] == "job-train"))
    hours(cloud, 0.1)
    sync(cloud)
    cloud.buy(**job, data_volume_gb=100)
    hours(cloud, 3)
    found = costs(cloud)
    row = next(row for row in found["by"]["job"] if row["name"] == "train")
    bill = {row["id"]: row["cost"] for row in cloud.sim.state()["bill"]}
    ids = [row["id"] for row in found["things"] if row["job"] == "train"]
    assert len(ids) > 3, "two instances, their disks, and a volume"
    assert row["cost"] == pytest.approx(sum(bill[one] for one in ids), rel=0.01)
    assert row["hours"] == pytest.approx(5, abs=0.1)
    assert costs(cloud, deployment="job-train")["total"] == pytest.approx(row["cost"], abs=0.01)


def test_price_is_the_one_that_was_ordered(start: Start) -> None:
    cloud = start(balance=5000, stock=PLENTY)
    cloud.buy(**TIER, lease="1d")
    hours(cloud, 1)
    (row,) = [row for row in costs(cloud)["things"] if row["kind"] == "instance"]
    assert row["price_per_hour"] == PRICE
    assert row["cost"] == pytest.approx(PRICE, rel=0.01)
    assert (row["gpu_model"], row["market"], row["until"]) == ("H200", "on_demand", None)


def test_ledger_that_only_looks_is_right_within_one_percent(start: Start) -> None:
    """Nobody writes a purchase or an end; every five minutes somebody looks."""
    cloud = start(provision_seconds=60, balance=50000, stock=PLENTY)
    dice = Random(4)
    for number in range(14):
        name = f"job-{number % 5}"
        living = {row["hostname"]: row for row in cloud.machines()}
        if name not in living:
            market = dice.choice(["spot", "on_demand"])
            cloud.buy(**TIER, deployment=name, market=market, lease="2d", ledger="none")
        elif living[name]["is_spot"] and dice.random() < 0.5:
            cloud.sim.evict(living[name]["id"])
        else:
            policy = dice.choice(["trash", "delete", "keep"])
            cloud.end(deployment=name, os_volume=policy, ledger="none")
        for _look in range(dice.choice([2, 6, 12])):
            cloud.sim.advance(300)
            sync(cloud)
    assert costs(cloud)["total"] == pytest.approx(own_total(cloud), rel=0.01)


# -- questions -------------------------------------------------------------------------------------


def test_span_and_filters(cloud: Cloud) -> None:
    cloud.buy(**TIER, owner="ada", project="apollo", lease="1d")
    hours(cloud, 10)
    cloud.buy(**TIER, deployment="web", owner="bob", lease="1d")
    hours(cloud, 10)
    one = PRICE + DISK
    assert costs(cloud)["total"] == pytest.approx(30 * one, rel=0.01)
    assert costs(cloud, since="5h")["total"] == pytest.approx(10 * one, rel=0.01)
    assert costs(cloud, since="15h", until="10h")["total"] == pytest.approx(5 * one, rel=0.02)
    for key, value in (("deployment", "web"), ("owner", "bob")):
        result = costs(cloud, **{key: value})
        assert result["total"] == pytest.approx(10 * one, rel=0.01)
        assert [row["name"] for row in result["by"]["deployment"]] == ["web"]
        assert result["now"]["machines"] == 2
    assert costs(cloud, project="apollo")["total"] == pytest.approx(20 * one, rel=0.01)
    assert costs(cloud, deployment="none-such")["things"] == []


def test_month_is_reckoned_to_its_end(start: Start) -> None:
    cloud = start(balance=50000, stock=PLENTY)
    cloud.within_a_month()
    cloud.buy(**TIER, lease="12h")
    cloud.buy(**TIER, deployment="web", lease="none")
    hours(cloud, 2)
    now = cloud.sim.now()
    end = (
        now.replace(day=1, hour=0, minute=0, second=0, microsecond=0) + timedelta(days=32)
    ).replace(day=1)
    left, one = (end - now).total_seconds() / 3600, PRICE + DISK
    found = costs(cloud, deployment="none-such")["month"]
    assert found["until"] == f"{end:%Y-%m-%dT%H:%M:%SZ}"
    assert found["spent"] == pytest.approx(4 * one, rel=0.01)
    assert found["unchanged"] == pytest.approx((4 + 2 * left) * one, rel=0.01)
    assert found["as_leased"] == pytest.approx((4 + min(10, left) + left) * one, rel=0.01)


def test_nothing_has_cost_nothing(cloud: Cloud) -> None:
    result = costs(cloud, budget={"total": 10})
    assert (result["total"], result["things"], result["daily"]) == (0, [], [])
    assert result["budgets"][0]["used"] == 0
    assert result["now"] == {
        "balance": 500,
        "burn_per_hour": 0,
        "runway_hours": None,
        "machines": 0,
    }


@pytest.mark.parametrize(
    "args", [{"since": "x"}, {"until": "tomorrow"}, {"since": "1h", "until": "2h"}]
)
def test_span_that_makes_no_sense(cloud: Cloud, args: dict[str, str]) -> None:
    assert cloud.fails("datacrunch_cost_info", **args)["error"]["code"] == "invalid"


def test_costs_without_a_ledger_are_those_of_what_is_shown(cloud: Cloud) -> None:
    cloud.buy(**TIER, protect=True, ledger="none")
    hours(cloud, 1)
    result = costs(cloud, ledger="none")
    assert result["total"] == pytest.approx(PRICE + DISK, rel=0.02)
    assert [row["protected"] for row in result["things"] if row["kind"] == "instance"] == [True]
    broken = costs(cloud, ledger="sqlite:////proc/version")
    assert "still shows" in broken["warnings"][0]
    assert broken["total"] == result["total"]


def test_every_spec_with_a_ledger_names_it_alike() -> None:
    assert argspecs.LEDGER_SPEC == {"ledger": {"type": "str", "no_log": True}}
