# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playbooks that run unattended, against the simulator."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml

import warm_ansible
from ansible_collections.gpuops.cloud.plugins.module_utils._request import specs
from ansible_collections.gpuops.cloud.tests.unit.plugins.receivers import PATH, programs, web_server
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import run_module, stock
from ansible_collections.gpuops.cloud.tests.unit.roles.expressions import evaluate
from gpuops_simulator import Simulator

ROOT = Path(__file__).resolve().parents[2]
SHELF = {"FIN-01": {"on_demand": {"1A100.22V": 4, "1V100.6V": 4}, "spot": {}}}
SECRET = "the-secret-of-the-playbooks"
Play = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def simulator() -> Iterator[Any]:
    """Provide a cloud whose instances are records only."""
    with Simulator(scenario={"stock": SHELF, "balance": 90000}) as running:
        yield running


@pytest.fixture
def play(simulator: Any, tmp_path: Path) -> Play:
    """Provide a run of a playbook or a module with variables."""

    def run(program: str, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        kept = ("PATH", "LANG", "COVERAGE_PROCESS_START")
        environment = {name: os.environ[name] for name in kept if name in os.environ}
        environment |= {
            "HOME": str(tmp_path),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            # Its default is in the real home, whatever HOME is.
            "ANSIBLE_REMOTE_TMP": str(tmp_path / "tmp"),
            "ANSIBLE_STDOUT_CALLBACK": "gpuops.cloud.journal",
            "GPUOPS_LEDGER": "none",
            "DATACRUNCH_BASE_URL": f"{simulator.url}/v1",
            "DATACRUNCH_CLIENT_ID": "playbooks",
            "DATACRUNCH_CLIENT_SECRET": SECRET,
            **more,
        }
        done = warm_ansible.run(program, words, folder=tmp_path, environment=environment)
        assert SECRET not in done.stdout + done.stderr
        return done

    return run


def book(name: str, **variables: Any) -> tuple[str, ...]:
    """Return the arguments that run a playbook with variables."""
    return ("playbook", str(ROOT / f"playbooks/{name}.yml"), "-e", json.dumps(variables))


def buy(simulator: Any, **options: str) -> None:
    """Buy an instance, by the module in this process."""
    auth = {"base_url": f"{simulator.url}/v1", "client_id": "playbooks", "client_secret": SECRET}
    given = {} if "instance_type" in options else {"tier": "a100_80_or_less"}
    wish = {**given, "ledger": "none", **options}
    result, _output = run_module("datacrunch_instance", {**auth, **wish})
    assert result["changed"], result


def living(simulator: Any) -> list[str]:
    """Return the names of the instances that run."""
    rows = simulator.state()["instances"]
    rows = rows.values() if isinstance(rows, dict) else rows
    return sorted(row["hostname"] for row in rows if row["status"] == "running")


def test_machines_end_with_the_business_hours_and_start_from_their_disks(
    play: Play, simulator: Any
) -> None:
    buy(simulator, deployment="llm", os_volume="keep")
    other_day = f"{datetime.now(timezone.utc) + timedelta(days=3):%a} 00:00-24:00".lower()
    closed = book("scheduled", deployment="llm", hours=other_day)
    done = play(*closed)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "closed, 1 instance(s) to terminate" in done.stdout
    assert living(simulator) == []
    simulator.clear_log()
    again = play(*closed)
    assert "closed, nothing runs" in again.stdout
    assert simulator.writes() == []
    variables = {"deployment": "llm", "hours": "daily 00:00-24:00", "tier": "a100_80_or_less"}
    opened = play(*book("scheduled", **variables, model_fit=False, vllm_model="x"), "--check")
    assert opened.returncode == 0, opened.stdout + opened.stderr
    assert "open until" in opened.stdout
    assert "gpuops.llm.llm.os" in opened.stdout
    assert simulator.writes() == []


@pytest.mark.every_core
def test_machines_of_one_model_stand_side_by_side(play: Play, simulator: Any) -> None:
    wish = {"vllm_model": "/models/large", "vllm_nodes": 2, "instance_type": "1A100.22V"}
    refused = play(*book("bringup", **wish), "--check", ANSIBLE_STDOUT_CALLBACK="default")
    assert refused.returncode != 0
    assert "set locations to one of them" in refused.stdout + refused.stderr
    assert simulator.log() == []
    planned = play(
        *book("bringup", **wish, locations=["FIN-01"]), "--check", ANSIBLE_STDOUT_CALLBACK="default"
    )
    assert planned.returncode == 0, planned.stdout + planned.stderr
    assert planned.stdout.count("would: buy") == 2
    assert simulator.writes() == []


@pytest.mark.parametrize(
    ("more", "image"),
    [
        ({"model_fit": False}, "24.04.base"),
        ({"vllm_nodes": 2, "locations": ["FIN-01"]}, "24.04.base"),
        # Nothing needs a driver there.
        ({"vllm_device": "cpu"}, "ubuntu-24.04-cuda-12.6"),
    ],
)
def test_machines_to_serve_boot_what_a_driver_can_be_installed_on(
    play: Play, simulator: Any, more: dict[str, Any], image: str
) -> None:
    simulator.set_stock(stock("1A6000.10V@FIN-01"))
    wish = {"vllm_model": "/models/x", "instance_type": "1A6000.10V", **more}
    planned = play(*book("bringup", **wish), "--check", ANSIBLE_STDOUT_CALLBACK="default")
    assert planned.returncode == 0, planned.stdout + planned.stderr
    assert f" {image}, lease" in planned.stdout
    assert simulator.writes() == []


def test_leases_last_as_long_as_the_hours(play: Play, simulator: Any) -> None:
    buy(simulator, deployment="llm", name="short", lease="1h")
    buy(simulator, deployment="llm", name="long", lease="30d")
    buy(simulator, deployment="llm", name="free", lease="none")
    simulator.clear_log()
    hours = {"deployment": "llm", "hours": "daily 00:00-24:00"}
    # No GPU is called that, so nothing is brought up.
    play(*book("scheduled", **hours, gpus=["none"]))
    rows = simulator.state()["instances"]
    rows = list(rows.values()) if isinstance(rows, dict) else rows
    tags = {row["hostname"]: {tag["key"]: tag["value"] for tag in row["tags"]} for row in rows}
    ends = {name: tags[name]["gpuops-lease"] for name in tags}
    week = datetime.now(timezone.utc) + timedelta(days=7)
    assert ends["short"][:10] == f"{week + timedelta(hours=1):%Y-%m-%d}"
    assert ends["long"] > ends["short"]
    assert ends["free"] == "none"


def test_reaper_ends_what_is_over_though_machines_and_receivers_do_not_answer(
    play: Play, simulator: Any, tmp_path: Path
) -> None:
    buy(simulator, deployment="llm", name="short", lease="1h")
    buy(simulator, deployment="llm", name="long", lease="1d")
    buy(simulator, deployment="other", lease="1h")
    simulator.advance(5400)
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    variables = {"ssh_private_key_file": str(key), "idle_timeout": 4, "mode": "delete"}
    with web_server() as hook, web_server() as gone:
        gone.status, gone.says = 404, gone.url
        commands: list[str] = []
        hook.before = lambda: commands.extend(programs())
        receivers = {"gpuops_notify": [gone.receiver, hook.receiver]}
        file = tmp_path / "receivers.json"
        file.write_text(json.dumps(receivers), encoding="utf-8")
        words = (*book("reap", deployments=["llm"], **variables), "-e", f"@{file}")
        # Modules are started, so that their command lines can be seen.
        done = play(*words, ANSIBLE_PIPELINING="false")
        assert hook.kinds == ["terminated"]
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if line]
    assert "Read the idle reports of 0 of 2 instances." in lines
    assert any(line.startswith("Terminated instance short ") for line in lines)
    assert living(simulator) == ["long", "other"]
    assert "The webhook at 127.0.0.1 answered 404" in done.stdout + done.stderr
    assert any("notify" in command for command in commands)
    assert not any(PATH in text for text in (done.stdout, done.stderr, *commands))


