# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is TensorDock's alone, against its door: misbehaviour, credentials, that it is off."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._core.errors import (
    GpuopsError,
    NoCredentialsError,
    NotFoundError,
    UnavailableError,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._models.orders import (
    Disposal,
    InstanceOrder,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.accounts import Accounts
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.registry import PROVIDERS
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.tensordock import (
    credentials,
)
from ansible_collections.gpuops.cloud.tests.conformance.door import opened
from ansible_collections.gpuops.cloud.tests.conformance.tensordock import TensorDock
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import OTHER_KEY, run_module
from gpuops_simulator.doors.door import Reply, Request
from gpuops_simulator.doors.tensordock import GPU, MOST_A_MINUTE, NORTH, SOUTH, TensorDockDoor

TOKEN = TensorDock.environment["TENSORDOCK_API_KEY"]
LABEL = "gpo.llm.gpu-1.none.5f3a9c21"


@pytest.fixture
def world(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TensorDock]:
    """Return an organisation of TensorDock."""
    with opened(TensorDock, 0.0, monkeypatch) as found:
        yield found


@pytest.fixture
def door(world: TensorDock) -> TensorDockDoor:
    found: TensorDockDoor = world.door
    return found


def order(door: TensorDockDoor, place: str = NORTH, **more: Any) -> InstanceOrder:
    kind, image = f"1x-{GPU}-8v-80g-{place[:8]}", "ubuntu2404"
    given = {"description": LABEL, "ssh_key_ids": (next(iter(door.keys)),), **more}
    return InstanceOrder("gpu-1", kind, place.upper(), "on_demand", image, **given)


# -- credentials -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "variables", "key"),
    [
        ("of-option", {"KEY": "of-key", "TOKEN": "of-token"}, "of-option"),
        (None, {"KEY": "of-key", "TOKEN": "of-token"}, "of-token"),
        (None, {"KEY": "of-key"}, "of-key"),
    ],
)
def test_token_is_the_one_that_is_nearest(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    option: str | None,
    variables: dict[str, str],
    key: str,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"TENSORDOCK_API_{name}", value)
    monkeypatch.setenv("TENSORDOCK_API_URL", "http://127.0.0.1:1/v2/")
    assert credentials.find_key({"api_key": option}) == ("http://127.0.0.1:1/v2", key)


def test_no_token_names_where_it_was_looked_for(home: Path) -> None:
    with pytest.raises(NoCredentialsError, match="TENSORDOCK_API_KEY and TENSORDOCK_API_TOKEN"):
        credentials.find_key({})


def test_token_stands_in_no_address_and_in_no_message(
    world: TensorDock, door: TensorDockDoor
) -> None:
    client = world.client()
    client.instance_types()
    assert TOKEN not in json.dumps([str(call) for call in client.calls])
    door.answers = [Reply(200, {"status": 400, "error": f"Bad token {TOKEN}"})]
    with pytest.raises(Exception, match="hidden") as caught:
        client.order(order(door))
    assert TOKEN not in str(caught.value)


# -- off by default --------------------------------------------------------------------------------


def test_it_is_asked_only_where_it_is_named() -> None:
    assert not PROVIDERS["tensordock"].by_default
    assert "tensordock" not in Accounts({}).names
    assert Accounts({"providers": ["tensordock"]}).names == ("tensordock",)


def test_its_offers_are_listed_where_it_is_named(world: TensorDock, door: TensorDockDoor) -> None:
    account = {"api_key": TOKEN, "base_url": f"{door.url}/v1"}
    asked = {"providers": ["tensordock"], "accounts": {"tensordock": account}}
    found, output = run_module("gpu_offers", {**asked, "tier": "a100_80_or_less"})
    rows = [(one["location"], one["price_per_hour"], one["tier"]) for one in found["offers"]]
    assert rows == [(NORTH.upper(), 1.389, "a100_80"), (SOUTH.upper(), 1.589, "a100_80")]
    assert TOKEN not in output


def test_types_and_stock_are_one_request(world: TensorDock, door: TensorDockDoor) -> None:
    client = world.client()
    client.together(client.instance_types, lambda: client.availability("on_demand"))
    assert [row.path for row in door.log] == ["/v1/locations"]
    assert client.availability("spot") == []
    world.advance(6)
    client.instance_types()
    assert len(door.log) == 2


# -- orders ----------------------------------------------------------------------------------------


def test_stock_that_is_stale_leads_to_the_next_offer(
    world: TensorDock, door: TensorDockDoor
) -> None:
    door.sold_out = {NORTH}
    bought = world.buy()
    assert (bought["location"], world.orders()) == (SOUTH.upper(), 2)
    assert world.living() == [bought["id"]]


