# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of RunPod in pages, and its network volumes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._core import errors
from ansible_collections.gpuops.cloud.plugins.module_utils._models.orders import Disposal
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.base.answers import Answer
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.base.row import Row, Source
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.runpod.parsing import (
    next_page,
    volume_from,
)
from ansible_collections.gpuops.cloud.tests.conformance.door import opened
from ansible_collections.gpuops.cloud.tests.conformance.runpod import RunPod
from ansible_collections.gpuops.cloud.tests.unit.plugins.runpod_data import (
    DATA,
    ORDER,
    door,
)
from gpuops_simulator.doors.door import Reply
from gpuops_simulator.doors.runpod_rows import SOLD_OUT, gpu_row, problem


@pytest.fixture
def world(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunPod]:
    """Return an account of RunPod."""
    with opened(RunPod, 0.0, monkeypatch) as found:
        yield found


# -- lists -----------------------------------------------------------------------------------------

PAGES: list[tuple[dict[str, Any], str | None]] = [
    ({}, None),
    ({"pagination": {"hasNextPage": False, "nextCursor": None}}, None),
    ({"pagination": {"hasNextPage": True, "nextCursor": "c2"}}, "c2"),
    ({"pagination": {"hasNextPage": True}}, "error"),
    ({"pagination": {"more": 1}}, "error"),
    ({"pagination": []}, "error"),
    ({"nextCursor": "c2"}, "error"),
    ({"hasMore": True}, "error"),
]


@pytest.mark.parametrize(("more", "next_"), PAGES)
def test_half_a_list_is_none(more: dict[str, Any], next_: str | None) -> None:
    body = json.dumps({"pods": [], **more}).encode()
    source = Source("GET /pods", Answer(200, {}, body), "pods")
    if next_ != "error":
        assert next_page(source) == next_
        return
    with pytest.raises(errors.UnavailableError, match="pages"):
        next_page(source)


def test_all_pages_are_read_and_none_twice(world: RunPod) -> None:
    door(world).page = 2
    made = [door(world).make(name=f"pod-{number}").id for number in range(5)]
    assert [row.id for row in world.client().instances()] == made
    assert len(world.requests()) == 3


def test_pages_that_go_round_are_an_error(world: RunPod) -> None:
    again = {"pods": [], "pagination": {"hasNextPage": True, "nextCursor": "c1"}}
    door(world).answer = lambda *_asked: Reply(200, again)  # type: ignore[method-assign]
    with pytest.raises(errors.UnavailableError, match="begin again"):
        world.client().instances()


# -- network volumes -------------------------------------------------------------------------------


def test_data_disk_is_a_network_volume_that_outlives_the_pod_and_comes_again(
    world: RunPod,
) -> None:
    first = world.buy(data_volume_gb=50)
    (volume,) = door(world).volumes.values()
    assert (volume["size"], volume["dataCenter"], volume["type"]) == (50, "US-KS-2", "STANDARD")
    assert first["volume_ids"] == [volume["id"]]
    world.end(data_volumes="keep")
    (left,) = world.ok("deployment_info", deployment="llm", ledger="none")["leftovers"]
    assert (left["kind"], left["kept"]) == ("data_volume", True)
    assert left["price_per_hour"] == pytest.approx(50 * 0.07 / 730, abs=1e-6)
    second = world.buy(data_volume_gb=50)
    assert second["volume_ids"] == [volume["id"]]
    world.end()
    assert (door(world).volumes, world.living()) == ({}, [])


def test_volume_of_a_pod_that_is_refused_goes_again(world: RunPod) -> None:
    door(world).gpus = [gpu_row(places=(("US-KS-2", "NONE"),))]
    with pytest.raises(errors.NoCapacityError):
        world.client().order(replace(ORDER, data_disk=DATA))
    assert door(world).volumes == {}


def test_volume_that_another_run_took_meanwhile_stays(
    world: RunPod, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken(body: dict[str, Any]) -> Reply:
        door(world).make(name="of another run", mounts=body["mounts"])
        return problem(400, SOLD_OUT)

    monkeypatch.setattr(door(world), "_order", taken)
    with pytest.raises(errors.NoCapacityError):
        world.client().order(replace(ORDER, data_disk=DATA))
    assert len(door(world).volumes) == 1
    assert "DELETE" not in [row.method for row in world.requests()]


def test_volume_of_a_pod_whose_answer_was_lost_stays_and_is_found(world: RunPod) -> None:
    order, client = replace(ORDER, data_disk=DATA), world.client()
    world.lose_answer()
    with pytest.raises(errors.UnavailableError):
        client.order(order)
    (there,) = client.volumes()
    assert (there.name, there.holders) == ("gpuops.llm.llm-1.data.keep", tuple(world.living()))
    client.terminate(world.living()[0], Disposal())
    made = client.order(order)
    assert [row.holders for row in client.volumes()] == [(made,)]


def test_two_volumes_are_refused_before_any_request(world: RunPod) -> None:
    with pytest.raises(errors.InvalidError, match="one network volume"):
        world.client().order(replace(ORDER, volume_ids=("a", "b")))
    assert world.requests() == []


def test_volume_is_never_detached_by_itself(world: RunPod) -> None:
    client = world.client()
    with pytest.raises(errors.InvalidError, match="with the order"):
        client.attach_volume("v", "p")
    with pytest.raises(errors.InvalidError, match="with the order"):
        client.detach_volume("v")
    assert world.requests() == []


@pytest.mark.parametrize(
    ("kind", "size", "month"),
    [("STANDARD", 50, 3.5), ("STANDARD", 1500, 95.0), ("HIGH_PERFORMANCE", 50, None)],
)
def test_network_volume_has_a_price_by_the_list(kind: str, size: int, month: float | None) -> None:
    told = {"id": "vol1", "name": "x", "size": size, "dataCenter": "US-KS-2", "type": kind}
    found = volume_from(Row(Source("GET /network-volumes"), told))
    assert found.price_per_month == (None if month is None else pytest.approx(month))
    assert found.rate == pytest.approx((month or 0) / 730)
