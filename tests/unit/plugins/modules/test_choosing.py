# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Choosing: the best instance out of what is in stock, with few calls."""

from __future__ import annotations

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import (
    Cloud,
    places,
    reasons,
    stock,
    types,
)

H100, A100, A100_40 = "1H100.80S.32V", "1A100.22V", "1A100.40S.22V"
L40S, A6000, V100 = "1L40S.20V", "1A6000.10V", "1V100.6V"
VARIANT = {
    "instance_type": "1H100.94S.40V",
    "model": "H100 NVL",
    "gpus": 1,
    "vcpus": 40,
    "ram_gb": 200,
    "vram_gb": 94,
    "price_per_hour": "3.7",
}
UNKNOWN = {**VARIANT, "instance_type": "1R100.30V", "model": "R100", "name": "R100 288GB"}
CATALOGUE = {"method": "GET", "path": "/v1/instance-types"}


# -- seven situations in which a fixed list of names and places fails or asks too much -------------

SITUATIONS = [
    ("h100-or-less", H100, "FIN-03"),
    ("a100-80-or-less", A100_40, "FIN-03"),
    ("a100-80-or-less", A100_40, "FIN-01"),
    ("h100-or-less", V100, "FIN-01"),
    ("b300-or-less", V100, "FIN-01"),
    ("b300-or-less", H100, "FIN-03"),
    ("b300-or-less", L40S, "FIN-03"),
]


@pytest.mark.parametrize(("tier", "name", "place"), SITUATIONS)
def test_situation_is_answered_with_three_calls(
    cloud: Cloud, tier: str, name: str, place: str
) -> None:
    cloud.sim.set_stock(stock(f"{name}@{place}"))
    assert places(cloud.ask(tier=tier)) == [f"{name}@{place}"]
    assert sorted(cloud.calls()) == [
        "GET /balance",
        "GET /instance-availability",
        "GET /instance-types",
        "POST /oauth2/token",
    ]


@pytest.mark.parametrize(("tier", "name", "place"), SITUATIONS)
def test_situation_is_bought_with_one_order(cloud: Cloud, tier: str, name: str, place: str) -> None:
    cloud.sim.set_stock(stock(f"{name}@{place}"))
    machine = cloud.buy(tier=tier)["instance"]
    assert (machine["instance_type"], machine["location"]) == (name, place)
    for call in ("POST /instances", "POST /oauth2/token", "GET /instance-types"):
        assert cloud.calls().count(call) == 1
    assert cloud.calls().count("GET /instance-availability") == 1


@pytest.mark.parametrize(
    ("market", "calls"), [("on_demand", 1), ("spot", 1), ("spot_first", 2), ("any", 2)]
)
def test_one_stock_call_per_market(cloud: Cloud, market: str, calls: int) -> None:
    cloud.ask(tier="b300_or_less", market=market, locations=["FIN-01", "FIN-02", "FIN-03"])
    assert len(cloud.calls("/instance-availability")) == calls
    assert len([call for call in cloud.calls() if "token" not in call]) == 2 + calls


# -- ranking ---------------------------------------------------------------------------------------


def test_best_tier_first_and_the_larger_of_two_alike(cloud: Cloud) -> None:
    shelf = stock(V100, A100_40, A100, "1H100.80S.30V", H100, "1H200.141S.44V")
    cloud.sim.set_stock(shelf)
    assert types(cloud.ask(tier="h200_or_less")) == [
        "1H200.141S.44V",
        H100,
        "1H100.80S.30V",
        A100,
        A100_40,
        V100,
    ]


def test_cheapest_first(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock(V100, A100, H100, A6000))
    found = types(cloud.ask(tier="h100_or_less", objective="cheapest"))
    assert found == [V100, A6000, A100, H100]


def test_most_bandwidth_for_the_money_first(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock(V100, A100, H100, A6000, L40S))
    result = cloud.ask(tier="h100_or_less", objective="value")
    values = [row["value"] for row in result["offers"]]
    assert values == sorted(values, reverse=True)
    assert types(result)[0] == V100


def test_without_a_tier_every_gpu_is_meant(cloud: Cloud) -> None:
    result = cloud.ask()
    assert types(result) == ["1B200.30V", "1H200.141S.44V", A100]
    assert result["wanted"] == "any GPU"
    assert not [name for name in reasons(result) if name.startswith("CPU")]


