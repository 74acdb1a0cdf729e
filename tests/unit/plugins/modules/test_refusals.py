# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Orders that are refused, or fail after they were accepted: the next offer, or a clear end."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import (
    LISTING,
    ORDERS,
    Cloud,
    stock,
)

SHELF = stock("1H200.141S.44V", "1H100.80S.32V", "1A100.22V@FIN-01")
TIER = {"tier": "h200_or_less"}


@pytest.fixture
def shelf(cloud: Cloud) -> Cloud:
    """Return a cloud with three kinds of instance in stock."""
    cloud.sim.set_stock(SHELF)
    return cloud


def trace(result: dict[str, Any]) -> list[tuple[str, str]]:
    """Return type and outcome of every attempt."""
    return [(row["instance_type"], row["outcome"]) for row in result["attempts"]]


# -- lack of capacity leads to the next offer ------------------------------------------------------


def test_stock_that_lies_leads_to_the_next_offer(shelf: Cloud) -> None:
    shelf.sim.switch(availability_lies=["1H200.141S.44V"])
    result = shelf.buy(**TIER)
    assert trace(result) == [("1H200.141S.44V", "refused"), ("1H100.80S.32V", "taken")]
    assert "503" in result["attempts"][0]["detail"]
    assert "1H100.80S.32V" in result["actions"][0]
    assert shelf.orders() == 2
    assert shelf.machine()["instance_type"] == "1H100.80S.32V"


@pytest.mark.parametrize(
    ("fate", "status"),
    [
        ("no_capacity_later", "no_capacity"),
        ("error_later", "error"),
        ("installation_failed_later", "installation_failed"),
    ],
)
def test_order_that_dies_is_removed_and_the_next_offer_taken(
    shelf: Cloud, fate: str, status: str
) -> None:
    shelf.fault(fate)
    result = shelf.buy(**TIER)
    assert trace(result) == [("1H200.141S.44V", "failed"), ("1H100.80S.32V", "taken")]
    assert status in result["attempts"][0]["detail"]
    assert shelf.machine()["id"] == result["instance"]["id"]
    assert [row["name"] for row in shelf.sim.state()["volumes"]] == ["gpuops.llm.llm.os"]
    assert shelf.sim.state()["trash"] == []


def test_stock_is_read_again_after_a_refusal(shelf: Cloud) -> None:
    shelf.sim.switch(availability_lies=["1H200.141S.44V"])
    shelf.buy(**TIER)
    assert len(shelf.calls("/instance-availability")) == 2


def test_what_is_no_longer_in_stock_is_not_tried(shelf: Cloud) -> None:
    shelf.fault("no_capacity_later")
    shelf.clock.on_sleep = lambda _seconds: shelf.sim.set_stock(stock("1A100.22V@FIN-01"))
    assert trace(shelf.buy(**TIER)) == [("1H200.141S.44V", "failed"), ("1A100.22V", "taken")]


def test_every_offer_refused_tells_what_was_tried(shelf: Cloud) -> None:
    shelf.sim.switch(availability_lies=["1H200.141S.44V", "1H100.80S.32V", "1A100.22V"])
    result = shelf.fails("datacrunch_instance", deployment="llm", **TIER)
    assert result["error"]["code"] == "no_capacity"
    assert [outcome for _type, outcome in trace(result)] == ["refused"] * 3
    for place in ("1H200.141S.44V in FIN-03", "1H100.80S.32V in FIN-03", "1A100.22V in FIN-01"):
        assert place in result["msg"]
    assert not result["changed"]
    assert shelf.machines() == []


def test_no_further_offer_is_tried_after_the_time_for_it(shelf: Cloud) -> None:
    shelf.fault("reset", ORDERS)  # looked up for a minute, then sent again and refused
    shelf.sim.switch(availability_lies=["1H200.141S.44V", "1H100.80S.32V", "1A100.22V"])
    args = {**TIER, "capacity_timeout": 20}
    result = shelf.fails("datacrunch_instance", deployment="llm", **args)
    assert len(result["attempts"]) == 1
    assert shelf.machines() == []


def test_time_of_an_order_that_was_accepted_does_not_count(shelf: Cloud) -> None:
    shelf.fault("no_capacity_later", times=2)
    result = shelf.buy(**TIER, capacity_timeout=20)
    assert [row["outcome"] for row in result["attempts"]] == ["failed", "failed", "taken"]


def test_nothing_in_stock_costs_no_order(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock("1V100.6V@FIN-01", "CPU.4V.16G", spot=["1A6000.10V"]))
    result = cloud.fails("datacrunch_instance", deployment="llm", tier="any_h100")
    assert result["error"]["code"] == "no_capacity"
    assert "not in stock" in result["msg"]
    assert "1H100.80S.32V" in result["msg"]
    assert (
        "The cheapest GPU free now is 1V100.6V in FIN-01 on-demand at 0.19 usd/h" in result["msg"]
    )
    assert result["cheapest_free"]["instance_type"] == "1V100.6V"
    assert {row["reason"] for row in result["rejected"]} == {"not_in_stock"}
    assert "Widen the tier, the locations or the price" in result["msg"]
    assert cloud.sim.writes() == []


# -- any other refusal stops at once ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "code", "words"),
    [
        (400, {"code": "invalid_request", "message": "Invalid ssh key id"}, "not_found", "ssh key"),
        (400, {"code": "invalid_request", "message": "GPU limit exceeded"}, "quota", "GPU limit"),
        (402, {"code": "insufficient_funds", "message": "Balance too low"}, "no_funds", "Top up"),
        (422, {"message": "hostname"}, "invalid", "hostname"),
    ],
)
def test_refusal_that_would_hold_everywhere_stops_at_once(
    shelf: Cloud, status: int, body: Any, code: str, words: str
) -> None:
    shelf.fault("status", status=status, body=body)
    result = shelf.fails("datacrunch_instance", deployment="llm", **TIER)
    assert (result["error"]["code"], result["error"]["status"]) == (code, status)
    assert words in result["msg"]
    assert not result["changed"]
    assert shelf.orders() == 1
    assert shelf.machines() == []


