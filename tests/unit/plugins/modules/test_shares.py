# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Budgets of owners and of projects, beside that of the account."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._billing import budget as _budget
from ansible_collections.gpuops.cloud.plugins.module_utils._core.errors import InvalidError
from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.modules.test_reap import idle
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import Cloud, stock

A100, V100 = "1A100.22V", "1V100.6V"
DISK = 100 * 0.2 / 730
PRICE, CHEAP = 1.797 + DISK, 0.19 + DISK
TWO = {"owners": {"ada": {"per_hour": 1.5 * PRICE}}, "projects": {"apollo": {"per_hour": 9}}}


@pytest.fixture
def shop(start: Start) -> Cloud:
    """Return a cloud with two kinds of instance."""
    return start(stock=stock(A100, V100, count=9))


def buy(cloud: Cloud, owner: str, **args: Any) -> dict[str, Any]:
    """Buy an instance for an owner."""
    return cloud.buy(**{"tier": "a100_80", "owner": owner, "lease": "2h", "ledger": "none", **args})


def refused(cloud: Cloud, **args: Any) -> str:
    """Return why a purchase is refused."""
    given = {"deployment": "llm", "tier": "a100_80", "lease": "2h", "ledger": "none", **args}
    result = cloud.fails("datacrunch_instance", **given)
    assert result["error"]["code"] == "over_budget"
    return str(result["msg"])


def test_purchase_is_paid_by_its_owner(shop: Cloud) -> None:
    buy(shop, "ada", deployment="one", budget=TWO)
    text = refused(shop, owner="ada", budget=TWO)
    assert "the budget of owner ada of" in text
    assert buy(shop, "bob", budget=TWO)["changed"]
    assert refused(shop, owner="bob", deployment="x", budget={**TWO, "per_hour": 2 * PRICE})


def test_purchase_is_paid_by_its_project(shop: Cloud) -> None:
    budget = {"projects": {"apollo": {"per_hour": 1.5 * PRICE}}}
    buy(shop, "ada", deployment="one", project="apollo", budget=budget)
    assert "the budget of project apollo" in refused(shop, project="apollo", budget=budget)
    assert buy(shop, "ada", budget=budget)["changed"]
    rows = buy(shop, "ada", deployment="two", project="zeus", budget=budget)["spend"]["budgets"]
    assert rows == []


def test_cheaper_offer_that_the_owner_can_pay_is_named(shop: Cloud) -> None:
    result = shop.fails(
        "datacrunch_instance",
        deployment="llm",
        tier="a100_80_or_less",
        owner="ada",
        lease="2h",
        ledger="none",
        budget={"owners": {"ada": {"per_hour": 1}}},
    )
    most = result["spend"]["max_price_per_hour"]
    assert 0.19 < most < 1
    assert buy(shop, "ada", tier="a100_80_or_less", max_price_per_hour=most)["changed"]


def test_past_of_an_owner_counts_for_no_other(shop: Cloud) -> None:
    budget = {"owners": {"ada": {"total": 3 * PRICE}, "bob": {"total": 3 * PRICE}}}
    buy(shop, "ada", lease="2h", budget=budget, ledger=None)
    shop.sim.advance(7000)
    shop.end(owner="ada", os_volume="delete")
    text = refused(shop, owner="ada", lease="90m", ledger=None, budget=budget)
    assert "in total it would be" in text
    assert buy(shop, "bob", lease="90m", budget=budget, ledger=None)["changed"]


def test_states_are_told_one_by_one(shop: Cloud) -> None:
    buy(shop, "ada", deployment="one", project="apollo")
    buy(shop, "bob", deployment="two", tier="v100")
    budget = {
        "per_hour": 2 * PRICE,
        "owners": {"ada": {"per_hour": PRICE / 0.95}, "bob": {"per_hour": CHEAP}},
        "projects": {"apollo": {"per_hour": 100, "thresholds": [1, 50, 60]}},
    }
    result = shop.ok("datacrunch_balance", budget=budget)
    rows = {(row["owner"], row["project"]): row["state"] for row in result["budgets"]}
    assert rows == {
        (None, None): "ok",
        ("ada", None): "critical",
        ("bob", None): "exceeded",
        (None, "apollo"): "warning",
    }
    assert result["state"] == "exceeded"
    costs = shop.ok("datacrunch_cost_info", budget=budget)
    assert [row["state"] for row in costs["budgets"]] == [row["state"] for row in result["budgets"]]
    text = shop.ok("datacrunch_metrics", budget=budget)["text"]
    assert 'gpuops_budget_used_ratio{owner="bob",period="hour"} 1' in text
    assert 'gpuops_budget_limit{period="hour",project="apollo"} 100' in text
    assert 'gpuops_budget_limit{period="hour"}' in text


def test_reaper_ends_what_an_owner_cannot_pay_idle_first_then_the_dearest(shop: Cloud) -> None:
    for name, tier in (("dear", "a100_80"), ("cheap", "v100"), ("idle", "v100")):
        buy(shop, "ada", name=name, tier=tier)
    buy(shop, "bob", deployment="web")
    row = next(row for row in shop.machines() if row["hostname"] == "idle")
    args = {"everything": True, "mode": "delete", "ledger": "none"}
    args["idle_reports"] = [idle(shop, row, 5)]

    def ended(limit: float) -> list[str]:
        budget = {"owners": {"ada": {"per_hour": limit}, "bob": {"per_hour": 100}}}
        result = shop.ok("datacrunch_reap", **args, budget=budget)
        assert [row["state"] for row in result["budgets"]][1] == "ok"
        return [row["name"] for row in result["reaped"]]

    assert ended(PRICE + 1.5 * CHEAP) == ["idle"]
    assert ended(1.5 * CHEAP) == ["dear"]
    assert sorted(row["hostname"] for row in shop.machines()) == ["cheap", "web"]


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        ({"owners": {"ada": {"per_week": 5}}}, "budget.owners.ada.per_week is not known"),
        ({"owners": {"ada": {}}}, "budget.owners.ada has no limit"),
        ({"owners": {"ada": 5}}, "budget.owners must map names to budgets"),
        ({"projects": {"x": {"total": 0}}}, "budget.projects.x.total must be above zero (got 0)"),
        (
            {"projects": {"x": {"total": 5, "thresholds": 9}}},
            "thresholds must be a list of percentages (got 9)",
        ),
    ],
)
def test_budgets_that_make_no_sense(budget: Any, words: str) -> None:
    with pytest.raises(InvalidError) as caught:
        _budget.check_budget(budget)
    assert words in str(caught.value)


def test_factors_of_the_account_hold_for_owners_without_their_own() -> None:
    owners: Any = {"ada": {"per_hour": 10}, "bob": {"per_hour": "10", "growth": 3}}
    given = _budget.check_budget({"growth": 2, "season": 0.5, "owners": owners})
    limits = {of.get("owner"): _budget.limit_of(part, "hour") for of, part in _budget.scopes(given)}
    assert limits == {"ada": 10, "bob": 15}
