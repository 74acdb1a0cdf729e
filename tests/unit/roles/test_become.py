# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A login with sudo: roles read and write hosts as root, and the controller never."""

from __future__ import annotations

from ansible_collections.gpuops.cloud.tests.unit.roles.tasks import all_tasks

# They run on the controller, or open a connection and ask the host for nothing that is private.
NEED_NOTHING = {
    *("ansible.builtin." + name for name in (
        "assert", "debug", "fail", "import_tasks", "include_role", "include_tasks", "meta",
        "set_fact", "uri", "wait_for_connection",
    )),
    "gpuops.cloud.show",
    "gpuops.cloud.ssh_ready",
}  # fmt: skip


def test_what_looks_at_a_host_may_read_all_of_it() -> None:
    tasks = [task for task in all_tasks() if task.action not in NEED_NOTHING]
    on_hosts = [task for task in tasks if task.says("delegate_to") != "localhost"]
    assert len(on_hosts) > 100
    assert [str(task) for task in on_hosts if task.says("become") is not True] == []


def test_nothing_asks_for_the_password_of_the_controller() -> None:
    tasks = [task for task in all_tasks() if task.says("delegate_to") == "localhost"]
    assert tasks
    assert [str(task) for task in tasks if task.says("become") is not False] == []