@pytest.mark.parametrize(
    ("status", "message", "code"),
    [
        (400, ["a", "b"], "invalid"),
        (403, "Not allowed", "forbidden"),
        (403, "Insufficient scope", "auth"),
        (400, "Tag limit exceeded", "quota"),
    ],
)
def test_refusal_that_may_be_of_tags_is_told_when_it_holds_without_them(
    shelf: Cloud, status: int, message: Any, code: str
) -> None:
    shelf.fault("status", status=status, body={"code": "x", "message": message}, times=None)
    result = shelf.fails("datacrunch_instance", deployment="llm", **TIER)
    assert (result["error"]["code"], result["error"]["status"]) == (code, status)
    assert shelf.orders() == 3  # with tags, without those of disks, without any
    assert shelf.machines() == []


def test_conflict_is_no_refusal_and_is_looked_up(shelf: Cloud) -> None:
    shelf.fault("status", status=409, body={"code": "conflict", "message": "busy"}, times=None)
    result = shelf.fails("datacrunch_instance", deployment="llm", **TIER)
    assert result["error"]["code"] == "conflict"
    assert "no instance of it appeared" in result["msg"]
    assert shelf.orders() == 2


def test_refused_token_is_renewed_and_the_order_sent_again(shelf: Cloud) -> None:
    shelf.fault("status", status=401, body={"code": "unauthorized_request", "message": "old"})
    assert shelf.buy(**TIER)["changed"]
    assert shelf.orders() == 2
    assert len(shelf.machines()) == 1


def test_token_that_is_refused_twice_stops(shelf: Cloud) -> None:
    refusal = {"code": "unauthorized_request", "message": "no"}
    shelf.fault("status", status=401, body=refusal, times=2)
    result = shelf.fails("datacrunch_instance", deployment="llm", **TIER)
    assert result["error"]["code"] == "auth"
    assert shelf.orders() == 2


def test_empty_account_is_told_and_buys_nothing(start: Start) -> None:
    cloud = start(balance=0.01, stock=SHELF)
    foreseen = cloud.fails("datacrunch_instance", deployment="llm", **TIER)
    assert foreseen["error"]["code"] == "over_budget"
    assert cloud.orders() == 0
    result = cloud.fails("datacrunch_instance", deployment="llm", budget_policy="warn", **TIER)
    assert result["error"]["code"] == "no_funds"
    assert "Top up the account" in result["msg"]
    assert cloud.orders() == 1


@pytest.mark.parametrize("quota", ["gpus", "vcpus", "volumes", "storage_gb"])
def test_used_up_quota_is_told_and_buys_nothing(start: Start, quota: str) -> None:
    cloud = start(quotas={quota: 0}, stock=SHELF)
    result = cloud.fails("datacrunch_instance", deployment="llm", **TIER)
    assert result["error"]["code"] == "quota"
    assert "ask for more quota" in result["msg"]
    assert cloud.orders() == 1


# -- rate limits -----------------------------------------------------------------------------------


@pytest.mark.parametrize("match", [ORDERS, LISTING], ids=["order", "read"])
def test_rate_limit_is_waited_for(shelf: Cloud, match: dict[str, str]) -> None:
    shelf.fault(
        "status", match, status=429, body="Rate limit.", headers={"Retry-After": "2"}, times=2
    )
    assert shelf.buy(**TIER)["changed"]
    assert shelf.clock.slept.count(2) == 2
    assert len(shelf.machines()) == 1


def test_rate_limit_that_stays_is_told(shelf: Cloud) -> None:
    shelf.fault("status", status=429, body="Rate limit.", headers={"Retry-After": "2"}, times=None)
    result = shelf.fails("datacrunch_instance", deployment="llm", **TIER)
    assert result["error"]["code"] == "rate_limited"
    assert "Rate limit." in result["msg"]
    assert shelf.machines() == []


# -- accounts that differ --------------------------------------------------------------------------


def test_account_that_refuses_tags_gets_the_ownership_string(start: Start) -> None:
    cloud = start(tags_supported=False, stock=SHELF)
    result = cloud.buy(**TIER)
    assert cloud.orders() == 3
    assert cloud.machine()["description"].startswith("gpo.llm.llm.")
    assert result["instance"]["deployment"] == "llm"
    assert result["instance"]["lease_end"]
    assert not cloud.buy(**TIER)["changed"]
    assert cloud.end()["changed"]
    assert cloud.machines() == []


@pytest.mark.parametrize("quoted", [True, False])
def test_ids_may_be_quoted(start: Start, quoted: bool) -> None:
    cloud = start(quoted_ids=quoted, stock=SHELF)
    assert cloud.buy(**TIER)["instance"]["id"] == cloud.machine()["id"]


def test_ids_may_come_as_an_object(shelf: Cloud) -> None:
    other = shelf.client().create
    shelf.fault("status", status=202, body={"id": "5f1c2a60-7d5e-4c0e-9d0b-0a4b6f3b9c11"})
    assert other("/instances", {}) == "5f1c2a60-7d5e-4c0e-9d0b-0a4b6f3b9c11"


def test_unknown_fields_are_no_matter(start: Start) -> None:
    cloud = start(extra_fields=True, stock=SHELF)
    assert cloud.buy(**TIER)["changed"]
