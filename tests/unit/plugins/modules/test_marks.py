# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is written on instances and volumes, and what is not ended without asking."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import Cloud

TIER = {"tier": "h200_or_less"}
HOURS = "mon-fri 08:00-19:00 America/New_York"
MARKS = {"project": "research", "protect": True, "hours": HOURS}
TAGGING = {"method": "POST", "path": "/v1/volumes/*"}
ENDING = {"deployment": "llm", "state": "absent"}


def tags(row: dict[str, Any]) -> dict[str, str]:
    """Return the tags of an instance or volume as the simulator keeps them."""
    return {tag["key"]: tag["value"] for tag in row["tags"]}


def kept(cloud: Cloud) -> dict[str, bool]:
    """Return the volumes by name, and whether they are kept on purpose."""
    rows = cloud.ok("datacrunch_volume_info", deployment="llm")["volumes"]
    return {row["name"]: row["kept"] for row in rows}


def test_marks_are_written_and_read(cloud: Cloud) -> None:
    bought = cloud.buy(**TIER, **MARKS)["instance"]
    assert (bought["project"], bought["protected"], bought["hours"]) == ("research", True, HOURS)
    assert not cloud.buy(**TIER)["changed"]
    found = tags(cloud.machine())
    assert found["gpuops-more"] == f"p=research h={HOURS.replace(' ', '|')}"
    assert found["gpuops-protect"] == "yes"


def test_account_without_tags_says_what_it_cannot_keep(start: Start) -> None:
    cloud = start(tags_supported=False)
    result = cloud.buy(**TIER, **MARKS)
    (warning,) = result["warnings"]
    assert "its owner, project, hours and protection are not kept" in warning
    bought = result["instance"]
    assert (bought["deployment"], bought["owner"], bought["protected"]) == ("llm", None, False)
    assert not cloud.buy(**TIER)["changed"]
    assert cloud.end()["changed"]


def test_marks_that_nobody_asked_for_are_not_written(cloud: Cloud) -> None:
    cloud.buy(**TIER)
    machine = cloud.machine()
    assert len(tags(machine)) == 4
    assert " " not in machine["description"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"project": "a b"},
        {"hours": "always"},
        {"lease_max": "x"},
        {"lease": "13h", "lease_max": "12h"},
        {"lease": "none", "lease_max": "12h"},
    ],
)
def test_marks_that_cannot_be_cost_no_order(cloud: Cloud, wrong: dict[str, str]) -> None:
    result = cloud.fails("datacrunch_instance", deployment="llm", **TIER, **wrong)
    assert result["error"]["code"] == "invalid"
    assert cloud.sim.writes() == []


def test_lease_max_does_not_touch_what_exists(cloud: Cloud) -> None:
    cloud.buy(**TIER, lease="2d")
    assert not cloud.buy(**TIER, lease_max="1h")["changed"]
    assert cloud.end(lease_max="1h")["changed"]


# -- volumes that are kept on purpose --------------------------------------------------------------


@pytest.mark.parametrize("supported", [True, False], ids=["tags", "no tags"])
@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({}, [False, False]),
        ({"os_volume": "keep"}, [False, True]),
        ({"data_volumes": "keep"}, [True, False]),
        ({"os_volume": "keep", "data_volumes": "keep"}, [True, True]),
    ],
)
def test_order_says_which_volumes_are_kept(
    start: Start, supported: bool, how: dict[str, str], expected: list[bool]
) -> None:
    cloud = start(tags_supported=supported)
    cloud.buy(**TIER, data_volume_gb=50, **how)
    assert [mark for _name, mark in sorted(kept(cloud).items())] == expected


@pytest.mark.parametrize("supported", [True, False], ids=["tags", "no tags"])
def test_end_that_keeps_volumes_marks_them_first(start: Start, supported: bool) -> None:
    cloud = start(tags_supported=supported, provision_seconds=30)
    cloud.buy(**TIER, data_volume_gb=50)
    assert set(kept(cloud).values()) == {False}
    cloud.sim.clear_log()
    cloud.end(os_volume="keep", data_volumes="keep")
    *before, last = [f"{row['method']} {row['path']}" for row in cloud.sim.writes()]
    assert last == "PUT /v1/instances"
    assert len([call for call in before if "/volumes" in call]) == len(before) >= 2
    assert list(kept(cloud).values()) == [True, True]


@pytest.mark.parametrize("supported", [True, False], ids=["tags", "no tags"])
def test_what_was_kept_is_used_again(start: Start, supported: bool) -> None:
    cloud = start(tags_supported=supported, provision_seconds=30)
    how = {"os_volume": "keep", "data_volume_gb": 50}
    first = cloud.buy(**TIER, **how)["instance"]
    cloud.end(os_volume="keep", data_volumes="keep")
    again = cloud.buy(**TIER, **how)["instance"]
    assert sorted(again["volume_ids"]) == sorted(first["volume_ids"])


