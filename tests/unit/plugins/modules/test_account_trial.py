# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one purchase that probes an account: what it may cost, and that nothing of it is left."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._account import trial
from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.probing import (
    NAME,
    TYPE,
    assert_nothing_is_left,
    begin,
    named,
    probe,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import stock


def test_it_costs_one_step_of_the_cheapest_type_at_most(start: Start) -> None:
    cloud = begin(start, stock=stock("1H100.80S.32V", TYPE, "1A100.22V"))
    before = cloud.client().balance().amount
    probe(cloud)
    assert [row["instance_type"] for row in cloud.sim.state()["instances"]] == [TYPE]
    spent = before - cloud.client().balance().amount
    assert 0 < spent < 0.25 / 6


def test_a_type_without_a_gpu_will_do(start: Start) -> None:
    cloud = begin(start, stock=stock("CPU.4V.16G", TYPE))
    assert probe(cloud)["left_over"]["value"] == "nothing"
    assert [row["instance_type"] for row in cloud.sim.state()["instances"]] == ["CPU.4V.16G"]


def test_the_next_type_is_taken_when_the_cheapest_is_gone(start: Start) -> None:
    cloud = begin(start, stock=stock(TYPE, "1A100.22V"), availability_lies=[TYPE])
    assert probe(cloud)["left_over"]["value"] == "nothing"
    assert [row["instance_type"] for row in cloud.sim.state()["instances"]] == ["1A100.22V"]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"spend": False}, "spend: true is required"),
        ({}, "must begin with verify-account"),
        ({"deployment": NAME, "max_price_per_hour": 0.01}, "no type in stock"),
        ({"deployment": NAME, "locations": ["ICE-01"]}, "no type in stock"),
        ({"deployment": NAME, "budget": {"per_hour": 0.01}}, "would cost too much"),
    ],
)
def test_nothing_is_bought_that_nobody_allowed(
    start: Start, args: dict[str, Any], words: str
) -> None:
    cloud = begin(start)
    given = {"spend": True, "deployment": "llm", **args}
    assert words in cloud.fails("datacrunch_account_probe", **given)["msg"]
    assert cloud.sim.writes() == []


def test_check_mode_buys_nothing_and_says_what_it_would(start: Start) -> None:
    cloud = begin(start)
    result = cloud.ok("datacrunch_account_probe", check=True, spend=True, deployment=NAME)
    assert result["changed"]
    assert f"buy {NAME}: {TYPE} at " in result["actions"][0]
    assert result["account"] == []
    assert cloud.sim.writes() == []


def test_nothing_that_was_there_before_is_touched(start: Start) -> None:
    cloud = begin(start, provision_seconds=0)
    cloud.buy(instance_type=TYPE, deployment=NAME, name="mine", data_volume_gb=20)
    result = cloud.fails("datacrunch_account_probe", spend=True, deployment=NAME)
    assert "is there already" in result["msg"]
    cloud.buy(instance_type=TYPE, deployment="llm")
    probe(cloud, deployment=f"{NAME}-2")
    assert sorted(row["hostname"] for row in cloud.machines()) == ["llm", "mine"]


@pytest.mark.parametrize(
    "fault",
    [
        {"do": "error_later"},
        {"do": "installation_failed_later"},
        {"do": "no_capacity_later"},
        {"do": "stuck_provisioning"},
    ],
    ids=lambda fault: fault["do"],
)
def test_an_order_that_fails_leaves_nothing_behind(start: Start, fault: dict[str, Any]) -> None:
    cloud = begin(start)
    cloud.fault(fault["do"], times=2)  # the first order is refused for its description
    result = cloud.fails("datacrunch_account_probe", spend=True, deployment=NAME, wait_timeout=90)
    assert "is terminated" in result["msg"]
    assert result["left"] == []
    assert named(result)["trial"]["value"].startswith("failed: ")
    assert named(result)["order_tags"]["value"] == "accepted"
    assert_nothing_is_left(cloud)


@pytest.mark.parametrize(
    "match",
    [
        {"method": "POST", "path": "/v1/instances/*"},
        {"method": "DELETE", "path": "/v1/instances/*"},
        {"method": "GET", "path": "/v1/volumes/trash"},
    ],
    ids=lambda match: match["path"],
)
@pytest.mark.parametrize("status", [400, 500])
def test_a_step_that_fails_leaves_nothing_behind(
    start: Start, match: dict[str, str], status: int
) -> None:
    cloud = begin(start)
    cloud.fault("status", match, status=status, body={"code": "x", "message": "no"}, times=6)
    result = cloud.run("datacrunch_account_probe", spend=True, deployment=NAME)
    assert named(result)["left_over"]["value"] == "nothing"
    assert_nothing_is_left(cloud)


def test_an_interrupted_trial_leaves_nothing_behind(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud = begin(start)

    def interrupt(*_args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(trial.LeaseResource, "find", interrupt)
    with pytest.raises(KeyboardInterrupt):
        cloud.run("datacrunch_account_probe", spend=True, deployment=NAME)
    assert cloud.orders() == 2
    assert_nothing_is_left(cloud)


def test_what_cannot_be_removed_is_named_with_its_price(start: Start) -> None:
    cloud = begin(start)
    match = {"method": "PUT", "path": "/v1/instances"}
    body = {"code": "forbidden_action", "message": "not today"}
    cloud.fault("status", match, status=403, body=body, times=None)
    result = cloud.fails("datacrunch_account_probe", spend=True, deployment=NAME, wait_timeout=60)
    row = cloud.machine()
    assert row["id"] in result["msg"]
    assert "per hour" in result["msg"]
    assert len(result["left"]) >= 1
    assert named(result)["left_over"]["value"] == "something"


def test_an_account_that_shows_no_ownership_is_told_and_left_clean(start: Start) -> None:
    cloud = begin(start, dialect={"answer_tags": False, "answer_description": 10})
    result = cloud.fails("datacrunch_account_probe", spend=True, deployment=NAME)
    assert result["error"]["code"] == "ownership"
    found = named(result)
    assert found["answer_tags"]["value"] == "not shown"
    assert found["answer_description"]["value"] == "cut at 10 characters"
    assert_nothing_is_left(cloud)
