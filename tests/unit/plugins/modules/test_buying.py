# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Buying: the best that is free, once, with its tags and its lease on it."""

from __future__ import annotations

import getpass
import os
from datetime import datetime, timedelta
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.support import (
    KEY,
    OTHER_KEY,
    Cloud,
    stock,
)

TIER = {"tier": "h200_or_less"}
ZONE = "America/Argentina/ComodRivadavia"


def tags(row: dict[str, Any]) -> dict[str, str]:
    """Return the tags of an instance or volume as the simulator keeps them."""
    return {tag["key"]: tag["value"] for tag in row["tags"]}


def test_a_machine_is_bought_and_runs(cloud: Cloud) -> None:
    result = cloud.buy(**TIER)
    assert result["changed"]
    (action,) = result["actions"]
    assert action == (
        "buy llm: 1H200.141S.44V (1 x H200) in FIN-03, on-demand, 4.639 usd/h, "
        "24.04.cuda13.2, lease 12h"
    )
    assert result["instance"]["status"] == "running"
    assert result["instance"]["ip"] == cloud.machine()["ip"]
    assert result["instance"]["id"] == cloud.machine()["id"]
    assert [row["outcome"] for row in result["attempts"]] == ["taken"]
    assert result["attempts"][0]["id"] == cloud.machine()["id"]


def test_the_same_again_changes_nothing(cloud: Cloud) -> None:
    first = cloud.buy(**TIER)
    cloud.sim.clear_log()
    second = cloud.buy(**TIER)
    assert not second["changed"]
    assert second["actions"] == second["attempts"] == second["offers"] == []
    assert second["instance"] == first["instance"]
    assert cloud.sim.writes() == []
    assert cloud.calls() == ["GET /instances"]


def test_one_purchase_costs_few_requests(cloud: Cloud) -> None:
    cloud.buy(**TIER)
    assert sorted(call for call in cloud.calls() if "/instances/" not in call) == [
        "GET /balance",  # the guard
        "GET /instance-availability",
        "GET /instance-types",
        "GET /instances",
        "GET /instances",
        "GET /instances",  # once it runs: a list may have hidden an older one
        "GET /volume-types",  # the guard
        "GET /volumes",  # the guard
        "GET /volumes",  # what the ledger writes down
        "POST /instances",
        "POST /oauth2/token",
    ]


def test_marks_are_on_the_machine_and_its_volume(cloud: Cloud) -> None:
    cloud.buy(**TIER, owner="ml-team", description="for the talk")
    machine = cloud.machine()
    found = tags(machine)
    label = machine["description"].split()[0]
    request = label.rpartition(".")[2]
    assert found == {
        "gpuops-deployment": "llm",
        "gpuops-name": f"llm.{request}",
        "gpuops-owner": "ml-team",
        "gpuops-lease": found["gpuops-lease"],
    }
    assert label.startswith("gpo.llm.llm.")
    assert machine["description"] == f"{label} for the talk"
    assert len(machine["description"]) <= 60
    (volume,) = cloud.sim.state()["volumes"]
    assert volume["name"] == "gpuops.llm.llm.os"
    assert tags(volume) == {
        "gpuops-deployment": "llm",
        "gpuops-owner": "ml-team",
        "gpuops-lease": found["gpuops-lease"],
    }


def test_owner_is_the_user_who_runs_the_play(cloud: Cloud) -> None:
    assert cloud.buy(**TIER)["instance"]["owner"] == getpass.getuser()


@pytest.mark.parametrize(
    ("user", "owner"),
    [
        ("CORP\\\\jane doe", "CORP--jane-doe"),
        (KeyError("getpwuid(): uid not found: 1000"), f"uid-{os.getuid()}"),
        (OSError("No username set in the environment"), f"uid-{os.getuid()}"),
    ],
)
def test_user_without_a_usable_name_is_no_obstacle(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, user: Any, owner: str
) -> None:
    def name() -> str:
        if isinstance(user, Exception):
            raise user
        return str(user)

    monkeypatch.setattr(getpass, "getuser", name)
    assert cloud.buy(**TIER)["instance"]["owner"] == owner


