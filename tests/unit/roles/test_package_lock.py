# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A package lock that others hold for minutes: every role waits for it, and as long."""

from __future__ import annotations

import fcntl
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._host import package_lock
from ansible_collections.gpuops.cloud.tests.unit.roles.support import Evaluate
from ansible_collections.gpuops.cloud.tests.unit.roles.tasks import Task, all_tasks

LOCKS = (
    "ansible.builtin.apt",
    "ansible.builtin.apt_repository",
    "ansible.builtin.package",
    "ansible.builtin.dpkg_selections",
)
MINUTES = 600


def installers() -> list[Task]:
    """Return the tasks that need the lock of the package manager."""
    return [task for task in all_tasks() if task.action in LOCKS]


def test_every_task_that_needs_the_lock_waits_for_it() -> None:
    roles = {task.role for task in installers()}
    assert {"cuda", "exporters", "firewall", "gateway", "reaper", "storage", "vllm"} <= roles
    assert [str(task) for task in installers() if "lock_timeout" not in task.arguments] == []


def test_nobody_calls_the_package_manager_without_waiting() -> None:
    writes = re.compile(r"\b(apt-get|aptitude|dpkg)'?\"?,? *'?\"?(install|update|--configure|-i)\b")
    words = [str(task) for task in all_tasks() if writes.search(str(task.row))]
    assert words == []


def test_they_wait_as_long_as_an_unattended_upgrade_takes(vllm: Evaluate) -> None:
    cases = {"plain": {}, "own": {"vllm_downloads": {"lock_timeout": 5}}}
    found = vllm(cases, "_vllm_lock_timeout")  # text on ansible-core 2.18
    assert {name: int(value) for name, value in found.items()} == {"plain": MINUTES, "own": 5}


def test_they_wait_equally_long(
    cuda: Evaluate, exporters: Evaluate, gateway: Evaluate, reaper: Evaluate
) -> None:
    given = {"cuda": cuda, "exporters": exporters, "gateway": gateway, "reaper": reaper}
    for role, evaluate in given.items():
        assert evaluate({"plain": {}}, f"{role}_lock_timeout") == {"plain": MINUTES}


def test_every_role_names_who_holds_the_lock_before_it_installs() -> None:
    for task in installers():
        if task.role == "cuda":  # it waits in its own way
            continue
        tasks = [one for one in all_tasks() if one.place == task.place]
        before = tasks[tasks.index(task) - 1]
        assert before.action == "gpuops.cloud.package_lock", str(task)
        assert before.arguments["timeout"] == task.arguments["lock_timeout"]
        assert before.says("when") == task.says("when")


# It locks a file as apt does, says so, and ends with its input.
HOLDER = """
import fcntl, sys
file = open(sys.argv[1], "w")
fcntl.lockf(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture(params=package_lock.LOCKS)
def held(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    """Let another program hold one of the locks of a host; ends it by its input."""
    for name in package_lock.LOCKS:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    command = [sys.executable, "-c", HOLDER, str(tmp_path / request.param)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "held\n"
        yield program
        program.communicate()


@pytest.mark.every_core("package_lock")
def test_the_holder_is_named_and_waited_for(held: subprocess.Popen[str], tmp_path: Path) -> None:
    def look() -> str:
        return package_lock.holder(tmp_path)

    def let_it_end(_seconds: float) -> None:
        held.communicate()

    assert re.match(rf"python\S* \(pid {held.pid}\) holds the package lock {tmp_path}/var/", look())
    times = iter([0.0, 1.0, 2.0, 700.0, 700.0])
    found, _seconds = package_lock.wait_until_free(600, look, lambda: next(times), lambda _s: None)
    assert f"(pid {held.pid})" in found
    assert package_lock.wait_until_free(600, look, pause=let_it_end)[0] == ""


def test_a_host_whose_locks_are_free_or_not_there_yet_is_not_waited_for(tmp_path: Path) -> None:
    assert package_lock.holder(tmp_path) == ""
    (tmp_path / "var/lib/dpkg").mkdir(parents=True)
    with (tmp_path / "var/lib/dpkg/lock").open("w") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        fcntl.lockf(file, fcntl.LOCK_UN)
        assert package_lock.holder(tmp_path) == ""
