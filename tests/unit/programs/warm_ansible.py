# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs of Ansible, each in a process of its own that has Ansible loaded already.

A server is started once, which imports Ansible and nothing of the collection; each program is a
fork of it, with arguments, environment, folder and settings of its own. That saves most of what a
short playbook costs, several hundred times. It imports nothing of the tests, for their package
would be in the way of Ansible's own finder of collections.
"""

from __future__ import annotations

import atexit
import functools
import importlib
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import fork_server
import warm_modules

_LOADED = (
    "ansible.cli.inventory",
    "ansible.cli.playbook",
    "ansible.executor.task_executor",
    "ansible.executor.task_queue_manager",
    "ansible.plugins.action.normal",
    "ansible.plugins.callback.default",
    "ansible.plugins.connection.local",
    "ansible.plugins.filter.core",
    "ansible.plugins.strategy.linear",
)


def run(
    program: str, words: Sequence[str], *, folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run ``ansible-PROGRAM`` where nobody can be asked; return its status and what it said."""
    around = {"ANSIBLE_PIPELINING": "true", **environment}
    task = {"program": program, "words": [*words]}
    status, said, complained = fork_server.ask(_server(), task, folder, around)
    return subprocess.CompletedProcess([program, *words], status, said, complained)


@functools.cache
def _server() -> socket.socket:
    """Start the server, with nothing that measures coverage in it; it ends with this process."""
    ours, theirs = fork_server.pair()
    environment = {name: text for name, text in os.environ.items() if name != fork_server.SWITCH}
    with theirs:
        subprocess.Popen(
            [sys.executable, __file__, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env=environment,
            stdin=subprocess.DEVNULL,
        )
    atexit.register(ours.close)
    return ours


def _serve(requests: socket.socket) -> None:
    modules = warm_modules.start()
    for name in _LOADED:
        importlib.import_module(name)
    fork_server.serve(requests, functools.partial(_run, modules))


def _run(modules: socket.socket, task: dict[str, Any]) -> None:
    """Be a program of Ansible."""
    _read_settings()
    warm_modules.install(modules)
    sys.argv = [f"ansible-{task['program']}", *task["words"]]
    importlib.import_module(f"ansible.cli.{task['program']}").main()


def _read_settings() -> None:
    """Let Ansible read its settings, which it does when it is imported, of this environment."""
    from ansible import constants
    from ansible.utils.display import Display

    importlib.reload(constants)
    Display().verbosity = constants.DEFAULT_VERBOSITY
    Display()._set_column_width()


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as asked:
        _serve(asked)
