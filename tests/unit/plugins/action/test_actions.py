# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's side of waiting for hosts: what it takes from each, and one result for all."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from ansible.plugins.action import ActionBase

from ansible_collections.gpuops.cloud.plugins.action import (
    idle_reports,
    request,
    show,
    ssh_ready,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._ssh.readiness import Probe, Target

ROOT = Path(__file__).resolve().parents[4]
ARGS = (1.0, 0.01, (True, True))


class Templar:
    """Answers templates as Ansible would."""

    @staticmethod
    def template(value: Any) -> Any:
        return value.replace("{{ port }}", "2222") if isinstance(value, str) else value


def action(module: Any, **args: Any) -> Any:
    """Return an action that runs as part of a task with these arguments."""
    plugin = module.ActionModule.__new__(module.ActionModule)
    plugin._task = mock.Mock(args=args, check_mode=False, async_val=0)
    plugin._templar = Templar()
    return plugin


def test_target_is_what_the_variables_of_the_host_say() -> None:
    plugin = action(ssh_ready)
    found = plugin._target(
        "llm",
        {
            "ansible_host": "192.0.2.1",
            "ansible_port": "{{ port }}",
            "ansible_user": "root",
            "ansible_ssh_private_key_file": "/key",
            "ansible_ssh_common_args": "-F /x",
            "ansible_ssh_extra_args": "-v",
            "ansible_connection": "ssh",
        },
    )
    assert found == Target("llm", "192.0.2.1", "2222", "root", "/key", "-F /x -v")
    assert plugin._target("llm", {}) == Target("llm", "llm")
    assert plugin._target("llm", {"ansible_port": 22}).port == "22"
    assert plugin._target("here", {"ansible_connection": "local"}).local


@pytest.mark.every_core("ssh_ready")
def test_all_hosts_are_awaited_together(monkeypatch: pytest.MonkeyPatch) -> None:
    together = threading.Barrier(3)

    def probe(target: Target, state: Probe, **_more: Any) -> None:
        together.wait(timeout=10)  # passes only when all three are here at once
        state.ended, state.ready = True, target.name != "b"
        state.problem = "" if state.ready else "not ready after 600 s: Connection refused"

    monkeypatch.setattr(ssh_ready, "probe_until_ready", probe)
    targets = [Target(name, name) for name in ("a", "b", "c")]
    found = ssh_ready.wait_for_all(targets, *ARGS)
    assert {name: row["ready"] for name, row in found.items()} == {"a": True, "b": False, "c": True}
    assert found["b"]["problem"] == "not ready after 600 s: Connection refused"


def test_long_waits_show_that_they_are_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    spoken: list[str] = []
    heard = threading.Event()

    def probe(_target: Target, state: Probe, **_more: Any) -> None:
        state.last_seen = "Connection refused"
        heard.wait(timeout=10)
        state.ended = True

    def display(text: str) -> None:
        spoken.append(text)
        heard.set()

    monkeypatch.setattr(ssh_ready, "probe_until_ready", probe)
    monkeypatch.setattr(ssh_ready, "_SPEAK_EVERY_S", 0.01)
    monkeypatch.setattr(ssh_ready.display, "display", display)
    ssh_ready.wait_for_all([Target("llm", "x")], *ARGS)
    assert spoken[0] == "  llm: Connection refused"


def test_no_hosts_are_no_crash() -> None:
    assert ssh_ready.wait_for_all([], *ARGS) == {}


def test_fault_of_a_probe_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh_ready, "probe_until_ready", mock.Mock(side_effect=ZeroDivisionError))
    with pytest.raises(ZeroDivisionError):
        ssh_ready.wait_for_all([Target("llm", "x")], *ARGS)


@pytest.mark.every_core("request")
@pytest.mark.parametrize("called", ["playbooks/bringup.yml", "site.yml"])
def test_misspelt_variables_are_told_with_the_nearest(called: str) -> None:
    given = {"max_price": 1, "teir": "a100", "mine": 2, "ansible_user": "root", "vllm_port": 1}
    plugin = action(request)
    plugin._loader = None
    called = str(ROOT / called) if "/" in called else called
    with (
        mock.patch.object(request, "load_extra_vars", return_value=given),
        mock.patch.object(request.context, "CLIARGS", {"args": [called]}),
        mock.patch.object(ActionBase, "run", return_value={}),
        mock.patch.object(
            plugin,
            "validate_argument_spec",
            create=True,
            return_value=(None, {"playbook": "status"}),
        ),
    ):
        result = plugin.run(task_vars={"gpuops_extra_names": ["mine"]})
    told = [row["name"] for row in result["unknown"]]
    # A playbook of somebody else has variables of its own.
    assert told == (["teir"] if called == "site.yml" else ["max_price", "teir"])
    assert result["failed"]
    assert "did you mean tier" in result["msg"]


@pytest.mark.every_core("show")
def test_show_prints_text_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    printed: list[str] = []
    monkeypatch.setattr(show.display, "display", printed.append)
    plugin = action(show, text="one 'line'\n\n  another\n", secrets=[])
    monkeypatch.setattr(ActionBase, "run", lambda *_args, **_more: {})
    checked = (None, plugin._task.args)
    monkeypatch.setattr(plugin, "validate_argument_spec", lambda **_more: checked, raising=False)
    result = plugin.run()
    assert printed == ["\none 'line'\n\n  another\n"]
    assert result == {"changed": False, "lines": ["one 'line'", "", "  another"]}


@pytest.mark.every_core("idle_reports")
@pytest.mark.parametrize("check", [True, False])
def test_idle_reports_are_read_by_the_controller(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, check: bool
) -> None:
    (tmp_path / "ssh").write_text("#!/bin/sh\nexit 255\n", encoding="ascii")
    (tmp_path / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    machine = {"id": "1", "name": "llm", "deployment": "llm", "ip": "192.0.2.1"}
    home = tmp_path / "home"
    given = {"machines": [machine], "config_dir": str(home), "private_key_file": "/key"}
    plugin = action(idle_reports, **given)
    plugin._task.check_mode = check
    monkeypatch.setattr(ActionBase, "run", lambda *_args, **_more: {})
    checked = (None, {"user": "guard", "timeout": 10.0, **given})
    monkeypatch.setattr(plugin, "validate_argument_spec", lambda **_more: checked, raising=False)
    result = plugin.run()
    assert (result["changed"], result["reports"]) == (False, [])
    assert [row["name"] for row in result["unread"]] == ["llm"]
    assert result["lines"][0] == "Read the idle reports of 0 of 1 instances."
    assert home.exists() is not check
