# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of disks when instances end."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import ORDERS, Cloud

TIER = {"tier": "h200_or_less"}


def disk(cloud: Cloud, **changes: Any) -> str:
    """Attach a data volume to the instance ``llm``, which is off meanwhile; returns its id."""
    machine = cloud.machine()["id"]
    client = cloud.client()
    cloud.buy(state="stopped")
    body = {"name": "data", "size": 200, "type": "NVMe", "location_code": "FIN-03"}
    volume = client.create("/volumes", {**body, "instance_id": machine, **changes})
    cloud.sim.advance(60)
    cloud.buy(state="running")
    return volume


# -- disks -----------------------------------------------------------------------------------------

FATES = {"trash": "trash", "delete": "gone", "keep": "detached"}


@pytest.mark.parametrize("data_policy", [None, "keep", "trash", "delete"])
@pytest.mark.parametrize("os_policy", ["trash", "delete", "keep"])
def test_disks_end_as_asked(cloud: Cloud, os_policy: str, data_policy: str | None) -> None:
    cloud.buy(**TIER)
    data = disk(cloud)
    system = cloud.machine()["os_volume_id"]
    cloud.end(os_volume=os_policy, **({"data_volumes": data_policy} if data_policy else {}))
    cloud.sim.advance(60)
    assert cloud.fate(system) == FATES[os_policy]
    assert cloud.fate(data) == FATES[data_policy or "keep"]
    assert cloud.orders() == 1


def test_disk_that_detaches_slowly_is_waited_for(start: Start) -> None:
    cloud = start(provision_seconds=30, volume_seconds=100)
    cloud.buy(**TIER)
    cloud.sim.advance(200)
    data = disk(cloud)
    cloud.sim.advance(200)
    cloud.end(os_volume="keep", data_volumes="delete")
    cloud.sim.advance(200)
    assert cloud.fate(data) == "gone"


def test_disk_that_never_detaches_is_told(start: Start) -> None:
    cloud = start(provision_seconds=30)
    cloud.buy(**TIER)
    data = disk(cloud)
    cloud.sim.switch(volume_seconds=5000)
    args = {"deployment": "llm", "state": "absent", "data_volumes": "delete", "os_volume": "keep"}
    result = cloud.fails("datacrunch_instance", **args, wait_timeout=60)
    assert result["error"]["code"] == "timeout"
    assert f"{data} detaching" in result["msg"]


def test_disk_shared_with_another_machine_is_not_deleted_under_it(cloud: Cloud) -> None:
    cloud.buy(**TIER, count=2)
    ids = [row["id"] for row in cloud.machines()]
    cloud.buy(count=2, state="stopped")
    body = {"name": "shared", "size": 200, "type": "NVMe_Shared", "location_code": "FIN-03"}
    shared = cloud.client().create("/volumes", {**body, "instance_ids": ids})
    cloud.sim.advance(60)
    cloud.run("datacrunch_instance", deployment="llm", name="llm-2", state="absent")
    cloud.sim.advance(60)
    assert cloud.fate(shared) == "attached"


# -- spot ------------------------------------------------------------------------------------------


def test_evicted_machine_leaves_no_disk_that_costs(cloud: Cloud) -> None:
    machine = cloud.buy(**TIER, market="spot")["instance"]
    cloud.sim.evict(machine["id"])
    cloud.sim.advance(60)
    assert cloud.fate(machine["os_volume_id"]) == "trash"
    again = cloud.buy(**TIER, market="spot")
    assert again["changed"]
    assert again["instance"]["id"] != machine["id"]
    assert cloud.calls("/instances", ORDERS["method"]) == ["POST /instances"] * 2