def test_models_in_order_of_preference(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock(A100, H100, "1RTX6000ADA.10V", A6000))
    result = cloud.ask(gpus=["RTX A6000", "rtx 6000 ada", "H100"])
    assert types(result) == [A6000, "1RTX6000ADA.10V", H100]


@pytest.mark.parametrize(
    ("market", "first"),
    [
        ("on_demand", [(H100, "on_demand"), (A100, "on_demand")]),
        ("spot", [(H100, "spot"), (A100, "spot")]),
        ("spot_first", [(H100, "spot"), (H100, "on_demand"), (A100, "spot"), (A100, "on_demand")]),
        ("any", [(H100, "spot"), (H100, "on_demand"), (A100, "spot"), (A100, "on_demand")]),
    ],
)
def test_markets(cloud: Cloud, market: str, first: list[tuple[str, str]]) -> None:
    cloud.sim.set_stock(stock(H100, A100, spot=[H100, A100]))
    result = cloud.ask(tier="h100_or_less", market=market)
    assert [(row["instance_type"], row["market"]) for row in result["offers"]] == first


def test_any_takes_the_cheaper_inside_a_tier(start: Start) -> None:
    dear = {"instance_type": H100, "spot_price": "5.0"}
    cloud = start(instance_types=[dear])
    cloud.sim.set_stock(stock(H100, spot=[H100]))
    for market, first in (("any", "on_demand"), ("spot_first", "spot")):
        assert cloud.ask(tier="h100", market=market)["offers"][0]["market"] == first


def test_spot_offers_say_what_they_save(start: Start) -> None:
    cloud = start(
        instance_types=[{"instance_type": H100, "spot_price": "1.2", "price_per_hour": "4.8"}]
    )
    cloud.sim.set_stock(stock(H100, spot=[H100]))
    offers = cloud.ask(tier="h100", market="any")["offers"]
    assert [(row["market"], row["saving_percent"]) for row in offers] == [
        ("spot", 75.0),
        ("on_demand", None),
    ]


def test_spot_stock_alone(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock(spot=[H100]))
    result = cloud.fails("datacrunch_instance", deployment="llm", tier="h100_or_less")
    assert "market=spot_first" in result["msg"]
    machine = cloud.buy(tier="h100_or_less", market="spot_first")["instance"]
    assert (machine["market"], machine["price_per_hour"]) == ("spot", 1.778)


def test_locations_in_order_of_preference(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock(f"{H100}@FIN-01", f"{H100}@FIN-02", f"{H100}@FIN-03"))
    result = cloud.ask(tier="h100", locations=["fin-03", "FIN-01"])
    assert places(result) == [f"{H100}@FIN-03", f"{H100}@FIN-01"]
    (row,) = [row for row in result["rejected"] if row["instance_type"] == H100]
    assert (row["reason"], row["location"]) == ("other_location", "FIN-02")


# -- what the cloud may become ---------------------------------------------------------------------


def test_new_variant_of_a_known_model_needs_no_release(start: Start) -> None:
    cloud = start(instance_types=[VARIANT])
    cloud.sim.set_stock(stock("1H100.94S.40V", A100))
    result = cloud.ask(tier="h100_or_less")
    assert types(result) == ["1H100.94S.40V", A100]
    assert result["offers"][0]["tier"] == "h100"
    assert cloud.buy(tier="h100_or_less")["instance"]["tier"] == "h100"


def test_unknown_model_is_in_no_tier_but_can_be_named(start: Start) -> None:
    cloud = start(instance_types=[UNKNOWN])
    cloud.sim.set_stock(stock("1R100.30V", V100))
    result = cloud.ask(tier="gb300_or_less")
    assert types(result) == [V100]
    assert reasons(result)["1R100.30V"] == "unknown_model"
    tiers = [{"name": "new", "models": ["R100"]}]
    for args in ({}, {"gpus": ["r100"]}, {"instance_type": "1R100.30V"}):
        assert types(cloud.ask(**args))[0 if args else -1] == "1R100.30V"
    assert types(cloud.ask(tier="new", tiers=tiers)) == ["1R100.30V"]
    assert cloud.buy(gpus=["R100"])["instance"]["tier"] is None


