# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Purchases at the same time do not break a budget together: the youngest of them go."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._core import apply
from ansible_collections.gpuops.cloud.plugins.module_utils._core.errors import GpuopsError
from ansible_collections.gpuops.cloud.plugins.module_utils._instances.resource import (
    InstanceResource,
)
from ansible_collections.gpuops.cloud.plugins.modules.datacrunch_instance import SPEC
from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import (
    LISTING,
    Cloud,
    stock,
    wanted,
)

V100 = "1V100.6V"
PRICE = 0.19 + 100 * 0.2 / 730


def buyer(cloud: Cloud, number: int, together: Callable[[], Any], **args: Any) -> list[GpuopsError]:
    """Buy as a module does, with a client of its own; returns the errors."""
    client, resource = cloud.client(), InstanceResource()
    given = {"deployment": f"d{number}", "tier": "v100", "owner": "me", "wait_timeout": 1e6}
    want = wanted(SPEC, **{**given, "lease": "2h", "ledger": "none", **args})
    found = resource.find(client, want)
    plan = resource.plan(found, want)
    together()
    return apply.apply(client, plan)[1]


def at_once(cloud: Cloud, count: int, **args: Any) -> list[list[GpuopsError]]:
    """Return the errors of each of some runs that all look before one of them buys."""
    barrier = threading.Barrier(count)
    with ThreadPoolExecutor(count) as pool:
        jobs = [pool.submit(buyer, cloud, n, barrier.wait, **args) for n in range(count)]
        return [job.result(timeout=120) for job in jobs]


def oldest(cloud: Cloud, count: int) -> list[str]:
    """Return the ids of so many instances that were ordered first."""
    rows = sorted(cloud.sim.state()["instances"], key=lambda row: (row["created_at"], row["id"]))
    return sorted(row["id"] for row in rows[:count])


@pytest.mark.parametrize("seconds", [0, 30])
def test_eight_at_once_stay_within_a_budget(start: Start, seconds: int) -> None:
    # Time runs fast, so that no two orders have the same time.
    cloud = start(speed=50, provision_seconds=seconds, stock=stock(V100, count=9))
    body = {"hostname": "theirs", "image": "ubuntu-22.04", "location_code": "FIN-03"}
    theirs = cloud.client().create("/instances", {**body, "instance_type": V100})
    errors = at_once(cloud, 8, budget={"per_hour": 0.19 + 2.5 * PRICE})
    assert sorted(map(len, errors)) == [0, 0, *[1] * 6]
    stay = sorted(row["id"] for row in cloud.machines())
    assert stay == oldest(cloud, 3)
    assert theirs in stay
    assert cloud.orders() == 8 + 1
    for (error,) in filter(None, errors):
        assert error.code == "over_budget"
        assert "others have bought at the same time" in error.message.lower()
        assert "was terminated again" in error.message
        assert error.details["instance_id"] not in stay
        assert error.details["terminated"]
    disks = [row for row in cloud.sim.state()["volumes"] if row["status"] != "deleting"]
    assert sorted(row["instance_id"] for row in disks) == stay


def test_month_holds_for_runs_that_share_a_ledger(start: Start, home: Any) -> None:
    cloud = start(speed=50, provision_seconds=30, stock=stock(V100, count=8))
    cloud.within_a_month()
    limit = {"per_month": 2 * PRICE * 3.4}
    errors = at_once(cloud, 8, budget=limit, ledger=f"sqlite:///{home}/ledger.sqlite3")
    # What was taken back has cost a little, too.
    assert 1 <= len(cloud.machines()) <= 4
    assert len(cloud.machines()) == sum(not one for one in errors)


def test_budget_that_holds_lets_all_stay(start: Start) -> None:
    cloud = start(speed=50, provision_seconds=30, stock=stock(V100, count=8))
    assert at_once(cloud, 4, budget={"per_hour": 4.1 * PRICE}) == [[]] * 4
    assert len(cloud.machines()) == 4


def test_twins_are_settled_before_the_budget_is(start: Start) -> None:
    cloud = start(speed=50, provision_seconds=30, stock=stock(V100, count=8))
    errors = at_once(cloud, 4, deployment="llm", budget={"per_hour": 1.5 * PRICE})
    assert errors == [[]] * 4
    assert [row["id"] for row in cloud.machines()] == oldest(cloud, 1)


def test_policy_warn_lets_all_stay(start: Start) -> None:
    cloud = start(speed=50, provision_seconds=0, stock=stock(V100, count=8))
    budget = {"per_hour": 1.5 * PRICE}
    assert at_once(cloud, 3, budget=budget, budget_policy="warn") == [[]] * 3
    assert len(cloud.machines()) == 3


def test_list_that_lags_is_made_up_for_once_it_runs(start: Start) -> None:
    cloud = start(provision_seconds=30, stock=stock(V100, count=8))
    first = cloud.buy(deployment="first", tier="v100", lease="2h", wait=False, ledger="none")
    cloud.sim.advance(1)
    # Before the order and twice right after it nothing is listed, not even our own instance.
    cloud.fault("status", LISTING, status=200, body=[], times=3)
    budget = {"per_hour": 1.5 * PRICE}
    result = cloud.fails(
        "datacrunch_instance",
        deployment="llm",
        tier="v100",
        lease="2h",
        budget=budget,
        ledger="none",
    )
    assert result["error"]["code"] == "over_budget"
    assert [row["id"] for row in cloud.machines()] == [first["instance"]["id"]]


def test_books_tell_of_what_was_bought_and_terminated(start: Start) -> None:
    cloud = start(provision_seconds=30, stock=stock(V100, count=8))
    budget = {"per_hour": 1.5 * PRICE, "total": 1000}
    cloud.buy(deployment="first", tier="v100", lease="2h", wait=False)
    cloud.sim.advance(1)
    cloud.fault("status", LISTING, status=200, body=[])
    result = cloud.fails(
        "datacrunch_instance", deployment="llm", tier="v100", lease="2h", budget=budget
    )
    assert result["changed"]
    assert result["instance_id"] in result["msg"]
    things = cloud.ok("datacrunch_cost_info")["things"]
    mine = next(row for row in things if row["id"] == result["instance_id"])
    assert mine["until"]


def test_fleet_names_what_was_taken_back(start: Start) -> None:
    cloud = start(provision_seconds=30, stock=stock(V100, count=8))
    cloud.buy(deployment="first", tier="v100", lease="2h", wait=False, ledger="none")
    cloud.sim.advance(1)
    cloud.fault("status", LISTING, status=200, body=[])
    args = {"deployment": "llm", "tier": "v100", "lease": "2h", "count": 2, "ledger": "none"}
    result = cloud.buy(**args, min_count=1, budget={"per_hour": 2.5 * PRICE})
    outcomes = sorted(row["outcome"] for row in result["fleet"])
    assert outcomes in (["bought", "failed"], ["failed", "failed"])
    assert any("was terminated again" in text for text in result["warnings"])