def test_a_failed_round_says_why_in_lines_of_its_own(play: Play, simulator: Any) -> None:
    simulator.add_faults(
        [
            {
                "match": {"method": "GET", "path": "/v1/instances"},
                "times": 9,
                "do": "status",
                "status": 403,
                "body": {"code": "forbidden", "message": "not today"},
            }
        ]
    )
    done = play(*book("reap", everything=True), JOURNAL_STREAM="1:2")
    assert done.returncode != 0
    (line,) = [line for line in done.stdout.splitlines() if line]
    assert line.startswith("<3>List the instances: ")
    assert "not today" in line


# -- the hard limit of a budget, by every way ------------------------------------------------------


def dear_and_cheap(simulator: Any) -> None:
    """Buy an instance for 1.797 an hour and one for 0.19, each with its disk."""
    buy(simulator, deployment="llm", name="dear", lease="1d")
    buy(simulator, deployment="web", name="cheap", lease="1d", instance_type="1V100.6V")


def test_budget_is_a_hard_limit_of_the_playbook(play: Play, simulator: Any) -> None:
    dear_and_cheap(simulator)
    done = play(*book("reap", everything=True, mode="delete", budget={"per_hour": 1}))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Terminated instance dear " in done.stdout
    assert "the budget is used up" in done.stdout
    assert living(simulator) == ["cheap"]


