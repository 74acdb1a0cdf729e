# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures of two accounts in one file: whose they are, and what one that is silent leaves."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._monitoring.several import reap_at
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.base import request_log
from ansible_collections.gpuops.cloud.tests.unit.plugins.clouds import Clouds, MoodyDoor
from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.exposition import ask, values
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import KEY, stock

MODULE = "gpu_metrics"
MONITORING = Path(__file__).resolve().parents[4] / "playbooks/files/monitoring"
# What is not of one account.
WHOLE = ("gpuops_metrics_timestamp_seconds", "gpuops_budget_")


def figures(clouds: Clouds, **args: Any) -> dict[str, dict[tuple[str, ...], float]]:
    """Run the module and return its samples."""
    return values(clouds.ok(MODULE, **args)["text"])


def labelled(text: str) -> dict[str, set[str]]:
    """Return by the name of each sample which providers it names, nothing for none."""
    found: dict[str, set[str]] = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name = line.partition("{")[0].partition(" ")[0]
            provider = line.partition('provider="')[2].partition('"')[0]
            found.setdefault(name, set()).add(provider)
    return found


@pytest.mark.every_core("gpu_metrics")
def test_everything_of_an_account_says_whose_it_is(clouds: Clouds) -> None:
    clouds.keep(providers=["verda"], deployment="one", lease="1h", owner="ada")
    clouds.keep(providers=["lambda"], deployment="two", lease="none", owner="bob")
    reap = clouds.ok("gpu_reap", everything=True)
    result = clouds.ok(MODULE, reap=reap, budget={"per_hour": 10})
    assert result["warnings"] == []
    found, whose = values(result["text"]), labelled(result["text"])
    of_all = {name for name in whose if name.startswith(WHOLE)}
    assert {frozenset(whose[name]) for name in of_all} == {frozenset({""})}
    assert not [name for name in whose.keys() - of_all if "" in whose[name]]
    assert set(values(clouds.verda.ok("datacrunch_metrics", reap=reap)["text"])) <= set(found)
    assert found["gpuops_api_up"] == {("lambda",): 1, ("verda",): 1}
    # Nobody says what is left at the second one, so it is neither nothing nor endless.
    assert set(found["gpuops_balance"]) == {("usd", "verda")}
    assert set(found["gpuops_runway_seconds"]) == {("verda",)}
    burn = found["gpuops_burn_per_hour"]
    assert burn[("usd", "lambda")] == 1.29
    assert found["gpuops_budget_used_ratio"][("hour",)] == pytest.approx(
        sum(burn.values()) / 10, abs=1e-4
    )
    assert found["gpuops_machines_without_lease"] == {("lambda",): 1, ("verda",): 0}
    assert found["gpuops_reaper_runs_total"][("verda", "ok")] == 1
    assert found["gpuops_api_requests_total"][("200", "GET", "/instances", "lambda")] == 1


def test_whoever_looks_at_one_provider_sees_that_one_alone() -> None:
    text = (MONITORING / "dashboard.json").read_text(encoding="utf-8")
    board = json.loads(text)
    queries = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    open_to_all = [
        name + rest
        for query in queries
        for name, rest in re.findall(r"(gpuops_[a-z_]+)((?:\{[^}]*\})?)", query)
        if not name.startswith(WHOLE) and 'provider=~"$provider"' not in rest
    ]
    assert open_to_all == []
    (variable,) = [row for row in board["templating"]["list"] if row["name"] == "provider"]
    # What has no such label matches as long as nobody chooses.
    assert (variable["allValue"], variable["current"]["value"]) == (".*", "$__all")


def test_one_that_does_not_answer_is_written_down_and_fails(clouds: Clouds, home: Path) -> None:
    path = home / "x.prom"
    reap = clouds.ok("gpu_reap", everything=True)
    clouds.ok(MODULE, dest=str(path), reap=reap)
    down = {"accounts": clouds.lambda_down(), "dest": str(path), "budget": {"per_hour": 10}}
    result = clouds.fails(MODULE, **down)
    assert (result["error"]["code"], result["changed"]) == ("unavailable", True)
    assert "Not every provider answered: lambda: " in result["msg"]
    found = values(path.read_text(encoding="utf-8"))
    assert found["gpuops_api_up"] == {("lambda",): 0, ("verda",): 1}
    assert set(found["gpuops_burn_per_hour"]) == {("usd", "verda")}
    assert found["gpuops_api_errors_total"][("lambda", "no_answer")] >= 1
    # Half of what is used would be a figure that lets an alert go quiet.
    assert "gpuops_budget_used_ratio" not in found
    last = found["gpuops_reaper_last_success_timestamp_seconds"]
    assert set(last) == {("lambda",), ("verda",)}


def test_one_without_credentials_is_told_of_where_it_is_named(clouds: Clouds) -> None:
    accounts = clouds.without("lambda")
    found = figures(clouds, accounts=accounts)
    assert found["gpuops_api_up"] == {("verda",): 1}
    result = clouds.fails(MODULE, accounts=accounts, providers=["verda", "lambda"])
    assert values(result["text"])["gpuops_api_up"] == {("lambda",): 0, ("verda",): 1}
    result = clouds.fails(MODULE, accounts={})
    assert (result["error"]["code"], "text" in result) == ("auth", False)


