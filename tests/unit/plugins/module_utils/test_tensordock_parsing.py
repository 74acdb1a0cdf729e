# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How answers of TensorDock are read: every shape that was seen, and what is believed of none."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._core.errors import (
    InvalidError,
    UnavailableError,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._hardware.gpus import model_of
from ansible_collections.gpuops.cloud.plugins.module_utils._models.catalogue import InstanceType
from ansible_collections.gpuops.cloud.plugins.module_utils._models.resources import Instance
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.base.answers import Answer
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.tensordock import (
    names,
    parsing,
)
from gpuops_simulator.doors.tensordock import GPU, NORTH, location

NOW = datetime(2026, 11, 30, 12, 0, 7, tzinfo=timezone.utc)
LABEL = "gpo.llm.gpu-1.ht7ui.5f3a9c21"
ROW = {"id": "468b716a-6747-4cbe-9f13-afc153a21c14", "name": "x", "status": "running"}


def shaped(body: Any, holds: str = "") -> parsing.Shaped:
    text = body if isinstance(body, str) else json.dumps(body)
    return parsing.Shaped(
        f"GET /{holds or 'instances'}", Answer(200, {}, text.encode()), holds=holds
    )


def one(**fields: Any) -> Instance:
    return shaped({**ROW, **fields}).one(parsing.instance_from)


def types(change: Callable[[dict[str, Any]], object] = dict) -> list[InstanceType]:
    place = location(NORTH, "Ames", 1.2)
    change(place["gpus"][0])
    (rows,) = shaped({"data": {"locations": [place]}}, "locations").rows(parsing.types_from)
    return rows


# -- shapes ----------------------------------------------------------------------------------------

RESOURCES = {"vcpu_count": 8, "ram_gb": 80, "gpus": {GPU: {"count": 1}}}
FLAT = {**ROW, "ipAddress": "192.0.2.7", "rateHourly": 1.389, "location_id": NORTH}
WITHIN = {key: value for key, value in FLAT.items() if key != "id"}
WHOLE = {**FLAT, "resources": RESOURCES}


@pytest.mark.parametrize(
    "row",
    [
        WHOLE,
        {
            "type": "virtualmachine",
            "id": ROW["id"],
            "attributes": {**WITHIN, "resources": RESOURCES},
        },
        {**FLAT, "gpu_model": GPU, "gpu_count": 1, "vcpus": 8, "ram_gb": 80},
        {**FLAT, "gpuModel": GPU, "gpuCount": "1", "vcpus": "8", "ramGb": "80"},
        {**WHOLE, "ipAddress": None, "ip_address": "192.0.2.7"},
        {**WHOLE, "resources": {**RESOURCES, "gpus": [{"gpuV0Name": GPU, "count": 1}]}},
    ],
)
def test_one_instance_is_the_same_in_every_shape(row: dict[str, Any]) -> None:
    found = [
        *shaped({"data": [row]}, "instances").rows(parsing.instance_from),
        *shaped({"data": {"instances": [row]}}, "instances").rows(parsing.instance_from),
        shaped(row).one(parsing.instance_from),
        shaped({"data": row}).one(parsing.instance_from),
    ]
    assert set(found) == {shaped(WHOLE).one(parsing.instance_from)}
    assert found[0].instance_type == f"1x-{GPU}-8v-80g-1a779525"
    assert (found[0].location, found[0].vram_gb) == (NORTH.upper(), 80)


@pytest.mark.parametrize(
    "body",
    [
        [],
        [ROW],
        {},
        {"instances": []},
        {"data": None},
        {"data": {}},
        {"data": {"vms": []}},
        {"data": {"instances": None}},
        {"data": {"instances": {}}},
        {"data": [ROW], "links": {"next": "https://cloud.example.com/2"}},
        {"data": [ROW, {**ROW, "status": "stopped"}]},
        {"data": [{"id": "../secrets", "name": "x", "status": "running"}]},
        {"data": [{"id": ROW["id"], "name": "x"}]},
        {"data": [{**ROW, "ipAddress": "192.0.2.7", "ip_address": "192.0.2.8"}]},
        "{invalid json",
        "",
    ],
)
def test_list_of_another_shape_is_an_error_and_never_empty(body: Any) -> None:
    with pytest.raises(UnavailableError, match="GET /instances"):
        shaped(body, "instances").rows(parsing.instance_from)


