# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Arrays on a host: each task once, so many at a time, on GPUs of its own, whatever happens."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.host import JobError
from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.results import Follower, fetch
from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.screen import Lines
from ansible_collections.gpuops.cloud.tests.unit.roles.job_host import Host, host
from ansible_collections.gpuops.cloud.tests.unit.roles.programs import wait_until
from ansible_collections.gpuops.cloud.tests.unit.roles.support import load

__all__ = ["host"]
program = load("roles/job/files/gpuops_job_array.py")
SH = ("sh", "-c")


def tasks(count: int, **values: list[Any]) -> list[dict[str, Any]]:
    """Return tasks by number, each with its value of every name."""
    return [
        {"number": number, "parameters": {name: str(row[number]) for name, row in values.items()}}
        for number in range(count)
    ]


def log_of(host: Host, task: int) -> str:
    """Return what a task has printed."""
    path = host.jobs / "job" / f"tasks/{task:04d}/output.log"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def said(host: Host, attempt: int = 1) -> str:
    """Return what the job itself has told."""
    return (host.jobs / f"job/attempts/{attempt:04d}/output.log").read_text(encoding="utf-8")


def rows_of(host: Host, **more: Any) -> list[dict[str, Any]]:
    """Return how the tasks are."""
    return list(host.keep("job", state="stopped", dry=True, **more)["tasks"])


@pytest.mark.parametrize(
    ("at_once", "gpus", "found"),
    [
        (0, [], [""]),
        (3, [], ["", "", ""]),
        (0, ["0", "1"], ["0", "1"]),
        (1, ["0", "1"], ["0,1"]),
        (2, ["0", "1", "2", "3"], ["0,1", "2,3"]),
        (3, ["0", "1"], ["0", "1", "0"]),
    ],
)
def test_each_that_runs_has_its_share_of_the_gpus(
    at_once: int, gpus: list[str], found: list[str]
) -> None:
    assert program.slots(at_once, gpus) == found


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["a", "{lr}", "x={lr}/{task}"], ["a", "; {task}", "x=; {task}/7"]),
        (["a", "{other}", "{", "}{"], ["a", "{other}", "{", "}{"]),
        (
            ["bash", "-euo", "pipefail", "-c", "a {lr}"],
            ["bash", "-euo", "pipefail", "-c", "a '; {task}'"],
        ),
    ],
)
def test_a_value_takes_its_place_and_is_no_command(command: list[str], words: list[str]) -> None:
    assert program.words(command, {"number": 7, "parameters": {"lr": "; {task}"}}) == words


def test_every_task_runs_with_values_and_folders_of_its_own(host: Host) -> None:
    shown = 'echo "$0 $lr $GPUOPS_TASK/$GPUOPS_TASKS $CUDA_VISIBLE_DEVICES"\n'
    shown += "echo {lr} > $GPUOPS_OUTPUT_DIR/x"
    wish = {"tasks": tasks(3, lr=[0.1, 0.2, 0.3]), "env": {"CUDA_VISIBLE_DEVICES": "0,1,2"}}
    ended = host.ended("job", *SH, shown, "{lr}", at_once=3, **wish)["exit"]
    assert (ended["exit_code"], ended["reason"]) == (0, "succeeded")
    logs = [log_of(host, number) for number in range(3)]
    assert [log.rsplit(" ", 1)[0] for log in logs] == ["0.1 0.1 0/3", "0.2 0.2 1/3", "0.3 0.3 2/3"]
    out = host.jobs / "job/work/out"
    assert sorted(path.name for path in out.iterdir()) == ["0000", "0001", "0002"]
    assert (out / "0001/x").read_text(encoding="utf-8") == "0.2\n"
    assert "gpuops: task 1 begins: lr=0.2\n" in said(host)
    assert [row["state"] for row in rows_of(host)] == ["succeeded"] * 3


def test_at_a_time_there_are_as_many_as_there_are_gpus(host: Host) -> None:
    # Each needs the other one to end, so both run at the same time, on different GPUs.
    both = "import os, pathlib, time\nn = os.environ['CUDA_VISIBLE_DEVICES']\n"
    both += "pathlib.Path(f'on-{n}').touch()\n"
    both += "while len(list(pathlib.Path().glob('on-*'))) < 2: time.sleep(0.01)\n"
    env = {"CUDA_VISIBLE_DEVICES": "4,6"}
    host.ended("job", sys.executable, "-c", both, tasks=tasks(2), env=env)
    names = {path.name for path in (host.jobs / "job/work").glob("on-*")}
    assert names == {"on-4", "on-6"}


def test_one_that_fails_ends_no_other_and_the_job_says_so(host: Host) -> None:
    command = (*SH, "echo last words of {task}; exit $code")
    ended = host.ended("job", *command, tasks=tasks(3, code=[0, 3, 0]))["exit"]
    assert (ended["exit_code"], ended["reason"]) == (1, "exit_code")
    rows = rows_of(host)
    assert [(row["state"], row["exit_code"]) for row in rows] == [
        ("succeeded", 0),
        ("failed", 3),
        ("succeeded", 0),
    ]
    assert "gpuops:   last words of 1\n" in said(host)
    assert "last words of 0" not in said(host)


