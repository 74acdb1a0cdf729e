# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of Vast.ai: lists to their end, orders once, each endpoint at its pace."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._core import errors
from ansible_collections.gpuops.cloud.plugins.module_utils._models.orders import (
    Disposal,
    InstanceOrder,
    NewDisk,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.base.answers import Answer
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.vast.errors import error_of
from ansible_collections.gpuops.cloud.tests.conformance.door import opened
from ansible_collections.gpuops.cloud.tests.conformance.vast import OtherVast, Vast
from ansible_collections.gpuops.cloud.tests.unit.plugins.vast_data import (
    ASK_PATH,
    ORDER,
    door,
    world,
)
from gpuops_simulator.doors.door import Reply
from gpuops_simulator.doors.vast import OtherVastDoor
from gpuops_simulator.doors.vast_market import LIST, SEARCH, SECRET, offer

__all__ = ["world"]


def answer(status: int, body: dict[str, Any] | str) -> Answer:
    text = body if isinstance(body, str) else json.dumps(body)
    return Answer(status, {}, text.encode())


# -- lists -----------------------------------------------------------------------------------------


def test_list_is_all_pages_and_they_add_up(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(OtherVast, 0.0, monkeypatch) as world:
        for number in range(3):
            door(world).make(**offer(number), label="theirs").id = str(70 + number)
        assert [one.id for one in world.client().instances()] == ["70", "71", "72"]
        door(world).total_is_off = 1
        with pytest.raises(errors.UnavailableError, match="3 instances are listed, and 4 are told"):
            world.client().instances()


def test_list_that_is_switched_off_is_an_error_and_no_empty_list(world: Vast) -> None:
    door(world).is_switched_off = True
    with pytest.raises(errors.UnavailableError, match="deprecated_endpoint"):
        world.client().instances()


@pytest.mark.parametrize(
    "body",
    [
        {"instances": [], "success": True},
        {"instances": None, "total_instances": 0},
        {"instances": {}, "total_instances": 0},
        {"success": False, "instances": [], "total_instances": 0},
        {"instances": [], "total_instances": 0, "next_token": ""} | {"total_instances": -1},
        {"instances": [], "total_instances": 5, "next_token": "on and on"},
        {},
        [],
        "",
    ],
)
def test_list_of_another_shape_is_an_error(
    world: Vast, monkeypatch: pytest.MonkeyPatch, body: Any
) -> None:
    monkeypatch.setattr(door(world), "_list", lambda _query: Reply(200, body))
    with pytest.raises(errors.UnavailableError):
        world.client().instances()


@pytest.mark.parametrize("kind", [Vast, OtherVast])
def test_instance_that_is_gone_is_not_found(
    home: Path, monkeypatch: pytest.MonkeyPatch, kind: type[Vast]
) -> None:
    with opened(kind, 0.0, monkeypatch) as world:
        with pytest.raises(errors.NotFoundError):
            world.client().instance("12345")
        assert isinstance(world.door, OtherVastDoor) == (kind is OtherVast)


def test_instance_without_its_field_is_no_proof_that_it_is_gone(
    world: Vast, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies: list[dict[str, Any]] = [{}, {"instances": []}, {"instance": None}]
    for body in bodies:
        monkeypatch.setattr(door(world), "_one", lambda *_a, body=body: Reply(200, body))
        with pytest.raises(errors.UnavailableError):
            world.client().instance("12345")


# -- orders and their refusals ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "kind", "unclear"),
    [
        (404, {"success": False, "error": "no_such_ask", "msg": "x"}, "no_capacity", False),
        (410, {"success": False, "error": "no_such_ask", "msg": "x"}, "no_capacity", False),
        (400, {"error": "invalid_args", "msg": "x"}, "invalid", False),
        (400, {"error": "no_ssh_key_for_vm"}, "invalid", False),
        (400, {"error": "missing_billing"}, "no_funds", False),
        (403, {"msg": "not you"}, "forbidden", False),
        (429, "API requests too frequent: endpoint threshold=4.5", "rate_limited", True),
        (200, {"success": False, "error": "bid_too_low"}, "unavailable", True),
        (404, {"message": "no such page"}, "not_found", True),
        (409, {"error": "strange"}, "conflict", True),
        (500, "<html>", "unavailable", True),
        (302, "", "unavailable", True),
    ],
)
def test_refusals_of_an_order(
    status: int, body: dict[str, Any] | str, kind: str, unclear: bool
) -> None:
    found = error_of(answer(status, body), ASK_PATH)
    assert (found.code, found.unclear) == (kind, unclear)


def test_refusal_tells_no_secret_that_stands_beside_its_words() -> None:
    body = {"success": False, "new_contract": 7, "instance_api_key": SECRET}
    found = error_of(answer(400, body), ASK_PATH)
    assert SECRET not in f"{found} {found.words} {found.details}"
    assert found.details == {"made": "7"}


@pytest.mark.parametrize("status", [429, 502])
def test_order_is_sent_once_whatever_is_answered(
    world: Vast, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr(door(world), "_order", lambda *_a: Reply(status, "no"))
    with pytest.raises(errors.GpuopsError) as caught:
        world.client().order(ORDER)
    assert (world.orders(), caught.value.unclear) == (1, True)


def test_offer_that_became_dearer_is_not_ordered(world: Vast) -> None:
    client = world.client()
    for market, most in (("on_demand", 1.019), ("spot", 0.42)):
        order = InstanceOrder(**{**vars(ORDER), "market": market, "most_per_hour": most})
        with pytest.raises(errors.NoCapacityError, match="by now"):
            client.order(order)
    assert world.orders() == 0
    with pytest.raises(errors.NoCapacityError, match="room for 800 GB"):
        client.order(InstanceOrder(**{**vars(ORDER), "boot_disk": NewDisk("os", 900)}))


def test_end_counts_only_where_the_answer_says_so(
    world: Vast, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds: list[tuple[Any, type[errors.GpuopsError]]] = [
        ({"success": False, "error": "try_again"}, errors.WrongStateError),
        ({"success": False, "error": "no_such_instance"}, errors.NotFoundError),
        ({}, errors.UnavailableError),
    ]
    for body, kind in kinds:
        monkeypatch.setattr(door(world), "_one", lambda *_a, body=body: Reply(200, body))
        with pytest.raises(kind):
            world.client().terminate("7", Disposal())


def test_rate_limit_in_plain_text_is_waited_for(world: Vast) -> None:
    door(world).asked[f"GET {LIST}"] = door(world).now() + 0.5
    assert world.client().instances() == []


def test_each_endpoint_has_its_own_pace_over_all_clients(world: Vast) -> None:
    clients = [world.client(), world.client()]
    for _round in range(2):
        for client in clients:
            client.instances()
            client.instance_types()
    for path, gap in ((LIST, 1.0), (SEARCH, 6.0)):
        times = [one.at for one in world.requests() if one.path == path]
        assert len(times) == 4
        assert all(two - one >= gap - 0.01 for one, two in pairwise(times))
    assert {one.status for one in world.requests()} == {200}
