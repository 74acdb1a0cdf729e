# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Money: the bill of what was ended, the balance, and what a deployment costs."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import KEY, Cloud

TIER = {"tier": "h200_or_less"}
PRICE = 4.639
DISK = 100 * 0.2 / 730


def own_bill(cloud: Cloud) -> dict[str, float]:
    """Return what each thing has cost by the simulator's own account."""
    return {row["id"]: row["cost"] for row in cloud.sim.state()["bill"]}


@pytest.mark.parametrize("minutes", [0, 9.5, 10, 25, 60, 1441])
def test_bill_is_what_the_cloud_took(cloud: Cloud, minutes: float) -> None:
    cloud.buy(**TIER)
    cloud.sim.advance(minutes * 60)
    bill = cloud.end(os_volume="delete")["bill"]
    assert [(row["kind"], row["name"]) for row in bill] == [
        ("instance", "llm"),
        ("volume", "gpuops.llm.llm.os"),
    ]
    for row in bill:  # the cloud tells the time in whole seconds
        assert row["cost"] == pytest.approx(own_bill(cloud)[row["id"]], abs=PRICE * 2 / 3600)
        assert row["cost"] == pytest.approx(row["hours"] * row["price_per_hour"], abs=0.01)
    assert cloud.sim.state()["balance"]["amount"] == pytest.approx(
        500 - sum(row["cost"] for row in bill), abs=0.01
    )


def test_bill_of_a_fleet_names_every_machine(cloud: Cloud) -> None:
    cloud.buy(**TIER, count=2)
    cloud.sim.advance(1800)
    bill = cloud.end(os_volume="delete")["bill"]
    assert [row["name"] for row in bill] == [
        "llm",
        "llm-2",
        "gpuops.llm.llm-2.os",
        "gpuops.llm.llm.os",
    ]
    assert sum(row["cost"] for row in bill) == pytest.approx(
        sum(own_bill(cloud).values()), abs=0.01
    )


def test_bill_of_a_machine_that_was_still_built(cloud: Cloud) -> None:
    cloud.buy(**TIER, wait=False)
    bill = cloud.end(os_volume="delete")["bill"]
    assert len(bill) == 2
    for row in bill:
        assert row["cost"] == pytest.approx(own_bill(cloud)[row["id"]], abs=PRICE * 2 / 3600)


def test_slow_end_is_not_billed(start: Start) -> None:
    cloud = start(provision_seconds=30, delete_seconds=700)
    cloud.buy(**TIER)
    bill = cloud.end(os_volume="delete")["bill"]
    assert bill[0]["cost"] == pytest.approx(own_bill(cloud)[bill[0]["id"]], abs=PRICE * 2 / 3600)


def test_bill_in_check_mode_is_empty(cloud: Cloud) -> None:
    cloud.buy(**TIER)
    assert cloud.end(check=True)["bill"] == []


# -- balance ---------------------------------------------------------------------------------------


def test_balance_of_an_idle_account(cloud: Cloud) -> None:
    result = cloud.ok("datacrunch_balance")
    assert result["amount"] == 500
    assert result["currency"] == "usd"
    assert (result["burn_per_hour"], result["runway_hours"]) == (0, None)
    assert (result["machines"], result["volumes"]) == (0, 0)


def test_balance_counts_all_that_costs(cloud: Cloud) -> None:
    cloud.buy(**TIER, count=2)
    result = cloud.ok("datacrunch_balance")
    assert result["burn_per_hour"] == pytest.approx(2 * (PRICE + DISK), abs=1e-4)
    assert result["runway_hours"] == pytest.approx(result["amount"] / (2 * (PRICE + DISK)), abs=0.1)
    assert (result["machines"], result["volumes"]) == (2, 2)


def test_stopped_machine_costs_as_much(cloud: Cloud) -> None:
    cloud.buy(**TIER)
    before = cloud.ok("datacrunch_balance")["burn_per_hour"]
    cloud.buy(state="stopped")
    assert cloud.ok("datacrunch_balance")["burn_per_hour"] == before


@pytest.mark.parametrize(("policy", "disks"), [("trash", 0), ("delete", 0), ("keep", 1)])
def test_trash_is_free_and_a_kept_disk_is_not(cloud: Cloud, policy: str, disks: int) -> None:
    cloud.buy(**TIER)
    cloud.end(os_volume=policy)
    result = cloud.ok("datacrunch_balance")
    assert result["burn_per_hour"] == pytest.approx(disks * DISK, abs=1e-4)
    assert (result["machines"], result["volumes"]) == (0, disks)


@pytest.mark.parametrize("status", ["error", "installation_failed", "no_capacity"])
def test_dead_order_costs_nothing(cloud: Cloud, status: str) -> None:
    cloud.buy(**TIER, wait=False)
    cloud.sim.set_status(cloud.machine()["id"], status)
    assert cloud.ok("datacrunch_balance")["machines"] == 0


