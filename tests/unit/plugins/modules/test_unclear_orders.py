# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Orders whose answer is lost: at most one instance, and nobody pays unknowingly."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.support import LISTING, Cloud, stock

TIER = {"tier": "h200_or_less"}
HTML = "<html><head><title>502 Bad Gateway</title></head><body><h1>Bad gateway</h1></body></html>"
# With these the order was executed, although its answer says nothing or something else.
EXECUTED: list[dict[str, Any]] = [
    {"do": "commit_then_500"},
    {"do": "commit_then_500", "status": 502, "body": HTML},
    {"do": "commit_then_500", "status": 503, "body": HTML},
    {"do": "commit_then_500", "status": 504, "body": ""},
    {"do": "commit_then_500", "status": 200, "body": HTML},
    {"do": "commit_then_500", "status": 202, "body": ""},
    {"do": "commit_then_reset"},
    {"do": "commit_then_hang"},
]
# And with these not.
LOST: list[dict[str, Any]] = [
    {"do": "reset"},
    {"do": "hang"},
    {"do": "status", "status": 502, "body": HTML},
    {"do": "status", "status": 503, "body": HTML},
    {"do": "status", "status": 500, "body": {"code": "server_error", "message": "oops"}},
]


def names(faults: list[dict[str, Any]]) -> list[str]:
    """Return names for parameters."""
    return [f"{fault['do']}-{fault.get('status', '')}" for fault in faults]


@pytest.fixture
def shelf(cloud: Cloud) -> Cloud:
    """Return a cloud with one kind of instance."""
    cloud.sim.set_stock(stock("1H200.141S.44V"))
    return cloud


@pytest.mark.parametrize("fault", EXECUTED, ids=names(EXECUTED))
def test_executed_order_is_found_and_never_repeated(shelf: Cloud, fault: dict[str, Any]) -> None:
    shelf.fault(**fault)
    result = shelf.buy(**TIER)
    assert shelf.orders() == 1
    assert shelf.machine()["id"] == result["instance"]["id"]
    assert result["instance"]["status"] == "running"


@pytest.mark.parametrize("fault", LOST, ids=names(LOST))
def test_lost_order_is_repeated_after_a_look(shelf: Cloud, fault: dict[str, Any]) -> None:
    shelf.fault(**fault)
    result = shelf.buy(**TIER)
    verbs = [row["method"] for row in shelf.sim.log() if row["path"] == "/v1/instances"]
    assert verbs[:4] == ["GET", "POST", "GET", "GET"]
    assert shelf.orders() == 2
    assert shelf.machine()["id"] == result["instance"]["id"]


@pytest.mark.parametrize("fault", LOST, ids=names(LOST))
def test_orders_that_stay_lost_end_with_a_clear_error(shelf: Cloud, fault: dict[str, Any]) -> None:
    shelf.fault(**fault, times=None)
    result = shelf.fails("datacrunch_instance", deployment="llm", **TIER)
    assert result["error"]["code"] == "unavailable"
    assert "no instance of it appeared" in result["msg"]
    assert shelf.orders() == 2
    assert shelf.machines() == []


def test_order_that_shows_up_late_is_found(shelf: Cloud) -> None:
    empty = {"match": LISTING, "do": "status", "status": 200, "body": []}
    hidden = iter([empty] * 3)
    shelf.fault("commit_then_reset")
    shelf.clock.on_sleep = lambda _seconds: shelf.sim.add_faults(filter(None, [next(hidden, None)]))
    shelf.buy(**TIER)
    assert shelf.orders() == 1
    assert len(shelf.machines()) == 1
    assert shelf.clock.slept[:4] == [0, 1, 2, 4]


@pytest.mark.parametrize("status", [301, 303, 404, 409, 418, 499, 501, 507, 520, 522, 524])
def test_any_answer_that_is_no_refusal_is_looked_up(shelf: Cloud, status: int) -> None:
    shelf.sim.switch(dialect={"order_answer": None if status in (418, 501, 507) else status})
    shelf.fault("commit_then_500", status=status, body=HTML)
    result = shelf.buy(**TIER)
    assert (shelf.orders(), shelf.machine()["id"]) == (1, result["instance"]["id"])


