# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a front end hears of a run: a report for itself, and for people only what matters."""

from __future__ import annotations

import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest

from ansible_collections.gpuops.cloud.plugins.callback import quiet, report
from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.front import Report

STATE = {"state": "running", "next": "follow", "reason": "", "attempt": 1, "result": None}
STATE |= {"record": {"job": {"name": "train"}}, "host": "job-train", "output": {"1": 5}}


def result(action: str, on: str = "localhost", /, **found: Any) -> Any:
    """Return what a task of an action has returned."""
    task = SimpleNamespace(action=action, get_name=lambda: "Buy it")
    return SimpleNamespace(_task=task, _result=found, _host=SimpleNamespace(get_name=lambda: on))


@pytest.fixture
def heard(tmp_path: Path) -> Any:
    """Return the callback that reports into a file."""
    made: Any = report.CallbackModule()
    made.get_option = {"file": str(tmp_path / "report.json")}.get
    return made


def test_a_report_says_what_is_known_at_any_moment(heard: Any, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    request = {"deployment": "job-train", "folder": "/home/x", "job": {"name": "train"}}
    heard.v2_runner_on_ok(result("gpuops.cloud.request", **request, given={}))
    found = Report.read(path)
    assert (found.request, found.job, found.state["next"]) == (request, {"name": "train"}, "")
    heard.v2_runner_on_ok(result("gpuops.cloud.job_state", **STATE, changed=False))
    attempts = [{"number": 1}]
    heard.v2_runner_on_ok(result("gpuops.cloud.gpu_job", folder="/srv/x", attempts=attempts))
    found = Report.read(path)
    assert (found.begin, found.place, found.attempts) == (STATE, "/srv/x", attempts)
    assert found.settings == Path("/home/x/ssh_config")
    assert found.files().login[:3] == ("ssh", "-F", "/home/x/ssh_config")
    facts = {"_job_result": {"exit_code": 3}}
    heard.v2_runner_on_ok(result("ansible.builtin.set_fact", ansible_facts=facts))
    heard.v2_runner_on_ok(result("ansible.builtin.command", stdout=""))
    assert Report.read(path).result == {"exit_code": 3}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_nothing_is_reported_where_nobody_asks(heard: Any, tmp_path: Path) -> None:
    heard.get_option = {"file": None}.get
    heard.v2_runner_on_ok(result("gpuops.cloud.job_state", **STATE))
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "empty").touch()
    assert Report.read(tmp_path / "empty").states == []


def test_a_killed_program_is_killed_by_its_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[list[str]] = []
    done = SimpleNamespace(returncode=0, stderr=b"", stdout=b"")
    run = "ansible_collections.gpuops.cloud.plugins.module_utils._jobs.remote.subprocess.run"
    monkeypatch.setattr(run, lambda command, **_more: calls.append(command) or done)
    Report({"folder": "/home/x"}, [STATE]).kill()
    assert calls[0][-2:] == ["job-train", "systemctl kill --signal=KILL gpuops-job@train.service"]


def test_only_the_last_sentence_of_what_failed_is_shown() -> None:
    made: Any = quiet.CallbackModule()
    made._display = mock.Mock()
    made.v2_runner_on_failed(result("x", msg="no stock"))
    made.v2_runner_on_failed(result("x", msg="the job has failed"))
    made.v2_runner_on_failed(result("x", "rescued", msg="never mind"))
    made.v2_runner_on_unreachable(result("x", "away", msg="no route"))
    stats = SimpleNamespace(failures={"localhost": 1}, dark={"away": 1})
    made.v2_playbook_on_stats(stats)
    shown = [call.args[0] for call in made._display.display.call_args_list]
    assert shown == ["Buy it: the job has failed", "away: Buy it: no route"]
