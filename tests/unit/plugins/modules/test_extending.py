# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lease becomes no longer than a purchase of that lease would be allowed to be."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import Cloud, stock

A100 = "1A100.22V"
PRICE = 1.797 + 100 * 0.2 / 730
MODULE = "datacrunch_lease"


@pytest.fixture
def short(start: Start) -> Cloud:
    """Return a cloud with money for ten hours of one instance, and one with a lease of two."""
    cloud = start(balance=10 * PRICE, stock=stock(A100, count=9), provision_seconds=30)
    cloud.buy(tier="a100", lease="2h")
    cloud.sim.clear_log()
    return cloud


def refused(cloud: Cloud, code: str = "over_budget", **args: Any) -> dict[str, Any]:
    """Return what is told when a lease does not become longer; nothing is written."""
    result = cloud.fails(MODULE, **{"deployment": "llm", **args})
    assert result["error"]["code"] == code
    assert cloud.sim.writes() == []
    return result


@pytest.mark.parametrize(
    "args", [{"extend": "9h"}, {"lease": "11h"}, {"lease": "11h", "check": True}]
)
def test_balance_outlasts_every_lease(short: Cloud, args: dict[str, Any]) -> None:
    result = refused(short, **args)
    assert result["msg"].startswith("llm would cost too much with this lease: the balance of")
    assert result["spend"]["lease_hours"] == pytest.approx(11, abs=0.05)
    assert "lease=9h would fit" in result["msg"]
    again = short.fails("datacrunch_instance", deployment="new", tier="a100", lease="11h")
    assert again["error"]["code"] == "over_budget"
    done = short.ok(MODULE, deployment="llm", extend="7h")
    assert done["spend"]["broken"] == []
    assert done["spend"]["price_per_hour"] == pytest.approx(PRICE, abs=1e-3)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"max_lease_cost": 5 * PRICE}, "more than max_lease_cost"),
        ({"budget": {"per_hour": PRICE / 2}}, "per hour allows no more"),
        ({"budget": {"total": 5 * PRICE}}, "in total it would be"),
        ({"budget": {"owners": {"me": {"total": 5 * PRICE}}}}, "the budget of owner me"),
    ],
)
def test_limits_of_a_purchase_hold(start: Start, limits: dict[str, Any], words: str) -> None:
    cloud = start(stock=stock(A100, count=9))
    cloud.buy(tier="a100", lease="2h", owner="me")
    cloud.sim.clear_log()
    assert words in refused(cloud, extend="4h", **limits)["msg"]
    result = cloud.ok(MODULE, deployment="llm", extend="4h", budget_policy="warn", **limits)
    assert any(words in text for text in result["warnings"])
    assert result["changed"]


def test_what_others_burn_counts(short: Cloud) -> None:
    short.buy(deployment="other", tier="a100", lease="2h")
    short.sim.clear_log()
    assert f"({PRICE:.4g} now and" in refused(short, extend="4h")["msg"]
    short.ok(MODULE, deployment="llm", extend="2h")


def test_all_machines_of_a_deployment_count_together(start: Start) -> None:
    cloud = start(balance=10 * PRICE, stock=stock(A100, count=9))
    cloud.buy(tier="a100", lease="1h", count=3)
    cloud.sim.clear_log()
    assert refused(cloud, extend="3h")["spend"]["machines"] == 3
    cloud.ok(MODULE, deployment="llm", extend="1h")


def test_shorter_and_equal_leases_need_no_money(short: Cloud) -> None:
    body = {"code": "forbidden_action", "message": "Insufficient scope"}
    short.fault("status", {"path": "/v1/balance"}, status=403, body=body, times=None)
    end = short.ok("datacrunch_instance_info")["instances"][0]["lease"]
    assert not short.ok(MODULE, deployment="llm", lease=end)["changed"]
    assert short.ok(MODULE, deployment="llm", lease="1h")["spend"] is None
    short.sim.clear_log()
    result = short.fails(MODULE, deployment="llm", extend="1h")
    assert result["error"]["code"] in ("auth", "forbidden")
    assert short.sim.writes() == []


def test_protection_asks_for_no_money(short: Cloud) -> None:
    short.ok(MODULE, deployment="llm", protect=True, max_lease_cost=0.01)
    assert "GET /balance" not in short.calls()


def test_money_is_asked_for_in_the_same_round(short: Cloud) -> None:
    short.ok(MODULE, deployment="llm", extend="1h", check=True)
    assert sorted(short.calls()) == ["GET /balance", "GET /instances", "GET /volumes"]


def test_lease_without_an_end_breaks_what_needs_one(short: Cloud) -> None:
    text = refused(short, lease="none", max_lease_cost=100)["msg"]
    assert "there is no lease, so nothing keeps its cost below max_lease_cost" in text
    assert short.ok(MODULE, deployment="llm", lease="none")["changed"]
