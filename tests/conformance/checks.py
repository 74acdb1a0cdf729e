# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What any provider must show, the same for all: each check is one promise, and gets a world."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, cast

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._core import apply
from ansible_collections.gpuops.cloud.plugins.module_utils._core.errors import InvalidError
from ansible_collections.gpuops.cloud.plugins.module_utils._instances.options import (
    InstanceOptions,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._instances.resource import (
    InstanceResource,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._models.orders import VolumeOrder
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.base import provider
from ansible_collections.gpuops.cloud.plugins.modules.datacrunch_instance import SPEC
from ansible_collections.gpuops.cloud.tests.conformance.world import World
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import KEY, wanted

Check = Callable[[World], None]
CHECKS: dict[str, Check] = {}
# Volumes that outlive an instance.
LASTING = ("at_order", "own")


def check(function: Check) -> Check:
    """Add a check to the suite."""
    CHECKS[function.__name__] = function
    return function


@check
def capabilities_and_mix_ins_agree(world: World) -> None:
    has, kind = world.capabilities, world.provider
    claims = {
        provider.Tagging: has.ownership.tags == "mutable",
        provider.Labelling: has.ownership.relabel,
        provider.Power: has.stop != "none",
        provider.Volumes: has.volumes in LASTING,
        provider.Trash: has.trash_hours > 0,
        provider.Keys: has.keys,
        provider.Scripts: has.scripts,
    }
    assert {mix_in: issubclass(kind, mix_in) for mix_in in claims} == claims
    assert kind.name == kind.name.lower()


@check
def what_is_lacking_is_refused_before_any_request(world: World) -> None:
    client, has = world.client(), world.capabilities
    tries: list[tuple[bool, Callable[[], Any]]] = [
        (has.ownership.tags == "mutable", lambda: client.tag("instances", "x", "a", "b")),
        (has.stop != "none", lambda: client.shut_down("x")),
        (has.volumes in LASTING, lambda: client.add_volume(VolumeOrder("a", "b", 1, "c"))),
        (has.keys, lambda: client.add_ssh_key("a", KEY)),
        (has.scripts, lambda: client.add_startup_script("a", "b")),
    ]
    before = len(world.requests())
    for there, ask in tries:
        if not there:
            with pytest.raises(InvalidError, match=world.provider.name):
                ask()
    assert len(world.requests()) == before


@check
def two_controllers_race_for_one_name(world: World) -> None:
    barrier = threading.Barrier(2)

    def controller(_number: int) -> str:
        client, resource = world.client(), InstanceResource()
        options = world.wish(owner="me", wait_timeout=1e6)
        want = cast(InstanceOptions, wanted(SPEC, **options))
        found = resource.find(client, want)
        plan = resource.plan(found, want)
        barrier.wait(10)
        _actions, errors = apply.apply(client, plan)
        assert errors == []
        result = resource.result(client, found, plan, applied=True)
        return str(result["instances"][0]["id"])

    with ThreadPoolExecutor(2) as pool:
        ids = list(pool.map(controller, range(2)))
    assert ids == world.living() * 2


@check
def answer_that_is_lost_is_looked_up(world: World) -> None:
    world.lose_answer()
    bought = world.buy()
    assert world.living() == [bought["id"]]
    assert world.orders() == 1


@check
def malformed_list_buys_nothing_and_reaps_nothing(world: World) -> None:
    bought = world.buy(lease="1h")
    world.advance(7200)
    world.spoil_lists()
    reap = {"mode": "delete", "everything": True, "grace": "0s", "ledger": "none"}
    for name, args in (("reap", reap), ("instance", world.wish(deployment="other"))):
        assert world.fails(name, **args)["error"]["code"] == "unavailable"
    assert (world.living(), world.orders()) == ([bought["id"]], 1)
    world.mend()
    world.ok("reap", **reap)
    assert world.living() == []


@check
def refused_but_created_is_found_and_ended(world: World) -> None:
    world.refuse_and_create()
    world.run("instance", **world.wish())
    bought = world.buy()
    assert world.living() == [bought["id"]]
    world.end()
    assert world.living() == []


@check
def instances_of_others_are_left_alone(world: World) -> None:
    theirs = world.rent_for_somebody_else()
    world.buy(lease="1h")
    world.advance(7200)
    world.ok("reap", mode="delete", everything=True, grace="0s", ledger="none")
    world.end()
    assert world.living() == [theirs]


@check
def end_that_is_refused_is_asked_for_again(world: World) -> None:
    world.buy()
    world.refuse_end()
    assert world.end()["changed"]
    assert world.living() == []


@check
def teardown_names_every_kind_of_leftover(world: World) -> None:
    has, place = world.capabilities, world.buy()["location"]
    kinds = {"instance"}
    if has.keys:
        world.ok("ssh_key", deployment="llm", public_key=KEY)
        kinds.add("ssh_key")
    if has.scripts:
        world.ok("startup_script", deployment="llm", content="#!/bin/sh\ntrue\n")
        kinds.add("startup_script")
    if has.volumes in LASTING:
        world.ok("volume", deployment="llm", name="data", size_gb=50, location=place, ledger="none")
        kinds |= {"data_volume"} | ({"os_volume"} if has.volumes == "own" else set())
    asked = {"deployment": "llm", "ledger": "none"}
    left = world.ok("deployment_info", **asked)["leftovers"]
    assert {row["kind"] for row in left} == kinds
    paid = {"instance", "data_volume", "os_volume"}
    assert all(row["price_per_hour"] > 0 for row in left if row["kind"] in paid)
    world.end()
    for name, there in (("ssh_key", has.keys), ("startup_script", has.scripts)):
        if there:
            world.ok(name, deployment="llm", state="absent")
    if has.volumes in LASTING:
        gone = {"state": "absent", "policy": "delete", "ledger": "none"}
        world.ok("volume", deployment="llm", name="data", **gone)
    assert world.ok("deployment_info", **asked)["leftovers"] == []


@check
def bill_is_the_providers_within_one_step(world: World) -> None:
    world.buy()
    world.advance(5400)
    rows = world.end()["bill"]
    assert sum(row["cost"] for row in rows) > 0
    assert abs(sum(row["cost"] for row in rows) - world.cost()) <= world.step_cost


@check
def lease_is_extended_where_that_can_be_written(world: World) -> None:
    world.buy(lease="1h")
    given = {"deployment": "llm", "lease": "3h", "ledger": "none"}
    own = world.capabilities.ownership
    if own.tags == "mutable" or own.relabel:
        world.ok("lease", **given)
    else:
        world.fails("lease", **given)
    world.advance(7200)
    world.ok("reap", mode="delete", everything=True, grace="0s", ledger="none")
    assert len(world.living()) == (own.tags == "mutable" or own.relabel)


@check
def spot_instance_that_is_taken_away_is_bought_again_once(world: World) -> None:
    if world.capabilities.spot == "none":
        assert "market=spot" in world.fails("instance", **world.wish(market="spot"))["msg"]
        assert world.orders() == 0
        return
    first = world.buy(market="spot")["id"]
    world.evict(first)
    second = world.buy(market="spot")["id"]
    assert world.living() == [second] != [first]


@check
def pace_is_kept_by_all_clients_of_a_user(world: World) -> None:
    world.enforce_limits()
    pace = world.capabilities.pace
    # Where answers tell what is left, each client knows of its own alone.
    clients = [world.client() for _number in range(2 if pace else 1)]
    for number in range(world.burst):
        clients[number % len(clients)].instances()
    rows = world.requests()[-world.burst :]
    assert {row.status for row in rows} == {200}
    if pace:
        assert all(two.at - one.at >= 0.99 / pace for one, two in pairwise(rows))
