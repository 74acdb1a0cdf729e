# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Leases of a deployment that stands at two clouds: all of them, or none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._ledger import store
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.base.capabilities import (
    Ownership,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.lambda_cloud.client import (
    Client,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.clouds import Clouds
from ansible_collections.gpuops.cloud.tests.unit.plugins.leases import (
    MODULE,
    later,
    lease,
    leases,
    refused,
    rented,
)

FIXED = Ownership(tags="at_order", label="name")


@pytest.fixture
def fleet(clouds: Clouds) -> Clouds:
    """Return both clouds, with an instance of the deployment at each."""
    return rented(clouds)


@pytest.mark.every_core("gpu_lease")
def test_leases_at_both_become_longer_each_from_its_own_end(fleet: Clouds) -> None:
    before = leases(fleet)
    found = lease(fleet, extend="+2h")
    wanted = {name: later(text, 2) for name, text in before.items()}
    assert leases(fleet) == wanted
    told = {row["provider"]: (row["name"], row["lease_end"]) for row in found["instances"]}
    assert told == {"verda": ("one", wanted["verda"]), "lambda": ("two", wanted["lambda"])}
    assert [row["ssh_user"] for row in found["instances"]] == ["root", "ubuntu"]
    assert [text.partition(": mark ")[0] for text in found["actions"]] == ["verda", "lambda"]
    assert [(row["provider"], row["machines"]) for row in found["spend"]] == [
        ("verda", 1),
        ("lambda", 1),
    ]
    rows = {
        (row["provider"], row["lease_end"]) for row in store.read(None) if row["event"] == "extend"
    }
    assert rows == set(wanted.items())


def test_only_the_one_that_is_named_is_changed(fleet: Clouds) -> None:
    before, orders = leases(fleet), len(fleet.writes())
    (row,) = lease(fleet, extend="1h", name="two")["instances"]
    assert leases(fleet) == {**before, "lambda": later(before["lambda"], 1)}
    assert len(fleet.writes()) == orders + 1
    lease(fleet, extend="1h", id=row["id"], providers=["lambda"])
    assert leases(fleet) == {**before, "lambda": later(before["lambda"], 2)}


def dates(fleet: Clouds) -> tuple[str, str]:
    """Return a time that is no whole minute, and the minute after it, as a label says it."""
    whole = leases(fleet)["lambda"]
    return later(whole, 2 + 20 / 3600), later(whole, 2 + 60 / 3600)


def test_lease_that_is_a_time_is_set_once(fleet: Clouds) -> None:
    date, minute = dates(fleet)
    found = lease(fleet, lease=date)
    assert leases(fleet) == {"verda": date, "lambda": minute}
    assert [row["lease"] for row in found["instances"]] == [date, minute]
    before = fleet.writes()
    assert lease(fleet, lease=date)["changed"] is False
    assert fleet.writes() == before


def test_check_mode_tells_all_and_writes_nothing(fleet: Clouds) -> None:
    before = (fleet.writes(), leases(fleet))
    date, minute = dates(fleet)
    told = lease(fleet, lease=date, check=True)
    assert [row["lease"] for row in told["instances"]] == [date, minute]
    assert (told["changed"], len(told["actions"])) == (True, 2)
    assert len(lease(fleet, done=True, check=True)["actions"]) == 2
    assert (fleet.writes(), leases(fleet)) == before


def test_end_reaches_both_and_proves_both(fleet: Clouds) -> None:
    fleet.keep(deployment="other", providers=["verda"])
    theirs = fleet.door.make(name="not yours").id
    found = lease(fleet, done=True, os_volume="delete")
    assert fleet.ids()["lambda"] == [theirs]
    assert [row["hostname"] for row in fleet.verda.machines()] == ["other"]
    assert found["instances"] == []
    bill = [(row["provider"], row["name"]) for row in found["bill"] if row["kind"] == "instance"]
    assert bill == [("verda", "one"), ("lambda", "two")]
    assert {row["provider"] for row in store.read(None) if row["event"] == "end"} == {
        "verda",
        "lambda",
    }
    again = lease(fleet, done=True)
    assert (again["changed"], again["bill"]) == (False, [])


def test_protected_instance_at_one_ends_nothing_at_either(fleet: Clouds) -> None:
    lease(fleet, protect=True, providers=["verda"])
    found = refused(fleet, done=True)
    assert found["error"]["code"] == "needs_confirmation"
    assert [(row["provider"], row["name"]) for row in found["unconfirmed"]] == [("verda", "one")]
    told = lease(fleet, done=True, on_unconfirmed="report")
    assert (told["changed"], len(told["unconfirmed"])) == (False, 1)
    lease(fleet, done=True, confirm=True)
    assert fleet.ids() == {"lambda": [], "verda": []}


# -- who does not answer ---------------------------------------------------------------------------


def test_silent_provider_is_a_warning_where_something_is_found_elsewhere(fleet: Clouds) -> None:
    before = leases(fleet)
    found = lease(fleet, extend="1h", accounts=fleet.lambda_down())
    assert leases(fleet) == {**before, "verda": later(before["verda"], 1)}
    (warning,) = found["warnings"]
    assert warning.startswith("lambda: ")
    assert "was not changed" in warning
    reasons = {row["provider"]: row["reason"] for row in found["accounts"]}
    assert (reasons["verda"], reasons["lambda"], reasons["vast"]) == (
        None,
        "no_answer",
        "no_credentials",
    )


def test_silent_provider_fails_where_nothing_is_found_or_a_budget_is_to_hold(fleet: Clouds) -> None:
    down = fleet.lambda_down()
    found = refused(fleet, extend="1h", name="two", accounts=down)
    assert found["error"]["code"] == "unavailable"
    assert "has no instance two where somebody answered (verda)" in found["msg"]
    found = refused(fleet, extend="1h", budget={"total": 900}, accounts=down)
    assert "Nobody knows what costs at lambda: " in found["msg"]
    told = lease(fleet, extend="1h", budget={"total": 900}, budget_policy="warn", accounts=down)
    assert any("budget_policy=warn" in text for text in told["warnings"])


def test_silent_provider_fails_an_end_after_the_others(fleet: Clouds) -> None:
    two = fleet.ids()["lambda"]
    args = {"deployment": "llm", "done": True, "accounts": fleet.lambda_down()}
    found = fleet.fails(MODULE, **args)
    assert fleet.ids() == {"lambda": two, "verda": []}
    assert "Not everything of deployment 'llm' is proven gone: lambda: " in found["msg"]
    assert (found["changed"], found["bill"][0]["provider"]) == (True, "verda")
    assert found["actions"][0].startswith("verda: terminate one")


def test_provider_without_credentials_is_missed_where_the_ledger_knows_of_something(
    fleet: Clouds,
) -> None:
    mine = {"accounts": fleet.without("lambda")}
    (warning,) = lease(fleet, extend="1h", **mine)["warnings"]
    assert warning.startswith("lambda: No credentials")
    assert lease(fleet, extend="1h", ledger="none", **mine)["warnings"] == []
    assert "No credentials" in fleet.fails(MODULE, deployment="llm", done=True, **mine)["msg"]


def test_end_that_one_refuses_is_told_and_the_other_is_ended(fleet: Clouds) -> None:
    fleet.door.refuses_ends = True
    args = {"deployment": "llm", "done": True, "wait_timeout": 30}
    found = fleet.fails(MODULE, **args)
    (two,) = fleet.ids()["lambda"]
    assert fleet.ids()["verda"] == []
    assert two in found["msg"]
    assert found["changed"] is True


# -- whose, and where ------------------------------------------------------------------------------


def test_what_is_nowhere_is_said_with_what_may_be_meant(fleet: Clouds) -> None:
    found = refused(fleet, deployment="lmm", extend="1h")
    assert found["error"]["code"] == "not_found"
    assert "Deployment 'lmm' has no instance at verda, lambda. There is llm." in found["msg"]
    assert "Its instances are one, two." in refused(fleet, name="tow", extend="1h")["msg"]
    assert "gpu_instance_info lists" in refused(fleet, deployment="x", extend="1h")["msg"]
    (warning,) = lease(fleet, deployment="lmm", done=True)["warnings"]
    assert "There is llm." in warning


def test_instance_of_others_is_never_changed(fleet: Clouds) -> None:
    theirs = fleet.door.make(name="not yours").id
    for args in ({"extend": "1h"}, {"done": True}):
        assert "Instances of others are never changed" in refused(fleet, id=theirs, **args)["msg"]


def test_name_at_two_clouds_is_an_error_and_an_end_terminates_both(clouds: Clouds) -> None:
    clouds.keep(providers=["verda"])
    clouds.keep(providers=["lambda"], ledger="none")
    found = refused(clouds, extend="1h")
    assert found["error"]["code"] == "conflict"
    assert lease(clouds, extend="1h", providers=["lambda"])["changed"]
    lease(clouds, done=True)
    assert clouds.ids() == {"lambda": [], "verda": []}


# -- what is known before the first write ----------------------------------------------------------


def test_one_that_cannot_be_written_leaves_all_as_they_are(
    fleet: Clouds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Client, "capabilities", replace(Client.capabilities, ownership=FIXED))
    found = refused(fleet, extend="1h")
    assert found["error"]["code"] == "forbidden"
    assert found["msg"].startswith("lambda: The lease of two ")
    assert "Buy a new instance" in found["msg"]
    assert lease(fleet, extend="1h", providers=["verda"])["changed"]
    assert lease(fleet, done=True)["changed"]


def test_protection_is_changed_where_tags_are_and_refused_elsewhere(fleet: Clouds) -> None:
    assert refused(fleet, protect=True)["msg"].startswith("lambda: The protection of two ")
    (row,) = lease(fleet, protect=True, name="one")["instances"]
    assert row["protected"] is True
    assert lease(fleet, protect=False)["changed"]  # it is not protected at the other one
    assert lease(fleet, protect=False)["changed"] is False


def test_no_lease_lasts_longer_than_the_contract_behind_an_instance(
    fleet: Clouds, monkeypatch: pytest.MonkeyPatch
) -> None:
    end, ask = later(leases(fleet)["lambda"], 1.01), Client.instances
    monkeypatch.setattr(
        Client, "instances", lambda self: [replace(row, contract_end=end) for row in ask(self)]
    )
    assert f"is stopped by its provider at {end}" in refused(fleet, extend="2h")["msg"]
    assert lease(fleet, extend="1h")["changed"]
    assert lease(fleet, name="two", lease=end)["changed"]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({}, "One of the following is required"),
        ({"done": True, "extend": "1h"}, "mutually exclusive with extend"),
        ({"lease": "25h", "lease_max": "24h"}, "lease_max allows 24h"),
        ({"lease": "2001-01-01"}, "in the past"),
    ],
)
def test_wishes_that_cannot_be(fleet: Clouds, args: dict[str, Any], words: str) -> None:
    assert words in refused(fleet, **args)["msg"]
