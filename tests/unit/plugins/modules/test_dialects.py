# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts that take less: an order falls back step by step, and tags go in either way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import Cloud, stock

TYPE = "1H200.141S.44V"
TIER = {"tier": "h200_or_less"}
LONG = {"deployment": "my-team-llm-of-the-north", "name": "my-team-llm-of-the-north-worker-1"}


def tags(row: dict[str, Any]) -> dict[str, str]:
    """Return the tags of an instance or volume as the simulator keeps them."""
    return {tag["key"]: tag["value"] for tag in row["tags"]}


def start_in(start: Start, **dialect: Any) -> Cloud:
    """Start a cloud with a dialect, one type in stock and 30 seconds to build an instance."""
    return start(provision_seconds=30, dialect=dialect, stock=stock(TYPE))


def finding(home: Path) -> dict[str, Any]:
    """Return what is remembered of the account."""
    (path,) = (home / "data" / "gpuops" / "accounts").glob("*.json")
    assert path.stat().st_mode & 0o077 == 0
    return dict(json.loads(path.read_text()))


# -- fallbacks, in steps ---------------------------------------------------------------------------


def test_disks_are_tagged_after_the_order_where_they_cannot_be_with_it(start: Start) -> None:
    cloud = start_in(start, order_tags="refused_on_disks")
    result = cloud.buy(**TIER, data_volume_gb=50, data_volumes="keep", project="research")
    assert cloud.orders() == 2
    assert len(tags(cloud.machine())) == 5
    assert [warning.split(":")[0] for warning in result["warnings"]] == [
        "This account takes no tags on the disks of an order, so they are tagged after it"
    ]
    disks = {row["name"]: tags(row) for row in cloud.sim.state()["volumes"]}
    lease = result["instance"]["lease"]
    ours = {"gpuops-deployment": "llm", "gpuops-project": "research"}
    ours["gpuops-owner"] = result["instance"]["owner"]
    assert disks == {
        "gpuops.llm.llm.os": {**ours, "gpuops-lease": lease},
        "gpuops.llm.llm.data.keep": {**ours, "gpuops-keep": "yes"},
    }


def test_fleet_learns_once_what_an_account_does_not_take(start: Start) -> None:
    cloud = start_in(start, order_tags="refused_on_disks")
    cloud.buy(**TIER, wait=False)
    cloud.sim.clear_log()
    result = cloud.buy(**TIER, count=4)
    assert len(result["warnings"]) == 1
    assert 4 <= cloud.orders() <= 6
    assert all(tags(row) for row in cloud.sim.state()["volumes"])


@pytest.mark.parametrize("habit", ["refused_400", "refused_403"])
def test_order_without_tags_is_found_by_its_ownership_string(start: Start, habit: str) -> None:
    cloud = start_in(start, order_tags=habit)
    result = cloud.buy(**TIER)
    assert cloud.orders() == 3
    assert cloud.machine()["tags"] == []
    assert "only the ownership string" in result["warnings"][0]
    assert not cloud.buy(**TIER)["changed"]
    assert cloud.end()["changed"]


@pytest.mark.parametrize(
    "refusal",
    [
        {"status": 403, "body": {"code": "forbidden_action", "message": "Insufficient scope"}},
        {"status": 400, "body": {"code": "invalid_request", "message": "Validation failed"}},
        {"status": 400, "body": {"code": "invalid_request", "message": "Tag limit exceeded"}},
        {"status": 422, "body": {"message": "tags"}},
    ],
    ids=["scope", "no word", "limit", "422"],
)
def test_refusal_of_tags_is_known_by_any_words(cloud: Cloud, refusal: dict[str, Any]) -> None:
    cloud.fault("status", **refusal)
    result = cloud.buy(**TIER)
    assert cloud.orders() == 2
    assert "tagged after it" in result["warnings"][0]
    assert tags(cloud.sim.state()["volumes"][0])["gpuops-deployment"] == "llm"


@pytest.mark.parametrize(
    ("message", "orders"), [("GPU limit exceeded", 1), ("Invalid image", 1), ("Quota exceeded", 1)]
)
def test_other_refusals_are_not_taken_for_one_of_tags(
    cloud: Cloud, message: str, orders: int
) -> None:
    body = {"code": "invalid_request", "message": message}
    cloud.fault("status", status=400, body=body, times=None)
    assert message in cloud.fails("datacrunch_instance", deployment="llm", **TIER)["msg"]
    assert cloud.orders() == orders


def test_description_that_is_refused_is_left_out_step_by_step(cloud: Cloud) -> None:
    message = "description must be shorter than or equal to 20 characters"
    cloud.fault("status", status=400, body={"code": "x", "message": message}, times=2)
    result = cloud.buy(**TIER, description="mine")
    assert cloud.orders() == 3
    assert cloud.machine()["description"] == ""
    assert "only tags tell whose it is" in result["warnings"][0]
    assert not cloud.buy(**TIER)["changed"]


def test_nothing_is_bought_that_neither_tags_nor_description_name(cloud: Cloud) -> None:
    for word in ("tags", "tags", "description", "description"):
        cloud.fault("status", status=400, body={"code": "x", "message": f"{word} refused"})
    result = cloud.fails("datacrunch_instance", deployment="llm", **TIER)
    assert result["error"]["code"] == "invalid"
    assert cloud.machines() == []


@pytest.mark.parametrize("habit", ["refused_400", "refused_403"])
def test_long_names_without_tags_are_refused_and_then_when_planned(
    start: Start, home: Path, habit: str
) -> None:
    cloud = start_in(start, order_tags=habit)
    first = cloud.fails("datacrunch_instance", **LONG, **TIER)
    assert "too long" in first["msg"]
    assert cloud.machines() == []
    cloud.buy(**TIER)  # a short one shows that it is so
    assert finding(home)["no_tags"]
    cloud.sim.clear_log()
    planned = cloud.fails("datacrunch_instance", **LONG, **TIER, check=True)
    assert "too long" in planned["msg"]
    assert cloud.fails("datacrunch_instance", **LONG, **TIER)["error"]["code"] == "invalid"
    assert cloud.orders() == 0


# -- removing tags ---------------------------------------------------------------------------------


@pytest.mark.parametrize("untag", ["id", "key", "both"])
def test_lease_is_extended_however_tags_are_removed(start: Start, untag: str) -> None:
    cloud = start_in(start, untag=untag)
    end = cloud.buy(**TIER, lease="1h")["instance"]["lease_end"]
    for _time in (1, 2, 3):
        row = cloud.ok("datacrunch_lease", deployment="llm", extend="1h")["instances"][0]
        assert row["lease_end"] > end
        end = row["lease_end"]
        assert tags(cloud.machine())["gpuops-lease"] == end
        assert "gpuops-next-lease" not in tags(cloud.machine())
    cloud.ok("datacrunch_lease", deployment="llm", protect=True)
    assert not cloud.ok("datacrunch_lease", deployment="llm", protect=False)["instances"][0][
        "protected"
    ]


def test_disk_does_not_bear_two_leases(start: Start) -> None:
    cloud = start_in(start, tag_conflict="tag")
    cloud.buy(**TIER, data_volume_gb=50)
    cloud.ok("datacrunch_lease", deployment="llm", extend="1h")
    for row in cloud.sim.state()["volumes"]:
        keys = [tag["key"] for tag in row["tags"]]
        assert len(keys) == len(set(keys))