def test_counters_and_what_the_reaper_did_stay_for_each(clouds: Clouds, home: Path) -> None:
    path = home / "x.prom"
    clouds.keep(providers=["lambda"], lease="1h")
    clouds.door.clock.advance(7200)
    done = clouds.ok("gpu_reap", everything=True, trust_cloud_clock=True, mode="delete")
    first = figures(clouds, dest=str(path), reap=done)
    assert first["gpuops_reaped_total"][("instance", "lambda", "expired")] == 1
    assert first["gpuops_reaped_total"][("instance", "verda", "expired")] == 0
    broken = clouds.fails("gpu_reap", accounts=clouds.lambda_down(), everything=True)
    second = figures(clouds, dest=str(path), reap=broken)
    runs = second["gpuops_reaper_runs_total"]
    assert (runs[("lambda", "ok")], runs[("lambda", "failed")], runs[("verda", "ok")]) == (1, 1, 2)
    name = "gpuops_reaper_last_success_timestamp_seconds"
    assert second[name][("lambda",)] == first[name][("lambda",)]
    assert set(second[name]) == {("lambda",), ("verda",)}
    third = figures(clouds, dest=str(path))
    assert third["gpuops_reaper_runs_total"] == runs
    assert third[name] == second[name]
    assert third["gpuops_reaped_total"][("instance", "lambda", "expired")] == 1


def test_a_file_of_one_account_goes_on_and_leaves_no_old_word_of_its_reaper(
    clouds: Clouds, home: Path
) -> None:
    path = str(home / "x.prom")
    one = ask(clouds.verda, dest=path, reap=clouds.verda.ok("datacrunch_reap", everything=True))
    several = figures(clouds, dest=path, reap=clouds.ok("gpu_reap", everything=True))
    name = "gpuops_reaper_last_success_timestamp_seconds"
    assert (set(one[name]), set(several[name])) == ({()}, {("lambda",), ("verda",)})
    paid = ("200", "GET", "/balance")
    assert several["gpuops_api_requests_total"][paid] == 1
    assert several["gpuops_api_requests_total"][(*paid, "verda")] == 1
    again = ask(clouds.verda, dest=path)
    assert again["gpuops_api_requests_total"][paid] == 2
    assert name not in again


def test_evicted_instance_that_was_bought_again_elsewhere_is_not_missed(
    start: Start, door: MoodyDoor
) -> None:
    verda = start(stock=stock(spot=["1A100.22V"]), provision_seconds=30)
    verda.client().add_ssh_key("mine", KEY)
    clouds = Clouds(verda, door)
    bought = clouds.verda.buy(tier="a100_80", market="spot")
    clouds.verda.sim.evict(bought["instance"]["id"])
    assert figures(clouds)["gpuops_evicted_machines"][("llm", "verda")] == 1
    clouds.keep(providers=["lambda"])
    found = figures(clouds)
    assert found["gpuops_evicted_machines"] == {("llm", "lambda"): 0}


def test_requests_of_a_whole_run_are_those_of_their_providers(
    clouds: Clouds, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(request_log.LOG_VARIABLE, str(home / "requests"))
    clouds.ok("gpu_balance")
    counted = figures(clouds)["gpuops_api_requests_total"]
    assert counted[("200", "GET", "/instances", "lambda")] == 2
    assert counted[("200", "GET", "/balance", "verda")] == 2
    assert not [labels for labels in counted if labels[2] == "/balance" and "lambda" in labels]


def test_two_currencies_leave_the_budget_out(start: Start, door: MoodyDoor) -> None:
    clouds = Clouds(start(stock=stock("1A100.22V"), currency="eur"), door)
    result = clouds.ok(MODULE, budget={"per_hour": 10})
    assert any("never added" in text for text in result["warnings"])
    found = values(result["text"])
    assert set(found["gpuops_burn_per_hour"]) == {("eur", "verda"), ("usd", "lambda")}
    assert "gpuops_budget_used_ratio" not in found


def test_result_of_another_reaper_is_refused_before_anything_is_asked(clouds: Clouds) -> None:
    reap = clouds.verda.ok("datacrunch_reap", everything=True)
    asked = len(clouds.verda.calls())
    assert "reap is no result of gpu_reap" in clouds.fails(MODULE, reap=reap)["msg"]
    assert len(clouds.verda.calls()) == asked


def test_a_reaper_that_looked_nowhere_has_failed_everywhere() -> None:
    assert reap_at("lambda", None) is None
    assert reap_at("lambda", {"failed": True}) == {"failed": True}
    looked: Any = {"providers": [{"provider": "verda", "reason": None}]}
    assert reap_at("lambda", looked) is None
    assert reap_at("verda", looked) == {"failed": False, "reaped": [], "unclear": []}