@pytest.mark.parametrize("status", [400, 402, 403, 422])
def test_refusal_that_the_api_did_not_write_is_looked_up(shelf: Cloud, status: int) -> None:
    shelf.fault("commit_then_500", status=status, body=HTML)
    assert shelf.buy(**TIER)["instance"]["id"] == shelf.machine()["id"]
    assert shelf.orders() == 1


@pytest.mark.parametrize("body", ["[1]", "null", "7", "[" * 5000, '{"id": null}', '{"id": ["x"]}'])
def test_answer_that_holds_no_id_is_looked_up(shelf: Cloud, body: str) -> None:
    shelf.fault("commit_then_500", status=202, body=body)
    assert shelf.buy(**TIER)["instance"]["id"] == shelf.machine()["id"]
    assert shelf.orders() == 1


def test_list_that_cannot_be_read_either_is_told(shelf: Cloud) -> None:
    shelf.fault("commit_then_reset")
    shelf.clock.on_sleep = lambda _seconds: shelf.fault("reset", LISTING, times=3)
    result = shelf.fails("datacrunch_instance", deployment="llm", **TIER)
    assert "It is not known whether the instance was made" in result["msg"]
    assert shelf.orders() == 1
    shelf.clock.on_sleep = lambda _seconds: None
    shelf.sim.clear_faults()
    assert shelf.buy(**TIER, state="running")["instance"]["id"] == shelf.machine()["id"]
    assert shelf.orders() == 1


def test_list_that_fails_at_the_last_look_leaves_it_open(shelf: Cloud) -> None:
    shelf.fault("hang")

    def sleep(seconds: float) -> None:
        if seconds == 30:  # what was taken only now would not be seen
            shelf.fault("status", LISTING, status=500, body=HTML, times=3)

    shelf.clock.on_sleep = sleep
    result = shelf.fails("datacrunch_instance", deployment="llm", **TIER)
    assert "It is not known whether the instance was made" in result["msg"]
    assert shelf.orders() == 1


@pytest.mark.parametrize("status", [401, 403])
def test_list_that_is_refused_leaves_it_open(shelf: Cloud, status: int) -> None:
    shelf.fault("commit_then_reset")

    def sleep(_seconds: float) -> None:
        shelf.fault("status", LISTING, status=status, body={"message": "no"}, times=2)

    shelf.clock.on_sleep = sleep
    result = shelf.fails("datacrunch_instance", deployment="llm", **TIER)
    assert "Run the same again" in result["msg"]
    assert result["error"]["request"] == "POST /instances"


def test_machine_that_another_run_bought_meanwhile_is_adopted(shelf: Cloud) -> None:
    shelf.fault("reset")
    marks = "gpo.llm.llm.none.00000000"
    order = {"hostname": "llm", "location_code": "FIN-03", "instance_type": "1H200.141S.44V"}
    body = {**order, "image": "24.04.cuda13.2", "description": marks}

    def sleep(seconds: float) -> None:
        if seconds == 30:
            shelf.client().create("/instances", body)

    shelf.clock.on_sleep = sleep
    result = shelf.buy(**TIER)
    assert result["instance"]["id"] == shelf.machine()["id"]
    assert result["attempts"][-1]["outcome"] == "adopted"
    assert shelf.orders() == 2  # ours that was lost, and theirs


def test_latency_below_the_timeout_is_no_matter(shelf: Cloud) -> None:
    shelf.fault("latency", seconds=0.3)
    assert shelf.buy(**TIER)["changed"]
    assert shelf.orders() == 1


# -- after the order -------------------------------------------------------------------------------


