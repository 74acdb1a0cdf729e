# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ownership on accounts that differ: it fits, falls back step by step, and is read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import Cloud, stock

TYPE = "1H200.141S.44V"
TIER = {"tier": "h200_or_less"}
NOTHING_SHOWN = {"answer_tags": False, "answer_description": 0}
LONG = {"deployment": "my-team-llm-of-the-north", "name": "my-team-llm-of-the-north-worker-1"}


def tags(row: dict[str, Any]) -> dict[str, str]:
    """Return the tags of an instance or volume as the simulator keeps them."""
    return {tag["key"]: tag["value"] for tag in row["tags"]}


def start_in(start: Start, **dialect: Any) -> Cloud:
    """Start a cloud with a dialect, one type in stock and 30 seconds to build an instance."""
    return start(provision_seconds=30, dialect=dialect, stock=stock(TYPE))


def rent(cloud: Cloud, **more: Any) -> str:
    """Let somebody else rent an instance; returns its id."""
    image = {"image": "24.04.cuda13.2", "location_code": "FIN-03", "instance_type": TYPE}
    return cloud.client().create("/instances", {"hostname": "llm", **image, **more})


def finding(home: Path) -> dict[str, Any]:
    """Return what is remembered of the account."""
    (path,) = (home / "data" / "gpuops" / "accounts").glob("*.json")
    assert path.stat().st_mode & 0o077 == 0
    return dict(json.loads(path.read_text()))


# -- it fits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [60, 100, None])
@pytest.mark.parametrize(
    "names",
    [
        {"deployment": "a"},
        {"deployment": "llm", "owner": "jane.doe@example.com"},
        LONG,
        {"deployment": "d" * 63, "name": "n" * 63},
    ],
    ids=["short", "usual", "long", "longest"],
)
def test_order_fits_every_limit_and_is_found_again(
    start: Start, limit: int | None, names: dict[str, str]
) -> None:
    cloud = start_in(start, description_limit=limit)
    want = {"owner": "me", **names}
    bought = cloud.ok("datacrunch_instance", **TIER, **want)
    machine = cloud.machine()
    assert cloud.orders() == 1
    assert len(machine["description"]) <= 60
    assert bought["instance"]["deployment"] == names["deployment"]
    assert not cloud.ok("datacrunch_instance", **TIER, **want)["changed"]
    extend = {"deployment": names["deployment"], "extend": "1h"}
    assert cloud.ok("datacrunch_lease", **extend)["changed"]
    assert cloud.ok("datacrunch_instance", **want, state="absent")["changed"]
    assert cloud.machines() == []


def test_users_have_room_for_tags(cloud: Cloud) -> None:
    more = {"project": "research", "hours": "mon-fri 08:00-19:00 UTC", "protect": True}
    cloud.buy(**TIER, data_volume_gb=50, **more)
    machine = cloud.machine()
    assert len(tags(machine)) == 6  # and one more while a lease is changed
    for number in range(3):
        cloud.client().tag("instances", machine["id"], f"mine-{number}", "x")
    assert cloud.ok("datacrunch_lease", deployment="llm", extend="1h")["changed"]
    assert all(len(row["tags"]) <= 4 for row in cloud.sim.state()["volumes"])


def test_description_of_a_user_is_left_out_where_it_does_not_fit(cloud: Cloud) -> None:
    text = "for the talk of the whole team in the spring"
    result = cloud.buy(**TIER, description=text)
    assert " " not in cloud.machine()["description"]
    assert "The description of llm is left out" in result["warnings"][0]


def test_description_of_a_user_may_look_like_anything_else(cloud: Cloud) -> None:
    cloud.buy(**TIER, description="a d=prod n=db")
    assert cloud.machine()["description"].endswith(" a d=prod n=db")
    assert not cloud.buy(**TIER, description="a d=prod n=db")["changed"]


# -- what is read back -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "dialect",
    [
        {"answer_description": 0},
        {"answer_description": 20},
        {"answer_description": 40, "description_limit": None},
        {"unknown_looks": 3},
        {"list_lag_seconds": 40},
        {"unknown_looks": 3, "list_lag_seconds": 40},
        {"order_answer": 520, "list_lag_seconds": 40},
        {"untag": "key"},
        {"untag": "id"},
        {"tag_conflict": "tag"},
    ],
    ids=str,
)
def test_life_of_an_instance_in_a_dialect(start: Start, dialect: dict[str, Any]) -> None:
    cloud = start_in(start, **dialect)
    bought = cloud.buy(**TIER)["instance"]
    cloud.sim.advance(60)
    assert not cloud.buy(**TIER)["changed"]
    for _time in (1, 2):
        before = cloud.machine()
        hours = cloud.ok("datacrunch_lease", deployment="llm", extend="1h")["instances"][0]
        assert hours["lease_end"] > bought["lease_end"]
        assert cloud.machine()["id"] == before["id"]
    assert cloud.ok("datacrunch_lease", deployment="llm", protect=True)["changed"]
    assert cloud.ok("datacrunch_lease", deployment="llm", protect=False)["changed"]
    assert len(cloud.machines()) == 1
    assert cloud.end(os_volume="delete")["changed"]
    assert cloud.machines() == []