# -- instances -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "exists", "alive"),
    [
        ("running", True, True),
        ("Deleted", False, False),
        ("stopped", True, True),
        ("error", True, True),
        ("quantum-leap", True, True),
        ("deleting", False, False),
        ("deleted", False, False),
        ("terminated", False, False),
    ],
)
def test_what_does_not_say_that_it_is_gone_is_alive_and_billed(
    word: str, exists: bool, alive: bool
) -> None:
    found = one(status=word, rateHourly=2)
    assert (found.exists, found.is_billed, bool(found.rate)) == (exists, alive, alive)


@pytest.mark.parametrize(
    ("forwards", "own"),
    [
        ([], True),
        (None, True),
        ({}, True),
        ([{"internal_port": 22, "external_port": 22}], True),
        ([{"internal_port": 22, "external_port": 20456}], False),
        ([{"internalPort": "22", "externalPort": "33789", "protocol": "tcp"}], False),
        ([{"internal_port": 80, "external_port": 20457}], True),
        ({"22": 20456}, False),
        ({"22": "22"}, True),
    ],
)
def test_address_whose_port_22_is_somebody_elses_is_none(forwards: Any, own: bool) -> None:
    assert one(ipAddress="192.0.2.7", portForwards=forwards).ip == ("192.0.2.7" if own else None)


def test_forwards_of_another_shape_are_an_error() -> None:
    with pytest.raises(UnavailableError, match="port_forwards"):
        one(ipAddress="192.0.2.7", portForwards="22:20456")


@pytest.mark.parametrize(
    ("told", "amount"),
    [
        ({"rateHourly": 0.272999}, 0.272999),
        ({"price_per_hour": "0.45"}, 0.45),
        ({"rateHourly": None, "price_per_hour": 0.45}, 0.45),
        ({"rateHourly": 0}, None),
        ({"rateHourly": -1}, None),
        ({"rateHourly": "free"}, None),
        ({}, None),
    ],
)
def test_rate_that_is_no_price_is_not_known(told: dict[str, Any], amount: float | None) -> None:
    assert one(**told).price.amount == amount


def test_rate_that_is_not_finite_is_not_known() -> None:
    text = json.dumps({**ROW, "rateHourly": 1}).replace("1}", "NaN}")
    assert shaped(text).one(parsing.instance_from).price.amount is None


# -- names -----------------------------------------------------------------------------------------


def test_name_holds_whose_it_is_and_when_it_was_ordered() -> None:
    name = names.name_for(f"{LABEL} a text of a user", NOW)
    assert (len(name), name.startswith(LABEL)) == (len(LABEL) + 7, True)
    found = one(name=name, created_at="2020-01-01T00:00:00Z")
    assert (found.description, found.name, found.born) == (LABEL, "gpu-1", NOW)
    assert found.of("llm")


@pytest.mark.parametrize("name", ["", "shop-4711", "gpo.llm.gpu-1.5f3a9c21.abcdef", f"{LABEL}.x"])
def test_name_of_somebody_else_is_left_as_it_is(name: str) -> None:
    found = one(name=name, created_at="2020-01-01T00:00:00Z")
    assert (found.description, found.ownership) == (name, None)
    assert found.created_at == "2020-01-01T00:00:00Z"


def test_order_that_nothing_could_find_again_is_refused() -> None:
    with pytest.raises(InvalidError, match="ownership string"):
        names.name_for("", NOW)
    with pytest.raises(InvalidError, match="by 5 characters"):
        names.name_for(f"gpo.{'d' * 19}.{'n' * 19}.ht7ui.5f3a9c21", NOW)


@pytest.mark.parametrize("text", ["1A100.22V", "1x-a100-8v-80g-99999999", "x", ""])
def test_type_that_is_not_of_the_location_is_refused(text: str) -> None:
    with pytest.raises(InvalidError, match="no type"):
        names.sized(text, NORTH)


