# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What longer leases at two clouds may cost: a balance each, and one budget for both."""

from __future__ import annotations

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.clouds import Clouds, MoodyDoor
from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.leases import (
    MODULE,
    lease,
    refused,
    rented,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.modules.test_documentation import (
    compare,
    everything,
    module_texts,
    stripped,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import KEY, stock


@pytest.fixture
def fleet(clouds: Clouds) -> Clouds:
    """Return both clouds, with an instance of the deployment at each."""
    return rented(clouds)


def test_one_budget_holds_for_both_together(fleet: Clouds) -> None:
    """They cost 1.81 and 1.29 an hour; both count until the last lease ends, in five hours."""
    for one in ("verda", "lambda"):
        assert lease(fleet, extend="2h", providers=[one], budget={"total": 11}, check=True)[
            "changed"
        ]
    found = refused(fleet, extend="2h", budget={"total": 11})
    assert found["error"]["code"] == "over_budget"
    (row,) = found["budgets"]
    assert row["used"] == pytest.approx(5 * (1.81 + 1.29), abs=0.1)
    assert {row["provider"] for row in found["spend"]} == {"verda", "lambda"}
    # What runs at the other one counts for what is changed at one.
    assert refused(fleet, extend="2h", name="one", budget={"total": 10})["budgets"]
    told = lease(fleet, extend="2h", budget={"total": 11}, budget_policy="warn")
    assert any("budget_policy=warn" in text for text in told["warnings"])


def test_ceiling_of_the_cost_holds_for_both_together(fleet: Clouds) -> None:
    for one in ("verda", "lambda"):
        args = {"extend": "1h", "providers": [one], "max_lease_cost": 9.0}
        assert lease(fleet, check=True, **args)["changed"]
    found = refused(fleet, extend="1h", max_lease_cost=9.0)
    assert found["error"]["code"] == "over_budget"
    assert "one, two would cost too much" in found["msg"]
    assert lease(fleet, extend="1h", max_lease_cost=20.0)["changed"]


def test_each_balance_outlasts_the_lease_at_its_own_account(start: Start, door: MoodyDoor) -> None:
    verda = start(stock=stock("1A100.22V"), provision_seconds=30, balance=10.0)
    verda.client().add_ssh_key("mine", KEY)
    fleet = Clouds(verda, door)
    fleet.keep(name="one", providers=["verda"], lease="2h")
    fleet.keep(name="two", providers=["lambda"], lease="2h")
    found = refused(fleet, extend="9h")
    assert found["error"]["code"] == "over_budget"
    assert found["msg"].startswith("verda: one would cost too much with this lease: the balance")
    assert [row["provider"] for row in found["spend"]] == ["verda"]
    assert lease(fleet, extend="9h", providers=["lambda"])["changed"]


def test_two_currencies_are_never_added(start: Start, door: MoodyDoor) -> None:
    verda = start(stock=stock("1A100.22V"), provision_seconds=30, currency="eur")
    verda.client().add_ssh_key("mine", KEY)
    fleet = Clouds(verda, door)
    fleet.keep(name="one", providers=["verda"], lease="2h")
    fleet.keep(name="two", providers=["lambda"], lease="2h")
    for limit in ({"budget": {"per_hour": 90}}, {"max_lease_cost": 90.0}):
        found = refused(fleet, extend="1h", **limit)
        assert found["error"]["code"] == "unreadable"
        assert "never added" in found["msg"]
    assert {row["currency"] for row in lease(fleet, extend="1h")["spend"]} == {"eur", "usd"}


def test_results_are_documented_at_every_level(fleet: Clouds) -> None:
    documented = module_texts(MODULE)["RETURN"]
    lease(fleet, protect=True, name="one")
    results = [
        lease(fleet, extend="1h", budget={"total": 90}, max_lease_cost=90.0),
        lease(fleet, done=True, on_unconfirmed="report"),
        lease(fleet, done=True, confirm=True),
    ]
    seen: set[str] = set()
    for result in results:
        seen |= compare(stripped(result), documented, MODULE)
    assert everything(documented, MODULE) - seen == set()