def test_name_of_the_machine_may_differ_from_the_deployment(cloud: Cloud) -> None:
    assert cloud.buy(**TIER, name="web-1")["instance"]["name"] == "web-1"
    assert cloud.machine()["hostname"] == "web-1"
    assert not cloud.buy(**TIER, name="web-1")["changed"]
    assert cloud.buy(**TIER, name="web-2")["changed"]


@pytest.mark.parametrize("size", [60, 100])
def test_the_os_volume_has_the_wanted_size(cloud: Cloud, size: int) -> None:
    cloud.buy(**TIER, os_volume_gb=size)
    assert [row["size"] for row in cloud.sim.state()["volumes"]] == [size]


def test_not_waiting_returns_at_once(cloud: Cloud) -> None:
    result = cloud.buy(**TIER, wait=False)
    assert result["instance"]["status"] == "ordered"
    assert result["instance"]["instance_type"] == "1H200.141S.44V"
    assert result["instance"]["ip"] is None
    assert cloud.clock.slept == []


# -- lease -----------------------------------------------------------------------------------------


def until(cloud: Cloud) -> datetime:
    """Return the lease end that stands on the instance."""
    text = tags(cloud.machine())["gpuops-lease"]
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


@pytest.mark.parametrize(
    ("lease", "hours"), [(None, 12), ("30m", 0.5), ("2d", 48), ("1.5h", 1.5), ("1 w", 168)]
)
def test_lease_is_written_on_the_machine(cloud: Cloud, lease: str | None, hours: float) -> None:
    ordered = cloud.sim.now()
    policy = "warn" if hours > 100 else "refuse"  # the balance does not last for a week
    result = cloud.buy(**TIER, budget_policy=policy, **({"lease": lease} if lease else {}))
    assert abs(until(cloud) - ordered - timedelta(hours=hours)) < timedelta(seconds=2)
    assert result["instance"]["lease_end"] == tags(cloud.machine())["gpuops-lease"]


def test_lease_follows_the_time_of_the_cloud(cloud: Cloud) -> None:
    cloud.sim.advance(400 * 86400)
    ordered = cloud.sim.now()
    cloud.buy(**TIER)
    assert abs(until(cloud) - ordered - timedelta(hours=12)) < timedelta(seconds=2)


def test_no_lease_is_written_out(cloud: Cloud) -> None:
    result = cloud.buy(**TIER, lease="none")
    assert tags(cloud.machine())["gpuops-lease"] == "none"
    assert result["instance"]["lease"] == "none"
    assert result["instance"]["lease_end"] is None


@pytest.mark.parametrize(
    "lease", ["", "soon", "12", "-1h", "0h", "2020-01-01", "1e3h", "99999999999999h", "9" * 400]
)
def test_bad_lease_costs_no_order(cloud: Cloud, lease: str) -> None:
    result = cloud.fails("datacrunch_instance", deployment="llm", **TIER, lease=lease)
    assert result["error"]["code"] == "invalid"
    assert "lease" in result["msg"]
    assert cloud.sim.writes() == []


def test_second_run_keeps_the_lease(cloud: Cloud) -> None:
    first = cloud.buy(**TIER, lease="2h")
    cloud.sim.advance(600)
    second = cloud.buy(**TIER, lease="8h")
    assert not second["changed"]
    assert second["instance"]["lease_end"] == first["instance"]["lease_end"]


def test_an_ended_lease_is_told(cloud: Cloud) -> None:
    cloud.buy(**TIER, lease="1h")
    cloud.sim.advance(7200)
    assert "The lease of llm ended at" in cloud.buy(**TIER)["warnings"][0]


