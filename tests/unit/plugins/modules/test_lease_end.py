# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Protection of instances, and leases that are over now."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.modules.test_lease import (
    DATE,
    TIER,
    TYPE,
    lease,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import Cloud, stock


def test_protection_is_written_once_and_taken_back(cloud: Cloud) -> None:
    cloud.buy(**TIER)
    assert lease(cloud, protect=True)["instances"][0]["protected"]
    assert not lease(cloud, protect=True)["changed"]
    assert cloud.fails("datacrunch_instance", deployment="llm", state="absent")["unconfirmed"]
    assert not lease(cloud, protect=False)["instances"][0]["protected"]
    assert not lease(cloud, protect=False)["changed"]
    assert lease(cloud, protect=True, lease=DATE)["changed"]


@pytest.mark.parametrize("bought", [{"protect": True}, {"owner": "them"}])
def test_end_needs_confirmation(cloud: Cloud, bought: dict[str, Any]) -> None:
    machine = cloud.buy(**TIER, **bought)["instance"]
    for check in (True, False):
        result = cloud.fails("datacrunch_lease", deployment="llm", done=True, check=check)
        assert result["error"]["code"] == "needs_confirmation"
        assert f"llm ({machine['id']}, 4.639 per hour" in result["msg"]
    result = lease(cloud, done=True, confirm=True)
    assert result["instances"] == []
    assert cloud.machines() == []


def test_end_with_volumes_and_bill(cloud: Cloud) -> None:
    bought = cloud.buy(**TIER, data_volume_gb=50)["instance"]
    cloud.sim.advance(3600)
    result = lease(cloud, done=True, os_volume="delete", data_volumes="keep")
    assert result["actions"][0].startswith("terminate llm (1H200.141S.44V in FIN-03, running")
    assert [row["kind"] for row in result["bill"]] == ["instance", "volume", "volume"]
    cloud.sim.advance(60)
    fates = [cloud.fate(volume) for volume in bought["volume_ids"]]
    assert sorted(fates) == ["detached", "gone"]
    assert not lease(cloud, done=True)["changed"]


def test_extension_counts_for_the_volumes_of_a_machine_that_is_taken_away(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock(spot=[TYPE]))
    spot = {**TIER, "market": "spot", "data_volume_gb": 50, "lease": "1h"}
    machine = cloud.buy(**spot)["instance"]["id"]
    lease(cloud, extend="9h")
    cloud.sim.evict(machine)
    cloud.sim.advance(5 * 3600)
    assert cloud.ok("datacrunch_reap", everything=True, mode="delete")["reaped"] == []
    cloud.sim.advance(6 * 3600)
    reaped = cloud.ok("datacrunch_reap", everything=True, mode="delete")["reaped"]
    assert [row["name"] for row in reaped] == ["gpuops.llm.llm.data"]