# -- the catalogue ---------------------------------------------------------------------------------


def test_price_of_a_type_is_all_that_comes_along_but_the_disk() -> None:
    rows = types()
    assert [(row.gpu_count, row.vcpu, row.ram_gb) for row in rows] == [(1, 8, 80), (2, 16, 160)]
    assert [row.on_demand.amount for row in rows] == [1.384, 2.768]
    assert [round(row.disk_per_hour(100), 6) for row in rows] == [0.005, 0.005]
    assert {model_of(row.name, row.model) for row in rows} == {"A100"}


@pytest.mark.parametrize(
    "change",
    [
        lambda gpu: gpu.pop("pricing"),
        lambda gpu: gpu.update(price_per_hr=0),
        lambda gpu: gpu.update(price_per_hr=None),
        lambda gpu: gpu.update(pricing={**gpu["pricing"], "per_gb_ram_hr": "nan"}),
        lambda gpu: gpu.update(v0Name="a100", displayName="NVIDIA A100"),
    ],
)
def test_type_whose_price_or_memory_is_not_told_says_so(change: Any) -> None:
    for row in types(change):
        assert row.problems or row.on_demand.problem


@pytest.mark.parametrize(
    ("change", "number"),
    [
        (lambda gpu: None, 2),
        (lambda gpu: gpu.update(max_count=0), 0),
        (lambda gpu: gpu.update(max_count="8"), 4),
        (lambda gpu: gpu.update(network_features={"dedicated_ip_available": False}), 0),
        (lambda gpu: gpu.pop("network_features"), 0),
        (lambda gpu: gpu.update(resources={**gpu["resources"], "max_storage_gb": 99}), 0),
        (lambda gpu: gpu.update(resources={"max_storage_gb": 500}), 0),
    ],
)
def test_stock_is_what_an_own_address_is_free_for(change: Any, number: int) -> None:
    place = location(NORTH, "Ames", 1.2)
    change(place["gpus"][0])
    (found,) = shaped({"data": [place]}, "locations").rows(parsing.stock_from)
    assert (found.location, len(found.types)) == (NORTH.upper(), number)


@pytest.mark.parametrize(
    "wrong",
    [{"v0Name": None}, {"max_count": "many"}, {"resources": 5}, {"pricing": []}, {"max_Count": 1}],
)
def test_gpu_that_cannot_be_read_says_so_and_spoils_no_other(wrong: dict[str, Any]) -> None:
    place = location(NORTH, "Ames", 1.2)
    place["gpus"].append({**place["gpus"][0], "v0Name": "h100-sxm5-80gb", **wrong})
    got = shaped({"data": {"locations": [place]}}, "locations")
    (rows,), (stock,) = got.rows(parsing.types_from), got.rows(parsing.stock_from)
    assert [bool(row.problems) for row in rows] == [False, False, True]
    assert len(stock.types) == 2


@pytest.mark.parametrize("gpus", [[], None])
def test_location_without_gpus_has_no_types(gpus: Any) -> None:
    body = {"data": {"locations": [{"id": NORTH, "gpus": gpus}]}}
    assert shaped(body, "locations").rows(parsing.types_from) == [[]]


@pytest.mark.parametrize(
    ("shown", "model"),
    [
        ("NVIDIA H100 SXM5 80GB", "H100"),
        ("NVIDIA H100 NVL 94GB", "H100"),
        ("NVIDIA A100 PCIe 40GB", "A100"),
        ("NVIDIA RTX A6000 PCIe 48GB", "A6000"),
        ("NVIDIA RTX 6000 Ada PCIe 48GB", "RTX6000ADA"),
        ("Tesla V100 SXM2 16GB", "V100"),
        ("NVIDIA GeForce RTX 4090 PCIe 24GB", "RTX4090"),
    ],
)
def test_model_is_known_without_maker_board_and_memory(shown: str, model: str) -> None:
    found = types(lambda gpu: gpu.update(displayName=shown))[0]
    assert model_of(found.name, found.model) == model