def test_account_that_does_not_show_tags_says_what_it_does_not_show(start: Start) -> None:
    cloud = start_in(start, answer_tags=False)
    result = cloud.buy(**TIER, owner="me", protect=True)
    assert "does not show owner, protected of llm" in result["warnings"][0]
    assert not cloud.buy(**TIER)["changed"]
    shown = cloud.fails("datacrunch_lease", deployment="llm", extend="1h")
    assert "shows the old one" in shown["msg"]
    assert cloud.end()["changed"]


@pytest.mark.parametrize("shown", [0, 9])
def test_instance_whose_ownership_does_not_hold_is_terminated_and_remembered(
    start: Start, home: Path, shown: int
) -> None:
    cloud = start_in(start, answer_tags=False, answer_description=shown)
    result = cloud.fails("datacrunch_instance", deployment="llm", **TIER)
    assert result["error"]["code"] == "ownership"
    (row,) = cloud.sim.state()["instances"]
    assert row["status"] == "discontinued"
    assert f"llm ({row['id']}, 4.639 per hour)" in result["msg"]
    assert "so it is terminated" in result["msg"]
    assert result["changed"]
    assert row["id"] in finding(home)["ownership"]["instance"]
    cloud.sim.clear_log()
    for check in (True, False):
        again = cloud.fails("datacrunch_instance", deployment="llm", **TIER, check=check)
        assert again["error"]["code"] == "ownership"
        assert "Nothing is bought in this account" in again["msg"]
        assert "then delete" in again["msg"]
    assert cloud.orders() == 0
    cloud.sim.switch(dialect={})
    next((home / "data" / "gpuops" / "accounts").iterdir()).unlink()
    assert cloud.buy(**TIER)["changed"]


@pytest.mark.parametrize("answer", [404, 520])
def test_order_without_a_clear_answer_and_without_ownership_is_not_repeated(
    start: Start, home: Path, answer: int
) -> None:
    cloud = start_in(start, **NOTHING_SHOWN, order_answer=answer)
    result = cloud.fails("datacrunch_instance", deployment="llm", **TIER)
    assert result["error"]["code"] == "ownership"
    machine = cloud.machine()
    assert f"llm ({machine['id']}, 4.639 per hour)" in result["msg"]
    assert "left alone" in result["msg"]
    assert machine["id"] in finding(home)["ownership"]["instance"]
    again = cloud.fails("datacrunch_instance", deployment="llm", **TIER)
    assert "Nothing is bought in this account" in again["msg"]
    assert cloud.orders() == 1


def test_fleet_whose_ownership_does_not_hold_leaves_nothing(start: Start) -> None:
    cloud = start_in(start, **NOTHING_SHOWN)
    theirs = rent(cloud, hostname="llm-2")
    cloud.sim.advance(60)
    cloud.fails("datacrunch_instance", deployment="llm", **TIER, count=2)
    assert cloud.machine()["id"] == theirs


@pytest.mark.parametrize("status", ["running", "error", "offline"])
def test_wrong_id_in_the_answer_does_not_touch_whom_it_names(cloud: Cloud, status: str) -> None:
    theirs = rent(cloud, description="theirs")
    cloud.sim.advance(60)
    cloud.sim.set_status(theirs, status)
    cloud.fault("commit_then_500", status=202, body=theirs)
    result = cloud.buy(**TIER)
    assert result["instance"]["id"] != theirs
    assert sorted(row["id"] for row in cloud.machines()) == sorted(
        [theirs, result["instance"]["id"]]
    )
    assert f"answered with the id {theirs}" in result["warnings"][0]
    assert [row["path"] for row in cloud.sim.writes()] == ["/v1/instances"] * 2


@pytest.mark.parametrize(
    "other",
    [{}, {"description": "theirs"}, {"tags": [{"key": "team", "value": "x"}]}, {"hostname": "web"}],
    ids=["older", "described", "tagged", "another name"],
)
def test_instance_that_may_be_somebody_elses_is_left_alone_and_named(
    cloud: Cloud, home: Path, other: dict[str, Any]
) -> None:
    theirs = rent(cloud, **other)
    if not other:
        cloud.sim.advance(60)
    cloud.fault("status", status=202, body=theirs)
    result = cloud.fails("datacrunch_instance", deployment="llm", **TIER, count=2)
    assert result["error"]["code"] == "ownership"
    assert f"({theirs}, 4.639 per hour)" in result["msg"]
    assert "left alone" in result["msg"]
    assert cloud.machine()["id"] == theirs
    assert theirs in finding(home)["ownership"]["instance"]


def test_instance_that_never_appears_is_named(cloud: Cloud) -> None:
    wrong = "5f1c2a60-7d5e-4c0e-9d0b-0a4b6f3b9c11"
    cloud.fault("status", status=202, body=wrong)
    result = cloud.fails("datacrunch_instance", deployment="llm", **TIER)
    assert wrong in result["msg"]
    assert cloud.orders() == 1


def test_short_fleet_names_what_may_exist(start: Start) -> None:
    cloud = start(provision_seconds=30, stock=stock(TYPE))
    no_money = {"code": "insufficient_funds", "message": "no money"}
    cloud.fault("commit_then_500", status=520, body="<html>")
    cloud.fault("status", status=402, body=no_money, times=None)
    listing = {"method": "GET", "path": "/v1/instances"}

    def hide(_seconds: float) -> None:
        cloud.fault("status", listing, status=500, body="<html>", times=3)

    cloud.clock.on_sleep = hide
    result = cloud.fails("datacrunch_instance", deployment="llm", **TIER, count=2)
    assert "May exist and cost: llm" in result["msg"]
    assert "(id unknown)" in result["msg"]
