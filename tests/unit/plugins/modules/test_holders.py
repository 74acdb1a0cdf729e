# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who holds a volume: several may, and some that hold it are gone."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import Cloud

TIER = {"tier": "h200_or_less", "locations": ["FIN-03"]}
SHARE = {"name": "share", "size_gb": 100, "type": "NVMe_Shared"}
REAP = {"everything": True, "mode": "delete", "grace": "1m"}


def shared(cloud: Cloud) -> str:
    """Let two instances, which are off, share a file system; returns its id."""
    cloud.buy(**TIER, count=2)
    cloud.buy(count=2, state="stopped")
    share = {"deployment": "llm", **SHARE, "location": "FIN-03"}
    for name in ("llm", "llm-2"):
        made = cloud.ok("datacrunch_volume", **share, instance=name)
    return str(made["volume"]["id"])


def held(cloud: Cloud, volume_id: str) -> list[str]:
    """Return the ids of the instances that a volume names."""
    return [one["id"] for one in cloud.shows(f"/volumes/{volume_id}")["instances"]]


# -- shared file systems ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "fate"), [("keep", "detached"), ("trash", "trash"), ("delete", "gone")]
)
def test_both_ends_of_a_shared_disk_are_done(cloud: Cloud, policy: str, fate: str) -> None:
    share = shared(cloud)
    cloud.end(data_volumes=policy)
    cloud.sim.advance(60)
    assert cloud.machines() == []
    assert cloud.fate(share) == fate


@pytest.mark.parametrize("how", ["instance", "lease"])
@pytest.mark.parametrize("policy", ["trash", "delete", "keep"])
def test_shared_disk_stays_with_the_machine_that_goes_on(
    cloud: Cloud, how: str, policy: str
) -> None:
    share = shared(cloud)
    ways: dict[str, dict[str, Any]] = {"instance": {"state": "absent"}, "lease": {"done": True}}
    args = {"deployment": "llm", "name": "llm-2", "os_volume": "delete", "data_volumes": policy}
    cloud.ok(f"datacrunch_{how}", **args, **ways[how])
    assert held(cloud, share) == [cloud.machine()["id"]]
    assert cloud.fate(share) == "attached"


def bill_by(cloud: Cloud, how: str) -> list[tuple[str, str, float]]:
    """End ``llm-2`` by a way and return its bill."""
    shared(cloud)
    cloud.sim.advance(3600)
    (second,) = [row for row in cloud.machines() if row["hostname"] == "llm-2"]
    ways: dict[str, dict[str, Any]] = {
        "instance": {"state": "absent"},
        "lease": {"done": True},
        "id": {"state": "absent", "id": second["id"]},
    }
    name = {} if how == "id" else {"name": "llm-2"}
    module = "lease" if how == "lease" else "instance"
    result = cloud.ok(f"datacrunch_{module}", deployment="llm", **name, **ways[how])
    return [(row["kind"], row["name"], row["price_per_hour"]) for row in result["bill"]]


def test_bill_of_the_same_end_is_the_same_by_every_way(start: Start) -> None:
    bills = {}
    for how in ("instance", "lease", "id"):
        bills[how] = bill_by(start(provision_seconds=30), how)
    names = [name for _kind, name, _price in bills["instance"]]
    assert names == ["llm-2", "gpuops.llm.llm-2.os", "gpuops.llm.share"]
    assert bills["instance"] == bills["lease"] == bills["id"]


def test_shared_disk_is_billed_once(cloud: Cloud) -> None:
    shared(cloud)
    bill = cloud.end()["bill"]
    assert [row["name"] for row in bill].count("gpuops.llm.share") == 1
    assert len(bill) == 5


def test_shared_disk_is_shown_with_its_deployment(cloud: Cloud) -> None:
    share = shared(cloud)
    survey = cloud.ok("datacrunch_deployment_info", deployment="llm")
    assert [row["id"] for row in survey["volumes"]].count(share) == 1


# -- answers that do not name volumes --------------------------------------------------------------


