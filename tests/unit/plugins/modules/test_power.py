# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stopping, starting, and what cannot be changed about an instance that exists."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.support import ACTIONS, Cloud, stock

TIER = {"tier": "h200_or_less"}
MINE = [{"name": "mine", "models": ["H200", "L40S"]}, {"name": "rest", "models": ["A100"]}]


def test_stopping_warns_that_it_goes_on_costing(cloud: Cloud) -> None:
    machine = cloud.buy(**TIER)["instance"]
    result = cloud.buy(state="stopped")
    assert result["changed"]
    assert result["actions"] == [f"shutdown llm ({machine['id']})"]
    assert result["instance"]["status"] == "offline"
    assert "is stopped and still costs 4.639 per hour" in result["warnings"][0]
    assert cloud.machine()["status"] == "offline"


def test_stopping_again_changes_nothing_and_warns_again(cloud: Cloud) -> None:
    cloud.buy(**TIER)
    cloud.buy(state="stopped")
    cloud.sim.clear_log()
    result = cloud.buy(state="stopped")
    assert not result["changed"]
    assert len(result["warnings"]) == 1
    assert cloud.sim.writes() == []


def test_present_leaves_a_stopped_machine_stopped(cloud: Cloud) -> None:
    cloud.buy(**TIER)
    cloud.buy(state="stopped")
    assert not cloud.buy(**TIER)["changed"]
    assert cloud.machine()["status"] == "offline"


def test_starting_again(cloud: Cloud) -> None:
    machine = cloud.buy(**TIER)["instance"]
    cloud.buy(state="stopped")
    result = cloud.buy(state="running")
    assert result["actions"] == [f"start llm ({machine['id']})"]
    assert result["instance"]["status"] == "running"
    assert result["instance"]["ip"] == machine["ip"]
    assert not cloud.buy(state="running")["changed"]
    assert cloud.orders() == 1


def test_power_by_id(cloud: Cloud) -> None:
    machine = cloud.buy(**TIER, count=2)["instances"][1]
    assert cloud.buy(id=machine["id"], state="stopped")["changed"]
    status = {row["hostname"]: row["status"] for row in cloud.machines()}
    assert status == {"llm": "running", "llm-2": "offline"}


def test_power_of_a_fleet(cloud: Cloud) -> None:
    cloud.buy(**TIER, count=2)
    result = cloud.buy(count=2, state="stopped")
    assert [row["status"] for row in result["instances"]] == ["offline", "offline"]
    assert len(result["warnings"]) == 2


def test_not_waiting_for_the_stop(cloud: Cloud) -> None:
    cloud.buy(**TIER)
    assert cloud.buy(state="stopped", wait=False)["changed"]


def test_machine_that_is_still_built_can_be_stopped(cloud: Cloud) -> None:
    cloud.buy(**TIER, wait=False)
    result = cloud.buy(state="stopped")
    assert result["instance"]["status"] == "offline"
    assert cloud.machine()["status"] == "offline"


def test_what_is_not_there_is_not_stopped_and_not_bought(cloud: Cloud) -> None:
    result = cloud.fails("datacrunch_instance", deployment="llm", **TIER, state="stopped")
    assert result["error"]["code"] == "not_found"
    assert "No instance llm to stop" in result["msg"]
    assert cloud.sim.writes() == []


def test_refused_stop_is_told(cloud: Cloud) -> None:
    cloud.buy(**TIER)
    body = {"code": "invalid_request", "message": "action is not allowed"}
    cloud.fault("status", ACTIONS, status=400, body=body)
    result = cloud.fails("datacrunch_instance", deployment="llm", state="stopped")
    assert "action is not allowed" in result["msg"]
    assert not result["changed"]


@pytest.mark.parametrize("state", ["running", "stopped"])
@pytest.mark.parametrize(
    "fault",
    [
        {"do": "commit_then_500"},
        {"do": "commit_then_reset"},
        {"do": "reset"},
        {"do": "status", "status": 502, "body": "<html>Bad gateway</html>"},
        {"do": "status", "status": 429, "body": "Rate limit.", "times": 2},
    ],
    ids=["commit_then_500", "commit_then_reset", "reset", "502", "429"],
)
def test_lost_answer_is_no_end(cloud: Cloud, fault: dict[str, Any], state: str) -> None:
    cloud.buy(**TIER)
    if state == "running":
        cloud.buy(state="stopped")
    cloud.fault(match=ACTIONS, **fault)
    looks = {"method": "GET", "path": "/v1/instances/*"}
    cloud.fault("status", looks, status=502, body="<html>Bad gateway</html>", times=3)
    result = cloud.buy(state=state)
    assert result["changed"]
    assert cloud.machine()["status"] == {"running": "running", "stopped": "offline"}[state]


