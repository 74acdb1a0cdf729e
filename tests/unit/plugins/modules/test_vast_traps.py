# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What costs money on Vast.ai unless somebody sees to it: bids, contracts, executed refusals."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._models.orders import (
    InstanceOrder,
    NewDisk,
)
from ansible_collections.gpuops.cloud.tests.conformance.door import opened
from ansible_collections.gpuops.cloud.tests.conformance.vast import OtherVast, Vast
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import run_module
from ansible_collections.gpuops.cloud.tests.unit.plugins.vast_data import door, world
from gpuops_simulator.doors.door import Reply
from gpuops_simulator.doors.vast_market import PRICE, SECRET, STORAGE, offer

__all__ = ["world"]

ASKS = "/api/v0/asks/"
HOUR = 3600.0


def only(world: Vast, *offers: dict[str, Any]) -> None:
    """Let there be these offers and no other."""
    door(world).offers = {one["id"]: one for one in offers}


def writes(world: Vast) -> list[str]:
    """Return orders and ends in their order."""
    rows = [one for one in world.requests() if one.method in ("PUT", "DELETE")]
    return ["order" if one.path.startswith(ASKS) else "end" for one in rows]


def sent(world: Vast) -> list[dict[str, Any]]:
    """Return what was ordered, with the offer that it was."""
    return [one.facts for one in door(world).machines]


# -- prices ----------------------------------------------------------------------------------------


def test_price_is_that_of_gpus_and_disk(world: Vast) -> None:
    found = world.ok("instance", **world.wish(os_volume_gb=500))
    more = 1.0 + 500 * STORAGE / 720
    assert found["instance"]["price_per_hour"] == pytest.approx(more)
    assert found["attempts"][-1]["price_per_hour"] == pytest.approx(more)


def test_ceiling_holds_for_gpus_and_disk_together(world: Vast) -> None:
    found = world.fails("instance", **world.wish(max_price_per_hour=PRICE - 0.001))
    assert "too_expensive" in [row["reason"] for row in found["rejected"]]
    assert world.orders() == 0


