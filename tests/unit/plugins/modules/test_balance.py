# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The balance: for whom the money burns, what leases go on to cost, and the state of a budget."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import Cloud, stock

TIER = {"tier": "h200_or_less"}
PRICE = 4.639
DISK = 100 * 0.2 / 730


def ask(cloud: Cloud, **args: Any) -> dict[str, Any]:
    """Return the balance."""
    return cloud.ok("datacrunch_balance", **args)


def states(cloud: Cloud, **budget: Any) -> dict[str, str]:
    """Return the state of each limit of a budget."""
    return {row["period"]: row["state"] for row in ask(cloud, budget=budget)["budgets"]}


def near(figure: float) -> Any:
    """Return what equals a figure that is rounded to four digits."""
    return pytest.approx(figure, abs=1e-4)


def test_burn_is_told_by_deployment_owner_and_project(cloud: Cloud) -> None:
    cloud.buy(**TIER, owner="ada", project="apollo", count=2)
    cloud.buy(**TIER, deployment="web", owner="ada")
    cloud.ok("datacrunch_volume", deployment="web", name="data", size_gb=1000, location="FIN-03")
    result = ask(cloud)

    def rows(key: str) -> list[tuple[str | None, float, int, int]]:
        return [
            (row["name"], row["burn_per_hour"], row["machines"], row["volumes"])
            for row in result["by"][key]
        ]

    one, two = PRICE + DISK, 2 * (PRICE + DISK)
    assert rows("deployment") == [("llm", near(two), 2, 2), ("web", near(one + 10 * DISK), 1, 2)]
    assert rows("owner")[0] == ("ada", near(two + one), 3, 3)
    assert rows("project")[0] == ("apollo", near(two), 2, 2)
    for key in ("deployment", "owner", "project"):
        burn = sum(row["burn_per_hour"] for row in result["by"][key])
        assert burn == pytest.approx(result["burn_per_hour"], abs=1e-3)
        for part in ("cost_so_far", "cost_until_lease_end"):
            assert sum(row[part] for row in result["by"][key]) == pytest.approx(
                result[part], abs=1e-3
            )


def test_foreign_machines_burn_for_nobody_we_know(cloud: Cloud) -> None:
    cloud.sim.set_stock(stock("1V100.6V@FIN-01"))
    body = {
        "instance_type": "1V100.6V",
        "image": "ubuntu-22.04",
        "hostname": "theirs",
        "location_code": "FIN-01",
    }
    cloud.client().create("/instances", body)
    result = ask(cloud)
    assert result["machines"] == 1
    assert [row["name"] for row in result["by"]["deployment"]] == [None]
    assert result["endless_per_hour"] == result["burn_per_hour"] > 0


def test_cost_so_far_and_until_the_ends_of_leases(cloud: Cloud) -> None:
    cloud.buy(**TIER, lease="6h")
    cloud.sim.advance(2 * 3600)
    result = ask(cloud)
    assert result["cost_so_far"] == pytest.approx(2 * (PRICE + DISK), rel=0.01)
    assert result["cost_until_lease_end"] == pytest.approx(4 * (PRICE + DISK), rel=0.01)
    assert result["endless_per_hour"] == 0
    taken = 500 - result["amount"]
    assert result["cost_so_far"] == pytest.approx(taken, abs=(PRICE + DISK) / 6 + 0.01)


def test_what_has_no_lease_burns_without_an_end(cloud: Cloud) -> None:
    cloud.buy(**TIER, lease="none")
    cloud.ok("datacrunch_volume", deployment="llm", name="data", size_gb=1000, location="FIN-03")
    result = ask(cloud)
    assert result["cost_until_lease_end"] == 0
    assert result["endless_per_hour"] == result["burn_per_hour"]


def test_stopped_machines_and_free_volumes_burn_and_the_trash_does_not(cloud: Cloud) -> None:
    cloud.buy(**TIER)
    cloud.buy(state="stopped")
    cloud.ok("datacrunch_volume", deployment="llm", name="data", size_gb=100, location="FIN-03")
    cloud.ok("datacrunch_volume", deployment="llm", name="old", size_gb=100, location="FIN-03")
    cloud.ok("datacrunch_volume", deployment="llm", name="old", state="absent")
    result = ask(cloud)
    assert result["burn_per_hour"] == pytest.approx(PRICE + 2 * DISK, abs=1e-4)
    assert (result["machines"], result["volumes"]) == (1, 2)


