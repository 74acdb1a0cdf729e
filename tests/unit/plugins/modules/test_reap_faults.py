# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reaper when the cloud refuses, when others are faster, and when something is wanted again."""

from __future__ import annotations

import threading
from typing import Any
from unittest import mock

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._core.apply import apply
from ansible_collections.gpuops.cloud.plugins.module_utils._reaper import resource
from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import (
    ACTIONS,
    KEY,
    LISTING,
    Cloud,
)

TIER = {"tier": "h200_or_less"}
REAP: dict[str, Any] = {"everything": True, "mode": "delete", "wait_timeout": 60}
REFUSED = {"code": "invalid_request", "message": "action is not allowed"}
ORPHAN = {"name": "gpuops.gone.x.data", "size": 50, "type": "NVMe", "location_code": "FIN-03"}
WANT: dict[str, Any] = {
    "ledger": None,
    "budget": None,
    "mode": "delete",
    "grace": "15m",
    "orphan_age": "24h",
    "idle_after": None,
    "idle_reports": [],
    "deployments": None,
    "owner": None,
    "everything": True,
    "os_volume": "delete",
    "data_volumes": "delete",
    "trust_cloud_clock": True,
    # Each of two reapers moves the one clock, so that a minute of one is none of the other.
    "wait_timeout": 1e6,
    "wait_interval": 5,
}


def outcomes(result: dict[str, Any]) -> list[str]:
    """Return what became of everything."""
    return sorted(row["outcome"] for row in result["reaped"])


@pytest.fixture
def over(cloud: Cloud) -> Cloud:
    """Return a cloud with three instances whose lease is over, and a loose volume."""
    cloud.buy(**TIER, count=3, lease="1h")
    cloud.client().create("/volumes", ORPHAN)
    cloud.sim.advance(3 * 3600)
    cloud.sim.clear_log()
    return cloud


def test_refusal_does_not_keep_the_rest(over: Cloud) -> None:
    over.fault("status", ACTIONS, status=400, body=REFUSED)
    result = over.fails("datacrunch_reap", **REAP)
    assert outcomes(result) == ["ended", "ended", "ended", "failed"]
    (failed,) = [row for row in result["reaped"] if row["outcome"] == "failed"]
    assert over.machine()["id"] == failed["id"]
    assert "action is not allowed" in failed["detail"]
    assert result["msg"].startswith("1 of 4 could not be terminated or deleted: instance")
    assert failed["name"] in result["msg"]
    assert result["changed"]
    assert len(result["actions"]) == 3
    assert result["machines"] == 1
    assert any(line.startswith("Could not terminate instance") for line in result["lines"])
    assert result["error"]["code"] == "invalid"
    assert over.ok("datacrunch_reap", **REAP)["changed"]
    assert over.machines() == []


def test_every_failure_is_named(over: Cloud) -> None:
    over.fault("status", ACTIONS, status=400, body=REFUSED, times=None)
    over.fault("status", {"method": "PUT", "path": "/v1/volumes"}, status=403, times=None)
    result = over.fails("datacrunch_reap", **REAP)
    assert outcomes(result) == ["failed"] * 4
    assert len(result["errors"]) == 4
    for name in ("llm", "llm-2", "llm-3", "gpuops.gone.x.data"):
        assert name in result["msg"]
    assert not result["changed"]
    assert result["machines"] == 3


def test_refusal_inside_a_partial_answer(over: Cloud) -> None:
    row = {"instanceId": over.machines()[0]["id"], "action": "delete", "status": "error"}
    body = [{**row, "error": "Can't discontinue a provisioning instance", "statusCode": 403}]
    over.fault("status", ACTIONS, status=207, body=body, times=2)
    assert outcomes(over.ok("datacrunch_reap", **REAP)) == ["ended"] * 4
    assert over.machines() == []


@pytest.mark.parametrize(
    "fault",
    [
        {"do": "commit_then_500"},
        {"do": "commit_then_reset"},
        {"do": "reset"},
        {"do": "status", "status": 502, "body": "<html>Bad gateway</html>"},
        {"do": "status", "status": 429, "body": "Rate limit.", "times": 4},
    ],
    ids=["commit_then_500", "commit_then_reset", "reset", "502", "429"],
)
def test_unclear_answers(over: Cloud, fault: dict[str, Any]) -> None:
    over.fault(match=ACTIONS, **fault)
    assert outcomes(over.ok("datacrunch_reap", **REAP)) == ["ended"] * 4
    assert over.machines() == []


def test_machine_that_does_not_go_in_time_is_named_with_its_price(over: Cloud) -> None:
    body = {"code": "forbidden_action", "message": "Can't discontinue a provisioning instance"}
    over.fault("status", ACTIONS, status=403, body=body, times=None)
    result = over.fails("datacrunch_reap", **REAP)
    assert outcomes(result) == ["ended", "failed", "failed", "failed"]
    assert result["error"]["code"] == "timeout"
    assert {row["price_per_hour"] for row in result["reaped"]} >= {4.639}


def test_machine_that_is_built_for_ever_ends_as_stuck(cloud: Cloud) -> None:
    cloud.fault("stuck_provisioning")
    cloud.buy(**TIER, wait=False, data_volume_gb=50, lease="1h")
    cloud.sim.advance(3 * 3600)
    assert outcomes(cloud.ok("datacrunch_reap", **REAP)) == ["ended"]
    cloud.sim.advance(60)
    assert cloud.machines() == []
    assert cloud.sim.state()["volumes"] == [] or len(cloud.sim.state()["trash"]) == 2


