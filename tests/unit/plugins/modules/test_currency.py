# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An account that pays in euro: prices in its currency, and never two currencies mixed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import Cloud, stock

A100, V100 = "1A100.22V", "1V100.6V"
USD, EUR = 1.797, 1.797 * 0.85
TYPES = "GET /instance-types"


@pytest.fixture
def euro(start: Start) -> Cloud:
    """Return a cloud whose account pays in euro."""
    return start(currency="eur", stock=stock(A100))


def asked(cloud: Cloud) -> list[str]:
    """Return the requests but the login, and forget them."""
    calls = sorted(call for call in cloud.calls() if "token" not in call)
    cloud.sim.clear_log()
    return calls


def catalogue(cloud: Cloud, rows: Any) -> None:
    """Let the catalogue be answered by something else."""
    match = {"method": "GET", "path": "/v1/instance-types"}
    cloud.fault("status", match, status=200, body=json.dumps(rows), times=None)


@pytest.mark.parametrize("market", ["on_demand", "spot_first"])
def test_catalogue_is_asked_once_more_and_the_currency_remembered(
    euro: Cloud, home: Path, market: str
) -> None:
    args = {"tier": "a100_80", "market": market}
    stocks = ["GET /instance-availability"] * (2 if market == "spot_first" else 1)
    (offer,) = euro.ask(**args)["offers"]
    assert (offer["currency"], offer["price_per_hour"]) == ("eur", pytest.approx(EUR, abs=1e-4))
    assert asked(euro) == ["GET /balance", *stocks, TYPES, TYPES]
    assert euro.ask(**args)["offers"] == [offer]
    assert asked(euro) == ["GET /balance", *stocks, TYPES]
    (file,) = (home / "cache/gpuops.cloud/currencies").iterdir()
    assert file.read_text() == "eur\n"


def test_account_in_dollars_costs_no_further_request(start: Start, home: Path) -> None:
    cloud = start(stock=stock(A100))
    for _again in range(2):
        assert cloud.ask(tier="a100_80")["offers"][0]["currency"] == "usd"
        assert asked(cloud) == ["GET /balance", "GET /instance-availability", TYPES]
    assert not (home / "cache/gpuops.cloud/currencies").exists()


def test_ceiling_and_limits_are_in_the_currency_of_the_account(euro: Cloud) -> None:
    between = (USD + EUR) / 2
    assert euro.ask(tier="a100_80", max_price_per_hour=between)["offers"]
    result = euro.buy(tier="a100_80", lease="2h", budget={"per_hour": between}, ledger="none")
    spend, disk = result["spend"], 100 * 0.2 / 730 * 0.85
    assert spend["currency"] == "eur"
    assert spend["price_per_hour"] == pytest.approx(EUR + disk, abs=1e-3)
    assert spend["balance"] == 500
    balance = euro.ok("datacrunch_balance")
    assert (balance["currency"], balance["volumes"]) == ("eur", 1)
    assert balance["burn_per_hour"] == pytest.approx(EUR + disk, abs=1e-3)
    bill = {row["kind"]: row["price_per_hour"] for row in euro.sim.state()["bill"]}
    assert bill["instance"] == pytest.approx(EUR, abs=1e-4)


def test_purchase_asks_for_each_price_list_once_more(euro: Cloud) -> None:
    euro.buy(tier="a100_80", check=True)
    calls = asked(euro)
    # Both at once: whichever is late may find the currency remembered by the other.
    lists = [calls.count(f"GET /{path}") for path in ("instance-types", "volume-types")]
    assert sorted(lists) in ([1, 2], [2, 2])
    assert calls.count("GET /balance") == 1
    euro.buy(tier="a100_80", check=True)
    calls = asked(euro)
    assert [calls.count(f"GET /{path}") for path in ("instance-types", "volume-types")] == [1, 1]


def test_currency_of_an_account_may_change(euro: Cloud, start: Start) -> None:
    euro.ask(tier="a100_80")
    dollars = start(stock=stock(A100))
    place = next(iter(Path(__import__("os").environ["XDG_CACHE_HOME"]).glob("*/currencies/*")))
    place.rename(place.with_name(dollars.client().account))
    (offer,) = dollars.ask(tier="a100_80")["offers"]
    assert (offer["currency"], offer["price_per_hour"]) == ("usd", USD)


def test_prices_that_stay_in_another_currency_are_not_taken(euro: Cloud) -> None:
    rows = euro.shows("/instance-types", currency="usd")
    catalogue(euro, rows)
    result = euro.ask(tier="a100_80")
    assert result["offers"] == []
    (row,) = [row for row in result["rejected"] if row["instance_type"] == A100]
    assert row["reason"] == "other_currency"
    assert row["detail"] == "priced in usd, and the account pays in eur"
    refused = euro.fails("datacrunch_instance", deployment="llm", tier="a100_80")
    assert "other currency" in refused["msg"]
    warn = {"tier": "a100_80", "budget_policy": "warn"}
    capped = euro.fails("datacrunch_instance", deployment="llm", **warn, max_price_per_hour=9)
    assert "other currency" in capped["msg"]
    assert euro.orders() == 0
    bought = euro.buy(**warn)
    assert "Nothing compares the cost with the money: prices are in usd" in bought["warnings"][0]


def test_row_of_another_currency_alone_is_left_out(start: Start) -> None:
    cloud = start(stock=stock(A100, V100))
    rows = cloud.shows("/instance-types")
    next(row for row in rows if row["instance_type"] == V100)["currency"] = "eur"
    catalogue(cloud, rows)
    result = cloud.ask(tier="a100_80_or_less", objective="cheapest")
    assert [row["instance_type"] for row in result["offers"]] == [A100]
    assert result["cheapest_free"]["instance_type"] == A100


def test_volume_of_another_currency_is_not_added_up(start: Start) -> None:
    cloud = start(stock=stock(A100))
    cloud.ok("datacrunch_volume", deployment="x", name="data", size_gb=100, location="FIN-03")
    rows = [{**row, "currency": "eur"} for row in cloud.shows("/volumes")]
    match = {"method": "GET", "path": "/v1/volumes"}
    cloud.fault("status", match, status=200, body=json.dumps(rows), times=None)
    result = cloud.fails("datacrunch_instance", deployment="llm", tier="a100_80")
    assert 'is in "eur", and the account pays in usd' in result["msg"]
    assert cloud.fails("datacrunch_balance")["error"]["code"] == "unreadable"


def test_memory_that_holds_nonsense_is_no_matter(euro: Cloud, home: Path) -> None:
    folder = home / "cache/gpuops.cloud/currencies"
    folder.mkdir(parents=True)
    (folder / euro.client().account).write_bytes(b"\xff../../x\n")
    assert euro.ask(tier="a100_80")["offers"][0]["currency"] == "eur"