def test_stuck_machine_is_told_and_adopted_by_the_next_run(shelf: Cloud) -> None:
    shelf.fault("stuck_provisioning")
    result = shelf.fails("datacrunch_instance", deployment="llm", **TIER, wait_timeout=120)
    machine = shelf.machine()
    assert result["error"]["code"] == "timeout"
    assert result["instance_id"] == machine["id"]
    assert machine["id"] in result["msg"]
    assert "last seen provisioning" in result["msg"]
    assert "costs money" in result["msg"]
    assert result["changed"]
    shelf.sim.set_status(machine["id"], "running")
    again = shelf.buy(**TIER, state="running")
    assert again["instance"]["id"] == machine["id"]
    assert shelf.orders() == 1


def test_next_run_waits_for_a_machine_that_is_still_built(shelf: Cloud) -> None:
    first = shelf.buy(**TIER, wait=False)
    again = shelf.buy(**TIER, state="running")
    assert again["instance"]["id"] == first["instance"]["id"]
    assert again["instance"]["status"] == "running"
    assert again["instance"]["ip"]


def test_token_that_expires_during_the_wait_is_renewed(shelf: Cloud) -> None:
    shelf.clock.on_sleep = lambda _seconds: shelf.sim.revoke_tokens()
    assert shelf.buy(**TIER)["instance"]["status"] == "running"
    assert len(shelf.calls("/oauth2/token")) > 1


@pytest.mark.parametrize(
    "fault",
    [
        {"do": "reset"},
        {"do": "hang"},
        {"do": "status", "status": 502, "body": HTML},
        {"do": "status", "status": 503, "body": HTML},
        {"do": "status", "status": 404, "body": {"message": "Invalid instance id"}},
        {"do": "status", "status": 429, "body": "Rate limit.", "headers": {"Retry-After": "1"}},
    ],
    ids=["reset", "hang", "502", "503", "404", "429"],
)
def test_reads_that_fail_during_the_wait_are_no_end(shelf: Cloud, fault: dict[str, Any]) -> None:
    shelf.fault(match={"method": "GET", "path": "/v1/instances/*"}, **fault, times=3)
    assert shelf.buy(**TIER)["instance"]["status"] == "running"
    assert shelf.orders() == 1


def test_machine_that_vanishes_is_not_waited_for(shelf: Cloud) -> None:
    def vanish(_seconds: float) -> None:
        for row in shelf.machines():
            shelf.sim.set_status(row["id"], "discontinued")

    shelf.clock.on_sleep = vanish
    result = shelf.fails("datacrunch_instance", deployment="llm", **TIER)
    assert {row["outcome"] for row in result["attempts"]} == {"failed"}
    assert shelf.machines() == []


def test_list_that_fails_after_the_order_keeps_the_id(shelf: Cloud) -> None:
    shelf.fault("status", LISTING, status=200, body=[])
    shelf.fault("status", LISTING, status=500, body=HTML, times=3)
    result = shelf.fails("datacrunch_instance", deployment="llm", **TIER)
    assert result["instance_id"] == shelf.machine()["id"]
    assert "run the same again to adopt it" in result["msg"]


def test_fleet_whose_orders_fare_differently_is_complete(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock("1H200.141S.44V", "1H100.80S.32V"))
    for fault in ("commit_then_500", "no_capacity_later", "reset"):
        cloud.fault(fault)
    result = cloud.buy(**TIER, count=3)
    assert [row["name"] for row in result["instances"]] == ["llm", "llm-2", "llm-3"]
    assert {row["status"] for row in result["instances"]} == {"running"}
    assert {row["id"] for row in result["instances"]} == {row["id"] for row in cloud.machines()}
    assert cloud.orders() == 5
    outcomes = sorted(row["outcome"] for row in result["attempts"])
    assert outcomes == ["failed", "taken", "taken", "taken"]
    cloud.sim.advance(60)
    disks = {row["id"] for row in cloud.sim.state()["volumes"]}
    assert disks == {row["os_volume_id"] for row in result["instances"]}
