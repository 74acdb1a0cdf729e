# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances bought at whichever of two clouds is best by rank, and never at both."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._providers import registry
from ansible_collections.gpuops.cloud.tests.unit.plugins.clouds import Clouds
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import OTHER_KEY, stock

A100, H100 = "1A100.22V", "1H100.80S.32V"


@pytest.mark.every_core("gpu_instance")
def test_cheapest_of_both_is_bought_where_it_is(clouds: Clouds) -> None:
    found = clouds.keep()
    row = found["instance"]
    assert (row["provider"], row["price_per_hour"], row["ssh_user"]) == ("lambda", 1.29, "ubuntu")
    assert (row["name"], row["deployment"], row["status"]) == ("llm", "llm", "active")
    assert (clouds.orders(), clouds.ids()) == ((0, 1), {"lambda": [row["id"]], "verda": []})
    assert found["actions"][0].startswith("lambda: buy llm: gpu_1x_a100")
    assert found["spend"]["provider"] == "lambda"
    assert [one["provider"] for one in found["fleet"]] == ["lambda"]


def test_better_gpu_is_bought_at_the_other_cloud(clouds: Clouds) -> None:
    clouds.verda.sim.set_stock(stock(H100))
    found = clouds.keep(offer={"tier": "h100_or_less"})
    assert found["instance"]["provider"] == "verda"
    assert clouds.orders() == (1, 0)