@pytest.mark.parametrize("state", ["running", "stopped"])
def test_machine_that_dies_is_not_waited_for(cloud: Cloud, state: str) -> None:
    cloud.buy(**TIER)
    if state == "running":
        cloud.buy(state="stopped")

    def die(_seconds: float) -> None:
        cloud.sim.set_status(cloud.machine()["id"], "error")

    cloud.sim.switch(volume_seconds=100)
    if state == "stopped":
        cloud.fault("status", ACTIONS, status=202, body=[])
    cloud.clock.on_sleep = die
    result = cloud.fails("datacrunch_instance", deployment="llm", state=state)
    assert result["error"]["code"] == "failed_state"
    assert "ended as error" in result["msg"]


@pytest.mark.parametrize("state", ["present", "running", "stopped"])
def test_id_of_a_machine_that_is_gone_is_an_error(cloud: Cloud, state: str) -> None:
    machine = cloud.buy(**TIER)["instance"]["id"]
    cloud.end()
    result = cloud.fails("datacrunch_instance", deployment="llm", id=machine, state=state)
    assert result["error"]["code"] == "not_found"
    assert "discontinued" in result["msg"]


@pytest.mark.parametrize("state", ["present", "running", "stopped"])
def test_id_that_never_was_is_an_error(cloud: Cloud, state: str) -> None:
    unknown = "5f1c2a60-7d5e-4c0e-9d0b-0a4b6f3b9c11"
    result = cloud.fails("datacrunch_instance", deployment="llm", id=unknown, state=state)
    assert result["error"]["code"] == "not_found"


# -- differences -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"tier": "h100_or_less"}, "tier: it is a h200, wanted h100_or_less"),
        ({"tier": "any_b200"}, "tier: it is a h200, wanted any_b200"),
        ({"instance_type": "1A100.22V"}, "instance_type: it is 1H200.141S.44V, wanted 1A100.22V"),
        ({"tier": "any_h200", "market": "spot"}, "market: it is on_demand, wanted spot"),
        ({"gpus": ["A100"]}, "gpus: it is a H200, wanted A100"),
        ({"tier": "any_2h200"}, "gpu_count: it has 1, wanted 2"),
        ({"tier": "h200", "gpu_count": 4}, "gpu_count: it has 1, wanted 4"),
    ],
)
def test_machine_that_differs_is_refused(cloud: Cloud, args: dict[str, Any], words: str) -> None:
    machine = cloud.buy(**TIER)["instance"]["id"]
    cloud.sim.clear_log()
    result = cloud.fails("datacrunch_instance", deployment="llm", **args)
    assert words in result["msg"]
    assert f"llm ({machine}) exists and cannot be changed in place" in result["msg"]
    assert result["instance"]["id"] == machine
    assert cloud.sim.writes() == []


@pytest.mark.parametrize(
    "args",
    [
        {"tier": "any_h200"},
        {"tier": "gb300_or_less"},
        {"tier": "any_1h200", "max_price_per_hour": 1},
        {"instance_type": "1h200.141s.44v"},
        {"gpus": ["A100", "h200"]},
        {"tier": "h200", "locations": ["FIN-01", "FIN-03"]},
        {"tier": "h200", "market": "spot_first"},
        {"tier": "mine", "tiers": MINE},
        {},
    ],
)
def test_machine_that_fits_is_kept(cloud: Cloud, args: dict[str, Any]) -> None:
    cloud.buy(**TIER)
    assert not cloud.buy(**args)["changed"]


def test_own_tiers_are_shown_and_kept(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock("1L40S.20V"))
    first = cloud.buy(tier="mine_or_less", tiers=MINE)
    assert first["instance"]["tier"] == "mine"
    assert cloud.buy(tier="mine", tiers=MINE)["instance"]["tier"] == "mine"
    result = cloud.fails("datacrunch_instance", deployment="llm", tier="rest", tiers=MINE)
    assert "it is a mine, wanted rest" in result["msg"]


@pytest.mark.parametrize("state", ["present", "running", "stopped", "absent"])
def test_unknown_tier_is_told_before_anything_happens(cloud: Cloud, state: str) -> None:
    cloud.buy(**TIER)
    cloud.sim.clear_log()
    result = cloud.fails("datacrunch_instance", deployment="llm", tier="h1000", state=state)
    assert "Unknown tier 'h1000'. Nearest: " in result["msg"]
    assert cloud.calls() == []
