# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The dialects of accounts: each switch does what it says, and the strictest is the default."""

from __future__ import annotations

import json
import math
import time
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from gpuops_simulator import Simulator

TAG = {"key": "who", "value": "me"}
DISK = {"name": "os", "size": 50, "tags": [TAG]}


@pytest.mark.parametrize(
    ("limit", "length", "status"), [(60, 60, 202), (60, 61, 400), (100, 101, 400), (None, 999, 202)]
)
def test_description_has_a_limit(start: Any, limit: int | None, length: int, status: int) -> None:
    api = start(dialect={"description_limit": limit})
    assert api.order(description="x" * length).status == status


@pytest.mark.parametrize(
    ("habit", "statuses"),
    [
        ("accepted", (202, 202)),
        ("refused_400", (400, 400)),
        ("refused_403", (403, 403)),
        ("refused_on_disks", (202, 400)),
    ],
)
def test_orders_may_not_bear_tags(start: Any, habit: str, statuses: tuple[int, int]) -> None:
    api = start(dialect={"order_tags": habit})
    answers = api.order(tags=[TAG]), api.order(os_volume=DISK)
    assert tuple(answer.status for answer in answers) == statuses
    bare = api.buy()
    assert api.post(f"/instances/{bare}/tags", TAG).status == 201


@pytest.mark.parametrize(
    ("habit", "statuses"), [("both", (204, 204)), ("id", (204, 404)), ("key", (404, 204))]
)
def test_tags_are_removed_by_id_or_by_key(
    start: Any, habit: str, statuses: tuple[int, int]
) -> None:
    api = start(dialect={"untag": habit})
    found = []
    for name in ("id", "key"):
        instance = api.buy()
        tag = api.post(f"/instances/{instance}/tags", TAG).data
        found.append(api.delete(f"/instances/{instance}/tags/{tag[name]}").status)
    assert tuple(found) == statuses


@pytest.mark.parametrize(("habit", "status"), [("key", 409), ("tag", 201)])
def test_second_tag_of_a_key(start: Any, habit: str, status: int) -> None:
    api = start(dialect={"tag_conflict": habit})
    instance = api.buy(tags=[TAG])
    assert api.post(f"/instances/{instance}/tags", TAG).status == 409
    assert api.post(f"/instances/{instance}/tags", {**TAG, "value": "you"}).status == status


def test_answers_may_hide_tags_and_cut_descriptions(start: Any) -> None:
    api = start(dialect={"answer_tags": False, "answer_description": 3})
    one = api.instance(api.buy(tags=[TAG], description="abcdef"))
    assert ("tags" in one, one["description"]) == (False, "abc")
    kept = api.simulator.state()["instances"][0]
    assert kept["id"] == one["id"]


def test_new_instance_may_be_unknown_by_its_id_at_first(start: Any) -> None:
    api = start(dialect={"unknown_looks": 2})
    path = f"/instances/{api.buy()}"
    assert [api.get(path).status for _look in range(3)] == [404, 404, 200]


def test_list_may_lag_behind_orders(start: Any) -> None:
    api = start(dialect={"list_lag_seconds": 30})
    instance = api.buy()
    assert api.get("/instances").data == []
    assert api.instance(instance)["id"] == instance
    api.simulator.advance(30)
    assert [row["id"] for row in api.get("/instances").data] == [instance]


@pytest.mark.parametrize("status", [301, 303, 404, 409, 499, 520, 522, 524])
def test_proxy_may_answer_an_order_that_was_executed(start: Any, status: int) -> None:
    api = start(dialect={"order_answer": status})
    assert api.order().status == status
    assert len(api.get("/instances").data) == 1


def test_system_disk_is_not_small(api: Any) -> None:
    assert api.order(os_volume={"name": "os", "size": 49}).status == 400
    assert api.order(os_volume={"name": "os", "size": 50}).status == 202


@pytest.mark.parametrize(
    ("shape", "wanted"), [("data", {"data": []}), ("object", {}), ("null", None)]
)
@pytest.mark.parametrize("path", ["/instances", "/volumes", "/volumes/trash", "/ssh-keys"])
def test_lists_may_have_another_shape(start: Any, path: str, shape: str, wanted: Any) -> None:
    api = start(dialect={"list_shape": shape})
    assert api.get(path).data == wanted
    instance = api.buy()
    assert api.instance(instance)["id"] == instance
    assert api.balance() > 0


def test_rows_are_kept_in_another_shape(start: Any) -> None:
    api = start(dialect={"list_shape": "data"})
    instance = api.buy()
    assert [row["id"] for row in api.get("/instances").data["data"]] == [instance]
    assert len(api.get("/instance-types").data["data"]) > 20


@pytest.mark.parametrize("habit", ["nan", "null", "comma"])
def test_amounts_may_be_no_numbers(start: Any, habit: str) -> None:
    api = start(balance=1.797, dialect={"numbers": habit})
    instance = api.instance(api.buy())
    (volume,) = api.get("/volumes").data
    types, disks = api.get("/instance-types").data, api.get("/volume-types").data
    amounts = [
        api.get("/balance").data["amount"],
        instance["price_per_hour"],
        volume["base_hourly_cost"],
        volume["monthly_price"],
        types[0]["price_per_hour"],
        types[0]["spot_price"],
        disks[0]["price"]["price_per_month_per_gb"],
    ]
    good = {
        "nan": math.isnan,
        "null": lambda one: one is None,
        "comma": lambda one: "," in one and "." not in one,
    }
    assert [one for one in amounts if not good[habit](one)] == []
    assert volume["size"] == 50
    assert api.simulator.state()["balance"]["amount"] < 1.797


def test_amount_with_a_comma_is_text(start: Any) -> None:
    api = start(balance=1.797, dialect={"numbers": "comma"})
    assert json.loads(api.get("/balance").text)["amount"] == "1,797"


@pytest.mark.parametrize("offset", [-172800, 0, 3600])
def test_date_may_be_off(start: Any, offset: int) -> None:
    api = start(dialect={"date_offset_seconds": offset})
    date = parsedate_to_datetime(api.get("/balance").headers["Date"])
    off = (date - api.simulator.now()).total_seconds()
    assert abs(off - offset) <= 1


@pytest.mark.parametrize(("slow", "reads"), [("all", True), ("writes", False)])
def test_bodies_may_drip(start: Any, slow: str, reads: bool) -> None:
    api = start()
    api.simulator.switch(dialect={"slow_body_seconds": 0.3, "slow_bodies": slow})

    def took(call: Any) -> float:
        began = time.monotonic()
        assert call().status < 300
        return time.monotonic() - began

    assert (took(lambda: api.get("/volume-types")) > 0.25) is reads
    assert took(api.order) > 0.25
    began = time.monotonic()
    assert api.order(location_code="MOON-01").status == 400
    assert (time.monotonic() - began > 0.25) is reads
    assert len(api.get("/instances").data) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"untag": "name"},
        {"order_answer": 200},
        {"tags": True},
        {"description_limit": 5},
        {"list_shape": "xml"},
        {"numbers": "roman"},
        {"slow_bodies": "reads"},
    ],
)
def test_dialect_that_is_not_known_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"unknown dialect keys|is one of"):
        Simulator({"dialect": wrong})
