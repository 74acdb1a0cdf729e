# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Offers of several clouds as one list: both imitated, and asked at the same time."""

from __future__ import annotations

import importlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.gpuops.cloud.plugins.module_utils._catalog.several import offers
from ansible_collections.gpuops.cloud.plugins.module_utils._core.argspecs import SELECTION_SPEC
from ansible_collections.gpuops.cloud.plugins.module_utils._providers import registry
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.accounts import (
    Accounts,
    accounts_spec,
)
from ansible_collections.gpuops.cloud.tests.conformance.door import opened
from ansible_collections.gpuops.cloud.tests.conformance.vast import Vast
from ansible_collections.gpuops.cloud.tests.unit.plugins.clouds import LAMBDA_KEY, Clouds
from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.modules.test_documentation import (
    compare,
    everything,
    module_texts,
    stripped,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import (
    PLUGINS,
    SECRET,
    stock,
    wanted,
)
from gpuops_simulator.doors.lambda_cloud import LambdaDoor, type_row
from gpuops_simulator.doors.vast import VastDoor
from gpuops_simulator.doors.vast_market import offer

A100, H100, L40S = "1A100.22V", "1H100.80S.32V", "1L40S.20V"


@pytest.fixture
def market(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VastDoor]:
    """Return an account of Vast.ai, where an A100 of 80 GB with a disk is free at 1.02 an hour."""
    with opened(Vast, 0.0, monkeypatch) as world:
        monkeypatch.delenv("VAST_API_KEY")
        yield world.door


def shown(result: dict[str, Any]) -> list[tuple[str, str, float]]:
    """Return the offers as provider, GPU and price."""
    return [(row["provider"], row["gpu_model"], row["price_per_hour"]) for row in result["offers"]]


def silent(result: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Return why providers told nothing."""
    return {
        row["provider"]: (row["reason"], row["detail"])
        for row in result["rejected"]
        if row["instance_type"] is None
    }


@pytest.mark.every_core("gpu_offers")
def test_offers_of_both_are_one_list_the_cheaper_first(clouds: Clouds) -> None:
    found = clouds.ask(tier="a100_80_or_less")
    assert shown(found) == [("lambda", "A100", 1.29), ("verda", "A100", 1.797)]
    assert (found["asked"], found["currency"]) == (["verda", "lambda"], "usd")
    assert found["cheapest_free"]["provider"] == "lambda"
    assert found["changed"] is False


def test_a_better_gpu_comes_first_whoever_offers_it(clouds: Clouds) -> None:
    clouds.verda.sim.set_stock(stock(H100, L40S))
    found = [(provider, gpu) for provider, gpu, _price in shown(clouds.ask(tier="h100_or_less"))]
    assert found == [("verda", "H100"), ("lambda", "A100"), ("verda", "L40S")]
    cheapest = clouds.ask(tier="h100_or_less", objective="cheapest")
    prices = [price for _provider, _gpu, price in shown(cheapest)]
    assert prices == sorted(prices)


@pytest.mark.parametrize(("vram", "first"), [(80, "verda"), (94, "lambda")])
def test_at_the_same_price_the_larger_instance_comes_first(
    start: Start, door: LambdaDoor, vram: int, first: str
) -> None:
    name = f"1H100.{vram}S.40V"
    kind = {"instance_type": name, "model": "H100", "gpus": 1, "vcpus": 40, "ram_gb": 200}
    listed = [{**kind, "vram_gb": 90, "price_per_hour": "3.7"}]
    clouds = Clouds(start(stock=stock(name), instance_types=listed), door)
    door.types = {"gpu_1x_h100": type_row("gpu_1x_h100", f"H100 ({vram} GB PCIe)", cents=370)}
    found = shown(clouds.ask(tier="h100"))
    assert {price for _provider, _gpu, price in found} == {3.7}
    assert [provider for provider, _gpu, _price in found].index(first) == 0
    assert len(found) == 2


def test_providers_that_are_named_are_asked_and_no_other(clouds: Clouds) -> None:
    found = clouds.ask(providers=["lambda"])
    assert (found["asked"], silent(found)) == (["lambda"], {})
    assert clouds.verda.calls() == []


def test_provider_without_credentials_is_left_out_with_a_word(clouds: Clouds) -> None:
    accounts = clouds.without("lambda")
    found = clouds.ask(tier="a100_80", accounts=accounts)
    assert shown(found) == [("verda", "A100", 1.797)]
    reason, detail = silent(found)["lambda"]
    assert reason == "no_credentials"
    assert "LAMBDA_API_KEY" in detail


def test_provider_that_fails_spoils_nothing_of_the_other(clouds: Clouds) -> None:
    clouds.verda.fault("status", {"method": "GET"}, status=500, body={}, times=None)
    found = clouds.ask(tier="a100_80")
    assert shown(found) == [("lambda", "A100", 1.29)]
    reason, detail = silent(found)["verda"]
    assert reason == "no_answer"
    assert "500" in detail


def test_when_nobody_answers_it_fails_and_says_why_of_each(clouds: Clouds) -> None:
    accounts = {"lambda": {**clouds.accounts["lambda"], "base_url": "http://127.0.0.1:1/v1"}}
    found = clouds.fails("gpu_offers", accounts=accounts)
    assert found["error"]["code"] == "unavailable"
    for word in ("lambda: GET /instance-types", "verda: No credentials", "connection refused"):
        assert word in found["msg"]
    assert set(silent(found)) >= {"lambda", "verda"}


def test_without_any_credentials_it_fails_before_any_request(clouds: Clouds) -> None:
    found = clouds.fails("gpu_offers", accounts={})
    assert found["error"]["code"] == "auth"
    assert "Set the credentials of one of them" in found["msg"]


def test_what_each_calls_unknown_is_an_error_that_names_who_was_not_asked(clouds: Clouds) -> None:
    clouds.door.types["gpu_1x_a10"] = type_row("gpu_1x_a10", "A10 (24 GB PCIe)", cents=75)
    assert shown(clouds.ask(gpus=["A10"])) == [("lambda", "A10", 0.75)]
    assert shown(clouds.ask(instance_type=A100.lower())) == [("verda", "A100", 1.797)]
    found = clouds.fails("gpu_offers", gpus=["A10"], accounts=clouds.without("lambda"))
    assert "Unknown GPU model 'A10'" in found["msg"]
    assert "Nothing is known of lambda: No credentials" in found["msg"]


def test_misspelt_tier_asks_nobody(clouds: Clouds) -> None:
    clouds.fails("gpu_offers", tier="h1000_or_less")
    assert (clouds.verda.calls(), clouds.door.log) == ([], [])


def test_prices_in_two_currencies_are_never_compared(start: Start, door: LambdaDoor) -> None:
    clouds = Clouds(start(stock=stock(A100), currency="eur"), door)
    found = clouds.ask(tier="a100_80")
    assert [row["provider"] for row in found["offers"]] == ["verda"]
    assert found["currency"] == "eur"
    (other,) = [row for row in found["rejected"] if row["reason"] == "other_currency"]
    assert (other["provider"], other["detail"]) == (
        "lambda",
        "priced in usd, and the list is in eur",
    )
    other_order = clouds.ask(tier="a100_80", providers=["lambda", "verda"])
    assert [row["provider"] for row in other_order["offers"]] == ["lambda"]


def of_three(clouds: Clouds, market: VastDoor) -> dict[str, Any]:
    """Return the accounts with a third one, at Vast.ai."""
    return {**clouds.accounts, "vast": {"api_key": LAMBDA_KEY, "base_url": market.url}}


def test_all_are_asked_at_the_same_time(
    clouds: Clouds, market: VastDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting = threading.Barrier(3)
    for kind in registry.PROVIDERS.values():
        list_types = kind.instance_types

        def wait(self: Any, *args: Any, _list: Any = list_types) -> Any:
            meeting.wait(30)  # broken, where one is asked after the other
            return _list(self, *args)

        monkeypatch.setattr(kind, "instance_types", wait)
    found = clouds.ask(tier="a100_80", accounts=of_three(clouds, market))
    assert {row["provider"] for row in found["offers"]} == {"verda", "lambda", "vast"}


def test_choosing_costs_one_round_of_calls_each(clouds: Clouds, market: VastDoor) -> None:
    clouds.ask(tier="a100_80", market="any", accounts=of_three(clouds, market))
    assert [row.path for row in clouds.door.log] == ["/v1/instance-types"]
    assert len([call for call in clouds.verda.calls() if call.startswith("GET")]) == 4
    asked = sorted(row.path for row in market.log)
    assert asked == ["/api/v0/bundles/", "/api/v0/users/current/"]


def test_secrets_of_all_accounts_are_known_to_be_hidden(clouds: Clouds) -> None:
    want = wanted({**accounts_spec(), **SELECTION_SPEC}, accounts=clouds.accounts)
    accounts = Accounts(want)
    assert "the-key" not in json.dumps(offers(accounts, want))
    assert {LAMBDA_KEY, SECRET} <= set(accounts.secrets())


def test_result_is_documented_at_every_level(clouds: Clouds, market: VastDoor) -> None:
    documented = module_texts("gpu_offers")["RETURN"]
    market.offers[200] = offer(200, machine=200, num_gpus=2)
    found = clouds.ask(tier="h100_or_less", accounts=of_three(clouds, market))
    seen = compare(stripped(found), documented, "gpu_offers")
    assert everything(documented, "gpu_offers") - seen == set()
    terms = {row["provider"]: row["terms"] for row in found["offers"]}
    assert (terms["verda"], terms["vast"]["verification"]) == (None, "verified")


def test_examples_run(clouds: Clouds) -> None:
    module = importlib.import_module(f"{PLUGINS}.modules.gpu_offers")
    tasks = [task.get("gpuops.cloud.gpu_offers", {}) for task in yaml.safe_load(module.EXAMPLES)]
    assert len(tasks) > 1
    for args in tasks:
        clouds.ask(**{**(args or {}), "accounts": clouds.accounts})