def test_containers_are_bought_only_where_they_are_named(
    clouds: Clouds, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = registry.PROVIDERS["lambda"]
    pods = replace(kind.capabilities, rents="container")
    monkeypatch.setattr(kind, "capabilities", pods)
    found = clouds.keep()
    assert (found["instance"]["provider"], clouds.orders()) == ("verda", (1, 0))
    (row,) = [one for one in found["rejected"] if one["provider"] == "lambda"]
    assert "only where providers names it" in row["detail"]
    clouds.end()
    named = clouds.keep(providers=["lambda"])
    assert (named["instance"]["provider"], clouds.orders()) == ("lambda", (1, 1))


def test_second_run_changes_nothing(clouds: Clouds) -> None:
    clouds.keep()
    again = clouds.keep()
    assert (again["changed"], again["actions"]) == (False, [])
    assert again["instance"]["provider"] == "lambda"
    assert clouds.orders() == (0, 1)


def test_instance_at_the_second_provider_is_found_although_the_first_is_cheaper(
    clouds: Clouds,
) -> None:
    clouds.keep(providers=["verda"])
    found = clouds.keep()
    assert (found["changed"], found["instance"]["provider"]) == (False, "verda")
    assert clouds.orders() == (1, 0)


def test_check_mode_writes_nothing_and_tells_where_it_would_buy(clouds: Clouds) -> None:
    before = clouds.writes()
    found = clouds.keep(check=True, diff=True)
    assert found["changed"] is True
    assert (found["instance"]["provider"], found["instance"]["id"]) == ("lambda", None)
    assert found["diff"]["after"]["instances"][0]["provider"] == "lambda"
    assert clouds.writes() == before


def test_no_capacity_at_one_leads_to_the_other(clouds: Clouds) -> None:
    clouds.door.sells = 0
    found = clouds.keep()
    assert found["instance"]["provider"] == "verda"
    tried = [(row["provider"], row["outcome"]) for row in found["attempts"]]
    assert tried == [("lambda", "refused"), ("verda", "taken")]
    assert clouds.orders() == (1, 1)


def test_unclear_order_that_did_buy_is_found_and_nothing_is_bought_elsewhere(
    clouds: Clouds,
) -> None:
    clouds.door.luck.append("lose")
    found = clouds.keep()
    assert found["instance"]["provider"] == "lambda"
    assert clouds.ids() == {"lambda": [found["instance"]["id"]], "verda": []}
    assert clouds.orders() == (0, 1)


def test_unclear_order_that_nobody_can_look_up_buys_nothing_elsewhere(clouds: Clouds) -> None:
    clouds.door.luck.append("lose")
    clouds.door.spoils = True
    found = clouds.fails("gpu_instance", **clouds.wish())
    assert "not known whether" in found["msg"]
    assert clouds.orders() == (0, 1)


def test_quota_of_one_account_leaves_it_out_and_goes_on(clouds: Clouds) -> None:
    clouds.door.refuses = "global/quota-exceeded"
    found = clouds.keep()
    assert found["instance"]["provider"] == "verda"
    assert clouds.left_out(found)["lambda"][0] == "quota"
    assert any("Nothing is bought there" in text for text in found["warnings"])


def test_when_every_account_refuses_the_reason_is_told(clouds: Clouds) -> None:
    clouds.door.refuses = "global/quota-exceeded"
    body = {"code": "insufficient_funds", "message": "Insufficient funds"}
    clouds.verda.fault("status", status=402, body=body, times=None)
    found = clouds.fails("gpu_instance", **clouds.wish())
    assert found["error"]["code"] in ("quota", "no_funds")
    assert clouds.ids() == {"lambda": [], "verda": []}


def test_invalid_request_stops(clouds: Clouds) -> None:
    clouds.door.refuses = "global/invalid-parameters"
    found = clouds.fails("gpu_instance", **clouds.wish())
    assert found["error"]["code"] == "invalid"
    assert clouds.orders()[0] == 0


def test_nothing_is_bought_while_a_provider_does_not_answer(clouds: Clouds) -> None:
    found = clouds.fails("gpu_instance", **clouds.wish(accounts=clouds.lambda_down()))
    assert found["error"]["code"] == "unavailable"
    assert "llm may exist where nobody answers: lambda" in found["msg"]
    clouds.door.spoilt = True  # a list in another shape is no answer either
    clouds.fails("gpu_instance", **clouds.wish())
    assert clouds.orders() == (0, 0)


def test_provider_down_does_not_matter_to_an_instance_that_is_found(clouds: Clouds) -> None:
    clouds.keep(providers=["verda"])
    found = clouds.keep(accounts=clouds.lambda_down())
    assert (found["changed"], found["instance"]["provider"]) == (False, "verda")
    assert any(text.startswith("lambda: ") for text in found["warnings"])


def test_provider_without_credentials_is_passed_over(clouds: Clouds) -> None:
    found = clouds.keep(accounts=clouds.without("lambda"))
    assert found["instance"]["provider"] == "verda"
    assert not any("lambda" in text for text in found["warnings"])
    named = clouds.keep(accounts=clouds.without("lambda"), providers=["verda", "lambda"])
    assert any(text.startswith("lambda: No credentials") for text in named["warnings"])


def test_ledger_knows_what_is_at_a_provider_without_credentials(clouds: Clouds) -> None:
    clouds.keep()
    wish = clouds.wish(accounts=clouds.without("lambda"))
    found = clouds.fails("gpu_instance", **wish)
    assert "By the ledger llm" in found["msg"]
    assert clouds.orders() == (0, 1)


def test_same_name_at_two_providers_is_refused_with_both(clouds: Clouds) -> None:
    one = clouds.keep(providers=["verda"])["instance"]
    two = clouds.keep(providers=["lambda"])["instance"]
    found = clouds.fails("gpu_instance", **clouds.wish())
    assert found["error"]["code"] == "conflict"
    for word in (one["id"], two["id"], "1.797", "1.29", "state=absent"):
        assert word in found["msg"]
    assert clouds.ids() == {"lambda": [two["id"]], "verda": [one["id"]]}


def test_capability_that_one_lacks_leaves_that_one_out(clouds: Clouds) -> None:
    found = clouds.keep(volumes={"data_gb": 50})
    assert found["instance"]["provider"] == "verda"
    reason, detail = clouds.left_out(found)["lambda"]
    assert (reason, "volumes.data_gb" in detail) == ("invalid", True)


def test_capability_that_nobody_has_is_an_error(clouds: Clouds) -> None:
    wish = clouds.wish(volumes={"data_gb": 50}, providers=["lambda"])
    assert "no such thing" in clouds.fails("gpu_instance", **wish)["msg"]
    assert clouds.orders() == (0, 0)


def test_key_that_one_does_not_know_leaves_that_one_out(clouds: Clouds) -> None:
    clouds.verda.client().add_ssh_key("elsewhere", OTHER_KEY)
    found = clouds.keep(ssh_keys=["elsewhere"])
    assert found["instance"]["provider"] == "verda"
    assert clouds.left_out(found)["lambda"][0] == "not_found"


def test_fleet_may_stand_at_both(clouds: Clouds) -> None:
    clouds.door.sells = 1
    found = clouds.keep(count=3)
    homes = [row["provider"] for row in found["instances"]]
    assert sorted(homes) == ["lambda", "verda", "verda"]
    assert [row["name"] for row in found["instances"]] == ["llm", "llm-2", "llm-3"]
    assert [row["provider"] for row in found["fleet"]] == homes
    assert clouds.keep(count=3)["changed"] is False


def test_fleet_that_falls_short_ends_at_both(clouds: Clouds) -> None:
    clouds.door.sells = 1
    clouds.verda.sim.set_stock(stock(A100, count=1))
    clouds.verda.sim.switch(availability_lies=[])
    found = clouds.fails("gpu_instance", **clouds.wish(count=3))
    assert clouds.ids() == {"lambda": [], "verda": []}
    assert {row["outcome"] for row in found["fleet"]} == {"ended", "failed"}


def test_another_run_that_was_first_elsewhere_keeps_its_instance(clouds: Clouds) -> None:
    """Two runs look at the same moment, and each orders at another provider."""
    clouds.door.clock.advance(60)
    first: list[str] = []

    def buy_there() -> None:
        first.append(clouds.keep(providers=["verda"])["instance"]["id"])

    clouds.door.before["/v1/ssh-keys"] = buy_there
    found = clouds.fails("gpu_instance", **clouds.wish())
    assert found["error"]["code"] == "conflict"
    assert "was terminated again" in found["msg"]
    assert clouds.ids() == {"lambda": [], "verda": first}
    assert clouds.keep()["instance"]["id"] == first[0]


def test_all_are_looked_at_at_the_same_time(
    clouds: Clouds, monkeypatch: pytest.MonkeyPatch
) -> None:
    clouds.keep()
    meeting = threading.Barrier(2)
    for kind in registry.PROVIDERS.values():
        ask = kind.instances

        def wait(self: Any, *args: Any, _ask: Any = ask) -> Any:
            meeting.wait(30)  # broken, where one is asked after the other
            return _ask(self, *args)

        monkeypatch.setattr(kind, "instances", wait)
    assert clouds.keep()["changed"] is False


def test_stopped_and_running_where_the_provider_can(clouds: Clouds) -> None:
    clouds.keep(providers=["verda"])
    off = clouds.keep(state="stopped")
    assert off["actions"] == [f"verda: shutdown llm ({off['instance']['id']})"]
    assert off["instance"]["status"] == "offline"
    assert any("still costs" in text for text in off["warnings"])
    assert clouds.keep(state="stopped")["changed"] is False
    assert clouds.keep(state="running")["instance"]["status"] == "running"


def test_stop_where_the_provider_cannot_is_an_error_and_ends_nothing(clouds: Clouds) -> None:
    clouds.keep(providers=["lambda"])
    found = clouds.fails("gpu_instance", **clouds.wish(state="stopped"))
    assert "has no way to stop an instance" in found["msg"]
    assert len(clouds.ids()["lambda"]) == 1


def test_what_exists_and_is_something_else_is_refused(clouds: Clouds) -> None:
    clouds.keep()
    found = clouds.fails("gpu_instance", **clouds.wish(offer={"tier": "h100"}))
    assert "exists and cannot be changed in place" in found["msg"]
    assert "replace" not in found["msg"]
    assert clouds.orders() == (0, 1)


def test_stock_is_awaited_at_both(clouds: Clouds) -> None:
    (name,) = clouds.door.types
    free = clouds.door.types[name]
    clouds.door.types[name] = {**free, "regions_with_capacity_available": []}
    clouds.verda.sim.set_stock({})
    assert "Nothing to buy" in clouds.fails("gpu_instance", **clouds.wish())["msg"]

    def restock(seconds: float) -> None:
        clouds.door.clock.advance(seconds)  # a catalogue is read anew after a while
        clouds.door.types[name] = free

    clouds.verda.clock.on_sleep = restock
    found = clouds.keep(waiting={"for_capacity": 600}, budget={"per_hour": 5})
    assert (found["instance"]["provider"], clouds.orders()) == ("lambda", (0, 1))


def test_place_where_a_spot_instance_was_lost_is_told_and_tried_last(clouds: Clouds) -> None:
    clouds.verda.sim.set_stock(stock(A100, spot=[A100, f"{A100}@FIN-01"]))
    offer = {"tier": "a100_80", "market": "spot_first"}
    lost = clouds.keep(offer=offer)["instance"]
    assert (lost["provider"], lost["market"]) == ("verda", "spot")
    clouds.verda.sim.evict(lost["id"])
    clouds.verda.sim.advance(120)
    found = clouds.keep(offer=offer)
    (row,) = found["evicted"]
    assert (row["id"], row["provider"]) == (lost["id"], "verda")
    assert found["instance"]["location"] != lost["location"]
