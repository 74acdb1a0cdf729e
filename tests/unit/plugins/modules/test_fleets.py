# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fleets that cannot be had whole, instances that are replaced, disks that are used again."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.support import LISTING, Cloud, stock

H200 = "1H200.141S.44V"
TIER = {"tier": "h200_or_less"}
SPOT = {**TIER, "market": "spot"}


def outcomes(result: dict[str, Any]) -> dict[str, str]:
    """Return what became of each instance."""
    return {row["name"]: row["outcome"] for row in result["fleet"]}


# -- fleets ----------------------------------------------------------------------------------------


def test_short_fleet_ends_what_was_bought_in_this_run(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock(H200, count=2))
    result = cloud.fails("datacrunch_instance", deployment="llm", **TIER, count=3)
    assert "Provisioned 2 of 3 instances, and 3 are needed" in result["msg"]
    assert sorted(outcomes(result).values()) == ["ended", "ended", "failed"]
    assert [action.split()[0] for action in result["actions"]] == [
        "buy",
        "buy",
        "terminate",
        "terminate",
    ]
    assert cloud.machines() == []
    cloud.sim.advance(600)
    assert cloud.sim.state()["volumes"] == []


def test_short_fleet_keeps_what_was_there_before(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock(H200, count=2))
    before = cloud.buy(**TIER)["instance"]["id"]
    cloud.fails("datacrunch_instance", deployment="llm", **TIER, count=3)
    assert cloud.machine()["id"] == before


def test_fleet_with_enough_machines_is_a_success_with_a_warning(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock(H200, count=2))
    result = cloud.buy(**TIER, count=3, min_count=2)
    assert len(result["instances"]) == len(cloud.machines()) == 2
    assert sorted(outcomes(result).values()) == ["bought", "bought", "failed"]
    assert len(result["warnings"]) == 1
    assert "could not be provisioned" in result["warnings"][0]


def test_refusal_that_holds_everywhere_ends_the_fleet_too(cloud: Cloud) -> None:
    cloud.fault("status", status=402, body='{"code": "insufficient_funds", "message": "no money"}')
    result = cloud.fails("datacrunch_instance", deployment="llm", **TIER, count=3)
    assert result["error"]["code"] == "no_funds"
    assert cloud.machines() == []


def test_machine_of_a_fleet_that_never_runs_is_ended_with_it(cloud: Cloud) -> None:
    cloud.fault("stuck_provisioning")
    cloud.clock.on_sleep = _unstick_late(cloud)
    result = cloud.fails("datacrunch_instance", deployment="llm", **TIER, count=2, wait_timeout=300)
    assert "provisioning" in result["msg"]
    assert sorted(outcomes(result).values()) == ["ended", "ended"]
    assert cloud.machines() == []


def _unstick_late(cloud: Cloud) -> Any:
    """Let the instance that hangs fail once its end is asked for, as a cloud's support would."""

    def look(_seconds: float) -> None:
        refused = [
            row for row in cloud.sim.log() if row["method"] == "PUT" and row["status"] != 202
        ]
        for row in cloud.sim.state()["instances"] if refused else []:
            if row["status"] == "provisioning":
                cloud.sim.set_status(row["id"], "error")

    return look


def test_short_fleet_keeps_what_another_run_has_bought(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock(H200))
    theirs = cloud.buy(**TIER)["instance"]["id"]
    cloud.sim.set_status(theirs, "provisioning")
    cloud.sim.switch(availability_lies=[H200])
    cloud.fault("status", LISTING, status=200, body=[])  # theirs is bought after the first look
    want = {"deployment": "llm", "count": 2, "wait_timeout": 30}
    result = cloud.fails("datacrunch_instance", **want, **TIER)
    assert outcomes(result) == {"llm": "failed", "llm-2": "failed"}
    assert cloud.machine()["id"] == theirs
    assert result["actions"] == []


# -- replacing -------------------------------------------------------------------------------------


def test_machine_is_replaced_by_one_that_is_bought_first(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock("1A100.22V@FIN-01"))
    old = cloud.buy(**TIER)["instance"]["id"]
    cloud.sim.set_stock(stock(H200))
    result = cloud.buy(tier="any_h200", replace=True)
    assert result["instance"]["instance_type"] == H200
    assert cloud.machine()["id"] == result["instance"]["id"] != old
    writes = [(row["method"], row["path"]) for row in cloud.sim.writes()]
    assert writes[-2:] == [("POST", "/v1/instances"), ("PUT", "/v1/instances")]
    assert result["actions"][0].endswith(f"then terminate {old}")


def test_replacing_says_in_check_mode_what_it_would_do(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock("1A100.22V@FIN-01"))
    cloud.buy(**TIER)
    cloud.sim.set_stock(stock(H200))
    want = {"deployment": "llm", "tier": "any_h200", "replace": True}
    planned = cloud.run("datacrunch_instance", check=True, **want)
    assert cloud.run("datacrunch_instance", **want)["actions"] == planned["actions"]


def test_machine_that_fits_is_not_replaced(cloud: Cloud) -> None:
    cloud.buy(**TIER)
    assert not cloud.buy(**TIER, replace=True)["changed"]


