# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instances at two clouds as one list, and why a provider is not in it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.clouds import Clouds
from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.modules.test_documentation import (
    compare,
    everything,
    module_texts,
    stripped,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import KEY, stock

MODULE = "gpu_instance_info"


def places(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return where which instance is, in the order of the list."""
    return [(row["name"], row["provider"], row["id"]) for row in found["instances"]]


def accounts(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the accounts by provider."""
    return {row["provider"]: row for row in found["accounts"]}


@pytest.mark.every_core("gpu_instance_info")
def test_instances_of_both_are_one_list_with_how_they_are_reached(clouds: Clouds) -> None:
    one = clouds.keep(name="two", providers=["verda"])["instance"]
    two = clouds.keep(name="one", providers=["lambda"])["instance"]
    theirs = clouds.door.make(name="not yours").id
    before = clouds.writes()
    found = clouds.ok(MODULE, deployment="llm")
    assert found["instances"] == [two, one]  # as gpu_instance tells them
    assert (found["changed"], found["asked"], found["warnings"]) == (False, ["verda", "lambda"], [])
    rows = accounts(found)
    assert [rows[name]["instances"] for name in ("verda", "lambda")] == [1, 1]
    assert found["now"] == rows["verda"]["now"]
    every = clouds.ok(MODULE)
    assert {place[2] for place in places(every)} == {one["id"], two["id"], theirs}
    assert [row["managed"] for row in every["instances"] if row["id"] == theirs] == [False]
    assert clouds.writes() == before


def test_each_account_has_its_own_time_and_the_first_tells_it_of_all(clouds: Clouds) -> None:
    clouds.verda.sim.advance(7200)
    found = clouds.ok(MODULE)
    rows = accounts(found)
    assert found["now"] == rows["verda"]["now"] > rows["lambda"]["now"]
    assert rows["verda"]["clock_skew_seconds"] == pytest.approx(-7200, abs=60)
    turned = clouds.ok(MODULE, providers=["lambda", "verda"])
    assert turned["now"] == accounts(turned)["lambda"]["now"]


def test_provider_that_does_not_answer_is_a_row_and_a_warning(clouds: Clouds) -> None:
    one = clouds.keep(providers=["verda"])["instance"]["id"]
    found = clouds.ok(MODULE, deployment="llm", accounts=clouds.lambda_down())
    assert places(found) == [("llm", "verda", one)]
    row = accounts(found)["lambda"]
    assert (row["reason"], row["instances"], row["now"]) == ("no_answer", None, None)
    (warning,) = found["warnings"]
    assert warning.startswith("lambda: ")
    down = clouds.fails(MODULE, accounts={"lambda": clouds.lambda_down()["lambda"]})
    assert down["error"]["code"] == "unavailable"
    assert {row["reason"] for row in down["accounts"]} == {"no_answer", "no_credentials"}


def test_list_of_which_a_part_cannot_be_read_is_no_list(clouds: Clouds) -> None:
    clouds.door.make()
    clouds.door.spoilt = True
    found = clouds.ok(MODULE)
    assert accounts(found)["lambda"]["reason"] == "no_answer"
    assert found["instances"] == []


def test_provider_without_credentials_warns_only_where_it_is_named(clouds: Clouds) -> None:
    found = clouds.ok(MODULE, accounts=clouds.without("lambda"))
    assert (accounts(found)["lambda"]["reason"], found["warnings"]) == ("no_credentials", [])
    named = clouds.ok(MODULE, accounts=clouds.without("lambda"), providers=["verda", "lambda"])
    assert len(named["warnings"]) == 1
    assert clouds.fails(MODULE, accounts={})["error"]["code"] == "auth"


def test_what_was_taken_away_is_told_until_it_is_bought_again_anywhere(
    start: Start, clouds: Clouds
) -> None:
    verda = start(stock=stock(spot=["1A100.22V"]), provision_seconds=30)
    verda.client().add_ssh_key("mine", KEY)
    clouds = Clouds(verda, clouds.door)
    offer = {"tier": "any_a100_80", "market": "spot"}
    bought = clouds.keep(providers=["verda"], offer=offer)["instance"]
    verda.sim.evict(bought["id"])
    assert clouds.ok(MODULE)["evicted"] == []
    (lost,) = clouds.ok(MODULE, evicted=True, deployment="llm")["evicted"]
    assert (lost["provider"], lost["id"]) == ("verda", bought["id"])
    assert clouds.ok(MODULE, evicted=True, deployment="other")["evicted"] == []
    clouds.keep(providers=["lambda"], ledger="none")
    assert clouds.ok(MODULE, evicted=True)["evicted"] == []


def test_result_is_documented_at_every_level(clouds: Clouds) -> None:
    clouds.keep(providers=["verda"])
    documented = module_texts(MODULE)["RETURN"]
    seen = compare(stripped(clouds.ok(MODULE)), documented, MODULE)
    assert everything(documented, MODULE) - seen == set()
