# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several controllers that want one name at the same time end with one instance."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._core import apply
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

TYPE = "1H200.141S.44V"


def controller(cloud: Cloud, together: Callable[[], Any], **args: Any) -> dict[str, Any]:
    """Buy as a module does, with a client of its own, and return the result.

    ``together`` lets all controllers look before one of them buys.
    """
    client, resource = cloud.client(), InstanceResource()
    args = {"tier": "h200_or_less", **args}
    want = wanted(SPEC, deployment="llm", owner="me", wait_timeout=1e6, **args)
    found = resource.find(client, want)
    plan = resource.plan(found, want)
    together()
    actions, errors = apply.apply(client, plan)
    assert errors == []
    return {"actions": actions, **resource.result(client, found, plan, applied=True)}


def race(cloud: Cloud, count: int) -> list[str]:
    """Return the id of the instance that each of some controllers ends with."""
    return [result["instance"]["id"] for result in results(cloud, count)]


def results(cloud: Cloud, count: int) -> list[dict[str, Any]]:
    """Return what each of some controllers ends with."""
    barrier = threading.Barrier(count)
    with ThreadPoolExecutor(count) as pool:
        jobs = [pool.submit(controller, cloud, barrier.wait) for _unused in range(count)]
        return [job.result(timeout=60) for job in jobs]


def test_list_that_lags_hides_an_older_instance_for_a_while_only(start: Start) -> None:
    cloud = start(provision_seconds=30, dialect={"list_lag_seconds": 20}, stock=stock(TYPE))
    first = cloud.buy(tier="h200_or_less", wait=False)["instance"]["id"]
    cloud.clock.sleep(2)
    result = cloud.buy(tier="h200_or_less")
    assert result["instance"]["id"] == cloud.machine()["id"] == first
    assert [row["outcome"] for row in result["attempts"]] == ["adopted"]
    assert cloud.orders() == 2


@pytest.mark.parametrize("seconds", [0, 30])
@pytest.mark.parametrize("count", [2, 8])
def test_racing_controllers_end_with_one_machine(start: Start, count: int, seconds: int) -> None:
    # Time runs fast, so that no two orders have the same time.
    cloud = start(speed=1000, provision_seconds=seconds, stock=stock(TYPE, count=count))
    ids = race(cloud, count)
    assert ids == [cloud.machine()["id"]] * count
    assert cloud.orders() == count
    oldest = min(cloud.sim.state()["instances"], key=lambda row: row["created_at"])
    assert oldest["id"] == cloud.machine()["id"]
    volumes = [row for row in cloud.sim.state()["volumes"] if row["status"] != "deleting"]
    assert [row["id"] for row in volumes] == [cloud.machine()["os_volume_id"]]


def test_loser_of_the_last_machine_finds_the_winners(start: Start) -> None:
    cloud = start(speed=1000, provision_seconds=30, stock=stock(TYPE, count=1))
    assert race(cloud, 2) == [cloud.machine()["id"]] * 2


@pytest.mark.parametrize("count", [1, 2])
def test_adopting_is_told(start: Start, count: int) -> None:
    cloud = start(speed=1000, provision_seconds=30, stock=stock(TYPE, count=count))
    loser = next(result for result in results(cloud, 2) if "buy" not in result["actions"][0])
    assert loser["actions"] == [
        f"adopt llm, which another run has bought ({cloud.machine()['id']})"
    ]
    adopted = loser["attempts"][-1]
    assert (adopted["outcome"], adopted["id"]) == ("adopted", cloud.machine()["id"])
    assert adopted["instance_type"] == TYPE


def test_loser_does_not_keep_a_worse_machine(start: Start) -> None:
    cloud = start(speed=1000, provision_seconds=30, stock=stock(TYPE, "1V100.6V", count=1))
    assert race(cloud, 2) == [cloud.machine()["id"]] * 2
    assert cloud.machine()["instance_type"] == TYPE


def test_twins_that_a_crash_left_are_cleared_by_the_next_run(start: Start) -> None:
    cloud = start(provision_seconds=30)
    cloud.buy(tier="h200_or_less")
    first = cloud.machine()
    body = {"hostname": "llm", "image": first["image"], "location_code": "FIN-03"}
    marks = {"description": first["description"], "tags": first["tags"], "instance_type": TYPE}
    cloud.clock.sleep(60)
    cloud.client().create("/instances", {**body, **marks})
    assert len(cloud.machines()) == 2
    result = cloud.buy(tier="h200_or_less")
    assert result["changed"]
    assert result["actions"][0].startswith("terminate llm (1H200.141S.44V in FIN-03")
    assert cloud.machine()["id"] == first["id"] == result["instance"]["id"]