def test_budget_is_a_hard_limit_of_the_role(play: Play, simulator: Any, tmp_path: Path) -> None:
    dear_and_cheap(simulator)
    given = {
        "role_path": str(ROOT / "roles/reaper"),
        "reaper_client_id": "playbooks",
        "reaper_client_secret": SECRET,
        "reaper_everything": True,
        "reaper_settings": {"budget": {"per_hour": 1}},
    }
    results = evaluate(tmp_path, "reaper", {"one": given}, "_reaper_secrets.variables")
    file = tmp_path / "variables"
    file.write_text(json.dumps(json.loads(results["one"])), encoding="utf-8")
    done = play("playbook", str(ROOT / "playbooks/reap.yml"), "-e", f"@{file}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert living(simulator) == ["cheap"]


def options_of(module: str) -> set[str]:
    """Return the options of a module, but those of its login."""
    spec = importlib.import_module(
        f"ansible_collections.gpuops.cloud.plugins.modules.{module}"
    ).SPEC
    return set(spec)


def passed_on(playbook: str, module: str) -> set[str]:
    """Return the options that a playbook passes on to a module."""
    text = (ROOT / f"playbooks/{playbook}.yml").read_text(encoding="utf-8")

    def tasks(rows: list[Any]) -> Iterator[dict[str, Any]]:
        for row in rows:
            yield row
            for key in ("tasks", "block", "always", "rescue", "pre_tasks"):
                yield from tasks(row.get(key) or [])

    name = f"gpuops.cloud.{module}"
    here = {key for row in tasks(yaml.safe_load(text)) for key in row.get(name) or {}}
    # The rest of the request goes there as defaults of the module.
    assert f'{name}: "{{{{ _request.options.{module} | default({{}}) }}}}"' in text
    request = set(specs.OPTIONS[module].split()) & set(specs.TAKES[playbook])
    return here | {specs.RENAMED.get(one, one) for one in request}


@pytest.mark.parametrize(
    ("playbook", "module", "without"),
    [
        ("reap", "datacrunch_reap", set()),
        ("lease", "datacrunch_lease", {"id"}),
        ("bringup", "datacrunch_instance", {"id", "wait", "startup_script_id", "description"}),
    ],
)
def test_playbook_loses_no_option_on_the_way(playbook: str, module: str, without: set[str]) -> None:
    assert options_of(module) - passed_on(playbook, module) == without