@pytest.mark.parametrize("policy", ["trash", "delete", "keep"])
@pytest.mark.parametrize("built", [True, False], ids=["running", "being built"])
def test_disks_are_found_where_instances_do_not_name_them(
    start: Start, policy: str, built: bool
) -> None:
    cloud = start(provision_seconds=30, dialect={"volume_ids": "missing"})
    cloud.buy(**TIER, data_volume_gb=50, wait=built)
    (data,) = [row["id"] for row in cloud.sim.state()["volumes"] if not row["is_os_volume"]]
    cloud.end(os_volume="delete", data_volumes=policy)
    cloud.sim.advance(60)
    assert cloud.fate(data) == {"trash": "trash", "delete": "gone"}.get(policy, "detached")
    assert len(cloud.sim.state()["volumes"]) == int(policy == "keep")


def test_reaper_finds_disks_that_instances_do_not_name(start: Start) -> None:
    cloud = start(provision_seconds=30, dialect={"volume_ids": "missing"})
    cloud.buy(**TIER, data_volume_gb=50, lease="1h")
    cloud.sim.advance(3 * 3600)
    cloud.ok("datacrunch_reap", **REAP, data_volumes="delete", os_volume="delete")
    cloud.sim.advance(60)
    assert cloud.sim.state()["volumes"] == cloud.machines() == []


# -- disks of instances that are gone --------------------------------------------------------------


def test_disk_that_an_ended_machine_keeps_is_detached(start: Start) -> None:
    cloud = start(provision_seconds=30, dialect={"ended_disks": "attached"})
    cloud.buy(**TIER, data_volume_gb=50)
    (data,) = [row["id"] for row in cloud.sim.state()["volumes"] if not row["is_os_volume"]]
    cloud.end()
    assert cloud.fate(data) == "detached"


def stranded(start: Start, **more: Any) -> tuple[Cloud, str]:
    """Return a cloud with a disk that names an instance that is gone."""
    cloud = start(provision_seconds=30, dialect={"ended_disks": "attached"}, **more)
    machine = cloud.buy(**TIER, data_volume_gb=50, lease="1h")["instance"]["id"]
    (data,) = [row["id"] for row in cloud.sim.state()["volumes"] if not row["is_os_volume"]]
    cloud.client().instance_action("delete", machine)  # by the console, say
    cloud.sim.advance(3 * 3600)
    assert cloud.fate(data) == "attached"
    return cloud, data


@pytest.mark.parametrize("remember", [3600, 86400])
def test_stranded_disk_is_told_and_reaped(start: Start, remember: int) -> None:
    cloud, data = stranded(start, remember_seconds=remember)
    (row,) = cloud.ok("datacrunch_reap", everything=True, grace="1m")["reaped"]
    assert (row["id"], row["reason"], row["outcome"]) == (data, "orphan", "would_end")
    assert "attached to an instance that no longer exists" in row["detail"]
    (row,) = cloud.ok("datacrunch_reap", **REAP)["reaped"]
    assert (row["id"], row["outcome"]) == (data, "ended")
    assert cloud.fate(data) == "trash"


def test_stranded_disk_is_told_by_the_deployment(start: Start) -> None:
    cloud, data = stranded(start)
    survey = cloud.ok("datacrunch_deployment_info", deployment="llm")
    assert [row["id"] for row in survey["leftovers"]] == [data]
    assert any("no longer exists" in text and data in text for text in survey["warnings"])


def test_stranded_disk_is_removed_by_hand(start: Start) -> None:
    cloud, data = stranded(start)
    args = {"deployment": "llm", "id": data, "state": "absent", "policy": "delete"}
    assert cloud.ok("datacrunch_volume", **args)["changed"]
    cloud.sim.advance(60)
    assert cloud.fate(data) == "gone"


def test_disk_of_a_machine_that_the_list_does_not_show_yet_stays(cloud: Cloud) -> None:
    cloud.buy(**TIER, data_volume_gb=50, lease="1h")
    cloud.sim.advance(3 * 3600)
    listing = {"method": "GET", "path": "/v1/instances"}
    cloud.fault("status", listing, status=200, body=[], times=None)
    result = cloud.ok("datacrunch_reap", **REAP)
    assert [row for row in result["reaped"] if row["outcome"] == "ended"] == []
    assert len(cloud.machines()) == 1
    assert [row["status"] for row in cloud.sim.state()["volumes"]] == ["attached", "attached"]
