# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ending: until instances are really gone, with their disks as asked, and nothing of others."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import (
    ACTIONS,
    LISTING,
    Cloud,
)

TIER = {"tier": "h200_or_less"}
ONE = {"method": "GET", "path": "/v1/instances/*"}


def test_end_waits_until_the_machine_is_gone(cloud: Cloud) -> None:
    bought = cloud.buy(**TIER)["instance"]
    result = cloud.end()
    assert result["changed"]
    assert result["actions"] == [
        f"terminate llm (1H200.141S.44V in FIN-03, running, {bought['id']})",
    ]
    assert result["instance"] is None
    assert result["instances"] == []
    assert cloud.machines() == []
    (row,) = [row for row in cloud.sim.state()["instances"] if row["id"] == bought["id"]]
    assert row["status"] == "discontinued"


def test_end_again_changes_nothing(cloud: Cloud) -> None:
    cloud.buy(**TIER)
    cloud.end()
    cloud.sim.clear_log()
    result = cloud.end()
    assert not result["changed"]
    assert result["bill"] == result["actions"] == []
    assert cloud.calls() == ["GET /instances"]


@pytest.mark.parametrize("how", [{}, {"name": "llm"}], ids=["deployment", "name"])
def test_end_by_name_or_deployment(cloud: Cloud, how: dict[str, Any]) -> None:
    cloud.buy(**TIER)
    assert cloud.end(**how)["changed"]
    assert cloud.machines() == []


def test_end_by_id(cloud: Cloud) -> None:
    machine = cloud.buy(**TIER, count=2)["instances"][1]
    assert cloud.end(id=machine["id"])["changed"]
    assert [row["hostname"] for row in cloud.machines()] == ["llm"]
    assert not cloud.end(id=machine["id"])["changed"]


def test_end_of_an_id_that_never_was_changes_nothing(cloud: Cloud) -> None:
    assert not cloud.end(id="5f1c2a60-7d5e-4c0e-9d0b-0a4b6f3b9c11")["changed"]


def test_end_of_a_fleet(cloud: Cloud) -> None:
    cloud.buy(**TIER, count=3)
    assert len(cloud.end()["actions"]) == 3
    assert cloud.machines() == []


def test_end_of_a_name_ends_one_of_a_fleet(cloud: Cloud) -> None:
    cloud.buy(**TIER, count=3)
    assert len(cloud.end(name="llm-2")["actions"]) == 1
    assert sorted(row["hostname"] for row in cloud.machines()) == ["llm", "llm-3"]


def test_other_deployments_are_left_alone(cloud: Cloud) -> None:
    cloud.buy(**TIER)
    other = cloud.buy(**TIER, deployment="other")["instance"]
    cloud.end(os_volume="delete", data_volumes="delete")
    assert cloud.machine()["id"] == other["id"]
    assert cloud.fate(other["os_volume_id"]) == "attached"


# -- what gets in the way --------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["trash", "delete", "keep"])
def test_machine_that_is_still_built_is_ended_with_its_disk(cloud: Cloud, policy: str) -> None:
    cloud.buy(**TIER, wait=False)
    volume = cloud.sim.state()["volumes"][0]["id"]
    assert cloud.end(os_volume=policy)["changed"]
    assert cloud.machines() == []
    assert len(cloud.calls("/instances", "PUT")) > 1
    cloud.sim.advance(60)
    expected = {"trash": "trash", "delete": "gone", "keep": "detached"}
    assert cloud.fate(volume) == expected[policy]


def test_machine_that_is_built_for_ever_is_ended_as_stuck(cloud: Cloud) -> None:
    cloud.fault("stuck_provisioning")
    cloud.buy(**TIER, wait=False, data_volume_gb=50)
    volumes = [row["id"] for row in cloud.sim.state()["volumes"]]
    result = cloud.end(wait_timeout=60, os_volume="delete", data_volumes="delete")
    assert result["changed"]
    assert cloud.machines() == []
    cloud.sim.advance(60)
    assert [cloud.fate(volume) for volume in volumes] == ["gone", "gone"]


def test_machine_that_is_never_given_up_by_the_cloud_is_told(cloud: Cloud) -> None:
    machine = cloud.buy(**TIER, wait=False)["instance"]["id"]
    body = {"code": "forbidden_action", "message": "Can't discontinue a provisioning instance"}
    cloud.fault("status", ACTIONS, status=403, body=body, times=None)
    result = cloud.fails("datacrunch_instance", deployment="llm", state="absent", wait_timeout=60)
    assert result["error"]["code"] == "timeout"
    assert result["instance_id"] == machine
    assert "Can't discontinue a provisioning instance" in result["msg"]
    assert "may still cost 4.639 per hour" in result["msg"]