def test_old_machine_stays_when_the_new_one_cannot_be_had(cloud: Cloud) -> None:
    old = cloud.buy(**TIER)["instance"]["id"]
    cloud.sim.switch(availability_lies=["1B200.30V"])
    cloud.sim.set_stock(stock("1B200.30V"))
    cloud.fails("datacrunch_instance", deployment="llm", tier="any_b200", replace=True)
    assert cloud.machine()["id"] == old


def test_replacing_that_was_broken_off_is_finished_by_the_next_run(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock("1A100.22V@FIN-01"))
    old = cloud.buy(**TIER)["instance"]["id"]
    cloud.sim.set_stock(stock(H200))
    cloud.fault("status", {"method": "PUT", "path": "/v1/instances"}, status=400, body="{}")
    cloud.fails("datacrunch_instance", deployment="llm", tier="any_h200", replace=True)
    assert len(cloud.machines()) == 2
    cloud.buy(tier="any_h200", replace=True)
    assert cloud.machine()["id"] != old
    assert cloud.orders() == 2


def test_end_of_the_replaced_machine_that_fails_names_the_new_one(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock("1A100.22V@FIN-01"))
    old = cloud.buy(**TIER)["instance"]["id"]
    cloud.sim.set_stock(stock(H200))
    cloud.fault("status", {"method": "PUT", "path": "/v1/instances"}, status=400, body="{}")
    result = cloud.fails("datacrunch_instance", deployment="llm", tier="any_h200", replace=True)
    (new,) = (row["id"] for row in cloud.machines() if row["id"] != old)
    assert f"{new} has replaced llm, which could not be terminated" in result["msg"]
    assert result["instance_id"] == old
    assert result["changed"]


@pytest.mark.parametrize(
    ("args", "named"),
    [
        ({"tier": "any_b300"}, "tier"),
        ({"instance_type": "1B200.30V"}, "instance_type"),
        ({**TIER, "locations": ["FIN-01"]}, "locations"),
        ({**TIER, "image": "ubuntu-22.04"}, "image"),
        ({**TIER, "market": "spot"}, "market"),
    ],
)
def test_difference_names_the_option_and_the_way_out(
    cloud: Cloud, args: dict[str, Any], named: str
) -> None:
    cloud.buy(**TIER)
    result = cloud.fails("datacrunch_instance", deployment="llm", **args)
    assert f"{named}: it" in result["msg"]
    assert "replace" in result["msg"]


# -- disks that are used again ---------------------------------------------------------------------


def test_kept_os_volume_is_booted_again(cloud: Cloud) -> None:
    first = cloud.buy(**TIER)["instance"]
    cloud.end(os_volume="keep")
    result = cloud.buy(**TIER, os_volume="keep")
    assert result["instance"]["os_volume_id"] == first["os_volume_id"]
    assert "gpuops.llm.llm.os" in result["actions"][0]
    (row,) = [row for row in cloud.sim.state()["instances"] if row["status"] == "running"]
    assert not row["keys_injected"]


def test_without_keep_a_new_volume_is_booted(cloud: Cloud) -> None:
    first = cloud.buy(**TIER)["instance"]
    cloud.end(os_volume="keep")
    assert cloud.buy(**TIER)["instance"]["os_volume_id"] != first["os_volume_id"]


def test_kept_volume_leaves_only_its_location(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock("1A100.22V@FIN-01"))
    cloud.buy(**TIER)
    cloud.end(os_volume="keep")
    cloud.sim.set_stock(stock(H200, "1A100.22V@FIN-01"))
    result = cloud.buy(**TIER, os_volume="keep")
    assert result["instance"]["location"] == "FIN-01"


def test_kept_volume_where_nothing_is_free_is_explained(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock("1A100.22V@FIN-01"))
    cloud.buy(**TIER)
    cloud.end(os_volume="keep")
    cloud.sim.set_stock(stock(H200))
    result = cloud.fails("datacrunch_instance", deployment="llm", **TIER, os_volume="keep")
    assert "is free in FIN-01, where the kept volumes lie" in result["msg"]
    assert cloud.machines() == []


def test_volume_of_another_deployment_is_not_booted(cloud: Cloud) -> None:
    cloud.buy(**TIER, name="same")
    cloud.end(os_volume="keep")
    other = cloud.ok(
        "datacrunch_instance", deployment="other", name="same", os_volume="keep", **TIER
    )
    assert "gpuops." not in other["actions"][0]


def test_data_volume_outlives_its_machine_and_is_attached_to_the_next(cloud: Cloud) -> None:
    first = cloud.buy(**TIER, data_volume_gb=200)["instance"]
    (data,) = set(first["volume_ids"]) - {first["os_volume_id"]}
    cloud.end()
    assert cloud.fate(data) == "detached"
    second = cloud.buy(**TIER, data_volume_gb=200)["instance"]
    assert data in second["volume_ids"]
    assert len(cloud.sim.state()["volumes"]) == 2


@pytest.mark.parametrize("fault", ["no_capacity_later", "error_later"])
def test_order_that_fails_leaves_the_kept_data_alone(cloud: Cloud, fault: str) -> None:
    cloud.sim.set_stock(stock(H200, "1H100.80S.32V"))
    first = cloud.buy(**TIER, data_volume_gb=200)["instance"]
    (data,) = set(first["volume_ids"]) - {first["os_volume_id"]}
    cloud.end()
    cloud.fault(fault)
    second = cloud.buy(**TIER, data_volume_gb=200)["instance"]
    assert data in second["volume_ids"]
    assert second["instance_type"] == "1H100.80S.32V"