def test_dead_order_that_a_crash_left_is_cleared_by_the_next_run(start: Start) -> None:
    cloud = start(provision_seconds=30)
    cloud.buy(tier="h200_or_less", wait=False)
    dead = cloud.machine()["id"]
    cloud.sim.set_status(dead, "error")
    result = cloud.buy(tier="h200_or_less")
    assert [action.split()[0] for action in result["actions"]] == ["terminate", "buy"]
    assert cloud.machine()["id"] == result["instance"]["id"] != dead


def test_order_of_a_killed_run_that_fails_is_told_and_made_good_by_the_next(start: Start) -> None:
    cloud = start(provision_seconds=30)
    cloud.fault("error_later")
    lost = cloud.buy(tier="h200_or_less", wait=False)["instance"]["id"]
    result = cloud.fails(
        "datacrunch_instance", deployment="llm", tier="h200_or_less", state="running"
    )
    assert result["error"]["code"] == "failed_state"
    assert result["instance_id"] == lost
    assert "Run the same again" in result["msg"]
    again = cloud.buy(tier="h200_or_less", state="running")
    assert again["instance"]["id"] == cloud.machine()["id"] != lost


def test_a_fleet_is_bought_by_two_controllers_once(start: Start) -> None:
    cloud = start(speed=1000, provision_seconds=30, stock=stock(TYPE, count=4))
    first = cloud.buy(tier="h200_or_less", count=2)
    second = cloud.buy(tier="h200_or_less", count=2)
    assert second["instances"] == first["instances"]
    assert len(cloud.machines()) == 2


@pytest.mark.parametrize("newer", [True, False])
def test_list_that_lags_behind_does_not_hide_a_twin(start: Start, newer: bool) -> None:
    cloud = start(provision_seconds=30, stock=stock(TYPE, count=4))
    cloud.buy(tier="h200_or_less")
    twin = cloud.machine()
    if newer:
        twin["created_at"] = "2999-01-01T00:00:00.000Z"
    cloud.clock.sleep(60)
    cloud.fault("status", LISTING, status=200, body=[])
    cloud.fault("status", LISTING, status=200, body=[twin], times=2)  # and our order is not in it
    result = cloud.buy(tier="h200_or_less")
    assert cloud.orders() == 2
    assert (result["instance"]["id"] == twin["id"]) is not newer
    assert len(cloud.machines()) == 1 + newer  # a newer one is removed by the run that bought it


def buy_between(cloud: Cloud, **args: Any) -> tuple[str, dict[str, Any]]:
    """Let another run buy what will fail, right before one orders. Returns its id, our result."""
    cloud.fault("no_capacity_later")
    other: list[str] = []

    def between() -> None:
        other.append(cloud.buy(**args, wait=False)["instance"]["id"])
        cloud.clock.sleep(1)

    result = controller(cloud, between, **args)
    return other[0], result


@pytest.mark.parametrize("market", ["on_demand", "spot"])
def test_older_one_that_fails_while_the_other_cannot_be_ended_leaves_the_name_to_it(
    start: Start, market: str
) -> None:
    cloud = start(provision_seconds=60, stock=stock(TYPE, spot=[TYPE]))
    dead, result = buy_between(cloud, tier="h200_or_less", market=market)
    assert cloud.orders() == 2
    assert [row["outcome"] for row in result["attempts"]] == ["taken"]
    (alive,) = [row for row in cloud.machines() if row["id"] != dead]
    assert alive["id"] == result["instance"]["id"]
    assert alive["status"] == "running"
    assert "gpuops-ended" not in str(
        alive
    )  # its end would look like ours, and not like an eviction
    assert result["bill"] == []


def test_surplus_stays_when_the_older_one_fails_meanwhile(start: Start) -> None:
    cloud = start(provision_seconds=60, stock=stock(TYPE))
    cloud.fault("no_capacity_later")
    cloud.buy(tier="h200_or_less", wait=False)
    first = cloud.machine()
    body = {"hostname": "llm", "image": first["image"], "location_code": "FIN-03"}
    marks = {"description": first["description"], "tags": first["tags"], "instance_type": TYPE}
    cloud.clock.sleep(1)
    twin = cloud.client().create("/instances", {**body, **marks})
    result = cloud.buy(tier="h200_or_less")
    assert result["actions"] == [f"leave llm ({twin}): the older one of this name failed"]
    again = cloud.buy(tier="h200_or_less", state="running")
    assert again["instance"]["id"] == cloud.machine()["id"] == twin