def test_prices_may_come_as_numbers(cloud: Cloud) -> None:
    rows = cloud.shows("/instance-types")
    for row in rows:
        row.update(price_per_hour=float(row["price_per_hour"]), spot_price=None)
    cloud.sim.set_stock(stock(H100, spot=[H100]))
    cloud.fault("status", CATALOGUE, status=200, body=rows)
    result = cloud.ask(tier="h100_or_less", market="any")
    assert [(row["market"], row["price_per_hour"]) for row in result["offers"]] == [
        ("on_demand", 3.555)
    ]
    assert result["cheapest_free"]["market"] == "on_demand"


@pytest.mark.parametrize(
    "lost", ["supported_os", "gpu_memory", "memory", "cpu", "model", "currency"]
)
def test_field_that_is_missing_is_no_crash(cloud: Cloud, lost: str) -> None:
    rows = cloud.shows("/instance-types")
    for row in rows:
        del row[lost]
    cloud.sim.set_stock(stock(H100))
    cloud.fault("status", CATALOGUE, status=200, body=rows)
    cloud.ask(tier="gb300_or_less")


def test_type_that_is_in_stock_but_not_in_the_catalogue_is_no_crash(start: Start) -> None:
    cloud = start()
    body = [{"location_code": "FIN-03", "availabilities": ["9X9.9V", H100]}, {"location_code": "X"}]
    cloud.fault("status", {"path": "/v1/instance-availability"}, status=200, body=body)
    assert places(cloud.ask(tier="h100")) == [f"{H100}@FIN-03"]


# -- bad input -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tier", "nearest"), [("h1000_or_less", "h100_or_less"), ("a10", "a100_"), ("l40", "l40s")]
)
def test_unknown_tier_names_the_nearest_and_costs_no_request(
    cloud: Cloud, tier: str, nearest: str
) -> None:
    for module in ("datacrunch_capacity", "datacrunch_instance"):
        args = {} if module.endswith("capacity") else {"deployment": "llm"}
        result = cloud.fails(module, **args, tier=tier)
        assert result["error"]["code"] == "invalid"
        assert f"Unknown tier '{tier}'. Nearest: {nearest}" in result["msg"]
        assert "best first: gb300, b300, b200, h200, h100, a100_80, a100_40" in result["msg"]
    assert cloud.calls() == []


def test_unknown_floor_costs_no_request(cloud: Cloud) -> None:
    result = cloud.fails("datacrunch_capacity", tier="h100_or_less", min_tier="x")
    assert "Unknown tier 'x'" in result["msg"]
    assert cloud.calls() == []


def test_unknown_type_names_the_nearest(cloud: Cloud) -> None:
    result = cloud.fails("datacrunch_instance", deployment="llm", instance_type="1H100.80S.31V")
    assert result["error"]["code"] == "invalid"
    assert "Unknown instance type '1H100.80S.31V'. Nearest: 1H100.80S.3" in result["msg"]
    assert "8V100.48V" in result["msg"]
    assert cloud.sim.writes() == []


def test_unknown_model_names_the_nearest(cloud: Cloud) -> None:
    result = cloud.fails("datacrunch_instance", deployment="llm", gpus=["H100", "h2000"])
    assert result["error"]["code"] == "invalid"
    assert "Unknown GPU model 'h2000'. Nearest: H200" in result["msg"]
    assert "Known: A100, A6000, B200" in result["msg"]
    assert cloud.sim.writes() == []


def test_nothing_in_stock_names_the_cheapest_that_is_free(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock(f"{A6000}@FIN-01", "8V100.48V", "CPU.4V.16G"))
    result = cloud.ask(tier="any_h100")
    assert result["offers"] == []
    assert result["cheapest_free"]["instance_type"] == A6000
    assert set(reasons(result).values()) == {"not_in_stock"}


def test_nothing_at_all_is_free(cloud: Cloud) -> None:
    cloud.sim.set_stock({})
    assert cloud.ask()["cheapest_free"] is None
    result = cloud.fails("datacrunch_instance", deployment="llm", tier="v100")
    assert "not in stock: 1V100.6V" in result["msg"]
