# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reaper: what is over ends, with its volumes, and nothing else does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import (
    LISTING,
    Cloud,
)

TIER = {"tier": "h200_or_less"}
TYPE = "1H200.141S.44V"
OUTSIDE = {"hours": "mon 00:00-00:01 UTC"}


def reap(cloud: Cloud, **args: Any) -> dict[str, Any]:
    """End what is over in the whole account."""
    scope = {} if args.keys() & {"owner", "deployments"} else {"everything": True}
    return cloud.ok("datacrunch_reap", **{"mode": "delete", **scope, **args})


def told(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return name, reason and outcome of everything that is over."""
    return sorted((row["name"], row["reason"], row["outcome"]) for row in result["reaped"])


def later(cloud: Cloud, hours: float) -> None:
    """Let hours pass."""
    cloud.sim.advance(hours * 3600)
    cloud.sim.clear_log()


def test_machine_ends_after_lease_and_grace_with_its_volumes(cloud: Cloud) -> None:
    bought = cloud.buy(**TIER, lease="1h", data_volume_gb=50, owner="them")["instance"]
    later(cloud, 1.2)
    assert reap(cloud)["reaped"] == []
    later(cloud, 0.05)
    result = reap(cloud)
    assert result["changed"]
    (row,) = result["reaped"]
    assert row == {
        "kind": "instance",
        "id": bought["id"],
        "name": "llm",
        "deployment": "llm",
        "owner": "them",
        "reason": "expired",
        "lease_end": bought["lease_end"],
        "price_per_hour": 4.639,
        "outcome": "ended",
        "detail": f"its lease ended at {bought['lease_end']}",
    }
    cloud.sim.advance(60)
    assert cloud.machines() == []
    assert {cloud.fate(volume) for volume in bought["volume_ids"]} == {"trash"}
    assert result["saved_per_hour"] == pytest.approx(4.639 + 150 * 0.2 / 730, abs=1e-3)
    assert (result["burn_per_hour"], result["machines"]) == (0, 0)
    assert any(line.startswith("Terminated instance llm") for line in result["lines"])
    assert not reap(cloud)["changed"]


def test_report_says_what_would_be_saved_and_how_many_are_in_scope(cloud: Cloud) -> None:
    bought = cloud.buy(**TIER, lease="1h", owner="them")["instance"]
    cloud.buy(deployment="other", **TIER, lease="9h", owner="them")
    later(cloud, 2)
    result = reap(cloud, mode="report")
    would, both = result["lines"]
    whose = f"{bought['id']}, deployment llm, owner them, 4.639 per hour"
    end = f"its lease ended at {bought['lease_end']}"
    assert would == f"Would terminate instance llm ({whose}): {end}"
    costs = f"{result['burn_per_hour']:g} per hour, {result['saved_per_hour']:g} per hour"
    assert both == f"2 instances in scope; the scope costs {costs} to be saved"
    assert reap(cloud)["lines"][-1].startswith("1 instance left running; the scope costs")


def test_nothing_over_costs_one_call_a_noun(cloud: Cloud) -> None:
    cloud.buy(**TIER, count=3)
    later(cloud, 1)
    result = reap(cloud)
    assert sorted(cloud.calls()) == [
        "GET /instances",
        "GET /scripts",
        "GET /ssh-keys",
        "GET /volumes",
    ]
    assert not result["changed"]
    assert result["machines"] == 3
    assert result["burn_per_hour"] == pytest.approx(3 * (4.639 + 100 * 0.2 / 730), abs=1e-3)


def test_controller_that_bought_it_is_not_needed(cloud: Cloud) -> None:
    cloud.fault("commit_then_reset")
    cloud.clock.on_sleep = lambda _s: cloud.fault("status", LISTING, status=500, body="x", times=9)
    cloud.fails("datacrunch_instance", deployment="llm", **TIER, lease="1h")  # it dies here
    cloud.clock.on_sleep = lambda _seconds: None
    cloud.sim.clear_faults()
    later(cloud, 2)
    assert told(reap(cloud)) == [("llm", "expired", "ended")]
    cloud.sim.advance(60)
    assert cloud.sim.state()["volumes"] == []


@pytest.mark.parametrize("mode", ["report", "stop", "delete"])
@pytest.mark.parametrize("check", [True, False])
def test_modes(cloud: Cloud, mode: str, check: bool) -> None:
    cloud.buy(**TIER, lease="1h")
    later(cloud, 2)
    result = reap(cloud, mode=mode, check=check)
    foretold = {"report": "would_end", "stop": "would_stop", "delete": "would_end"}
    done = {"report": "would_end", "stop": "stopped", "delete": "ended"}
    assert told(result) == [("llm", "expired", (foretold if check else done)[mode])]
    assert result["changed"] is (mode != "report")
    assert bool(cloud.sim.writes()) is (mode != "report" and not check)
    status = [row["status"] for row in cloud.machines()]
    real = {"report": ["running"], "stop": ["offline"], "delete": []}[mode]
    assert status == (["running"] if check else real)
    assert result["saved_per_hour"] == (0 if mode == "stop" else pytest.approx(4.666, abs=1e-3))
    gone = mode == "delete"
    assert result["burn_per_hour"] == (0 if gone else pytest.approx(4.666, abs=1e-3))
    assert result["machines"] == (0 if gone else 1)


def test_stop_ends_nothing_and_stops_once(cloud: Cloud) -> None:
    cloud.buy(**TIER, lease="1h")
    client = cloud.client()
    body = {"name": "gpuops.gone.x.data", "size": 50, "type": "NVMe", "location_code": "FIN-03"}
    disk = client.create("/volumes", body)
    later(cloud, 2)
    result = reap(cloud, mode="stop")
    assert told(result) == [
        ("gpuops.gone.x.data", "orphan", "would_end"),
        ("llm", "expired", "stopped"),
    ]
    assert cloud.fate(disk) == "detached"
    again = reap(cloud, mode="stop")
    assert not again["changed"]
    assert told(again) == told(result)


@pytest.mark.parametrize(
    ("scope", "gone"),
    [
        ({"everything": True}, ["a", "b", "c"]),
        ({"deployments": ["a", "x"]}, ["a"]),
        ({"owner": "two"}, ["b", "c"]),
        ({"owner": "two", "deployments": ["a", "b"]}, ["b"]),
        ({"owner": "three"}, []),
    ],
)
def test_scopes(cloud: Cloud, scope: dict[str, Any], gone: list[str]) -> None:
    for name, owner in (("a", "one"), ("b", "two"), ("c", "two")):
        cloud.buy(**TIER, deployment=name, owner=owner, lease="1h")
    later(cloud, 2)
    assert [name for name, _reason, _outcome in told(reap(cloud, **scope))] == gone
    assert sorted({row["hostname"] for row in cloud.machines()} | set(gone)) == ["a", "b", "c"]


@pytest.mark.parametrize(
    "scope",
    [
        {},
        {"everything": False},
        {"deployments": []},
        {"everything": True, "owner": "me"},
        {"everything": True, "deployments": ["llm"]},
        {"deployments": ["*"]},
        {"everything": True, "grace": "soon"},
        {"everything": True, "orphan_age": ""},
        {"everything": True, "idle_after": "30"},
    ],
)
def test_scope_or_time_that_is_not_clear_ends_nothing(cloud: Cloud, scope: dict[str, Any]) -> None:
    cloud.buy(**TIER, lease="1h")
    later(cloud, 2)
    result = cloud.fails("datacrunch_reap", mode="delete", **scope)
    assert result["error"]["code"] == "invalid"
    assert cloud.sim.writes() == []


def test_protected_machine_is_told_and_lives(cloud: Cloud) -> None:
    cloud.buy(**TIER, lease="1h", protect=True)
    later(cloud, 48)
    for mode in ("report", "stop", "delete"):
        result = reap(cloud, mode=mode)
        assert told(result) == [("llm", "expired", "protected")]
        assert not result["changed"]
        assert (result["machines"], result["saved_per_hour"]) == (1, 0)
    assert cloud.sim.writes() == []


# -- use and hours ---------------------------------------------------------------------------------


def idle(cloud: Cloud, machine: dict[str, Any], minutes: float, **more: Any) -> dict[str, Any]:
    """Return what an instance says that is idle for so many minutes."""
    now = cloud.sim.now()
    since = (now - timedelta(minutes=minutes)).isoformat()
    found = {"id": machine["id"], "version": 1, "at": now.isoformat(), "idle_since": since}
    return {**found, "why_busy": [], "done": False, **more}


def test_idle_machine_ends_early(cloud: Cloud) -> None:
    first, second = cloud.buy(**TIER, count=2)["instances"]
    later(cloud, 1)
    reports = [idle(cloud, first, 31), idle(cloud, second, 29)]
    assert reap(cloud, idle_reports=reports)["reaped"] == []  # nobody asked for it
    result = reap(cloud, idle_reports=reports, idle_after="30m")
    assert told(result) == [("llm", "idle", "ended")]
    assert [row["hostname"] for row in cloud.machines()] == ["llm-2"]


def test_machine_ends_by_the_limit_that_it_was_given(cloud: Cloud) -> None:
    first, second = cloud.buy(**TIER, count=2)["instances"]
    later(cloud, 3)
    reports = [idle(cloud, first, 120, idle_after="2h"), idle(cloud, second, 120)]
    assert told(reap(cloud, idle_reports=reports)) == [("llm", "idle", "ended")]
    later(cloud, 0.2)
    old = [{**reports[1], "idle_after": "1h"}]
    assert reap(cloud, idle_reports=old, idle_after="never")["reaped"] == []


def test_machine_that_is_done_ends_at_once(cloud: Cloud) -> None:
    machine = cloud.buy(**TIER)["instance"]
    report = idle(cloud, machine, 0, done=True, why_busy=["load 3.1"])
    assert told(reap(cloud, idle_reports=[report])) == [("llm", "done", "ended")]


def test_what_a_finished_job_has_made_outlives_its_instance(cloud: Cloud) -> None:
    how = {**TIER, "deployment": "job-train", "name": "job-train", "data_volume_gb": 50}
    machine = cloud.buy(**how)["instance"]
    report = idle(cloud, machine, 0, done=True)
    result = reap(cloud, idle_reports=[report], data_volumes="delete", os_volume="delete")
    assert told(result) == [("job-train", "done", "ended")]
    cloud.sim.advance(60)
    fates = {volume: cloud.fate(volume) for volume in machine["volume_ids"]}
    assert fates.pop(machine["os_volume_id"]) != "detached"
    assert list(fates.values()) == ["detached"]
    again = cloud.buy(**how)["instance"]
    assert set(fates) < set(again["volume_ids"])
    cloud.buy(**how, state="absent", data_volumes="delete", os_volume="delete")
    cloud.sim.advance(60)
    assert cloud.fate(*fates) == "gone"


def test_stale_report_ends_nothing_and_is_told(cloud: Cloud) -> None:
    machine = cloud.buy(**TIER)["instance"]
    report = idle(cloud, machine, 60, done=True)
    later(cloud, 0.51)
    result = reap(cloud, idle_reports=[report], idle_after="30m")
    assert result["reaped"] == []
    assert any("30 minutes old" in line for line in result["lines"])


def test_machine_outside_its_hours_leaves_its_volumes_for_the_next_day(cloud: Cloud) -> None:
    how = {**TIER, **OUTSIDE, "data_volume_gb": 50, "os_volume": "keep"}
    bought = cloud.buy(**how)["instance"]
    later(cloud, 0.1)
    assert reap(cloud, os_volume="delete", data_volumes="delete")["reaped"] == []
    later(cloud, 1)
    result = reap(cloud, os_volume="delete", data_volumes="delete")
    assert told(result) == [("llm", "hours", "ended")]
    assert {cloud.fate(volume) for volume in bought["volume_ids"]} == {"detached"}
    assert result["burn_per_hour"] == pytest.approx(150 * 0.2 / 730, abs=1e-3)
    later(cloud, 999)
    result = reap(cloud)
    assert result["reaped"] == []
    assert len(result["kept"]) == 2
    again = cloud.buy(**how)["instance"]
    assert sorted(again["volume_ids"]) == sorted(bought["volume_ids"])


def test_clock_of_a_controller_that_goes_wrong_is_told(start: Start) -> None:
    cloud = start()
    assert cloud.ok("datacrunch_reap", everything=True)["clock_skew_seconds"] in (-1, 0, 1)
    cloud.sim.advance(3600)
    result = cloud.ok("datacrunch_reap", everything=True)
    assert result["clock_skew_seconds"] == pytest.approx(-3600, abs=2)
    assert "behind the cloud's" in result["warnings"][0]