# -- what a deployment has -------------------------------------------------------------------------


def kinds(result: dict[str, Any]) -> list[str]:
    """Return the kinds of all leftovers."""
    return [row["kind"] for row in result["leftovers"]]


def test_survey_shows_everything_and_its_price(cloud: Cloud) -> None:
    cloud.ok("datacrunch_ssh_key", deployment="llm", public_key=KEY)
    cloud.ok("datacrunch_startup_script", deployment="llm", content="echo long text")
    cloud.buy(**TIER)
    result = cloud.ok("datacrunch_deployment_info", deployment="llm")
    assert kinds(result) == ["instance", "os_volume", "ssh_key", "startup_script"]
    assert "long text" not in str(result)
    assert result["cost_per_hour"] == pytest.approx(PRICE + DISK, abs=1e-4)
    assert len(result["instances"]) == len(result["volumes"]) == len(result["ssh_keys"]) == 1
    asked = ["/instances", "/scripts", "/ssh-keys", "/volumes", "/volumes/trash"]
    assert sorted(cloud.calls()[-5:]) == [f"GET {path}" for path in asked]


def test_survey_tells_the_trash_apart_from_what_is_left_over(cloud: Cloud) -> None:
    cloud.buy(**TIER)
    cloud.end()
    cloud.sim.advance(600)
    result = cloud.ok("datacrunch_deployment_info", deployment="llm")
    assert result["leftovers"] == []
    assert [row["name"] for row in result["trash"]] == ["gpuops.llm.llm.os"]


def test_survey_knows_nothing_of_other_deployments(cloud: Cloud) -> None:
    cloud.buy(**TIER, deployment="llm-two")
    cloud.ok("datacrunch_ssh_key", deployment="llm-two", public_key=KEY)
    cloud.ok("datacrunch_ssh_key", name="gpuops.llmx.mine", public_key=KEY)
    result = cloud.ok("datacrunch_deployment_info", deployment="llm")
    assert result["leftovers"] == []
    assert result["cost_per_hour"] == 0


def test_nothing_is_left_after_the_end(cloud: Cloud) -> None:
    cloud.ok("datacrunch_ssh_key", deployment="llm", public_key=KEY)
    cloud.buy(**TIER, count=2)
    cloud.end()
    cloud.ok("datacrunch_ssh_key", deployment="llm", state="absent")
    result = cloud.ok("datacrunch_deployment_info", deployment="llm")
    assert result["leftovers"] == []
    assert result["cost_per_hour"] == 0


def test_kept_disk_is_a_leftover_with_its_price(cloud: Cloud) -> None:
    cloud.buy(**TIER)
    cloud.end(os_volume="keep")
    result = cloud.ok("datacrunch_deployment_info", deployment="llm")
    assert kinds(result) == ["os_volume"]
    assert result["leftovers"][0]["status"] in ("detaching", "detached")
    assert result["cost_per_hour"] == pytest.approx(DISK, abs=1e-4)


def test_kept_disk_is_found_by_its_name_where_tags_are_refused(start: Start) -> None:
    cloud = start(tags_supported=False)
    cloud.buy(**TIER)
    cloud.end(os_volume="keep")
    assert kinds(cloud.ok("datacrunch_deployment_info", deployment="llm")) == ["os_volume"]


def test_dead_order_is_a_leftover(cloud: Cloud) -> None:
    cloud.buy(**TIER, wait=False)
    cloud.sim.set_status(cloud.machine()["id"], "error")
    result = cloud.ok("datacrunch_deployment_info", deployment="llm")
    assert "instance" in kinds(result)
    assert result["leftovers"][0]["price_per_hour"] == 0


def test_deployment_name_is_checked(cloud: Cloud) -> None:
    result = cloud.fails("datacrunch_deployment_info", deployment="No Such")
    assert "must be" in result["msg"]


# -- lists -----------------------------------------------------------------------------------------


def test_list_of_machines(cloud: Cloud) -> None:
    assert cloud.ok("datacrunch_instance_info")["instances"] == []
    cloud.buy(**TIER, count=2)
    cloud.buy(**TIER, deployment="other")

    def names(**args: Any) -> list[str]:
        rows = cloud.ok("datacrunch_instance_info", **args)["instances"]
        return [row["name"] for row in rows]

    assert names() == ["llm", "llm-2", "other"]
    assert names(deployment="llm") == ["llm", "llm-2"]
    assert names(name="llm-2") == ["llm-2"]
    assert names(deployment="other", name="llm") == []
    one = cloud.ok("datacrunch_instance_info", name="llm")["instances"][0]
    assert names(id=one["id"]) == ["llm"]
    assert names(id="5f1c2a60-7d5e-4c0e-9d0b-0a4b6f3b9c11") == []


def test_id_that_cannot_be_one_is_told(cloud: Cloud) -> None:
    result = cloud.fails("datacrunch_instance_info", id="../balance")
    assert result["error"]["code"] == "invalid"