def test_end_without_a_word_of_volumes_marks_none(cloud: Cloud) -> None:
    cloud.buy(**TIER, data_volume_gb=50)
    cloud.end()
    assert kept(cloud) == {"gpuops.llm.llm.data": False}


def test_volume_that_cannot_be_marked_does_not_lose_its_machine(cloud: Cloud) -> None:
    cloud.buy(**TIER)
    cloud.fault("status", TAGGING, status=500, body="oops", times=None)
    cloud.fails("datacrunch_instance", **ENDING, os_volume="keep")
    assert len(cloud.machines()) == 1


def test_mark_whose_answer_was_lost_is_no_trouble(cloud: Cloud) -> None:
    cloud.buy(**TIER)
    cloud.fault("commit_then_500", TAGGING)
    cloud.end(os_volume="keep")
    assert list(kept(cloud).values()) == [True]


def test_mark_that_said_no_says_yes_afterwards(cloud: Cloud) -> None:
    volume = cloud.buy(**TIER)["instance"]["os_volume_id"]
    cloud.client().tag("volumes", volume, "gpuops-keep", "no")
    cloud.end(os_volume="keep")
    assert list(kept(cloud).values()) == [True]


def test_volume_that_is_used_again_bears_the_new_lease(cloud: Cloud) -> None:
    cloud.buy(**TIER, data_volume_gb=50, lease="1h")
    cloud.end()
    cloud.sim.advance(5 * 3600)
    bought = cloud.buy(**TIER, data_volume_gb=50, lease="8h")["instance"]
    (data,) = [row for row in cloud.sim.state()["volumes"] if row["name"].endswith(".data")]
    assert tags(data)["gpuops-lease"] == bought["lease"]


def test_volume_of_its_own_is_kept(cloud: Cloud) -> None:
    cloud.ok("datacrunch_volume", deployment="llm", name="models", size_gb=50, location="FIN-03")
    assert kept(cloud) == {"gpuops.llm.models": True}


# -- confirmation ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bought", "words"),
    [
        ({"protect": True}, "protected"),
        ({"owner": "them"}, "it belongs to them, not to"),
        ({"protect": True, "owner": "them"}, "protected; it belongs to them"),
    ],
)
def test_machine_is_not_ended_without_confirmation(
    cloud: Cloud, bought: dict[str, Any], words: str
) -> None:
    machine = cloud.buy(**TIER, **bought)["instance"]
    cloud.sim.clear_log()
    for check in (True, False):
        for how in ({}, {"name": "llm"}, {"id": machine["id"]}):
            result = cloud.fails("datacrunch_instance", **ENDING, **how, check=check)
            assert result["error"]["code"] == "needs_confirmation"
            assert words in result["msg"]
            assert f"llm ({machine['id']}, 4.639 per hour" in result["msg"]
            (row,) = result["unconfirmed"]
            assert (row["id"], row["price_per_hour"]) == (machine["id"], 4.639)
            assert row["owner"] == machine["owner"]
            assert row["protected"] is machine["protected"]
    assert cloud.sim.writes() == []
    assert cloud.end(confirm=True)["changed"]
    assert cloud.machines() == []


def test_machine_of_the_owner_who_asks_is_ended(cloud: Cloud) -> None:
    cloud.buy(**TIER, owner="them")
    assert cloud.end(owner="them")["changed"]


def test_one_machine_that_needs_confirmation_stops_all(cloud: Cloud) -> None:
    cloud.buy(**TIER)
    cloud.buy(**TIER, name="safe", protect=True)
    result = cloud.fails("datacrunch_instance", **ENDING)
    assert [row["name"] for row in result["unconfirmed"]] == ["safe"]
    assert len(cloud.machines()) == 2


def test_protected_machine_is_not_replaced_without_confirmation(cloud: Cloud) -> None:
    cloud.buy(**TIER, protect=True)
    other = {"deployment": "llm", "tier": "any_a100", "replace": True}
    result = cloud.fails("datacrunch_instance", **other)
    assert result["error"]["code"] == "needs_confirmation"
    assert len(cloud.machines()) == 1
    assert cloud.ok("datacrunch_instance", **other, confirm=True)["changed"]
    assert cloud.machine()["instance_type"] == "1A100.22V"


def test_instance_under_a_long_term_contract_ends_only_when_somebody_confirms(cloud: Cloud) -> None:
    row = cloud.buy(**TIER, lease="1h")["instance"]
    assert row["contract"] == "pay_as_you_go"
    cloud.sim.cloud.account.instances[row["id"]].contract = "LONG_TERM"
    cloud.sim.advance(3 * 3600)
    reaped = cloud.ok("datacrunch_reap", everything=True, mode="delete")["reaped"]
    assert [one["outcome"] for one in reaped] == ["protected"]
    result = cloud.fails("datacrunch_instance", deployment="llm", state="absent")
    assert "bound by a long-term contract, which costs until its end" in result["msg"]
    assert result["unconfirmed"][0]["id"] == row["id"]
    cloud.end(confirm=True)
    assert cloud.machines() == []
