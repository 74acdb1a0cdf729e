# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said to be gone is gone, whatever the cloud answers, or it is named with its price."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._lifecycle.termination import terminate
from ansible_collections.gpuops.cloud.plugins.module_utils._lifecycle.termination_policy import (
    Ending,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._models.resources import Instance
from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import (
    ACTIONS,
    LISTING,
    Cloud,
    stock,
)

TYPE = "1H200.141S.44V"
TIER = {"tier": "h200_or_less"}
ONE = {"method": "GET", "path": "/v1/instances/*"}
UNKNOWN = {"code": "not_found", "message": "Invalid instance id"}
# What a terraform user of the real cloud met: a 400 that speaks of something else.
VOLUMES = {"code": "invalid_request", "message": "Volumes not found"}
LIES = {"404": (404, UNKNOWN), "400 of an id": (400, UNKNOWN), "400 of volumes": (400, VOLUMES)}


def billed(cloud: Cloud) -> list[str]:
    """Return what still costs, by the simulator's own account."""
    return [row["kind"] for row in cloud.sim.state()["bill"] if row["until"] is None]


@pytest.mark.parametrize("built", [True, False], ids=["running", "being built"])
@pytest.mark.parametrize("lie", LIES.values(), ids=list(LIES))
def test_delete_that_is_not_found_is_no_proof(cloud: Cloud, lie: Any, built: bool) -> None:
    cloud.buy(**TIER, wait=built)
    cloud.fault("status", ACTIONS, status=lie[0], body=lie[1], times=3)
    assert cloud.end(os_volume="delete")["changed"]
    cloud.sim.advance(60)
    assert cloud.machines() == []
    assert billed(cloud) == []


@pytest.mark.parametrize("how", ["instance", "lease", "reap"])
def test_instance_that_never_goes_is_named_by_every_way(cloud: Cloud, how: str) -> None:
    machine = cloud.buy(**TIER, lease="1h")["instance"]
    cloud.sim.advance(2 * 3600)
    cloud.fault("status", ACTIONS, status=404, body=UNKNOWN, times=None)
    args: dict[str, dict[str, Any]] = {
        "instance": {"deployment": "llm", "state": "absent"},
        "lease": {"deployment": "llm", "done": True},
        "reap": {"everything": True, "mode": "delete"},
    }
    result = cloud.fails(f"datacrunch_{how}", **args[how], wait_timeout=60)
    assert machine["id"] in result["msg"]
    assert "running" in result["msg"]
    if how != "reap":  # whose lines hold the price of each
        assert f"{machine['id']} may still cost 4.639 per hour" in result["msg"]
    assert cloud.machine()["id"] == machine["id"]


def test_first_delete_that_does_nothing_is_sent_again(start: Start) -> None:
    cloud = start(provision_seconds=30, dialect={"first_delete": "404"})
    cloud.buy(**TIER, count=2)
    assert cloud.end()["changed"]
    assert cloud.machines() == []


@pytest.mark.parametrize("looks", [1, 3])
def test_record_that_is_unknown_for_a_while_is_no_proof(cloud: Cloud, looks: int) -> None:
    cloud.buy(**TIER)
    row = Instance(cloud.machine()["id"], "llm")
    cloud.fault("status", ONE, status=404, body=UNKNOWN, times=looks)
    (outcome,) = terminate(cloud.client(), [row], Ending("delete"))
    assert outcome.error is None
    assert cloud.machines() == []


def test_list_that_shows_it_is_stronger_than_a_record_that_is_missing(cloud: Cloud) -> None:
    cloud.buy(**TIER)
    machine = cloud.machine()
    cloud.fault("status", ONE, status=404, body=UNKNOWN, times=None)
    cloud.fault("status", ACTIONS, status=404, body=UNKNOWN, times=None)
    result = cloud.fails("datacrunch_instance", deployment="llm", state="absent", wait_timeout=90)
    assert ", but running in the list" in result["msg"]
    assert machine["id"] in result["msg"]


def test_list_that_lags_is_weaker_than_the_record(cloud: Cloud) -> None:
    row = cloud.buy(**TIER)["instance"]
    cloud.fault("status", LISTING, status=200, body=[], times=None)
    (outcome,) = terminate(cloud.client(), [Instance(row["id"])], Ending("delete"))
    assert outcome.error is None
    cloud.sim.clear_faults()
    assert cloud.machines() == []


def test_instance_that_never_was_needs_no_delete_that_works(cloud: Cloud) -> None:
    (outcome,) = terminate(cloud.client(), [Instance("5f1c2a60-7d5e")], Ending("delete"))
    assert outcome.error is None
    assert len(cloud.calls("/instances", "PUT")) == 5  # each time that it was not found


def test_accepted_delete_without_effect_is_sent_again(cloud: Cloud) -> None:
    cloud.buy(**TIER)
    cloud.fault("status", ACTIONS, status=202, body=[])
    assert cloud.end()["changed"]
    assert cloud.machines() == []


@pytest.mark.parametrize("delete_seconds", [0, 60])
def test_delete_without_any_clear_answer_is_seen_by_its_effect(
    start: Start, delete_seconds: float
) -> None:
    cloud = start(provision_seconds=30, delete_seconds=delete_seconds)
    cloud.buy(**TIER)
    cloud.fault("commit_then_500", ACTIONS, times=None)
    assert cloud.end(os_volume="delete", wait_timeout=120)["changed"]
    assert (cloud.machines(), billed(cloud)) == ([], [])


@pytest.mark.parametrize("looks", [1, 4])
def test_id_that_is_unknown_for_a_while_is_terminated(cloud: Cloud, looks: int) -> None:
    machine = cloud.buy(**TIER)["instance"]["id"]
    cloud.fault("status", ONE, status=404, body=UNKNOWN, times=looks)
    assert cloud.end(id=machine)["changed"]
    assert cloud.machines() == []


# -- orders that come to nothing, and races --------------------------------------------------------


@pytest.mark.parametrize("lie", LIES.values(), ids=list(LIES))
@pytest.mark.parametrize("fate", ["no_capacity_later", "error_later", "installation_failed_later"])
def test_failed_order_is_really_removed_and_the_next_offer_taken(
    start: Start, fate: str, lie: Any
) -> None:
    cloud = start(provision_seconds=30, stock=stock(TYPE, "1A100.22V"))
    cloud.fault(fate)
    cloud.fault("status", ACTIONS, status=lie[0], body=lie[1], times=2)
    bought = cloud.buy(**TIER)
    cloud.sim.advance(60)
    assert [row["outcome"] for row in bought["attempts"]] == ["failed", "taken"]
    assert [row["id"] for row in cloud.machines()] == [bought["instance"]["id"]]
    assert len(cloud.sim.state()["volumes"]) == 1


@pytest.mark.parametrize("lie", LIES.values(), ids=list(LIES))
def test_loser_of_a_race_is_really_removed(cloud: Cloud, lie: Any) -> None:
    loser(cloud)
    cloud.fault("status", ACTIONS, status=lie[0], body=lie[1], times=2)
    cloud.buy(**TIER)
    cloud.sim.advance(60)
    assert len(cloud.machines()) == 1
    assert sorted(billed(cloud)) == ["instance", "volume"]


def test_loser_of_a_race_that_stays_is_named_with_its_price(cloud: Cloud) -> None:
    first = loser(cloud)
    cloud.fault("status", ACTIONS, status=404, body=UNKNOWN, times=None)
    result = cloud.fails("datacrunch_instance", deployment="llm", **TIER, wait_timeout=60)
    (second,) = [row["id"] for row in cloud.machines() if row["id"] != first]
    assert f"{second} may still cost 4.639 per hour" in result["msg"]


def loser(cloud: Cloud) -> str:
    """Let the next purchase overlook an instance of its name that is there; returns its id."""
    machine = cloud.buy(**TIER)["instance"]["id"]
    cloud.clock.sleep(60)
    cloud.fault("status", LISTING, status=200, body=[])
    return str(machine)


def test_short_fleet_is_really_ended(start: Start) -> None:
    cloud = start(provision_seconds=30, stock=stock(TYPE, count=2))
    cloud.fault("status", ACTIONS, status=404, body=UNKNOWN, times=3)
    result = cloud.fails("datacrunch_instance", deployment="llm", tier="any_h200", count=3)
    assert [row["outcome"] for row in result["fleet"]].count("ended") == 2
    assert cloud.machines() == []


def test_volume_that_is_not_found_is_no_proof(cloud: Cloud) -> None:
    disk = {"deployment": "llm", "name": "data"}
    cloud.ok("datacrunch_volume", **disk, size_gb=50, location="FIN-03")
    body = {"code": "not_found", "message": "Invalid volume id"}
    cloud.fault("status", {"method": "PUT", "path": "/v1/volumes"}, status=404, body=body, times=2)
    assert cloud.ok("datacrunch_volume", **disk, state="absent", policy="delete")["changed"]
    cloud.sim.advance(60)
    assert billed(cloud) == []