@pytest.mark.parametrize("fate", ["error_later", "installation_failed_later", "no_capacity_later"])
def test_failed_order_is_ended(cloud: Cloud, fate: str) -> None:
    cloud.fault(fate)
    cloud.buy(**TIER, wait=False)
    cloud.sim.advance(60)
    assert cloud.end(os_volume="delete")["changed"]
    assert cloud.machines() == []
    cloud.sim.advance(60)
    assert cloud.sim.state()["volumes"] == cloud.sim.state()["trash"] == []


def test_failed_order_that_cannot_be_deleted_is_deleted_as_stuck(cloud: Cloud) -> None:
    cloud.fault("error_later")
    cloud.buy(**TIER, wait=False)
    cloud.sim.advance(60)
    refusal = {"code": "forbidden_action", "message": "Can't discontinue a error instance"}
    cloud.fault("status", ACTIONS, status=403, body=refusal)
    assert cloud.end(os_volume="delete")["changed"]
    assert cloud.machines() == []
    cloud.sim.advance(60)
    assert cloud.sim.state()["volumes"] == cloud.sim.state()["trash"] == []


def test_refusal_inside_a_partial_answer_is_not_success(cloud: Cloud) -> None:
    machine = cloud.buy(**TIER)["instance"]["id"]
    row = {"instanceId": machine, "action": "delete", "status": "error", "statusCode": 403}
    body = [{**row, "error": "Can't discontinue a provisioning instance"}]
    cloud.fault("status", ACTIONS, status=207, body=body, times=2)
    cloud.end()
    assert len(cloud.calls("/instances", "PUT")) == 3
    assert cloud.machines() == []


def test_machine_that_is_gone_already_is_no_error(cloud: Cloud) -> None:
    cloud.buy(**TIER)
    cloud.sim.advance(1)
    before = cloud.machine()
    cloud.end()
    cloud.fault("status", LISTING, status=200, body=[before])  # a list that is out of date
    assert cloud.end()["changed"]
    assert cloud.sim.writes()[-1]["status"] == 403


@pytest.mark.parametrize("status", [404, 400])
def test_record_that_has_vanished_is_no_error(start: Start, status: int) -> None:
    cloud = start(provision_seconds=30, remember_seconds=0, unknown_id_status=status)
    cloud.buy(**TIER)
    assert cloud.end(os_volume="delete")["changed"]
    assert cloud.machines() == []
    cloud.sim.advance(60)
    assert cloud.sim.state()["volumes"] == []


@pytest.mark.parametrize(
    "fault",
    [
        {"do": "commit_then_500"},
        {"do": "commit_then_reset"},
        {"do": "reset"},
        {"do": "status", "status": 502, "body": "<html>Bad gateway</html>"},
        {"do": "status", "status": 503, "body": {"message": "later"}},
        {"do": "status", "status": 429, "body": "Rate limit.", "times": 4},
    ],
    ids=["commit_then_500", "commit_then_reset", "reset", "502", "503", "429"],
)
def test_unclear_answer_to_an_end_is_asked_again(cloud: Cloud, fault: dict[str, Any]) -> None:
    cloud.buy(**TIER)
    cloud.fault(match=ACTIONS, **fault)
    assert cloud.end()["changed"]
    assert cloud.machines() == []


def test_reads_that_fail_while_it_ends_are_no_end(cloud: Cloud) -> None:
    cloud.buy(**TIER)
    cloud.fault("status", ONE, status=500, body="<html>oops</html>", times=2)
    assert cloud.end()["changed"]
    assert cloud.machines() == []


def test_end_that_is_refused_for_good_stops(cloud: Cloud) -> None:
    machine = cloud.buy(**TIER)["instance"]["id"]
    body = {"code": "invalid_request", "message": "action is not allowed"}
    cloud.fault("status", ACTIONS, status=400, body=body, times=None)
    result = cloud.fails("datacrunch_instance", deployment="llm", state="absent")
    assert result["error"]["code"] == "invalid"
    assert result["instance_id"] == machine
    assert "action is not allowed" in result["msg"]
    assert len(cloud.calls("/instances", "PUT")) == 1


def test_one_machine_that_cannot_be_ended_does_not_keep_the_others(cloud: Cloud) -> None:
    cloud.buy(**TIER, count=3)
    body = {"code": "invalid_request", "message": "action is not allowed"}
    cloud.fault("status", ACTIONS, status=400, body=body)
    result = cloud.fails("datacrunch_instance", deployment="llm", state="absent")
    assert len(result["actions"]) == 2
    assert result["changed"]
    assert result["instance_id"] == cloud.machine()["id"]


def test_ending_needs_no_lease_tier_or_stock(cloud: Cloud) -> None:
    cloud.buy(**TIER)
    cloud.sim.set_stock({})
    cloud.fault("status", {"path": "/v1/instance-*"}, status=500, times=None)
    assert cloud.end()["changed"]
