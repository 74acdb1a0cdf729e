# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long each phase of a run took."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest

from ansible_collections.gpuops.cloud.plugins.callback import phases

ROOT = Path(__file__).resolve().parents[4]
Plugin = Any  # Ansible's classes are not typed

ROLE = """
- name: Look
  ansible.builtin.import_tasks: look.yml
  tags: [demo, demo_look, demo_install]
- name: Install it
  ansible.builtin.command: "true"
  notify: Restart it
  tags: [demo, demo_install]
- name: Serve
  ansible.builtin.meta: flush_handlers
  tags: [demo, demo_serve]
"""
PLAY = """
- name: First
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Buy it
      ansible.builtin.set_fact: {gpuops_phases_file: "{{ playbook_dir }}/kept/phases.json"}
      tags: [purchase]
- name: Second
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Try
      block:
        - name: Set it up
          ansible.builtin.import_role: {name: demo}
        - name: Break
          ansible.builtin.fail:
      rescue:
        - name: Mend
          ansible.builtin.command: "true"
          failed_when: broken == 'for good'
    - name: Ask
      ansible.builtin.command: "true"
      changed_when: false
"""


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Provide a clock that a test moves."""
    now = [100.0]
    monkeypatch.setattr(phases, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


@pytest.fixture
def plugin(clock: list[float], home: Path, monkeypatch: pytest.MonkeyPatch) -> Plugin:
    """Return the callback, which prints all runs and names no file itself."""
    made: Plugin = phases.CallbackModule()
    made.get_option = {"shortest": "0", "file": None}.get
    made._display = mock.Mock()
    monkeypatch.setattr(phases.context, "CLIARGS", {})
    made.v2_playbook_on_start(SimpleNamespace(_file_name="/x/bringup.yml"))
    made.v2_playbook_on_play_start(mock.Mock(get_name=lambda: "Serve it"))
    return made


def task(name: str, *tags: str, role: str = "") -> Any:
    """Return a task of a role, or of none."""
    its_role = SimpleNamespace(get_name=lambda include_role_fqcn: role) if role else None
    full = f"{role} : {name}" if role else name
    path = f"/x/tasks/{name.lower()}.yml:7"
    return SimpleNamespace(
        _uuid=full,
        _role=its_role,
        tags=list(tags),
        get_name=lambda: full,
        get_path=lambda: path,
    )


def run(plugin: Plugin, clock: list[float], one: Any, seconds: float, **result: Any) -> None:
    """Let a task take so long and end like this."""
    plugin.v2_playbook_on_task_start(one)
    clock[0] += seconds
    plugin.v2_runner_on_ok(SimpleNamespace(_task=one, _result=result))


def end(plugin: Plugin, **failures: int) -> str:
    """End the run; return what is printed."""
    plugin.v2_playbook_on_stats(SimpleNamespace(failures=failures, dark={}))
    return "\n".join(call.args[0] for call in plugin._display.display.call_args_list)


def serve(plugin: Plugin, clock: list[float]) -> None:
    """Play a short bring-up."""
    run(plugin, clock, task("Buy", "zone", "purchase"), 10)
    run(plugin, clock, task("Look", "vllm", "vllm_install", "vllm_look", role="vllm"), 1)
    run(plugin, clock, task("Install", "vllm", "vllm_install", role="vllm"), 20, changed=True)
    run(plugin, clock, task("Start", "vllm", "vllm_service", role="vllm"), 5)
    run(plugin, clock, task("Restart", role="vllm"), 3, changed=True)
    run(plugin, clock, task("Restart", role="vllm"), 1, changed=True)
    run(plugin, clock, task("Ask", "always"), 0.5)


def test_every_second_belongs_to_one_phase(plugin: Plugin, clock: list[float]) -> None:
    serve(plugin, clock)
    assert end(plugin) == "\n".join(
        [
            "Seconds by phase:",
            "  purchase         10.0",
            "  vllm_look         1.0",
            "  vllm_install     20.0  1 of 1 tasks changed",
            "  vllm_service      9.0  1 of 3 tasks changed",
            "  Serve it          0.5",
            "  in all           40.5",
        ]
    )


def test_short_runs_print_nothing(plugin: Plugin, clock: list[float]) -> None:
    plugin.get_option = {"shortest": "41", "file": None}.get
    serve(plugin, clock)
    assert end(plugin) == ""


def stored(file: Path) -> list[dict[str, Any]]:
    """Return the runs that a file holds."""
    return list(json.loads(file.read_text(encoding="utf-8"))["runs"])


def test_runs_are_added_to_the_file_that_they_name(
    plugin: Plugin, clock: list[float], tmp_path: Path
) -> None:
    file = tmp_path / "phases.json"
    fact = {"gpuops_phases_file": str(file)}
    run(plugin, clock, task("Name it", "purchase"), 1, ansible_facts=fact)
    serve(plugin, clock)
    end(plugin, gone=1, mended=0)
    end(plugin)
    first, second = stored(file)
    assert (first["playbook"], first["failed"], second["failed"]) == ("bringup.yml", ["gone"], [])
    assert first["seconds"] == 41.5
    by_name = {phase["name"]: phase for phase in first["phases"]}
    assert (by_name["purchase"]["seconds"], by_name["purchase"]["tasks"]) == (11.0, 2)
    assert (by_name["vllm_install"]["role"], by_name["purchase"]["role"]) == ("vllm", "")
    assert by_name["vllm_service"]["changed"] == ["Restart"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_file_keeps_the_latest_runs(tmp_path: Path) -> None:
    file = tmp_path / "phases.json"
    for number in range(phases.KEPT_RUNS + 2):
        phases.add_run(file, {"number": number})
    assert [one["number"] for one in stored(file)] == list(range(2, phases.KEPT_RUNS + 2))
    assert list(tmp_path.iterdir()) == [file]


def test_file_that_is_broken_is_left_alone(
    plugin: Plugin, clock: list[float], tmp_path: Path
) -> None:
    file = tmp_path / "phases.json"
    file.write_text("mine")
    plugin.get_option = {"shortest": "0", "file": str(file)}.get
    serve(plugin, clock)
    end(plugin)
    assert file.read_text() == "mine"
    assert "were not stored" in plugin._display.warning.call_args.args[0]


@pytest.mark.parametrize("folder", ["ended", ""])
def test_nothing_is_stored_after_the_end_or_in_check_mode(
    plugin: Plugin, clock: list[float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    monkeypatch.setattr(phases.context, "CLIARGS", {"check": not folder})
    plugin.get_option = {"shortest": "0", "file": str(tmp_path / folder / "phases.json")}.get
    serve(plugin, clock)
    assert "purchase" in end(plugin)
    assert list(tmp_path.rglob("phases.json")) == []
    plugin._display.warning.assert_not_called()


def test_a_task_costs_next_to_nothing(plugin: Plugin) -> None:
    tasks = [task(str(number), "vllm", "vllm_install", role="vllm") for number in range(1000)]
    began = time.process_time()  # of the CPU, whatever else runs on this machine
    for one in tasks:
        plugin.v2_playbook_on_task_start(one)
        plugin.v2_runner_on_ok(SimpleNamespace(_task=one, _result={"changed": True}))
    assert time.process_time() - began < 1


@pytest.mark.parametrize(("broken", "failed"), [("once", []), ("for good", ["localhost"])])
def test_real_runs_are_timed(home: Path, broken: str, failed: list[str]) -> None:
    files = {"look": "- ansible.builtin.command: 'true'\n  name: Look\n", "main": ROLE}
    for name, text in files.items():
        (home / "roles/demo/tasks").mkdir(parents=True, exist_ok=True)
        (home / f"roles/demo/tasks/{name}.yml").write_text(text)
    (home / "roles/demo/handlers").mkdir()
    handler = "- name: Restart it\n  ansible.builtin.command: 'true'\n"
    (home / "roles/demo/handlers/main.yml").write_text(handler)
    (home / "play.yml").write_text(PLAY)
    (home / "kept").mkdir()
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections")}
    environment |= {"ANSIBLE_CALLBACKS_ENABLED": "gpuops.cloud.phases"}
    environment |= {"GPUOPS_PHASES_SHORTEST": "0"}
    variables = json.dumps({"broken": broken})
    command = [sys.executable, "-m", "ansible", "playbook", "play.yml", "-e", variables]
    done = subprocess.run(
        command, cwd=home, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode == 0) is (not failed), done.stdout + done.stderr
    assert "Seconds by phase:" in done.stdout
    (kept,) = stored(home / "kept/phases.json")
    assert (kept["playbook"], kept["failed"]) == ("play.yml", failed)
    changed = {phase["name"]: phase["changed"] for phase in kept["phases"]}
    mended = ["Mend"] if broken == "once" else []
    wanted = {"purchase": [], "demo_look": ["Look"], "demo_install": ["Install it"]}
    assert changed == {**wanted, "demo_serve": ["Restart it"], "Second": mended}
    # Each is rounded; how much of a run lies between the phases, a busy instance decides.
    assert 0 < sum(p["seconds"] for p in kept["phases"]) <= kept["seconds"] + 0.3
