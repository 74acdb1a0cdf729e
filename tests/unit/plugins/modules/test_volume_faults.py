# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes when answers are lost and controllers race: one volume, and nobody pays unknowingly."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._core import apply
from ansible_collections.gpuops.cloud.plugins.module_utils._volumes.resource import VolumeResource
from ansible_collections.gpuops.cloud.plugins.modules.datacrunch_volume import SPEC
from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.modules.test_volume import (
    DATA,
    NEW,
    living,
    volume,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import Cloud, wanted

ORDER = {"method": "POST", "path": "/v1/volumes"}
CHANGE = {"method": "PUT", "path": "/v1/volumes"}
LIST = {"method": "GET", "path": "/v1/volumes"}
TRASH = {"method": "GET", "path": "/v1/volumes/trash"}
ONE = {"method": "GET", "path": "/v1/volumes/*"}
HTML = "<html><title>502 Bad Gateway</title></html>"
FATES: list[dict[str, Any]] = [
    {"do": "commit_then_500"},
    {"do": "commit_then_500", "status": 202, "body": HTML},
    {"do": "commit_then_reset"},
    {"do": "commit_then_hang"},
    {"do": "reset"},
    {"do": "hang"},
    {"do": "status", "status": 502, "body": HTML},
    {"do": "status", "status": 429, "body": "slow, please", "headers": {"Retry-After": "1"}},
]
NAMES = [f"{fate['do']}-{fate.get('status', '')}" for fate in FATES]


@pytest.mark.parametrize("tags", [True, False])
@pytest.mark.parametrize("fate", FATES, ids=NAMES)
def test_lost_answer_to_an_order_ends_with_one_volume(
    cloud: Cloud, fate: dict[str, Any], tags: bool
) -> None:
    cloud.sim.switch(tags_supported=tags)
    if not tags:  # the first order is refused for its tags, the second meets the fault
        cloud.fault("latency", ORDER, seconds=0)
    cloud.fault(match=ORDER, **fate)
    result = cloud.ok("datacrunch_volume", **NEW)
    (row,) = living(cloud)
    assert result["volume"]["id"] == row["id"]
    assert result["volume"]["status"] == "detached"
    assert volume(cloud, **NEW)["actions"] == []


@pytest.mark.parametrize("fate", FATES, ids=NAMES)
def test_lost_answer_to_a_change_is_settled(cloud: Cloud, fate: dict[str, Any]) -> None:
    made = volume(cloud, **NEW)["volume"]["id"]
    for _change in range(4):
        cloud.fault(match=CHANGE, **fate)
        cloud.fault("latency", CHANGE, seconds=0)
    assert cloud.ok("datacrunch_volume", **DATA, size_gb=120)["volume"]["size_gb"] == 120
    cloud.sim.clear_faults()
    for args in ({"state": "absent"}, {"restore": True}, {"state": "absent", "policy": "delete"}):
        cloud.fault(match=CHANGE, **fate)
        assert cloud.ok("datacrunch_volume", **DATA, **args)["changed"]
        cloud.sim.clear_faults()
    assert cloud.shows(f"/volumes/{made}")["is_permanently_deleted"]


def test_order_that_shows_up_late_is_found(cloud: Cloud) -> None:
    cloud.fault("commit_then_reset", ORDER)
    hidden = iter([3])

    def hide(_seconds: float) -> None:
        for times in hidden:
            cloud.fault("status", LIST, status=200, body=[], times=times)

    cloud.clock.on_sleep = hide
    result = cloud.ok("datacrunch_volume", **NEW)
    assert [row["id"] for row in living(cloud)] == [result["volume"]["id"]]
    assert len(cloud.calls("/volumes", "POST")) == 1


def test_order_that_stays_lost_is_a_clear_error(cloud: Cloud) -> None:
    cloud.fault("reset", ORDER, times=None)
    result = cloud.fails("datacrunch_volume", **NEW)
    assert "Twice the request got no clear answer and no volume of it appeared" in result["msg"]
    assert len(cloud.calls("/volumes", "POST")) == 2
    assert living(cloud) == []


def test_order_that_cannot_be_looked_up_is_not_repeated(cloud: Cloud) -> None:
    cloud.fault("commit_then_reset", ORDER)
    broken = iter([None])

    def close(_seconds: float) -> None:
        for _once in broken:
            cloud.fault("reset", LIST, times=None)

    cloud.clock.on_sleep = close
    result = cloud.fails("datacrunch_volume", **NEW)
    assert "It is not known whether the volume was made" in result["msg"]
    assert len(cloud.calls("/volumes", "POST")) == 1
    cloud.sim.clear_faults()
    assert volume(cloud, **NEW)["actions"] == []


def test_refusals_stop_at_once(cloud: Cloud) -> None:
    cloud.sim.switch(quotas={"volumes": 0})
    result = cloud.fails("datacrunch_volume", **NEW)
    assert result["error"]["code"] == "quota"
    assert "count until they leave the trash" in result["msg"]
    assert len(cloud.calls("/volumes", "POST")) == 1


def test_id_is_told_when_it_cannot_be_read_after_the_order(cloud: Cloud) -> None:
    cloud.fault("latency", TRASH, seconds=0)
    cloud.fault("reset", ONE, times=None)
    result = cloud.fails("datacrunch_volume", **NEW, wait_timeout=30)
    (row,) = living(cloud)
    assert result["volume_id"] == row["id"]
    assert result["changed"]
    assert "exists and costs money" in result["msg"]


def test_record_that_lags_behind_is_waited_for(cloud: Cloud) -> None:
    missing = {"code": "not_found", "message": "Invalid volume id"}
    cloud.fault("latency", TRASH, seconds=0)
    cloud.fault("status", ONE, status=404, body=missing, times=3)
    assert cloud.ok("datacrunch_volume", **NEW)["volume"]["status"] == "detached"
    cloud.fault("status", ONE, status=404, body=missing, times=None)
    result = cloud.fails("datacrunch_volume", **DATA, size_gb=200)
    assert result["error"]["code"] == "failed_state"
    assert "ended as notfound" in result["msg"]


@pytest.mark.parametrize("gone", ["trash", "delete"])
def test_volume_that_has_gone_meanwhile_is_removed(cloud: Cloud, gone: str) -> None:
    volume(cloud, **NEW)
    missing = {"code": "not_found", "message": "Invalid volume id"}
    cloud.fault("status", CHANGE, status=404, body=missing)
    assert cloud.ok("datacrunch_volume", **DATA, state="absent", policy=gone)["changed"]


def keep(cloud: Cloud, together: threading.Barrier) -> tuple[str, list[str]]:
    """Keep a volume as a module does, with a client of its own; all look before one creates."""
    client, resource = cloud.client(), VolumeResource()
    want = wanted(SPEC, **NEW, wait_timeout=1e6)
    found = resource.find(client, want)
    plan = resource.plan(found, want)
    together.wait()
    actions, errors = apply.apply(client, plan)
    assert errors == []
    return resource.result(client, found, plan, applied=True)["volume"]["id"], actions


@pytest.mark.parametrize("count", [2, 8])
def test_racing_controllers_end_with_one_volume(start: Start, count: int) -> None:
    # Time runs fast, so that no two orders have the same time.
    cloud = start(speed=1000, provision_seconds=5)
    barrier = threading.Barrier(count)
    with ThreadPoolExecutor(count) as pool:
        jobs = [pool.submit(keep, cloud, barrier) for _each in range(count)]
        results = [job.result(timeout=60) for job in jobs]
    (row,) = living(cloud)
    assert [volume_id for volume_id, _actions in results] == [row["id"]] * count
    told = [actions[0] for _volume, actions in results if not actions[0].startswith("create")]
    adopted = f"use volume gpuops.llm.data, which another run has created ({row['id']})"
    assert told == [adopted] * (count - 1)
    assert cloud.shows("/volumes/trash") == []
