# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prepaid money: steps of ten minutes, refunds, and what happens when it is gone."""

from __future__ import annotations

from typing import Any

import pytest

HOUR = 3600
SPARE = {"type": "NVMe", "name": "data", "size": 7300, "location_code": "FIN-01"}  # 2 USD an hour
SMALL_DISK = {"name": "os", "size": 50}


@pytest.fixture
def cheap(start: Any) -> Any:
    """An account with 10 USD and one instance of 1 USD an hour in stock."""
    return start(
        balance=10,
        stock={"FIN-01": {"on_demand": {"1V100.6V": 1}, "spot": {"1V100.6V": 1}}},
        instance_types=[
            {"instance_type": "1V100.6V", "price_per_hour": "1.00", "spot_price": "0.40"}
        ],
    )


def bill(api: Any, kind: str = "instance") -> dict[str, Any]:
    """Return the only entry of a kind on the simulator's bill."""
    (entry,) = [entry for entry in api.simulator.state()["bill"] if entry["kind"] == kind]
    return dict(entry)


def spent(api: Any) -> float:
    """Return the sum of the simulator's bill."""
    return sum(float(entry["cost"]) for entry in api.simulator.state()["bill"])


def test_the_first_step_is_paid_at_once(cheap: Any) -> None:
    cheap.buy(instance_type="1V100.6V", os_volume=SMALL_DISK)
    assert bill(cheap)["charged"] == pytest.approx(1 / 6, abs=1e-6)
    assert cheap.balance() == pytest.approx(10 - spent(cheap), abs=1e-5)


def test_time_costs_whole_steps(cheap: Any) -> None:
    cheap.buy(instance_type="1V100.6V", os_volume=SMALL_DISK)
    cheap.simulator.advance(HOUR + 1)
    assert bill(cheap)["charged"] == pytest.approx(7 / 6, abs=1e-6)
    assert cheap.balance() == pytest.approx(10 - spent(cheap), abs=1e-5)


def test_the_unused_rest_comes_back_on_delete(cheap: Any) -> None:
    instance_id = cheap.buy(instance_type="1V100.6V", os_volume=SMALL_DISK)
    cheap.simulator.advance(HOUR + 60)
    cheap.act(instance_id, "delete")
    entry = bill(cheap)
    assert entry["cost"] == pytest.approx(61 / 60, abs=1e-6)
    assert entry["until"]
    cheap.simulator.advance(HOUR)
    assert bill(cheap) == entry
    assert cheap.balance() == pytest.approx(10 - spent(cheap), abs=1e-5)


def test_spot_costs_its_own_price(cheap: Any) -> None:
    cheap.buy(instance_type="1V100.6V", is_spot=True, os_volume=SMALL_DISK)
    assert bill(cheap)["price_per_hour"] == 0.4


def test_a_stopped_machine_costs_the_same(cheap: Any) -> None:
    cheap.act(cheap.buy(instance_type="1V100.6V", os_volume=SMALL_DISK), "shutdown")
    cheap.simulator.advance(HOUR)
    assert bill(cheap)["charged"] == pytest.approx(7 / 6, abs=1e-6)


def test_a_kept_disk_goes_on_costing(cheap: Any) -> None:
    disk = {"name": "os", "size": 730}
    instance_id = cheap.buy(instance_type="1V100.6V", os_volume=disk)
    cheap.act(instance_id, "delete", volume_ids=[])
    cheap.simulator.advance(10 * HOUR)
    assert bill(cheap, "volume")["charged"] == pytest.approx(2.0 + 0.2 / 6, abs=1e-6)


def test_an_order_beyond_the_balance_is_refused(start: Any) -> None:
    api = start(balance="0.1")
    answer = api.order()
    assert (answer.status, answer.data["code"]) == (402, "insufficient_funds")
    assert api.post("/volumes", SPARE).status == 402
    api.simulator.set_balance(50)
    assert api.order().status == 202


def test_at_zero_everything_ends(cheap: Any) -> None:
    instance_id = cheap.buy(instance_type="1V100.6V", os_volume=SMALL_DISK)
    spare = cheap.post("/volumes", SPARE).text
    cheap.simulator.advance(3 * HOUR)
    assert cheap.instance(instance_id)["status"] == "running"
    cheap.simulator.advance(HOUR)
    assert cheap.instance(instance_id)["status"] == "discontinued"
    assert {row["id"] for row in cheap.get("/volumes/trash").data} >= {spare}
    assert cheap.get("/volumes").data == []
    assert 0 <= cheap.balance() < 0.6
    assert 10 - spent(cheap) == pytest.approx(cheap.balance(), abs=1e-5)
    ended = cheap.simulator.state()["instances"][0]
    assert ended["end_reason"] == "insufficient_funds"


def test_the_end_of_the_money_is_dated_to_when_it_came(cheap: Any) -> None:
    cheap.buy(instance_type="1V100.6V", os_volume=SMALL_DISK)
    cheap.simulator.advance(30 * 24 * HOUR)
    entry = bill(cheap)
    assert entry["until"] < cheap.simulator.state()["time"]
    assert entry["cost"] == pytest.approx(10, abs=0.2)


def test_growing_a_volume_costs_more_from_then_on(api: Any) -> None:
    volume_id = api.post("/volumes", {**SPARE, "size": 730}).text
    api.simulator.advance(HOUR)
    api.act_on_volume(volume_id, "resize", size=1460)
    api.simulator.advance(HOUR)
    api.delete(f"/volumes/{volume_id}")
    assert bill(api, "volume")["cost"] == pytest.approx(0.2 + 0.4, abs=1e-6)


def test_many_things_over_a_long_time_are_billed_quickly(api: Any) -> None:
    for number in range(20):
        api.post("/volumes", {**SPARE, "size": 1, "name": f"v{number}"})
    api.simulator.advance(365 * 24 * HOUR)
    assert spent(api) == pytest.approx(20 * 0.2 * 12, rel=1e-3)


# -- currencies ------------------------------------------------------------------------------------


def test_account_in_euro_pays_and_shows_euro(start: Any) -> None:
    api = start(currency="eur", stock={"FIN-01": {"on_demand": {"1V100.6V": 1}, "spot": {}}})
    api.buy(instance_type="1V100.6V", os_volume=SMALL_DISK)
    assert api.get("/balance").data["currency"] == "eur"
    assert api.simulator.state()["balance"]["currency"] == "eur"
    (machine,) = api.get("/instances").data
    assert machine["price_per_hour"] == bill(api)["price_per_hour"] == 0.1615
    (disk,) = api.get("/volumes").data
    assert (disk["currency"], disk["monthly_price"]) == ("eur", pytest.approx(50 * 0.17))
    assert api.balance() == pytest.approx(500 - spent(api), abs=1e-5)


def test_prices_are_in_dollars_all_the_same_unless_asked(start: Any) -> None:
    api = start(currency="eur")
    for path in ("/instance-types", "/volume-types"):
        for query, currency in (("", "usd"), ("?currency=eur", "eur")):
            row = api.get(path + query).data[0]
            assert (row.get("currency") or row["price"]["currency"]) == currency


def test_currency_that_is_not_known_is_no_scenario(start: Any) -> None:
    with pytest.raises(ValueError, match="unknown currency 'gbp'"):
        start(currency="gbp")
