# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Orders that are accepted and do not start: terminated, proven gone, and the next offer tried."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.support import ACTIONS, Cloud, stock

TIER = {"tier": "h200_or_less"}
FIRST, SECOND = "1H200.141S.44V", "1A100.22V"
LIMIT = {"start_timeout": 300, "wait_timeout": 600}


@pytest.fixture
def shelf(cloud: Cloud) -> Cloud:
    """Return a cloud with two kinds of instances, of which the first never starts."""
    cloud.sim.set_stock(stock(FIRST, SECOND))
    cloud.fault("stuck_provisioning")
    return cloud


def trace(result: dict[str, Any]) -> list[tuple[str, str]]:
    """Return types and outcomes of the attempts."""
    return [(row["instance_type"], row["outcome"]) for row in result["attempts"]]


def things(cloud: Cloud) -> list[dict[str, Any]]:
    """Return the instances that the ledger knows."""
    rows: list[dict[str, Any]] = cloud.run("datacrunch_cost_info")["things"]
    return [row for row in rows if row["kind"] == "instance"]


def test_next_offer_is_taken_once_the_first_is_gone(shelf: Cloud) -> None:
    result = shelf.buy(**TIER, **LIMIT)
    assert trace(result) == [(FIRST, "not_started"), (SECOND, "taken")]
    assert "not reached within 300 s, last seen provisioning" in result["attempts"][0]["detail"]
    assert shelf.machine()["id"] == result["instance"]["id"]
    assert [row["name"] for row in shelf.sim.state()["volumes"]] == ["gpuops.llm.llm.os"]
    lost = result["attempts"][0]["id"]
    verbs = [row["method"] for row in shelf.sim.log() if row["path"] == "/v1/instances"]
    assert verbs.count("POST") == 2
    looks = [row for row in shelf.sim.log() if row["path"] == f"/v1/instances/{lost}"]
    assert len(looks) > 3


def test_stuck_order_is_not_waited_for_twice(shelf: Cloud) -> None:
    begin = shelf.clock.monotonic()
    shelf.buy(**TIER, **LIMIT)
    assert shelf.clock.monotonic() - begin < 300 + 120


def test_what_did_not_start_is_in_the_ledger_with_its_end(shelf: Cloud) -> None:
    result = shelf.buy(**TIER, **LIMIT)
    until = {row["id"]: row["until"] for row in things(shelf)}
    assert set(until) == {row["id"] for row in result["attempts"]}
    assert until[result["attempts"][0]["id"]]
    assert not until[result["instance"]["id"]]
    assert [row["kind"] for row in result["bill"]] == ["instance", "volume"]


def test_live_orders_do_not_use_up_the_time_for_offers(shelf: Cloud) -> None:
    result = shelf.buy(**TIER, **LIMIT, capacity_timeout=60)
    assert trace(result)[-1] == (SECOND, "taken")


def test_order_that_cannot_be_terminated_stops_the_walk_with_id_and_price(shelf: Cloud) -> None:
    words = {"code": "forbidden_action", "message": "Not today"}
    shelf.fault("status", ACTIONS, status=403, body=words, times=None)
    result = shelf.fails("datacrunch_instance", deployment="llm", **TIER, **LIMIT)
    machine = shelf.machine()
    assert shelf.orders() == 1
    assert result["instance_id"] == machine["id"]
    assert result["changed"]
    assert "last seen provisioning" in result["msg"]
    assert f"{machine['id']}, {FIRST}" in result["msg"]
    assert "could not be terminated, so nothing else is bought" in result["msg"]


def test_no_offer_that_starts_is_an_error_that_leaves_nothing(shelf: Cloud) -> None:
    shelf.sim.set_stock(stock(FIRST, count=1))
    result = shelf.fails("datacrunch_instance", deployment="llm", **TIER, **LIMIT)
    assert result["error"]["code"] == "no_capacity"
    assert "last seen provisioning" in result["msg"]
    assert shelf.machines() == []
    assert len(things(shelf)) == 1


def test_instance_of_another_run_is_left_to_that_run(shelf: Cloud) -> None:
    first = shelf.buy(**TIER, wait=False)["instance"]["id"]
    result = shelf.fails("datacrunch_instance", deployment="llm", **TIER, state="running", **LIMIT)
    assert result["instance_id"] == first
    assert shelf.machine()["id"] == first


def test_each_of_a_fleet_has_its_own_time(shelf: Cloud) -> None:
    result = shelf.buy(**TIER, **LIMIT, count=3)
    assert sorted(row["outcome"] for row in result["attempts"]) == ["not_started", *["taken"] * 3]
    assert len(shelf.machines()) == 3


@pytest.mark.parametrize("value", [0, -1])
def test_limits_that_make_no_sense_cost_no_request(cloud: Cloud, value: float) -> None:
    result = cloud.fails("datacrunch_instance", deployment="llm", **TIER, start_timeout=value)
    assert "start_timeout" in result["msg"]
    assert cloud.calls("/instances") == []
