# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's side of jobs, with a host on this machine: sent, followed, fetched, judged."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase

from ansible_collections.gpuops.cloud.plugins.action import (
    job_fetch,
    job_follow,
    job_send,
    job_state,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import run_module
from ansible_collections.gpuops.cloud.tests.unit.roles.job_host import FILES_PROGRAM, Host, host

__all__ = ["host"]
Act = Callable[..., dict[str, Any]]
TOKEN = "a-value-that-is-secret"
TRAIN = "import pathlib; pathlib.Path('out/x').write_text('x'); print('done')"


@pytest.fixture
def act(monkeypatch: pytest.MonkeyPatch) -> Act:
    """Provide a task of an action of ours on a local connection."""
    monkeypatch.setattr(ActionBase, "run", lambda *_args, **_more: {})

    def run(module: Any, check: bool = False, **args: Any) -> dict[str, Any]:
        plugin = module.ActionModule.__new__(module.ActionModule)
        plugin._task = mock.Mock(args=args, check_mode=check, become=False)
        plugin._connection = mock.Mock(transport="local")

        def validated(argument_spec: Any, **_rules: Any) -> Any:
            found = ArgumentSpecValidator(argument_spec).validate(args)
            assert found.error_messages == []
            return found, found.validated_parameters

        plugin.validate_argument_spec = validated
        return dict(plugin.run(task_vars={"inventory_hostname": "here"}))

    return run


@pytest.fixture
def at(host: Host) -> dict[str, Any]:
    """Return where the job is on its host."""
    return {"name": "job", "folder": str(host.jobs), "program": list(FILES_PROGRAM)}


@pytest.mark.every_core("job_send")
def test_a_folder_and_secrets_are_sent_once(
    host: Host, act: Act, at: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "requirements.txt").write_text("numpy\n", encoding="utf-8")
    looked = act(job_send, check=True, source=str(source), **at)
    assert (looked["changed"], looked["files"], looked["sent_files"]) == (False, 1, 0)
    assert looked["environment"]["kind"] == "requirements"
    first = act(job_send, source=str(source), **at)
    assert (first["changed"], first["sent_files"]) == (True, 1)
    assert act(job_send, source=str(source), **at) == {**looked, "changed": False}
    monkeypatch.setenv("TOKEN", "short")
    refused = act(job_send, source=str(source), secrets=["TOKEN"], **at)
    assert "has no variable TOKEN, or one of less than 8 characters" in refused["msg"]


@pytest.mark.every_core("gpu_job")
@pytest.mark.every_core("job_follow")
def test_output_is_shown_and_kept(
    host: Host, act: Act, at: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(job_follow.display, "display", shown.append)
    monkeypatch.setenv("TOKEN", TOKEN)
    wish = host.want("job", sys.executable, "-c", f"print('{TOKEN}'); print('done')")
    (host.jobs / "job/work").mkdir(parents=True)
    seen, _output = run_module("gpu_job", wish, check=True)
    assert (seen["changed"], seen["next"], seen["attempts"]) == (True, "start", [])
    host.keep("job", *wish["command"])
    log = tmp_path / "home/output.log"
    found = act(job_follow, attempt=1, file=str(log), secrets=["TOKEN"], **at)
    assert (found["ended"], found["changed"]) == (True, True)
    assert shown == ["********", "done"]
    assert log.read_text(encoding="utf-8") == f"{TOKEN}\ndone\n"
    assert not act(job_follow, attempt=1, file=str(log), **at)["changed"]
    log.unlink()
    assert act(job_follow, attempt=1, file=str(log), show=False, **at)["changed"]
    assert shown == ["********", "done"]
    after, _output = run_module("gpu_job", wish, check=True)
    assert (after["changed"], after["next"], after["reason"]) == (False, "fetch", "succeeded")


@pytest.mark.every_core("job_fetch")
def test_results_are_fetched_once(host: Host, act: Act, at: dict[str, Any], tmp_path: Path) -> None:
    host.ended("job", sys.executable, "-c", TRAIN)
    to = str(tmp_path / "home")
    assert act(job_fetch, check=True, to=to, **at)["files"] == []
    found = act(job_fetch, to=to, **at)
    assert (found["files"], found["changed"]) == (["out/x"], True)
    assert not act(job_fetch, to=to, **at)["changed"]
    missing = act(job_fetch, to=to, **{**at, "name": "none"})
    assert missing["failed"]
    assert "The results are not home" in missing["msg"]


@pytest.fixture
def ask(tmp_path: Path) -> dict[str, Any]:
    """Return what is asked of a job with a data volume."""
    job = {"name": "job", "command": ["x"], "environment": "auto", "env": {}, "secrets": []}
    job |= {"results": str(tmp_path / "results"), "time_s": 3600, "cost": None, "evictions": 5}
    return {"home": str(tmp_path / "home"), "job": {**job, "data_volume_gb": 9}, "folder_hash": "c"}


def test_time_stands_still_between_an_eviction_and_the_next_run(
    act: Act, ask: dict[str, Any]
) -> None:
    act(job_state, **ask, instances=[{"status": "running"}], bought="one")
    began = time.time() - 36000
    row = {"number": 1, "started": began, "active": True, "this_boot": True, "checkpoint": False}
    row |= {"stop": "", "exit": None, "size": 9, "last_output": began + 600}
    runs = act(job_state, **ask, instances=[{"status": "running"}], attempts=[row])
    assert runs["next"] == "follow"
    gone = act(job_state, **ask)
    assert (gone["state"], gone["next"], gone["lease_minutes"]) == ("evicted", "buy", 80)


def test_a_result_is_no_end_before_that_of_the_instance_is_proven(
    act: Act, ask: dict[str, Any]
) -> None:
    act(job_state, **ask, instances=[{"status": "running"}], bought="one")
    place = Path(ask["job"]["results"], "result.json")
    place.parent.mkdir()
    found = {"exit_code": 3, "reason": "exit_code", "signal": ""}
    for closed, step in (
        ({"closed": False}, "end"),
        ({"closed": True}, "nothing"),
        ({}, "nothing"),
    ):
        place.write_text(json.dumps({**found, **closed}), encoding="utf-8")
        assert act(job_state, **ask)["next"] == step


@pytest.mark.every_core("job_state")
def test_a_job_is_remembered_and_judged(act: Act, tmp_path: Path) -> None:
    job = {"name": "job", "command": ["x"], "environment": "auto", "env": {}, "secrets": []}
    job |= {"results": str(tmp_path / "results"), "time_s": 3600, "cost": 5.0, "evictions": 5}
    ask = {"home": str(tmp_path / "home"), "job": {**job, "data_volume_gb": 0}, "folder_hash": "c"}
    running = [{"status": "running"}]
    first = act(job_state, **ask)
    assert (first["state"], first["next"], first["lease_minutes"]) == ("planned", "buy", 90)
    assert act(job_state, **ask, price_per_hour=4.0)["lease_minutes"] == 75
    assert (
        "of the job's limit of cost are left"
        in act(job_state, **ask, price_per_hour=4.0, spent=4.0)["msg"]
    )
    assert not (tmp_path / "home").exists(), "nothing is remembered of what was not bought"
    bought = act(job_state, **ask, instances=running, bought="one")
    assert (bought["state"], bought["record"]["bought"]) == ("setting_up", 1)
    again = act(job_state, **ask, instances=running, bought="one")
    assert again["record"]["bought"] == 1
    by_name = {"home": ask["home"], "name": "job"}
    assert act(job_state, **by_name, instances=running)["next"] == "start"
    assert act(job_state, **by_name)["next"] == "buy", "it was taken away before the job began"
    other = act(job_state, **{**ask, "folder_hash": "d"})
    assert "another one" in other["msg"]
    strange = act(job_state, **by_name, attempts=[{"number": "1"}])
    assert "the host's attempt cannot be read" in strange["msg"]


def test_results_that_are_not_home_leave_a_job_unfinished(act: Act, tmp_path: Path) -> None:
    job = {"name": "job", "command": ["x"], "environment": "auto", "env": {}, "secrets": []}
    job |= {"results": str(tmp_path), "time_s": 3600, "cost": None, "evictions": 5}
    ask = {"home": str(tmp_path / "home"), "job": {**job, "data_volume_gb": 1}, "folder_hash": "c"}
    ended = {"exit_code": 0, "reason": "succeeded", "signal": ""}
    attempt = {"number": 1, "started": 1.0, "this_boot": True, "active": False, "stop": ""}
    attempt |= {"checkpoint": False, "size": 0, "last_output": None, "exit": ended}
    act(job_state, **ask, attempts=[attempt], bought="one")
    for home, expected in ((False, ("fetching", "buy")), (True, ("succeeded", "nothing"))):
        result = json.dumps({**ended, "home": home})
        (tmp_path / "result.json").write_text(result, encoding="utf-8")
        found = act(job_state, home=ask["home"], name="job")
        assert (found["state"], found["next"]) == expected