# -- budget ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("share", "state"),
    [(0.79, "ok"), (0.8, "warning"), (0.9, "critical"), (0.99, "critical"), (1.0, "exceeded")],
)
def test_state_of_the_burn_rate(cloud: Cloud, share: float, state: str) -> None:
    cloud.buy(**TIER)
    burn = PRICE + DISK
    result = ask(cloud, budget={"per_hour": burn / share})
    assert result["state"] == state
    (row,) = result["budgets"]
    assert (row["period"], row["state"]) == ("hour", state)
    assert row["share_percent"] == pytest.approx(share * 100, abs=0.01)
    assert row["used"] == pytest.approx(burn, abs=1e-4)


def test_without_a_budget_all_is_well(cloud: Cloud) -> None:
    cloud.buy(**TIER)
    result = ask(cloud)
    assert (result["budgets"], result["state"]) == ([], "ok")


def test_what_has_ended_counts_by_the_ledger(cloud: Cloud) -> None:
    cloud.buy(**TIER)
    cloud.sim.advance(3600)
    cloud.end(os_volume="delete")
    spent = 500 - ask(cloud)["amount"]
    limit = spent / 0.85
    assert states(cloud, total=limit, per_hour=1) == {"hour": "ok", "total": "warning"}
    cloud.sim.advance(40 * 24 * 3600)
    assert states(cloud, total=limit, per_month=limit, per_day=limit) == {
        "day": "ok",
        "month": "ok",
        "total": "warning",
    }
    (row,) = ask(cloud, budget={"total": limit})["budgets"]
    assert row["used"] == pytest.approx(spent, rel=0.01)


def test_what_exists_counts_without_any_ledger(cloud: Cloud) -> None:
    cloud.buy(**TIER, ledger="none")
    cloud.sim.advance(3600)
    budget = {"total": (PRICE + DISK) / 0.95}
    assert ask(cloud, budget=budget, ledger="none")["state"] == "critical"


def test_ledger_that_cannot_be_read_is_a_warning(cloud: Cloud, home: Path) -> None:
    (home / "broken").write_text("no database, but a long text " * 100)
    ledger = f"sqlite:///{home}/broken"
    result = ask(cloud, budget={"total": 100}, ledger=ledger)
    assert "not a database" in result["warnings"][0]
    assert result["state"] == "ok"
    assert ask(cloud, ledger=ledger)["warnings"] == []  # nothing of the past was asked for


def test_password_of_a_ledger_is_never_shown(cloud: Cloud) -> None:
    ledger = "postgresql://me:sword%21fish@127.0.0.1:9/ledger"
    result = ask(cloud, budget={"total": 100}, ledger=ledger)
    assert "refused" in result["warnings"][0]
    assert "sword" not in "".join(cloud.said)
    assert "127.0.0.1:9" in "".join(cloud.said)


def test_ledger_none_masks_nothing(cloud: Cloud) -> None:
    cloud.buy(**TIER, lease="none")
    assert ask(cloud, ledger="none")["by"]["deployment"][0]["name"] == "llm"
    assert "****" not in cloud.said[-1]


@pytest.mark.parametrize("budget", [{"per_hour": 0}, {"total": 1, "thresholds": [1, 2]}])
def test_budget_that_makes_no_sense_costs_no_request(cloud: Cloud, budget: Any) -> None:
    result = cloud.fails("datacrunch_balance", budget=budget)
    assert result["error"]["code"] == "invalid"
    assert cloud.calls() == []


def test_three_calls_whatever_is_asked(start: Start) -> None:
    cloud = start()
    ask(cloud, budget={"per_hour": 1, "total": 5})
    assert sorted(call for call in cloud.calls() if "token" not in call) == [
        "GET /balance",
        "GET /instances",
        "GET /volumes",
    ]
