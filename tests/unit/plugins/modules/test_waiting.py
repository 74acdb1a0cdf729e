# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for stock: until there is some or the patience ends, with few calls, and watched."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._catalog import stock as _stock
from ansible_collections.gpuops.cloud.plugins.module_utils._core import progress
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import Cloud, stock

WAIT = {"tier": "any_h100", "wait_for_capacity": 3600, "capacity_interval": 60}
STOCK = "/instance-availability"


@pytest.fixture
def empty(cloud: Cloud) -> Cloud:
    """Return a cloud that has sold out, and gets an H100 after ten minutes."""
    cloud.sim.set_stock({})
    begin = cloud.clock.monotonic()

    def deliver(_seconds: float) -> None:
        if cloud.clock.monotonic() - begin > 600:
            cloud.sim.set_stock(stock("1H100.80S.32V", count=1))
            cloud.clock.on_sleep = lambda _seconds: None

    cloud.clock.on_sleep = deliver
    return cloud


def test_machine_is_bought_when_it_comes_into_stock(empty: Cloud) -> None:
    result = empty.buy(**WAIT)
    assert result["instance"]["instance_type"] == "1H100.80S.32V"
    assert empty.orders() == 1


def test_each_round_costs_one_stock_call_and_the_catalogue_is_read_once(empty: Cloud) -> None:
    empty.buy(**WAIT)
    rounds = len(empty.calls(STOCK)) - 1
    assert 600 / (60 * 1.25) <= rounds <= 600 / (60 * 0.75) + 1
    assert len(empty.calls("/instance-types")) == 1
    assert len(empty.calls("/oauth2/token")) == 1


def test_two_markets_cost_two_stock_calls_a_round(empty: Cloud) -> None:
    empty.buy(**WAIT, market="spot_first")
    assert len(empty.calls(STOCK)) % 2 == 0


def test_pauses_vary_by_a_quarter(empty: Cloud) -> None:
    empty.buy(**WAIT)
    pauses = [seconds for seconds in empty.clock.slept if seconds >= 45]
    assert len(set(pauses)) > 1
    assert all(45 <= seconds <= 75 for seconds in pauses)


def test_patience_ends_with_the_reasons(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock("1V100.6V"))
    begin = cloud.clock.monotonic()
    result = cloud.fails(
        "datacrunch_instance", deployment="llm", **{**WAIT, "wait_for_capacity": 300}
    )
    assert 300 <= cloud.clock.monotonic() - begin < 400
    assert result["error"]["code"] == "no_capacity"
    assert "1V100.6V" in result["msg"], "the cheapest that is free is named"
    assert cloud.orders() == 0


def test_without_patience_nothing_is_waited_for(cloud: Cloud) -> None:
    cloud.sim.set_stock({})
    cloud.fails("datacrunch_instance", deployment="llm", tier="any_h100")
    assert cloud.clock.slept == []


def test_offer_that_was_refused_is_tried_again_in_the_next_round(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock("1H100.80S.32V"))
    cloud.sim.switch(availability_lies=["1H100.80S.32V"])
    cloud.clock.on_sleep = lambda _seconds: cloud.sim.switch(availability_lies=[])
    result = cloud.buy(**WAIT)
    assert [row["outcome"] for row in result["attempts"]] == ["refused", "taken"]


@pytest.mark.parametrize("status", [429, 503])
def test_wait_outlives_an_api_that_is_away(empty: Cloud, status: int) -> None:
    match = {"method": "GET", "path": f"/v1{STOCK}"}
    empty.fault("status", match, status=status, body="away", headers={"Retry-After": "1"}, times=1)
    assert empty.buy(**WAIT)["instance"]["instance_type"] == "1H100.80S.32V"


def test_check_mode_says_what_would_be_waited_for_and_waits_for_nothing(cloud: Cloud) -> None:
    cloud.sim.set_stock({})
    result = cloud.run("datacrunch_instance", check=True, deployment="llm", **WAIT)
    assert result["actions"] == ["buy llm when any_h100 is in stock"]
    assert result["instance"]["status"] is None
    assert cloud.clock.slept == []
    assert cloud.sim.writes() == []


def test_waiters_of_one_user_ask_as_often_as_one(empty: Cloud) -> None:
    """Ten runs look again within one interval; they share the answer of the first."""
    want = _stock.selection_from({"tier": "any_h100"})
    markets = [_stock.Market(empty.client(), want) for _unused in range(10)]
    for market in markets:
        market.look()
    empty.sim.clear_log()
    threads = [threading.Thread(target=market.look, kwargs={"max_age": 30}) for market in markets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(empty.calls(STOCK)) == 1


def test_progress_tells_what_is_waited_for(
    empty: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "told"
    told.touch()
    monkeypatch.setenv(progress.VARIABLE, str(told))
    empty.buy(**WAIT)
    first = told.read_text(encoding="utf-8").splitlines()[0]
    assert first == "waiting for any_h100, up to 60 min more; no GPU at all is free"


def test_every_look_is_written_to_the_observation_log(empty: Cloud, tmp_path: Path) -> None:
    log = tmp_path / "seen" / "stock.jsonl"
    empty.buy(**WAIT, observation_log=str(log))
    rows: list[dict[str, Any]] = [json.loads(line) for line in log.read_text().splitlines()]
    assert len(rows) == len(empty.calls(STOCK))
    assert {row["market"] for row in rows} == {"on_demand"}
    assert rows[-1]["stock"]["FIN-03"] == ["1H100.80S.32V"]
    assert rows[0]["time"] < rows[-1]["time"]


def test_observation_log_that_cannot_be_written_is_named(cloud: Cloud, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = str(tmp_path / "file" / "log")
    result = cloud.fails("datacrunch_capacity", observation_log=path)
    assert path in result["msg"]
