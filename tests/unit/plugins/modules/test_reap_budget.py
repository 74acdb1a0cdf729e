# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reaper as a hard limit: what a budget does not allow ends, the least missed first."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._ledger import store
from ansible_collections.gpuops.cloud.tests.unit.plugins.modules.test_reap import (
    idle,
    reap,
    told,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import Cloud

GIB_HOUR = 0.2 / 730
DISK = 100 * GIB_HOUR
PRICES = {"v100": 0.19, "a6000": 0.64, "a100-80": 1.797, "h200": 4.639}


@pytest.fixture
def four(cloud: Cloud) -> Cloud:
    """Return a cloud with instances called by their tiers, each with a disk of 100 GiB."""
    types = ["1V100.6V", "1A6000.10V", "1A100.22V", "1H200.141S.44V"]
    cloud.sim.set_stock({"FIN-03": {"on_demand": dict.fromkeys(types, 4), "spot": {}}})
    for name, kind in zip(PRICES, types, strict=True):
        cloud.buy(name=name, instance_type=kind, lease="1d", ledger="none")
    cloud.sim.clear_log()
    return cloud


def burn(*names: str) -> float:
    """Return what instances and their disks cost per hour."""
    return sum(PRICES[name] + DISK for name in names)


def limit(cloud: Cloud, per_hour: float, **args: Any) -> dict[str, Any]:
    """Hold a budget per hour."""
    return reap(cloud, budget={"per_hour": per_hour}, ledger="none", **args)


def gone(result: dict[str, Any]) -> list[str]:
    """Return the names of what was ended, in the order of the decision."""
    assert {(row["reason"], row["outcome"]) for row in result["reaped"]} <= {("budget", "ended")}
    return [row["name"] for row in result["reaped"]]


ALL = burn(*PRICES)
CHEAP = burn("v100", "a6000")


@pytest.mark.parametrize(
    ("per_hour", "ended"),
    [
        (ALL + 0.001, []),
        (ALL, ["h200"]),  # at its limit a budget is used up
        (burn("v100", "a6000", "a100-80") + 0.001, ["h200"]),
        (CHEAP + 0.001, ["h200", "a100-80"]),
        (CHEAP, ["h200", "a100-80", "a6000"]),
        (0.01, ["h200", "a100-80", "a6000", "v100"]),
    ],
)
def test_dearest_ends_first_until_the_budget_holds(
    four: Cloud, per_hour: float, ended: list[str]
) -> None:
    foretold = limit(four, per_hour, check=True)
    assert four.sim.writes() == []
    result = limit(four, per_hour)
    assert foretold["actions"] == result["actions"]
    assert gone(result) == ended
    assert sorted(row["hostname"] for row in four.machines()) == sorted(set(PRICES) - set(ended))
    (row,) = result["budgets"]
    assert row["state"] != "exceeded"
    assert row["used"] == pytest.approx(ALL - burn(*ended), abs=1e-3)
    assert not limit(four, per_hour)["changed"]


def test_idle_machines_end_before_dearer_ones(four: Cloud) -> None:
    rows = {row["hostname"]: row for row in four.machines()}
    reports = [idle(four, rows[name], 5) for name in ("v100", "a6000")]
    reports.append(idle(four, rows["h200"], 500, why_busy=["GPU 0 is used to 98 %"]))
    result = limit(four, ALL - 0.5, idle_reports=reports)
    assert gone(result) == ["a6000"]
    assert result["reaped"][0]["detail"].endswith("and nobody uses it")
    result = limit(four, 2, idle_reports=reports)
    assert gone(result) == ["v100", "h200"]


def test_what_is_over_anyway_counts_as_gone_first(four: Cloud) -> None:
    machine = next(row for row in four.machines() if row["hostname"] == "a100-80")
    report = idle(four, machine, 0, done=True)
    result = limit(four, ALL - 1, idle_reports=[report])
    assert told(result) == [("a100-80", "done", "ended")]


def test_protected_and_foreign_machines_count_and_live(four: Cloud) -> None:
    four.ok("datacrunch_lease", deployment="llm", name="h200", protect=True, ledger="none")
    body = {"hostname": "x", "image": "24.04.cuda13.2", "location_code": "FIN-03"}
    four.client().create("/instances", {**body, "instance_type": "1A100.22V"})
    result = limit(four, 1)
    assert gone(result) == ["a100-80", "a6000", "v100"]
    assert sorted(row["hostname"] for row in four.machines()) == ["h200", "x"]
    assert result["budgets"][0]["state"] == "exceeded"
    assert any(line.startswith("After this the budget is used up") for line in result["lines"])


def test_scope_limits_what_ends_and_not_what_counts(four: Cloud) -> None:
    result = limit(four, 1, deployments=["other"])
    assert (gone(result), result["budgets"][0]["state"]) == ([], "exceeded")
    assert len(four.machines()) == 4


@pytest.mark.parametrize("mode", ["report", "stop"])
def test_nothing_ends_in_other_modes(four: Cloud, mode: str) -> None:
    result = limit(four, ALL - 1, mode=mode)
    assert told(result) == [("h200", "budget", "would_end")]
    assert not result["changed"]
    assert result["budgets"][0]["state"] == "exceeded"
    assert result["saved_per_hour"] == pytest.approx(burn("h200"), abs=1e-3)


@pytest.mark.parametrize("period", ["per_day", "per_month", "total"])
def test_budget_that_was_spent_ends_everything(cloud: Cloud, home: Any, period: str) -> None:
    url = f"sqlite:///{home}/ledger.sqlite3"
    cloud.buy(tier="h200_or_less", ledger=url, lease="1d")
    cloud.end(ledger=url)
    ends = [row for row in store.read(url) if row["event"] == "end"]
    cloud.sim.advance(600)
    cloud.buy(tier="any_a100", ledger=url, lease="1d")
    small = {"ledger": url, "budget": {period: 0.001}}
    assert {row["kind"] for row in ends} == {"instance", "volume"}
    assert reap(cloud, ledger=url, budget={period: 1000})["reaped"] == []
    assert told(reap(cloud, **small)) == [("llm", "budget", "ended")]
    result = reap(cloud, **small)
    assert result["reaped"] == []
    assert result["budgets"][0]["state"] == "exceeded"


def test_budget_that_makes_no_sense_ends_nothing(four: Cloud) -> None:
    budget = {"per_hour": -1}
    result = four.fails("datacrunch_reap", everything=True, mode="delete", budget=budget)
    assert result["error"]["code"] == "invalid"
    assert four.sim.writes() == []


def test_ends_of_the_reaper_are_in_the_ledger(cloud: Cloud, home: Any) -> None:
    url = f"sqlite:///{home}/ledger.sqlite3"
    bought = cloud.buy(tier="any_a100", lease="1h", ledger=url)["instance"]
    orphan = {"name": "gpuops.gone.x.data", "size": 50, "type": "NVMe", "location_code": "FIN-03"}
    disk = cloud.client().create("/volumes", orphan)
    cloud.sim.advance(2 * 3600)
    reap(cloud, ledger=url)
    ends = [row["thing_id"] for row in store.read(url) if row["event"] == "end"]
    assert sorted(ends) == sorted([bought["id"], bought["os_volume_id"], disk])
    sources = {row["source"] for row in store.read(url) if row["event"] == "end"}
    assert sources == {"datacrunch_reap"}
    assert reap(cloud, ledger=url)["reaped"] == []


def test_ledger_that_cannot_be_written_is_a_warning(cloud: Cloud) -> None:
    cloud.buy(tier="any_a100", lease="1h", ledger="none")
    cloud.sim.advance(2 * 3600)
    result = reap(cloud, ledger="sqlite:////proc/nowhere/ledger.sqlite3")
    assert told(result) == [("llm", "expired", "ended")]
    assert any("ledger" in text.lower() for text in result["warnings"])


def test_machine_bought_while_the_reaper_works_is_not_booked_as_gone(
    cloud: Cloud, home: Any
) -> None:
    url = f"sqlite:///{home}/ledger.sqlite3"
    cloud.buy(tier="any_a100", lease="1h", ledger=url)
    cloud.sim.advance(2 * 3600)
    bought: list[str] = []

    def buy(_seconds: float) -> None:
        if not bought:  # the reaper has listed the account, and waits for its first end
            bought.append("soon")
            machine = cloud.buy(name="new", tier="h200_or_less", lease="1d", ledger=url)
            bought.append(machine["instance"]["id"])

    cloud.clock.on_sleep = buy
    reap(cloud, ledger=url)
    ends = [row["thing_id"] for row in store.read(url) if row["event"] == "end"]
    assert bought[1] not in ends
    assert ends