@pytest.mark.parametrize(
    ("command", "code", "signal"),
    [
        (["no-such-program"], 127, ""),
        (["/etc/hostname"], 126, ""),
        ([*SH, "kill -SEGV $$"], 139, "SEGV"),
    ],
)
def test_a_task_ends_with_the_status_of_its_program(
    host: Host, command: list[str], code: int, signal: str
) -> None:
    host.ended("job", *command, tasks=tasks(1))
    (row,) = rows_of(host)
    assert (row["exit_code"], row["signal"]) == (code, signal)


def test_what_a_task_leaves_behind_ends_with_it(host: Host) -> None:
    left = "sh -c 'trap \"\" TERM; echo $$ > pid; exec sleep 60' &\n"
    left += "while [ ! -s pid ]; do sleep 0.01; done"
    host.ended("job", *SH, left, tasks=tasks(1))
    pid = (host.jobs / "job/work/pid").read_text(encoding="utf-8").strip()
    wait_until(
        lambda: (
            not Path(f"/proc/{pid}/cmdline").exists()
            or not Path(f"/proc/{pid}/cmdline").read_bytes()
        )
    )


WAITS = "echo began; while [ ! -e go ]; do sleep 0.01; done; [ {task} != 1 ] || exec sleep 60"


def test_after_an_eviction_those_that_have_ended_are_skipped(host: Host) -> None:
    wish: dict[str, Any] = {"tasks": tasks(3), "retries": 1}
    (host.jobs / "job/work").mkdir(parents=True)
    (host.jobs / "job/work/go").touch()
    host.keep("job", *SH, WAITS, **wish)
    wait_until(lambda: "task 1 begins" in said(host))
    assert [row["state"] for row in rows_of(host)] == ["succeeded", "running", "waiting"]
    host.keep("job", state="stopped")
    (host.jobs / "job/attempts/0001/stop.json").unlink()
    host.boot("job")
    assert [row["state"] for row in rows_of(host)] == ["succeeded", "waiting", "waiting"]
    found = host.keep("job", *SH, WAITS, **wish)
    assert found["attempts"][0]["checkpoint"], "a task that has ended is progress"
    wait_until(lambda: "task 1 begins" in said(host, 2))
    assert said(host, 2).startswith("gpuops: 3 tasks, 1 have ended before\n")
    assert (log_of(host, 0), log_of(host, 1)) == ("began\n", "began\nbegan\n")
    host.keep("job", state="stopped")


def test_what_waits_is_cancelled_and_what_runs_goes_on(host: Host) -> None:
    host.keep("job", *SH, WAITS, tasks=tasks(5), at_once=1)
    wait_until(lambda: "task 0 begins" in said(host))
    cancel = {"state": "stopped", "waiting": True}
    assert host.keep("job", dry=True, **cancel)["actions"] == [
        "cancel the 4 tasks of job that wait"
    ]
    found = host.keep("job", **cancel)
    assert found["actions"] == ["cancel the 4 tasks of job that wait"]
    assert [row["state"] for row in found["tasks"]] == ["running"] + ["cancelled"] * 4
    assert host.keep("job", **cancel)["actions"] == []
    (host.jobs / "job/work/go").touch()
    wait_until((host.jobs / "job/attempts/0001/exit.json").exists)
    ended = json.loads((host.jobs / "job/attempts/0001/exit.json").read_text(encoding="utf-8"))
    assert (ended["exit_code"], ended["reason"]) == (0, "succeeded")
    assert "1 succeeded, 0 failed, 4 did not end" in said(host)


def test_a_job_that_is_stopped_tells_its_tasks_and_takes_none_for_ended(host: Host) -> None:
    polite = "trap 'echo checkpoint; exit 0' TERM; echo began; while :; do sleep 0.01; done"
    host.keep("job", *SH, polite, tasks=tasks(3), at_once=2)
    wait_until(lambda: log_of(host, 0) == log_of(host, 1) == "began\n")
    found = host.keep("job", state="stopped")
    ended = found["attempts"][-1]["exit"]
    assert (ended["exit_code"], ended["reason"]) == (130, "cancelled")
    assert (log_of(host, 0), log_of(host, 2)) == ("began\ncheckpoint\n", "")
    assert {row["state"] for row in found["tasks"]} == {"waiting"}


def test_an_array_with_other_values_is_another_job(host: Host) -> None:
    host.ended("job", "true", tasks=tasks(1, lr=[1]))
    with pytest.raises(JobError, match=r"tasks .* there, .* wanted"):
        host.keep("job", "true", tasks=tasks(1, lr=[2]))


def test_what_tasks_have_printed_comes_home(host: Host, tmp_path: Path) -> None:
    host.ended("job", "echo", "{task}", tasks=tasks(2))
    place, home = str(host.jobs / "job"), tmp_path / "home"
    found = fetch(host.remote, place, home / "tasks", ["*/output.log"], 1, "tasks")
    assert found["files"] == ["0000/output.log", "0001/output.log"]
    shown: list[str] = []
    log = home / "tasks/0001/output.log"
    log.unlink()
    made = Follower(host.remote, place, 1, log, Lines(shown.append), 60, of_task=True)
    assert made.follow()
    assert (shown, log.read_text(encoding="utf-8")) == (["1"], "1\n")
