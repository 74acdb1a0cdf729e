# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Choosing by a model: the cheapest instance that serves it, and why the others do not."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._sizing.llm import model_of
from ansible_collections.gpuops.cloud.plugins.module_utils._sizing.vllm_profiles import demand_of
from ansible_collections.gpuops.cloud.tests.unit.plugins.published import LARGE, SMALL, config_of
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import (
    Cloud,
    reasons,
    stock,
    types,
)

H100, TWO_H100, FOUR_A6000, V100 = "1H100.80S.32V", "2H100.80S.80V", "4A6000.40V", "1V100.6V"
UNREAD = {"name": "a/b", "problem": "The hub answers 401."}


def model(name: str, **settings: Any) -> dict[str, Any]:
    """Return a published model as model_info returns it."""
    demand = asdict(demand_of("balanced", settings))
    return {**model_of(config_of(name), name).as_dict(), "demand": demand}


def detail(result: dict[str, Any], name: str) -> str:
    """Return why a type is not taken."""
    return str(next(r["detail"] for r in result["rejected"] if r["instance_type"] == name))


def test_a_model_alone_takes_the_cheapest_machine_that_serves_it(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock(H100, TWO_H100, FOUR_A6000, V100, "8H100.80S.176V", "1H200.141S.44V"))
    result = cloud.ask(model=model(LARGE))
    assert types(result) == [FOUR_A6000, TWO_H100, "8H100.80S.176V"]
    assert result["wanted"] == f"any GPU for {LARGE}"
    assert reasons(result)[H100] == "model_too_large"
    assert detail(result, H100).startswith(
        "model does not fit: needs 2 x H100 80 GB (it would hold"
    )
    assert detail(result, "1H200.141S.44V").startswith("model does not fit: needs 2 x H200 141 GB")
    assert reasons(result)[V100] == "gpu_unsupported"
    assert "the last version that did is 0.19.1" in detail(result, V100)
    small = cloud.ask(model=model(SMALL))
    assert types(small)[0] == FOUR_A6000  # of those in stock
    assert reasons(small)["1A6000.10V"] == "not_in_stock"


def test_it_is_bought_with_the_calls_of_any_purchase(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock(H100, TWO_H100, FOUR_A6000, V100))
    assert cloud.buy(model=model(LARGE))["instance"]["instance_type"] == FOUR_A6000
    for call in ("POST /instances", "GET /instance-types", "GET /instance-availability"):
        assert cloud.calls().count(call) == 1
    again = cloud.buy(model=model(LARGE))
    assert not again["changed"]


def test_the_objective_may_still_be_named(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock(H100, TWO_H100, FOUR_A6000))
    assert types(cloud.ask(model=model(LARGE), objective="best"))[0] == TWO_H100
    assert types(cloud.ask(model=model(SMALL), tier="any_h100"))[0] == H100


def test_settings_count(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock(TWO_H100, "4H100.80S.176V"))
    assert types(cloud.ask(model=model(LARGE)))[0] == TWO_H100
    longer = cloud.ask(model=model(LARGE, **{"max-model-len": 65536}))
    assert types(longer) == ["4H100.80S.176V"]


def test_a_tier_on_which_it_does_not_fit_is_refused_with_the_arithmetic(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock(H100, TWO_H100, V100))
    result = cloud.fails("datacrunch_instance", deployment="llm", tier="h100", model=model(LARGE))
    assert result["error"]["code"] == "no_capacity"
    assert "model too large: 1H100.80S.32V (model does not fit: needs 2 x H100" in result["msg"]
    assert "131.4 GiB of weights + 2.5 of cache" in result["msg"]
    assert cloud.orders() == 0
    assert types(cloud.ask(tier="any_h100", model=model(LARGE))) == [TWO_H100]
    assert types(cloud.ask(tier="h100", gpu_count=2, model=model(LARGE))) == [TWO_H100]
    assert types(cloud.ask(tier="h100")) == [H100]


def test_a_named_type_on_which_it_does_not_fit_is_refused(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock(H100))
    assert reasons(cloud.ask(instance_type=H100, model=model(LARGE))) == {H100: "model_too_large"}


def test_a_context_that_no_gpu_helps_has_a_reason_of_its_own(cloud: Cloud) -> None:
    result = cloud.ask(model=model(SMALL, **{"max-model-len": 100_000}))
    assert set(reasons(result).values()) == {"context_too_long", "gpu_unsupported", "confidential"}


def test_a_machine_that_is_too_small_for_the_new_model_is_refused_or_replaced(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock(H100, TWO_H100))
    cloud.buy(model=model(SMALL))
    refused = cloud.fails("datacrunch_instance", deployment="llm", model=model(LARGE))
    assert "cannot be changed in place: model: model does not fit: needs 2 x H100" in refused["msg"]
    assert cloud.machine()["instance_type"] == H100
    replaced = cloud.buy(model=model(LARGE), replace=True)
    assert replaced["instance"]["instance_type"] == TWO_H100


def test_a_model_that_could_not_be_read_demands_nothing(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock(H100))
    assert types(cloud.ask(tier="h100", model=UNREAD)) == [H100]
    result = cloud.fails("datacrunch_instance", deployment="llm", model=UNREAD)
    assert "nothing says what to buy" in result["msg"]
    assert "a/b could not be read: The hub answers 401." in result["msg"]
    assert cloud.orders() == 0


@pytest.mark.parametrize("wrong", [{"name": "x"}, {"caches": []}, {"demand": {}, "x": 1}])
def test_what_is_no_model_costs_no_request(cloud: Cloud, wrong: dict[str, Any]) -> None:
    for name in ("datacrunch_capacity", "datacrunch_instance"):
        more = {"deployment": "llm"} if name == "datacrunch_instance" else {}
        assert cloud.fails(name, model=wrong, **more)["error"]["code"] == "invalid"
    assert cloud.calls() == []
