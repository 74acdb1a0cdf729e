# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory plugin as users run it: one call of the API, ready-made groups and variables."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.gpuops.cloud.tests.unit.plugins.inventory.programs import (
    Done,
    Program,
    by_program,
    in_process,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import CLIENT_ID, SECRET, Cloud

Show = Callable[..., Done]


def source_of(cloud: Cloud, home: Path, program: Program) -> Show:
    """Return what runs ansible-inventory on a source with these options, against the simulator."""

    def run(*words: str, file: str = "datacrunch.yml", **options: Any) -> Done:
        source = home / file
        auth = {"client_id": CLIENT_ID, "client_secret": SECRET, "base_url": f"{cloud.sim.url}/v1"}
        text = {"plugin": "gpuops.cloud.datacrunch", **auth, "timeout": 5, **options}
        source.write_text(yaml.safe_dump(text), encoding="utf-8")
        cloud.sim.clear_log()
        done = program("-i", str(source), *words, home=home)
        cloud.said.append(done.stdout + done.stderr)
        assert "Traceback" not in done.stdout + done.stderr
        return done

    return run


@pytest.fixture
def show(cloud: Cloud, home: Path) -> Show:
    """Run ansible-inventory in this process."""
    return source_of(cloud, home, in_process)


@pytest.fixture(params=[in_process, by_program], ids=["in process", "program"])
def show_both(request: pytest.FixtureRequest, cloud: Cloud, home: Path) -> Show:
    """Run ansible-inventory in this process and as a user does, so that they never drift apart."""
    return source_of(cloud, home, request.param)


def listed(done: Done) -> dict[str, Any]:
    """Return the inventory as data."""
    assert done.returncode == 0, done.stderr
    text = done.stdout[done.stdout.index("\n{") if done.stdout[0] != "{" else 0 :]
    return dict(json.loads(text, object_hook=lambda row: row.get("__ansible_unsafe", row)))


def hosts(done: Done) -> list[str]:
    """Return the names of the hosts."""
    return sorted(listed(done)["_meta"]["hostvars"])


def said(done: Done) -> str:
    """Return what was said beside the inventory, on one line."""
    return " ".join(done.stderr.split())


def stranger(cloud: Cloud, name: str) -> str:
    """Let somebody else rent an instance; returns its id."""
    what = {"instance_type": "1A100.22V", "image": "ubuntu-24.04", "location_code": "FIN-01"}
    machine = cloud.client().create("/instances", {"hostname": name, **what})
    cloud.sim.advance(60)
    return machine


def test_groups_variables_and_calls(cloud: Cloud, show_both: Show, home: Path) -> None:
    bought = cloud.buy(tier="h200_or_less", count=2, owner="ml-team@x", lease="2h")["instances"]
    settings = home / ".config/gpuops/llm/ssh_config"
    settings.parent.mkdir(parents=True)
    settings.write_text("Host *\n")
    stranger(cloud, "foreign")
    found = listed(show_both("--list", "-vvv", foreign=True))
    assert cloud.calls() == ["GET /instances"]
    ours = ["deployment_llm", "gpu_h200", "location_fin_03", "owner_ml_team_x", "tier_h200"]
    everyones = ["market_on_demand", "status_running"]
    assert set(ours + everyones) <= set(found["datacrunch"]["children"])
    for group in ours:
        assert sorted(found[group]["hosts"]) == ["llm", "llm-2"]
    for group in everyones:
        assert sorted(found[group]["hosts"]) == ["foreign", "llm", "llm-2"]
    assert found["tier_a100_80"]["hosts"] == ["foreign"]
    variables = found["_meta"]["hostvars"]
    for row in bought:
        mine = variables[row["name"]]
        assert mine["ansible_host"] == row["ip"]
        assert mine["ansible_user"] == "root"
        assert mine["ansible_ssh_common_args"] == f"-F {settings}"
        known = {key: value for key, value in row.items() if value is not None}
        assert known == {key: mine[f"datacrunch_{key}"] for key in known}
    assert "ansible_ssh_common_args" not in variables["foreign"]
    assert variables["foreign"]["datacrunch_managed"] is False


