# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A ledger that is behind: what it lacks is added, and what nobody can know is told apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._ledger import store
from ansible_collections.gpuops.cloud.tests.unit.plugins import shown
from ansible_collections.gpuops.cloud.tests.unit.plugins.bills import (
    DISK,
    PLENTY,
    TIER,
    costs,
    disk,
    hours,
    own_total,
    sync,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import Cloud, run_module, stock


def test_ledger_is_rebuilt_from_the_cloud(cloud: Cloud) -> None:
    cloud.buy(**TIER, owner="ada", ledger="none")
    disk(cloud, size_gb=100, ledger="none")
    hours(cloud, 2)
    foretold = sync(cloud, check=True)
    result = sync(cloud)
    assert [(row["event"], row["kind"]) for row in result["events"]] == [
        ("purchase", "instance"),
        ("purchase", "volume"),
        ("purchase", "volume"),
    ]
    assert foretold["actions"] == result["actions"]
    assert result["events"][0]["at"] == cloud.machine()["created_at"][:19] + "Z"
    assert not result["events"][0]["estimated"]
    assert not sync(cloud)["changed"]
    assert costs(cloud)["total"] == pytest.approx(own_total(cloud), rel=0.01)


def test_check_mode_writes_no_ledger(cloud: Cloud, home: Path) -> None:
    cloud.buy(**TIER, ledger="none")
    assert sync(cloud, check=True)["changed"]
    assert list((home / "data").rglob("*")) == []


def test_end_nobody_told_of_is_between_two_looks(cloud: Cloud) -> None:
    cloud.sim.set_stock(PLENTY)
    cloud.buy(**TIER, market="spot", on_spot_discontinue="delete")
    hours(cloud, 4)
    sync(cloud)
    cloud.sim.evict(cloud.machine()["id"])
    hours(cloud, 2)
    result = sync(cloud)
    (end,) = [row for row in result["events"] if row["kind"] == "instance"]
    assert (end["event"], end["estimated"]) == ("end", True)
    assert "estimated" in result["actions"][0]
    (row,) = [row for row in costs(cloud)["things"] if row["kind"] == "instance"]
    assert row["hours"] == pytest.approx(5, abs=0.05)
    assert row["estimated"] is True


def test_disk_in_the_trash_tells_when_its_machine_was_taken(cloud: Cloud) -> None:
    cloud.sim.set_stock(PLENTY)
    cloud.buy(**TIER, market="spot")
    hours(cloud, 4)
    cloud.sim.evict(cloud.machine()["id"])
    hours(cloud, 20)
    sync(cloud)
    assert [row["hours"] for row in costs(cloud)["things"]] == [
        pytest.approx(4, abs=0.05),
        pytest.approx(4, abs=0.05),
    ]


def test_longer_lease_and_new_price_are_noticed(cloud: Cloud) -> None:
    cloud.buy(**TIER, lease="2h")
    disk(cloud, size_gb=100)
    volume = next(row for row in cloud.sim.state()["volumes"] if row["name"] == "gpuops.llm.data")
    cloud.client().volume_action("resize", volume["id"], size=500)
    machine = cloud.machine()
    tag = next(row for row in machine["tags"] if row["key"] == "gpuops-lease")
    later = tag["value"].replace("T", "T")[:11] + "23:59:59Z"
    tags = [row for row in machine["tags"] if row["key"] != "gpuops-lease"]
    cloud.sim.cloud.account.instances[machine["id"]].tags = [
        *tags,
        {**tag, "value": max(later, tag["value"])},
    ]
    events = {row["event"]: row for row in sync(cloud)["events"]}
    assert events["price"]["price_per_hour"] == pytest.approx(5 * DISK)
    if later > tag["value"]:
        assert events["extend"]["lease_end"] == later


def test_what_other_credentials_wrote_is_left_alone(cloud: Cloud, home: Path) -> None:
    stranger = {
        "id": "not-shown-here",
        "hostname": "elsewhere",
        "price_per_hour": 9.0,
        "created_at": "2026-01-01T00:00:00Z",
    }
    event = store.event_of("purchase", shown.instance(stranger), cloud.sim.now(), source="x")
    assert store.record(f"sqlite:///{home}/data/gpuops/ledger.sqlite3", [event], "other") is None
    result = sync(cloud)
    assert not result["changed"]
    assert "elsewhere" in result["unclear"][0]
    assert result["warnings"] == result["unclear"]


def test_credentials_that_show_what_another_wrote_may_end_it(cloud: Cloud) -> None:
    cloud.buy(**TIER, deployment="one")
    cloud.buy(**TIER, deployment="two")
    cloud.end(deployment="one", os_volume="delete", ledger="none")
    hours(cloud, 12)  # the cloud has forgotten
    given = {"client_id": "of-a-colleague", "client_secret": "the-secret-of-a-colleague"}
    auth = {**given, "base_url": f"{cloud.sim.url}/v1"}
    result, _said = run_module("datacrunch_ledger", auth)
    assert {row["deployment"] for row in result["events"] if row["event"] == "end"} == {"one"}
    assert result["unclear"] == []


@pytest.mark.parametrize("ledger", ["none", "sqlite:////proc/none/ledger"])
def test_ledger_that_cannot_be_kept_is_an_error_here(cloud: Cloud, ledger: str) -> None:
    cloud.buy(**TIER, ledger="none")
    assert "ledger" in cloud.fails("datacrunch_ledger", ledger=ledger)["msg"]


def test_ledger_that_cannot_be_written_costs_no_machine(cloud: Cloud) -> None:
    result = cloud.buy(**TIER, ledger="sqlite:////proc/none/ledger")
    assert result["changed"]
    assert "cannot be used" in result["warnings"][0]
    ended = cloud.end(ledger="sqlite:////proc/none/ledger")
    assert "cannot be used" in ended["warnings"][0]
    assert cloud.machines() == []


def test_machine_that_is_bought_in_vain_is_in_the_ledger(cloud: Cloud) -> None:
    cloud.fault("stuck_provisioning")
    failed = cloud.fails("datacrunch_instance", deployment="llm", **TIER, wait_timeout=60)
    (row,) = [row for row in costs(cloud)["things"] if row["kind"] == "instance"]
    assert row["id"] == failed["instance_id"]
    assert not sync(cloud)["changed"]


def test_no_capacity_costs_nothing(cloud: Cloud) -> None:
    cloud.fault("no_capacity_later")
    cloud.sim.set_stock(stock("1H200.141S.44V", count=1))
    cloud.fails("datacrunch_instance", deployment="llm", **TIER)
    sync(cloud)
    result = costs(cloud)
    assert result["total"] < 0.05  # its new disk existed for some seconds
    (instance,) = [row for row in result["things"] if row["kind"] == "instance"]
    assert (instance["cost"], instance["estimated"]) == (0, False)
