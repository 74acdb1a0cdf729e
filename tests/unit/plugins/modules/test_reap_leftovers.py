# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reaper, and what instances have left behind."""

from __future__ import annotations

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.modules.test_reap import (
    TIER,
    TYPE,
    later,
    reap,
    told,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import (
    KEY,
    Cloud,
    stock,
)


@pytest.mark.parametrize("fate", ["error_later", "no_capacity_later", "installation_failed_later"])
def test_failed_order_ends_with_its_new_volumes(cloud: Cloud, fate: str) -> None:
    cloud.fault(fate)
    cloud.buy(**TIER, wait=False, data_volume_gb=50)
    later(cloud, 0.2)
    assert reap(cloud)["reaped"] == []  # who ordered it may still be at it
    later(cloud, 0.1)
    assert told(reap(cloud)) == [("llm", "dead", "ended")]
    cloud.sim.advance(60)
    assert cloud.machines() == []
    assert cloud.sim.state()["volumes"] == []


def test_failed_order_leaves_a_volume_that_was_there_before(cloud: Cloud) -> None:
    bought = cloud.buy(**TIER, data_volume_gb=50)["instance"]
    cloud.end()
    data = next(v for v in bought["volume_ids"] if v != bought["os_volume_id"])
    cloud.fault("error_later")
    cloud.buy(**TIER, data_volume_gb=50, wait=False, lease="1d")
    later(cloud, 1)
    assert told(reap(cloud)) == [("llm", "dead", "ended")]
    assert cloud.fate(data) == "detached"
    later(cloud, 22)
    assert reap(cloud)["reaped"] == []
    later(cloud, 2)
    assert told(reap(cloud)) == [("gpuops.llm.llm.data", "orphan", "ended")]


def test_evicted_machine_leaves_its_volume_until_its_lease_is_over(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock(spot=[TYPE]))
    machine = cloud.buy(**TIER, market="spot", data_volume_gb=50, lease="4h")["instance"]
    cloud.sim.evict(machine["id"])
    later(cloud, 1)
    assert reap(cloud)["reaped"] == []
    later(cloud, 4)
    result = reap(cloud)
    assert told(result) == [("gpuops.llm.llm.data", "orphan", "ended")]
    assert result["saved_per_hour"] == pytest.approx(50 * 0.2 / 730, abs=1e-4)


@pytest.mark.parametrize(
    ("policy", "fate"), [("trash", "trash"), ("delete", "gone"), ("keep", "detached")]
)
def test_policies(cloud: Cloud, policy: str, fate: str) -> None:
    bought = cloud.buy(**TIER, lease="1h", data_volume_gb=50)["instance"]
    body = {"name": "gpuops.gone.x.data", "size": 50, "type": "NVMe", "location_code": "FIN-03"}
    orphan = cloud.client().create("/volumes", body)
    later(cloud, 2)
    reap(cloud, os_volume=policy, data_volumes=policy)
    cloud.sim.advance(60)
    assert {cloud.fate(volume) for volume in [*bought["volume_ids"], orphan]} == {fate}
    assert not reap(cloud, os_volume=policy, data_volumes=policy)["changed"]


def test_volume_that_is_kept_on_purpose_outlives_its_machine(cloud: Cloud) -> None:
    bought = cloud.buy(**TIER, lease="1h", data_volume_gb=50, data_volumes="keep")["instance"]
    data = next(v for v in bought["volume_ids"] if v != bought["os_volume_id"])
    later(cloud, 2)
    result = reap(cloud)
    assert told(result) == [("llm", "expired", "ended")]
    assert (cloud.fate(data), cloud.fate(bought["os_volume_id"])) == ("detached", "trash")
    assert result["saved_per_hour"] == pytest.approx(4.639 + 100 * 0.2 / 730, abs=1e-3)
    (row,) = reap(cloud)["kept"]
    assert (row["id"], row["reason"]) == (data, "kept")


def test_keys_and_scripts_go_a_day_after_the_last_machine(cloud: Cloud) -> None:
    cloud.ok("datacrunch_ssh_key", deployment="llm", public_key=KEY)
    cloud.ok("datacrunch_startup_script", deployment="llm", content="#!/bin/sh\ntrue\n")
    cloud.buy(**TIER, lease="30h")
    later(cloud, 29)
    assert reap(cloud)["reaped"] == []
    later(cloud, 2)
    assert told(reap(cloud)) == [("llm", "expired", "ended")]
    assert [row["reason"] for row in reap(cloud)["reaped"]] == ["orphan", "orphan"]
    assert cloud.sim.state()["ssh_keys"] == cloud.sim.state()["scripts"] == []


@pytest.mark.parametrize("age", ["24h", "12h"])
def test_bring_up_that_waits_for_capacity_keeps_its_key_and_volumes(cloud: Cloud, age: str) -> None:
    cloud.ok("datacrunch_ssh_key", deployment="llm", public_key=KEY)
    spot = {**TIER, "market": "spot", "data_volume_gb": 50}
    cloud.sim.set_stock(stock(spot=[TYPE]))
    machine = cloud.buy(**spot, lease="1h")["instance"]
    cloud.sim.evict(machine["id"])
    cloud.sim.set_stock({})
    later(cloud, 48)  # the lease is long over, and so is the key's day
    key = cloud.ok("datacrunch_ssh_key", deployment="llm", public_key=KEY)["ssh_key"]["name"]
    left: list[str] = []

    def meanwhile(_seconds: float) -> None:
        cloud.clock.on_sleep = lambda _seconds: None
        left.extend(row["name"] for row in reap(cloud, orphan_age=age)["reaped"])
        cloud.sim.set_stock(stock(spot=[TYPE]))

    cloud.clock.on_sleep = meanwhile
    result = cloud.buy(**spot, lease="1h", wait_for_capacity=3600, ssh_keys=[key])
    assert [name for name in left if name == key or "data" in name] == []
    assert len(result["instance"]["volume_ids"]) == 2
    assert set(machine["volume_ids"]) & set(result["instance"]["volume_ids"])