def test_first_run_logs_in_once(cloud: Cloud, show: Show) -> None:
    assert hosts(show("--list")) == []
    assert cloud.calls() == ["POST /oauth2/token", "GET /instances"]
    assert cloud.sim.writes() == []


def test_only_what_can_be_reached(cloud: Cloud, show: Show) -> None:
    cloud.buy(tier="h200_or_less", name="up")
    cloud.buy(tier="h200_or_less", name="off")
    cloud.buy(name="off", state="stopped")
    cloud.buy(tier="h200_or_less", name="built", wait=False)
    assert hosts(show("--list")) == ["up"]
    every = ["running", "offline", "ordered", "provisioning"]
    done = show("--list", statuses=every, only_reachable=False)
    assert hosts(done) == ["built", "off", "up"]
    assert "ansible_host" not in listed(done)["_meta"]["hostvars"]["built"]


def test_deployments_are_chosen(cloud: Cloud, show: Show) -> None:
    cloud.buy(tier="h200_or_less")
    cloud.buy(tier="h200_or_less", deployment="other")
    stranger(cloud, "foreign")
    assert hosts(show("--list", deployments=["llm", "none"])) == ["llm"]


def test_machines_of_one_name_are_told_apart(cloud: Cloud, show: Show) -> None:
    ours = cloud.buy(tier="h200_or_less")["instance"]["id"]
    first, second = sorted([ours, stranger(cloud, "llm")])
    done = show("--list", foreign=True)
    assert hosts(done) == ["llm", f"llm-{second}"]
    assert listed(done)["_meta"]["hostvars"]["llm"]["datacrunch_id"] == first
    assert "llm is taken by another host" in said(done)


def test_cache_answers_without_a_call(cloud: Cloud, show: Show, home: Path) -> None:
    cloud.buy(tier="h200_or_less")
    kept = {"cache": True, "cache_plugin": "jsonfile", "cache_connection": str(home / "kept")}
    first = listed(show("--list", **kept))
    assert cloud.calls() == ["GET /instances"]
    cloud.buy(tier="h200_or_less", name="new")
    assert listed(show("--list", **kept)) == first
    assert cloud.calls() == []
    (file,) = (home / "kept").iterdir()
    assert SECRET not in file.read_text()
    file.unlink()
    assert hosts(show("--list", **kept)) == ["llm", "new"]
    assert cloud.calls() == ["GET /instances"]


def test_extras_of_users(cloud: Cloud, show: Show) -> None:
    cloud.buy(tier="h200_or_less")
    extras = {
        "compose": {"dollars": "datacrunch_price_per_hour * 24"},
        "groups": {"big": "datacrunch_vram_gb > 100"},
        "keyed_groups": [{"key": "datacrunch_instance_type", "prefix": "type"}],
        "strict": True,
    }
    found = listed(show("--list", **extras))
    assert float(found["_meta"]["hostvars"]["llm"]["dollars"]) == pytest.approx(4.639 * 24)
    assert found["big"]["hosts"] == found["type_1H200_141S_44V"]["hosts"] == ["llm"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"client_secret": None, "client_id": None},
            "No credentials for the cloud. Looked at: the",
        ),
        (
            {"base_url": "http://127.0.0.1:9/v1"},
            "127.0.0.1:9/v1: connection refused. Check base_url",
        ),
    ],
    ids=["no credentials", "nobody there"],
)
def test_what_is_wrong_is_said(show: Show, options: dict[str, Any], words: str) -> None:
    done = show("--list", **options)
    assert words in said(done)
    assert hosts(done) == []


def test_wrong_credentials_are_said(cloud: Cloud, show_both: Show) -> None:
    cloud.sim.switch(clients={CLIENT_ID: "something else"})
    assert "Invalid client id or client secret" in said(show_both("--list"))


def test_files_of_other_plugins_are_left_alone(cloud: Cloud, show: Show) -> None:
    assert hosts(show("--list", file="hosts.yml")) == []
    assert cloud.calls() == []