# -- options ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"deployment": "Large"}, "(got 'Large')"),
        ({"name": "a.b"}, "(got 'a.b')"),
        ({"name": "x" * 64}, "name must be"),
        ({"name": "42"}, "must contain a letter"),
        ({"name": "42", "count": 2}, "must contain a letter"),
        ({"os_volume_gb": 49}, "os_volume_gb must be at least 50"),
        ({"description": "a [gpuops d=prod n=db o=eve l=none r=1]"}, "looks like an ownership"),
        ({"description": "see gpo.prod.db.none.00000000"}, "looks like an ownership string"),
        ({"project": "p" * 63, "hours": f"mon,tue,wed,thu,fri 08:00-19:00 {ZONE}"}, "share one"),
        ({"name": "x" * 62, "count": 2}, "(got 'xxx"),
        ({"owner": "a b"}, "(got 'a b')"),
        ({"count": 0}, "count must be at least 1 (got 0)"),
        ({"gpu_count": 0}, "gpu_count must be at least 1 (got 0)"),
        ({"tier": None}, "nothing says what to buy"),
        ({"ssh_keys": ["nobody"]}, "No SSH key 'nobody' is registered; known: none"),
    ],
)
def test_bad_option_costs_no_order(cloud: Cloud, args: dict[str, Any], words: str) -> None:
    result = cloud.fails("datacrunch_instance", **{"deployment": "llm", **TIER, **args})
    assert words in result["msg"]
    assert cloud.sim.writes() == []


def test_keys_are_taken_by_name_or_id(cloud: Cloud) -> None:
    one = cloud.ok("datacrunch_ssh_key", name="one", public_key=KEY)["ssh_key"]["id"]
    two = cloud.ok("datacrunch_ssh_key", name="two", public_key=OTHER_KEY)["ssh_key"]["id"]
    result = cloud.buy(**TIER, ssh_keys=["one", two])
    assert result["instance"]["ssh_key_ids"] == [one, two]


def test_named_id_of_a_key_costs_no_look_up(cloud: Cloud) -> None:
    key = cloud.ok("datacrunch_ssh_key", name="one", public_key=KEY)["ssh_key"]["id"]
    cloud.sim.clear_log()
    cloud.buy(**TIER, ssh_keys=[key])
    assert cloud.calls("/ssh-keys") == []


# -- fleets ----------------------------------------------------------------------------------------


def test_a_fleet_is_bought_together(cloud: Cloud) -> None:
    result = cloud.buy(**TIER, name="worker", count=3)
    assert [row["name"] for row in result["instances"]] == ["worker", "worker-2", "worker-3"]
    assert len(result["actions"]) == 3
    assert {row["status"] for row in result["instances"]} == {"running"}
    assert sorted(row["hostname"] for row in cloud.machines()) == ["worker", "worker-2", "worker-3"]
    assert not cloud.buy(**TIER, name="worker", count=3)["changed"]


def test_a_fleet_grows_and_never_shrinks_by_itself(cloud: Cloud) -> None:
    cloud.buy(**TIER, count=1)
    grown = cloud.buy(**TIER, count=2)
    assert [action.split(":")[0] for action in grown["actions"]] == ["buy llm-2"]
    smaller = cloud.buy(**TIER, count=1)
    assert not smaller["changed"]
    assert len(cloud.machines()) == 2


def test_a_fleet_takes_what_there_is(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock("1H200.141S.44V", "1A100.22V@FIN-01", count=2))
    result = cloud.buy(**TIER, count=3)
    assert sorted(row["instance_type"] for row in result["instances"]) == [
        "1A100.22V",
        "1H200.141S.44V",
        "1H200.141S.44V",
    ]


def test_a_fleet_that_is_bought_in_part_says_so(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock("1H200.141S.44V", count=2))
    result = cloud.fails(
        "datacrunch_instance", deployment="llm", **TIER, count=3, keep_short_fleet=True
    )
    assert result["error"]["code"] == "no_capacity"
    assert "Provisioned 2 of 3 instances" in result["msg"]
    assert sorted(row["outcome"] for row in result["fleet"]) == ["bought", "bought", "failed"]
    assert result["changed"]
    assert len(result["actions"]) == 2
    assert len(cloud.machines()) == 2
    cloud.sim.set_stock(stock("1H200.141S.44V", count=1))
    again = cloud.buy(**TIER, count=3)
    assert len(again["actions"]) == 1
    assert len(again["instances"]) == 3