@pytest.mark.parametrize("trap", ["forwarded", "stopped"])
def test_instance_that_cannot_be_reached_is_ended_and_the_next_offer_is_taken(
    world: TensorDock, door: TensorDockDoor, trap: str
) -> None:
    door.forwards = [{"internal_port": 22, "external_port": 20456}] if trap == "forwarded" else []
    door.stops_in = {NORTH} if trap == "stopped" else set()
    result = world.run("instance", **world.wish(start_timeout=60))
    assert [one["location_id"] for one in door.sent] == [NORTH, SOUTH]
    assert len(world.living()) == (trap == "stopped")
    assert bool(result.get("failed")) == (trap == "forwarded")


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, {"data": {"type": "virtualmachine", "id": "", "status": "creating"}}),
        Reply(200, {"data": {"type": "virtualmachine", "name": "x"}}),
        Reply(200, {}),
        Reply(200, []),
        Reply(200, "{invalid json"),
        Reply(200, {"status": 400, "error": "Unexpected error during deployment"}),
        Reply(429, {"error": "Rate limit exceeded"}),
    ],
)
def test_order_whose_answer_says_nothing_sure_is_unclear_and_sent_once(
    world: TensorDock, door: TensorDockDoor, reply: Reply
) -> None:
    door.answers = [reply]
    with pytest.raises(GpuopsError) as caught:
        world.client().order(order(door))
    assert (caught.value.unclear, world.orders(), len(world.living())) == (True, 1, 1)


def test_order_that_fails_and_made_something_is_found(
    world: TensorDock, door: TensorDockDoor
) -> None:
    door.answers = [Reply(200, {"status": 400, "error": "Unexpected error during deployment"})]
    bought = world.buy()
    assert (world.living(), world.orders()) == ([bought["id"]], 1)


def test_order_names_only_keys_that_are_registered(world: TensorDock, door: TensorDockDoor) -> None:
    generic = door.add_key("token", "hush-hush", "GENERIC")
    for wrong in ("nobody", generic):
        with pytest.raises(NotFoundError, match=f"no SSH key {wrong}"):
            world.client().order(order(door, ssh_key_ids=(wrong,)))
    assert world.orders() == 0


def test_order_without_a_key_is_refused_before_it_is_sent(world: TensorDock) -> None:
    wish = {**world.wish(), "ssh_keys": []}
    assert "SSH key only" in world.fails("instance", **wish)["msg"]
    assert world.orders() == 0


# -- instances -------------------------------------------------------------------------------------


def test_own_answer_is_completed_by_what_the_list_has_told(
    world: TensorDock, door: TensorDockDoor
) -> None:
    client = world.client()
    made = client.order(order(door))
    assert client.instance(made).location is None
    world.advance(60)
    listed = client.instances()
    assert replace(client.instance(made), price=listed[0].price) == listed[0]
    assert listed[0].ip == "192.0.2.7"


def test_instance_that_lingers_is_going_then_gone_then_unknown(
    world: TensorDock, door: TensorDockDoor
) -> None:
    client = world.client()
    made = client.order(order(door))
    client.terminate(made, Disposal())
    seen = [client.instance(made).status]
    world.advance(25)
    seen.append(client.instance(made).status)
    assert seen == ["deleting", "deleted"]
    assert not client.instances()[0].exists
    world.advance(25)
    assert client.instances() == []
    with pytest.raises(NotFoundError):
        client.instance(made)


def test_lease_is_over_although_no_answer_tells_an_age(
    world: TensorDock, door: TensorDockDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.buy(lease="1h")
    row = door._row

    def ageless(one: Any) -> dict[str, Any]:
        return {name: value for name, value in row(one).items() if name != "created_at"}

    monkeypatch.setattr(door, "_row", ageless)
    world.advance(7200)
    world.ok("reap", mode="delete", everything=True, grace="0s", ledger="none")
    assert world.living() == []


def test_list_that_is_refused_inside_a_success_is_no_empty_list(
    world: TensorDock, door: TensorDockDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"status": 500, "error": "Internal server error", "data": []}
    monkeypatch.setattr(door, "answer", lambda *_asked: Reply(200, body))
    with pytest.raises(UnavailableError, match="Internal server error"):
        world.client().instances()


def test_door_takes_no_more_than_the_api(door: TensorDockDoor) -> None:
    door.log = [Request(door.now(), "GET", "/v1/instances", 200)] * MOST_A_MINUTE
    assert door.serve("GET", "/v1/instances", {}).status == 429


def test_keys_are_registered_and_deleted(world: TensorDock) -> None:
    client = world.client()
    made = client.add_ssh_key("desk", OTHER_KEY)
    assert {key.name: key.public_key for key in client.ssh_keys()}["desk"] == OTHER_KEY
    client.delete_ssh_key(made)
    assert [key.name for key in client.ssh_keys()] == ["laptop"]
    with pytest.raises(NotFoundError):
        client.delete_ssh_key(made)
