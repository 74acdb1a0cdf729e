# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Spot instances that are taken away: noticed, bought again elsewhere, with their data."""

from __future__ import annotations

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import Cloud, stock

H200 = "1H200.141S.44V"
TIER = {"tier": "h200_or_less"}
SPOT = {**TIER, "market": "spot"}


def test_evicted_machine_is_bought_again_elsewhere(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock(spot=[H200, "1A100.22V@FIN-01"]))
    first = cloud.buy(**SPOT)["instance"]
    cloud.sim.evict(first["id"])
    result = cloud.buy(**SPOT)
    assert result["instance"]["instance_type"] == "1A100.22V"
    assert [row["id"] for row in result["evicted"]] == [first["id"]]


def test_place_of_an_eviction_is_taken_when_there_is_no_other(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock(spot=[H200]))
    first = cloud.buy(**SPOT)["instance"]
    cloud.sim.evict(first["id"])
    assert cloud.buy(**SPOT)["instance"]["instance_type"] == H200


def test_machine_that_we_ended_does_not_count_as_evicted(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock(spot=[H200, "1A100.22V@FIN-01"]))
    cloud.buy(**SPOT)
    cloud.end()
    result = cloud.buy(**SPOT)
    assert result["evicted"] == []
    assert result["instance"]["instance_type"] == H200


@pytest.mark.parametrize("journal", [True, False])
def test_instance_that_the_console_ended_counts_as_evicted_where_no_journal_says_otherwise(
    start: Start, journal: bool
) -> None:
    cloud = start(journal=journal, stock=stock(spot=[H200, "1A100.22V@FIN-01"]))
    first = cloud.buy(**SPOT)["instance"]
    cloud.client().instance_action("delete", first["id"])
    cloud.sim.advance(300)
    ask = {"deployment": "llm", "evicted": True}
    told = cloud.ok("datacrunch_instance_info", **ask)
    assert len(told["evicted"]) == (0 if journal else 1)
    kind = cloud.buy(**SPOT)["instance"]["instance_type"]
    assert kind == (H200 if journal else "1A100.22V")


@pytest.mark.parametrize("body", ["null", "[]", '{"delete_reason": 7}', "[[[[]]]]", "<html>"])
def test_journal_of_any_shape_is_no_hindrance(cloud: Cloud, body: str) -> None:
    cloud.sim.set_stock(stock(spot=[H200]))
    first = cloud.buy(**SPOT)["instance"]
    cloud.sim.evict(first["id"])
    journal = {"method": "GET", "path": "/v1/journal/*"}
    cloud.fault("status", journal, status=200, body=body)
    assert cloud.buy(**SPOT)["evicted"][0]["id"] == first["id"]


def test_evicted_machine_gets_its_data_volume_back(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock("1A100.22V", spot=[H200, "1H100.80S.32V"]))
    first = cloud.buy(**SPOT, data_volume_gb=100)["instance"]
    (data,) = set(first["volume_ids"]) - {first["os_volume_id"]}
    cloud.sim.evict(first["id"])
    second = cloud.buy(**SPOT, data_volume_gb=100)["instance"]
    assert data in second["volume_ids"]
    assert second["instance_type"] == "1H100.80S.32V"


def test_evicted_machine_is_told_of_until_it_is_bought_again(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock(spot=[H200]))
    first = cloud.buy(**SPOT)["instance"]
    cloud.sim.evict(first["id"])
    ask = {"deployment": "llm", "evicted": True}
    told = cloud.ok("datacrunch_instance_info", **ask)
    assert [row["id"] for row in told["evicted"]] == [first["id"]]
    assert cloud.ok("datacrunch_instance_info", **{**ask, "deployment": "other"})["evicted"] == []
    cloud.buy(**SPOT)
    assert cloud.ok("datacrunch_instance_info", **ask)["evicted"] == []


@pytest.mark.parametrize(
    ("policy", "fate"), [("trash", "trash"), ("delete", "gone"), ("keep", "detached")]
)
def test_disk_of_an_evicted_machine_follows_the_policy(
    cloud: Cloud, policy: str, fate: str
) -> None:
    cloud.sim.set_stock(stock(spot=[H200]))
    first = cloud.buy(**SPOT, on_spot_discontinue=policy)["instance"]
    cloud.sim.evict(first["id"])
    cloud.sim.advance(600)
    assert cloud.fate(first["os_volume_id"]) == fate


def test_policy_for_evictions_is_sent_with_spot_orders_only(cloud: Cloud) -> None:
    """The API refuses it elsewhere, and so does the simulator."""
    assert cloud.buy(**TIER, on_spot_discontinue="delete", data_volume_gb=50)["instance"]["id"]
