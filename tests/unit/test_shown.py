# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the playbooks show, for people and for programs, and what their status says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.in_process import run_playbook
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import run_module
from ansible_collections.gpuops.cloud.tests.unit.test_estates import Estate, said
from gpuops_simulator import Simulator
from gpuops_simulator.clock import Clock
from gpuops_simulator.doors.lambda_cloud import LambdaDoor

AUTH = {"client_id": "estate", "client_secret": "the-secret-of-the-estate", "ledger": "none"}


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Estate]:
    """Return an estate with an instance of the deployment ``llm``."""
    stock = {"FIN-01": {"on_demand": {"1A100.22V": 4}, "spot": {}}}
    with Simulator({"stock": stock}) as cloud:
        wish = {"deployment": "llm", "lease": "12h", "owner": "ada", "tier": "any_a100"}
        result, _output = run_module(
            "datacrunch_instance", {**AUTH, **wish, "base_url": f"{cloud.url}/v1"}
        )
        assert result["changed"], result
        yield Estate(cloud, tmp_path)


def as_json(estate: Estate, name: str, **variables: Any) -> dict[str, Any]:
    """Return what a playbook shows for programs: one line of JSON."""
    given = {"format": "json", "gpuops_ledger": "none", **variables}
    done = estate.run_installed(name, variables=given)
    assert done.returncode == 0, said(done)
    (line,) = [row for row in done.stdout.splitlines() if row.startswith('{"')]
    found: dict[str, Any] = json.loads(line)
    return found


def test_programs_can_read_what_the_playbooks_show(estate: Estate) -> None:
    status = as_json(estate, "status")
    assert [row["name"] for row in status["instances"]] == ["llm"]
    assert status["balance"]["currency"] == "usd"
    mine = {"deployment": "llm", "owner": "ada"}
    lease = as_json(estate, "lease", **mine, extend="1h")
    assert lease["instances"][0]["lease_end"] > status["instances"][0]["lease_end"]
    assert as_json(estate, "reap", everything=True)["reaped"] == []
    end = as_json(estate, "teardown", **mine, data_volumes="delete")
    assert end["leftovers"] == []
    assert {row["kind"] for row in end["bill"]} == {"instance", "volume"}


def test_leases_end_by_the_clock_of_the_cloud(estate: Estate) -> None:
    shown = estate.run("status", variables={}).stdout
    assert "11 h 5" in shown or "12 h 00" in shown
    estate.cloud.advance(13 * 3600)
    assert "EXPIRED" in estate.run("status", variables={}).stdout


def test_monitor_says_when_nothing_is_watched(estate: Estate) -> None:
    given = {"deployment": "web", "folder": str(estate.home / "prometheus")}
    done = estate.run_installed("monitor", variables=given)
    assert done.returncode == 0, said(done)
    assert "0 instance(s) for Prometheus" in said(done)
    assert "Nothing is watched: no instance of web runs." in said(done)
    assert "ansible-playbook gpuops.cloud.bringup -e deployment=web" in said(done)
    assert json.loads((estate.home / "prometheus/targets.json").read_text()) == []


@pytest.mark.every_core
def test_tiers_are_named_without_asking_anybody(estate: Estate) -> None:
    estate.cloud.clear_log()
    shown = estate.run_installed("capacity", variables={"list": "tiers"}).stdout
    rows = [line.split() for line in shown.splitlines()]
    assert shown.index("gb300 ") < shown.index("h100 ") < shown.index("v100 ")
    assert ["a100_80", "A100", "80", "8.0"] in rows
    found = as_json(estate, "capacity", list="tiers", tiers=[{"name": "x", "models": ["L40S"]}])
    assert [row["models"] for row in found["tiers"]] == [["L40S"]]
    refused = estate.run_installed("capacity", variables={"list": "tiers", "format": "html"})
    assert "format html shows no list of tiers" in said(refused)
    assert estate.cloud.log() == []


@pytest.mark.every_core
def test_nothing_to_buy_is_an_error_where_that_was_asked_for(estate: Estate) -> None:
    wish = {"tier": "any_b300", "gpus": "", "market": "any"}
    done = estate.run_installed("capacity", variables=wish)
    assert done.returncode == 0, said(done)
    assert "not in stock" in done.stdout
    done = estate.run_installed("capacity", variables={**wish, "fail_if_none": True})
    assert done.returncode == 2
    assert "Nothing can be bought now for any_b300" in said(done)
    assert "not in stock" in said(done).partition("Nothing can be bought now")[2]
    free = {"tier": "any_a100", "gpus": "", "fail_if_none": "yes"}
    done = estate.run_installed("capacity", variables=free)
    assert done.returncode == 0
    assert "more with a different GPU count or kind" not in done.stdout


def test_offers_of_several_clouds_are_one_list(estate: Estate) -> None:
    door = LambdaDoor(Clock())
    door.start()
    try:
        wish = {"tier": "any_a100_80", "providers": "verda,lambda"}
        _command, around = estate.command("capacity", wish)
        around |= {"LAMBDA_API_KEY": "a-key", "LAMBDA_API_URL": f"{door.url}/v1"}
        given = ("gpuops.cloud.capacity", "-e", json.dumps(wish))
        done = run_playbook(*given, folder=estate.home, environment=around)
    finally:
        door.stop()
    assert done.returncode == 0, said(done)
    rows = [line.split()[:3] for line in done.stdout.splitlines() if "a100_80" in line]
    assert ["lambda", "a100_80", "gpu_1x_a100_sxm4_80gb"] in rows
    assert ["verda", "a100_80", "1A100.22V"] in rows
    refused = estate.run_installed("capacity", variables={"providers": "verda,lamda"})
    assert "providers" in said(refused)
    assert refused.returncode == 2