@pytest.mark.parametrize("path", ["instances", "volumes", "ssh-keys", "scripts"])
def test_nothing_ends_when_a_list_cannot_be_read(over: Cloud, path: str) -> None:
    over.fault("status", {"method": "GET", "path": f"/v1/{path}"}, status=500, times=None, body="x")
    result = over.fails("datacrunch_reap", **REAP)
    assert result["error"]["code"] == "unavailable"
    assert over.sim.writes() == []


def test_account_that_refuses_tags(start: Start) -> None:
    cloud = start(tags_supported=False, provision_seconds=30)
    bought = cloud.buy(**TIER, lease="1h", data_volume_gb=50, data_volumes="keep")["instance"]
    cloud.sim.advance(3 * 3600)
    assert outcomes(cloud.ok("datacrunch_reap", **REAP)) == ["ended"]
    data = next(v for v in bought["volume_ids"] if v != bought["os_volume_id"])
    cloud.sim.advance(60)
    assert (cloud.fate(data), cloud.fate(bought["os_volume_id"])) == ("detached", "trash")


# -- others at the same time -----------------------------------------------------------------------


def two_reapers(cloud: Cloud, between: Any = lambda: None) -> tuple[Any, Any]:
    """Let a reaper decide, then something happen, then it act; returns its result and errors."""
    client, reaper = cloud.client(), resource.ReapResource()
    found = reaper.find(client, WANT)
    plan = reaper.plan(found, WANT)
    between()
    _done, errors = apply(client, plan)
    return reaper.result(client, found, plan, applied=True), errors


def test_two_reapers_one_after_the_other(over: Cloud) -> None:
    over.ok("datacrunch_ssh_key", deployment="gone", public_key=KEY)
    over.ok("datacrunch_startup_script", deployment="gone", content="#!/bin/sh\ntrue\n")
    over.sim.advance(25 * 3600)
    result, errors = two_reapers(over, lambda: over.ok("datacrunch_reap", **REAP))
    assert errors == []
    assert outcomes(result) == ["ended"] * 6
    assert over.machines() == []


def test_two_reapers_at_the_same_moment(over: Cloud) -> None:
    results: list[Any] = []
    threads = [threading.Thread(target=lambda: results.append(two_reapers(over))) for _n in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [errors for _result, errors in results] == [[], []]
    over.sim.advance(60)
    assert over.machines() == over.sim.state()["volumes"] == []


def test_machine_whose_lease_was_extended_meanwhile_lives(over: Cloud) -> None:
    machine = over.machines()[0]["id"]

    def extend() -> None:
        over.client().tag("instances", machine, "gpuops-next-lease", "2999-01-01T00:00:00Z")

    result, errors = two_reapers(over, extend)
    assert errors == []
    assert outcomes(result) == ["ended"] * 3
    assert over.machine()["id"] == machine
    assert any("its lease was extended" in line for line in result["lines"])
    assert result["machines"] == 1


def test_machine_whose_lease_is_extended_while_its_end_is_refused_lives(cloud: Cloud) -> None:
    machine = cloud.buy(**TIER, lease="1h")["instance"]["id"]
    cloud.sim.advance(3 * 3600)
    body = {"code": "forbidden_action", "message": "Can't discontinue a provisioning instance"}
    cloud.fault("status", ACTIONS, status=403, body=body, times=None)
    client, clock = cloud.client(), cloud.clock

    def extend(_seconds: float) -> None:
        cloud.sim.clear_faults()
        client.tag("instances", machine, "gpuops-next-lease", "2999-01-01T00:00:00Z")

    with mock.patch.object(clock, "sleep", extend):
        result = cloud.ok("datacrunch_reap", **REAP)
    assert cloud.machine()["id"] == machine
    assert any("its lease was extended" in line for line in result["lines"])
    assert result["machines"] == 1


def test_machine_that_was_protected_meanwhile_lives(over: Cloud) -> None:
    machine = over.machines()[0]["id"]
    result, errors = two_reapers(
        over, lambda: over.client().tag("instances", machine, "gpuops-protect", "yes")
    )
    assert errors == []
    assert over.machine()["id"] == machine
    assert any("protected meanwhile" in line for line in result["lines"])


def test_volume_that_was_marked_or_used_meanwhile_stays(cloud: Cloud) -> None:
    client = cloud.client()
    marked, used, alone = (
        client.create("/volumes", {**ORPHAN, "name": f"gpuops.{name}.{name}.data"})
        for name in ("a", "b", "c")
    )
    cloud.sim.advance(3600)

    def meanwhile() -> None:
        client.tag("volumes", marked, "gpuops-keep", "yes")
        cloud.buy(**TIER, deployment="b", data_volume_gb=50)

    result, errors = two_reapers(cloud, meanwhile)
    assert errors == []
    assert outcomes(result) == ["ended"]
    assert [cloud.fate(volume) for volume in (marked, used, alone)][:2] == ["detached", "attached"]


def test_key_and_volume_of_a_deployment_that_begins_meanwhile_stay(cloud: Cloud) -> None:
    cloud.client().create("/volumes", {**ORPHAN, "name": "gpuops.llm.other.data"})
    cloud.ok("datacrunch_ssh_key", deployment="llm", public_key=KEY)
    cloud.sim.advance(48 * 3600)
    result, errors = two_reapers(cloud, lambda: cloud.buy(**TIER, wait=False))
    assert errors == []
    assert result["reaped"] == []
    assert len(cloud.sim.state()["ssh_keys"]) == 1


def test_bring_up_whose_order_is_not_listed_yet_keeps_its_new_volumes(cloud: Cloud) -> None:
    cloud.buy(**TIER, wait=False, data_volume_gb=50)
    cloud.fault("status", LISTING, status=200, body=[])  # the list was read just before the order
    result = cloud.ok("datacrunch_reap", **REAP)
    assert result["reaped"] == []
    assert len(cloud.machines()) == 1