def test_offer_that_is_gone_meanwhile_leads_to_the_next(
    world: Vast, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = door(world)._order
    monkeypatch.setattr(
        door(world),
        "_order",
        lambda method, item, body: served(method, "999" if world.orders() == 0 else item, body),
    )
    bought = world.buy()
    assert (world.living(), world.orders()) == ([bought["id"]], 2)


def test_offers_that_come_while_it_waits_are_seen(
    world: Vast, monkeypatch: pytest.MonkeyPatch
) -> None:
    only(world)
    searched = door(world)._search

    def later(body: dict[str, Any]) -> Reply:
        only(world, *([offer(500, machine=99)] if world.orders() == 0 and begun else []))
        begun.append(1)
        return searched(body)

    begun: list[int] = []
    monkeypatch.setattr(door(world), "_search", later)
    assert world.buy(wait_for_capacity=600)["instance_type"] == "1X-A100-SXM4-M99"


# -- orders that were refused and executed ---------------------------------------------------------


@pytest.mark.parametrize("kind", [Vast, OtherVast])
def test_refused_order_that_was_executed_is_terminated_and_the_next_offer_bought(
    home: Path, monkeypatch: pytest.MonkeyPatch, kind: type[Vast]
) -> None:
    with opened(kind, 0.0, monkeypatch) as world:
        only(world, offer(101), offer(103, machine=4712))
        door(world).least_bids[101] = 0.6  # more than it has told
        found, output = run_module(
            "datacrunch_instance", {**world.auth(), **world.wish(market="spot"), "timeout": 30}
        )
        assert writes(world) == ["order", "end", "order"]
        assert world.living() == [found["instance"]["id"]]
        assert [row["outcome"] for row in found["attempts"]] == ["failed", "taken"]
        assert SECRET not in output


def test_nothing_else_is_bought_while_that_cannot_be_terminated(
    world: Vast, monkeypatch: pytest.MonkeyPatch
) -> None:
    door(world).least_bids = {101: 0.6, 102: 0.6}
    served = door(world)._one

    def stays(method: str, item: str, body: dict[str, Any]) -> Reply:
        return door(world).refusal("end") if method == "DELETE" else served(method, item, body)

    monkeypatch.setattr(door(world), "_one", stays)
    found = world.fails("instance", **world.wish(market="spot", wait_timeout=60))
    assert (world.orders(), len(world.living())) == (1, 1)
    assert "could not be terminated, so nothing else is bought" in found["msg"]


def test_account_without_a_key_is_told_what_to_do(world: Vast) -> None:
    door(world).keys.clear()
    found = world.fails("instance", **world.wish())
    assert found["error"]["api_code"] == "no_ssh_key_for_vm"
    assert "register one first" in found["error"]["hint"]
    assert world.living() == []


# -- bids ------------------------------------------------------------------------------------------


def test_bid_is_the_least_that_wins_and_within_the_ceiling(world: Vast) -> None:
    bought = world.buy(market="spot")
    assert (sent(world)[0]["price"], bought["market"]) == (0.401, "spot")
    assert bought["price_per_hour"] == pytest.approx(0.401 + 100 * STORAGE / 720)
    world.end()
    only(world, offer(104))
    assert world.fails("instance", **world.wish(market="spot", max_price_per_hour=0.42))
    assert world.orders() == 1


def test_on_demand_orders_bid_nothing(world: Vast) -> None:
    world.buy()
    assert "price" not in sent(world)[0]
    assert (sent(world)[0]["vm"], sent(world)[0]["cancel_unavail"]) == (True, True)


def test_outbid_instance_is_gone_before_anything_is_bought(world: Vast) -> None:
    first = world.buy(market="spot")["id"]
    world.evict(first)
    assert world.client().instance(first).is_billed
    second = world.buy(market="spot")["id"]
    assert (writes(world), world.living()) == (["order", "end", "order"], [second])


def test_nothing_is_bought_while_the_outbid_one_cannot_be_terminated(world: Vast) -> None:
    first = world.buy(market="spot")["id"]
    world.evict(first)
    door(world).luck = ["refuse_end"] * 99
    found = world.fails("instance", **world.wish(market="spot", wait_timeout=60))
    assert (world.orders(), world.living()) == (1, [first])
    assert first in found["msg"]


@pytest.mark.parametrize("refused", [0, 99])
def test_outbid_instance_is_first_to_go_where_several_providers_are_asked(
    world: Vast, refused: int
) -> None:
    wish: dict[str, Any] = {
        "accounts": {"vast": world.auth()},
        "providers": ["vast"],
        "deployment": "llm",
        "ledger": "none",
        "offer": {"tier": "a100_80_or_less", "market": "spot"},
        "waiting": {"timeout": 60},
    }
    first = run_module("gpu_instance", wish)[0]["instance"]["id"]
    world.evict(first)
    door(world).luck = ["refuse_end"] * refused
    again = run_module("gpu_instance", wish)[0]
    if refused:
        assert again["failed"]
        assert first in again["msg"]
        assert (world.orders(), world.living()) == (1, [first])
    else:
        assert world.living() == [again["instance"]["id"]] != [first]
        assert writes(world) == ["order", "end", "order"]


def test_outbid_instance_that_came_back_by_itself_is_the_one_that_is_there(world: Vast) -> None:
    first = world.buy(market="spot")["id"]
    world.evict(first)
    door(world).machines[0].facts["halted"] = False
    assert world.buy(market="spot")["id"] == first
    assert world.orders() == 1


def test_reaper_ends_what_was_outbid(world: Vast) -> None:
    first = world.buy(market="spot", lease="12h")["id"]
    world.evict(first)
    world.advance(HOUR)
    world.ok("reap", mode="delete", everything=True, grace="10m", ledger="none")
    assert world.living() == []


# -- containers ------------------------------------------------------------------------------------


def test_containers_are_another_kind_that_callers_can_refuse(world: Vast) -> None:
    door(world).offers[300] = offer(300, machine=300, vms_enabled=False)
    client = world.provider.from_params({**world.auth(), "rents": "container"})
    assert (client.capabilities.rents, world.client().capabilities.rents) == ("container", "vm")
    kind = next(one for one in client.instance_types() if one.name.endswith("M300"))
    order = InstanceOrder("a", kind.name, "SE", "on_demand", str(kind.usual_image), "gpo.a")
    made = client.order(replace(order, boot_disk=NewDisk("os", 20)))
    assert world.living() == [made]
    assert "vm" not in sent(world)[0]
    assert sent(world)[0]["onstart"] == "touch ~/.no_auto_tmux"


# -- the contract behind an offer ------------------------------------------------------------------


def test_lease_is_no_longer_than_the_contract(world: Vast) -> None:
    only(world, offer(101, duration=6 * HOUR))
    found = world.fails("instance", **world.wish(lease="8h"))
    assert [row["reason"] for row in found["rejected"]] == ["contract_ends"]
    bought = world.buy(lease="none", budget_policy="warn")
    ends = datetime.fromtimestamp(world.door.now() + 6 * HOUR, timezone.utc)
    lease_end = datetime.fromisoformat(str(bought["lease_end"]).replace("Z", "+00:00"))
    assert abs((lease_end - ends).total_seconds()) < 300
    given = {"deployment": "llm", "ledger": "none"}
    assert "is stopped by its provider" in world.fails("lease", lease="24h", **given)["msg"]
    assert "is stopped by its provider" in world.fails("lease", lease="none", **given)["msg"]
    assert world.ok("lease", lease="2h", **given)["changed"]


def test_label_holds_the_lease_and_nothing_longer_than_sixty_characters(world: Vast) -> None:
    world.buy(lease="1h")
    before = sent(world)[0]["label"]
    world.ok("lease", deployment="llm", lease="3h", ledger="none")
    after = sent(world)[0]["label"]
    assert before != after
    assert (before.split(".")[:3], before.split(".")[4]) == (
        after.split(".")[:3],
        after.split(".")[4],
    )
    assert max(len(before), len(after)) <= 60


# -- keys and secrets ------------------------------------------------------------------------------


def test_no_secret_of_an_answer_is_told_or_kept(world: Vast, home: Path) -> None:
    args = {**world.auth(), "timeout": 30, **world.wish(ledger=None)}
    _found, output = run_module("datacrunch_instance", args)
    assert SECRET not in output
    texts = [path.read_bytes() for path in home.rglob("*") if path.is_file()]
    assert not any(SECRET.encode() in text for text in texts)


def test_key_of_the_account_is_sent_to_nobody_but_the_api(world: Vast) -> None:
    world.buy()
    assert "the-key-of-the-account" not in str(sent(world)[0])


def test_no_price_increase_is_ever_answered(world: Vast) -> None:
    world.buy()
    world.advance(HOUR)
    door(world).machines[0].facts["dph_base"] = 9.0
    world.buy()
    world.end()
    assert not [one for one in world.requests() if "price-increase" in one.path]
