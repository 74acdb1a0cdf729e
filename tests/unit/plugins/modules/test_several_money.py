# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One budget over two clouds, and a balance for each."""

from __future__ import annotations

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._ledger import store
from ansible_collections.gpuops.cloud.tests.unit.plugins.clouds import Clouds, MoodyDoor
from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.modules.test_documentation import (
    compare,
    everything,
    module_texts,
    stripped,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import KEY, stock

A100 = "1A100.22V"


def test_what_runs_at_one_counts_for_a_purchase_at_the_other(clouds: Clouds) -> None:
    clouds.keep(deployment="first", providers=["lambda"])
    clouds.door.types = {}
    wish = clouds.wish(providers=["verda"], budget={"per_hour": 3})
    clouds.keep(**{**wish, "check": True})  # alone it would fit
    wish["providers"] = ["verda", "lambda"]
    found = clouds.fails("gpu_instance", **wish)
    assert found["error"]["code"] == "over_budget"
    (row,) = found["spend"]["budgets"]
    assert row["used"] > 1.29 + 1.79
    assert clouds.ids()["verda"] == []
    assert clouds.keep(**{**wish, "budget": {"per_hour": 3.5}})["changed"]


def test_what_was_spent_at_one_counts_for_the_other(clouds: Clouds) -> None:
    clouds.keep(providers=["lambda"], lease="12h")
    clouds.door.clock.advance(3600)
    clouds.end(providers=["lambda"])
    clouds.door.types = {}
    clouds.verda.sim.advance(7200)
    wish = clouds.wish(lease="1h", budget={"total": 2.5})
    found = clouds.fails("gpu_instance", **wish)
    assert found["error"]["code"] == "over_budget"
    assert clouds.keep(lease="1h", budget={"total": 4})["changed"]


def test_two_currencies_are_never_added(start: Start, door: MoodyDoor) -> None:
    verda = start(stock=stock(A100), currency="eur", provision_seconds=30)
    verda.client().add_ssh_key("mine", KEY)
    clouds = Clouds(verda, door)
    clouds.keep(deployment="first", providers=["lambda"])
    found = clouds.fails("gpu_instance", **clouds.wish(budget={"per_hour": 9}))
    assert found["error"]["code"] == "unreadable"
    assert "never added" in found["msg"]
    assert clouds.orders() == (0, 1)


def test_account_with_too_little_is_left_out_and_the_other_sells(
    start: Start, door: MoodyDoor
) -> None:
    verda = start(stock=stock("1H100.80S.32V"), balance=5.0)
    verda.client().add_ssh_key("mine", KEY)
    clouds = Clouds(verda, door)
    found = clouds.keep(offer={"tier": "h100_or_less"})
    assert found["instance"]["provider"] == "lambda"
    assert clouds.left_out(found)["verda"][0] == "over_budget"


def test_budget_that_is_broken_leaves_nobody_out(clouds: Clouds) -> None:
    found = clouds.fails("gpu_instance", **clouds.wish(budget={"per_hour": 1}))
    assert found["error"]["code"] == "over_budget"
    assert "offer.max_price_per_hour" in found["msg"]
    warned = clouds.keep(budget={"per_hour": 1, "policy": "warn"})
    assert any("budget.policy=warn" in text for text in warned["warnings"])


def test_two_runs_at_two_clouds_cannot_break_one_budget_together(clouds: Clouds) -> None:
    """The other run buys at Verda after this one has looked, and before it orders."""
    clouds.door.clock.advance(60)

    def buy_there() -> None:
        clouds.keep(deployment="first", providers=["verda"])

    clouds.door.before["/v1/instance-operations/launch"] = buy_there
    found = clouds.fails("gpu_instance", **clouds.wish(budget={"per_hour": 3}))
    assert found["error"]["code"] == "over_budget"
    assert clouds.ids()["lambda"] == []
    assert len(clouds.ids()["verda"]) == 1


def test_ledger_says_at_which_provider_it_was(clouds: Clouds) -> None:
    clouds.keep(providers=["verda"])
    clouds.keep(name="two", providers=["lambda"])
    clouds.end()
    rows = {(row["provider"], row["event"], row["kind"]) for row in store.read(None)}
    assert {("verda", "purchase", "instance"), ("verda", "end", "instance")} < rows
    assert {("lambda", "purchase", "instance"), ("lambda", "end", "instance")} < rows
    assert not any(provider is None for provider, _event, _kind in rows)


def test_what_runs_at_one_has_not_ended_for_those_who_ask_the_other(clouds: Clouds) -> None:
    clouds.keep(providers=["lambda"], lease="1h")
    clouds.verda.sim.advance(7200)
    cost = clouds.verda.ok("datacrunch_cost_info")
    (row,) = cost["things"]
    assert (row["deployment"], row["hours"]) == ("llm", pytest.approx(2, abs=0.1))
    assert clouds.verda.ok("datacrunch_ledger")["events"] == []
    wish = {"deployment": "other", "tier": "any_a100_80", "lease": "1h", "budget": {"total": 4}}
    assert clouds.verda.fails("datacrunch_instance", **wish)["error"]["code"] == "over_budget"


def test_results_are_documented_at_every_level(clouds: Clouds) -> None:
    documented = module_texts("gpu_instance")["RETURN"]
    clouds.door.sells = 0
    budget = {"per_hour": 90, "max_lease_cost": 900}
    results = [
        clouds.keep(budget=budget, check=True),
        clouds.keep(budget=budget),
        clouds.keep(),
        clouds.keep(name="x", volumes={"data_gb": 50}),
        clouds.keep(deployment="web"),
        clouds.keep(state="absent"),
    ]
    seen: set[str] = set()
    for result in results:
        seen |= compare(stripped(result), documented, "gpu_instance")
    assert everything(documented, "gpu_instance") - seen == set()
