# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From answers to types: what is settled at the door, field by field."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._core.errors import UnavailableError
from ansible_collections.gpuops.cloud.plugins.module_utils._core.numbers import UnreadableError
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.base.answers import Answer
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.base.row import Source
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.verda.parsing import (
    instance_from,
    volume_from,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins import shown


def answer(data: Any, request: str = "GET /instances") -> Source:
    """Return an answer that holds some data."""
    return Source(request, Answer(200, {}, json.dumps(data).encode()))


def row(**more: Any) -> dict[str, Any]:
    """Return an instance as the API shows it."""
    return {"id": "a1", "status": "running", "hostname": "llm", **more}


# -- lists -----------------------------------------------------------------------------------------


def test_what_a_list_shows_twice_is_one_thing() -> None:
    found = answer([row(), row(id="b2"), row()]).rows(instance_from)
    assert [one.id for one in found] == ["a1", "b2"]


def test_one_id_with_two_contents_is_not_believed() -> None:
    with pytest.raises(UnavailableError, match="GET /instances: a1 stands in the list twice"):
        answer([row(), row(status="offline")]).rows(instance_from)


def test_record_of_another_id_is_not_believed() -> None:
    found = answer(row(), "GET /instances/a1")
    assert found.one(instance_from, "a1").id == "a1"
    with pytest.raises(UnavailableError, match="GET /instances/b2: the answer is about another id"):
        answer(row(), "GET /instances/b2").one(instance_from, "b2")


# -- fields ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("instances", [{"id": [None]}]),
        ("instances", {"id": "a"}),
        ("size", "big"),
        ("size", float("nan")),
        ("size", True),
        ("is_os_volume", "yes"),
        ("tags", [{"key": 7}]),
        ("instance_id", "a b"),
        ("created_at", 7),
    ],
)
def test_field_of_another_type_is_named_with_its_id(field: str, value: Any) -> None:
    with pytest.raises(UnavailableError, match=rf"GET /volumes: the field {field}[\w.]* of v1"):
        answer([{"id": "v1", field: value}], "GET /volumes").rows(volume_from)


@pytest.mark.parametrize(
    "name", ["llm\n  ProxyCommand touch x\nHost *", "-oProxyCommand=x", "a b", "", "*", "a/../b"]
)
def test_a_host_name_that_is_none_is_left_out(name: str) -> None:
    assert shown.instance({"hostname": name}).name is None


def test_sizes_may_be_text() -> None:
    assert shown.volume({"size": "100"}).size_gb == 100
    assert shown.instance({"gpu": {"number_of_gpus": "8"}}).gpu_count == 8


def test_what_is_missing_has_its_default() -> None:
    one = shown.volume({})
    assert (one.holders, one.tags, one.size_gb, one.is_alive) == ((), (), None, True)
    assert one.is_permanently_deleted is None


@pytest.mark.parametrize(
    ("data", "holders"),
    [
        ({}, ()),
        ({"instance_id": "a"}, ("a",)),
        ({"instance_id": "a", "instances": []}, ("a",)),
        ({"instance_id": "a", "instances": [{"id": None}]}, ("a",)),
        ({"instance_id": "a", "instances": [{"id": "a"}, {"id": "b"}]}, ("a", "b")),
    ],
)
def test_who_has_a_volume(data: dict[str, Any], holders: tuple[str, ...]) -> None:
    assert shown.volume(data).holders == holders


# -- prices ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("1,797", 'price_per_hour of llm \\(x\\) "1,797" is not a number'),
        (None, "null is not a number"),
        (float("inf"), "Infinity is not a number"),
        (-1, "-1 is below zero"),
        (True, "true is not a number"),
    ],
)
def test_price_that_cannot_be_read_matters_once_it_is_needed(value: Any, words: str) -> None:
    one = shown.instance({"hostname": "llm", "price_per_hour": value})
    assert one.rate == 0
    with pytest.raises(UnreadableError, match=f"GET /instances: .*{words}"):
        one.price.known()


def test_two_currencies_are_never_added_up() -> None:
    one = shown.volume({"base_hourly_cost": "0.1", "currency": "EUR"})
    assert one.price.known("eur") == 0.1
    with pytest.raises(UnreadableError, match='is in "eur", and the account pays in usd'):
        one.price.known("usd")


def test_type_that_cannot_be_read_spoils_no_other() -> None:
    odd = shown.instance_type({"instance_type": "1X", "gpu": [], "spot_price": "free"})
    assert odd.problems == ("GET /instance-types: gpu [] cannot be read",)
    assert odd.spot.problem == 'GET /instance-types: spot_price "free" is not a number'
    assert odd.on_demand.amount == 0  # not told is no price, and nothing that is bought
