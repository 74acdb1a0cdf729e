# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One reaper over two clouds: each by its own clock, and one budget for both."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.clouds import Clouds, MoodyDoor
from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.modules.test_documentation import (
    compare,
    everything,
    module_texts,
    stripped,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import KEY, stock

ALL = {"everything": True, "trust_cloud_clock": True, "mode": "delete"}


@pytest.fixture
def rented(clouds: Clouds) -> tuple[str, str]:
    """Return the ids of an instance at each cloud, that of Verda first, leased for an hour."""
    one = clouds.keep(providers=["verda"], lease="1h", deployment="one")["instance"]["id"]
    two = clouds.keep(providers=["lambda"], lease="1h", deployment="two")["instance"]["id"]
    return one, two


def later(clouds: Clouds, hours: float = 2) -> None:
    """Let time pass at both."""
    clouds.verda.sim.advance(hours * 3600)
    clouds.door.clock.advance(hours * 3600)


def reaped(found: dict[str, Any]) -> set[tuple[str, str, str]]:
    """Return what became of which instance where."""
    rows = [row for row in found["reaped"] if row["kind"] == "instance"]
    return {(row["provider"], row["id"], row["outcome"]) for row in rows}


@pytest.mark.every_core("gpu_reap")
def test_what_is_over_at_both_is_ended(clouds: Clouds, rented: tuple[str, str]) -> None:
    one, two = rented
    assert clouds.ok("gpu_reap", **ALL)["changed"] is False
    later(clouds)
    told = clouds.ok("gpu_reap", everything=True)
    assert reaped(told) == {("verda", one, "would_end"), ("lambda", two, "would_end")}
    found = clouds.ok("gpu_reap", **ALL)
    assert reaped(found) == {("verda", one, "ended"), ("lambda", two, "ended")}
    assert clouds.ids() == {"lambda": [], "verda": []}
    assert clouds.ok("gpu_reap", **ALL)["changed"] is False


def test_each_is_judged_by_its_own_clock(clouds: Clouds, rented: tuple[str, str]) -> None:
    clouds.door.clock.advance(7200)
    found = clouds.ok("gpu_reap", **ALL)
    assert reaped(found) == {("lambda", rented[1], "ended")}
    assert clouds.ids()["verda"] == [rented[0]]
    assert [row["id"] for row in found["living"]] == [rented[0]]


def test_one_that_fails_fails_the_run_after_the_others(
    clouds: Clouds, rented: tuple[str, str]
) -> None:
    later(clouds)
    found = clouds.fails("gpu_reap", **ALL, accounts=clouds.lambda_down())
    assert reaped(found) == {("verda", rented[0], "ended")}
    assert clouds.ids() == {"lambda": [rented[1]], "verda": []}
    assert "Nobody could look what is over at all providers: lambda: " in found["msg"]
    assert found["changed"] is True
    (row,) = [row for row in found["providers"] if row["provider"] == "lambda"]
    assert (row["reason"], row["machines"]) == ("no_answer", None)


def test_end_that_one_refuses_is_told_and_the_other_is_ended(
    clouds: Clouds, rented: tuple[str, str]
) -> None:
    later(clouds)
    clouds.door.refuses_ends = True
    found = clouds.fails("gpu_reap", **ALL, wait_timeout=30)
    assert reaped(found) == {("verda", rented[0], "ended"), ("lambda", rented[1], "failed")}
    assert clouds.ids() == {"lambda": [rented[1]], "verda": []}


def test_provider_without_credentials_is_passed_over(clouds: Clouds) -> None:
    found = clouds.ok("gpu_reap", **ALL, accounts=clouds.without("lambda"))
    (row,) = [row for row in found["providers"] if row["provider"] == "lambda"]
    assert (row["reason"], found["warnings"]) == ("no_credentials", [])


def test_report_and_check_mode_write_nothing(clouds: Clouds, rented: tuple[str, str]) -> None:
    later(clouds)
    before = clouds.writes()
    assert clouds.ok("gpu_reap", everything=True)["changed"] is False
    assert len(clouds.ok("gpu_reap", **ALL, check=True)["actions"]) == 2
    assert (clouds.writes(), clouds.ids()["lambda"]) == (before, [rented[1]])


def test_without_a_scope_nobody_is_asked(clouds: Clouds) -> None:
    log = list(clouds.door.log)
    assert "everything" in clouds.fails("gpu_reap", mode="delete")["msg"]
    assert clouds.door.log == log


def test_one_budget_holds_for_both_and_the_dearest_goes(
    clouds: Clouds, rented: tuple[str, str]
) -> None:
    assert not clouds.ok("gpu_reap", **ALL, budget={"per_hour": 4})["changed"]
    found = clouds.ok("gpu_reap", **ALL, budget={"per_hour": 2})
    assert reaped(found) == {("verda", rented[0], "ended")}
    assert clouds.ids() == {"lambda": [rented[1]], "verda": []}
    (row,) = found["budgets"]
    assert row["used"] == pytest.approx(1.29, abs=0.05)


def test_budget_in_two_currencies_is_not_held_and_said(start: Start, door: MoodyDoor) -> None:
    verda = start(stock=stock("1A100.22V"), currency="eur", provision_seconds=30)
    verda.client().add_ssh_key("mine", KEY)
    clouds = Clouds(verda, door)
    clouds.keep(providers=["verda"], deployment="one")
    clouds.keep(providers=["lambda"], deployment="two", ledger="none")
    found = clouds.ok("gpu_reap", **ALL, budget={"per_hour": 1})
    assert found["changed"] is False
    assert any("never added" in text for text in found["warnings"])


def test_result_is_documented_at_every_level(clouds: Clouds, rented: tuple[str, str]) -> None:
    documented = module_texts("gpu_reap")["RETURN"]
    volumes = {"data_gb": 50, "data": "keep", "os": "keep"}
    clouds.keep(providers=["verda"], deployment="three", volumes=volumes)
    clouds.end(deployment="three", volumes=volumes)
    seen: set[str] = set()
    for _round in range(2):
        found = clouds.ok("gpu_reap", **ALL, budget={"per_hour": 40})
        seen |= compare(stripped(found), documented, "gpu_reap")
        later(clouds)
    left = everything(documented, "gpu_reap") - seen
    assert {key for key in left if ".unclear." not in key} == set()
