# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A package lock that others hold for minutes: every role waits for it, and as long."""

from __future__ import annotations

import re

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
    assert vllm(cases, "_vllm_lock_timeout") == {"plain": MINUTES, "own": 5}


def test_they_wait_equally_long(
    cuda: Evaluate, exporters: Evaluate, gateway: Evaluate, reaper: Evaluate
) -> None:
    given = {"cuda": cuda, "exporters": exporters, "gateway": gateway, "reaper": reaper}
    for role, evaluate in given.items():
        assert evaluate({"plain": {}}, f"{role}_lock_timeout") == {"plain": MINUTES}
