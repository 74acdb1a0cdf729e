# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules on the controller, each in a process of its own that has the collection loaded already.

The program is the one that the collection's action plugins make; only the start of an interpreter
is saved. Whatever else Ansible runs on the controller is started as ever, and so are modules
without ``ANSIBLE_PIPELINING``.
"""

from __future__ import annotations

import importlib
import os
import shlex
import socket
import sys
from pathlib import Path
from typing import Any

import fork_server

_COLLECTIONS = Path(__file__).resolve().parents[3] / ".collections"
# It imports most of what there is.
_LOADED = "ansible_collections.gpuops.cloud.plugins.modules.datacrunch_instance"
# How a program of plugin_utils/on_controller.py begins.
_BEGIN = b"import runpy\nimport sys\n\nsys.path.insert(0, "
_SHELL = ["/bin/sh", "-c"]
_AFTER = ["&&", "sleep", "0"]


def start() -> socket.socket:
    """Start the server, from a process that has loaded nothing of Ansible: no controller is one."""
    ours, theirs = fork_server.pair()
    if os.fork() == 0:
        ours.close()
        if _COLLECTIONS.exists():
            sys.path.insert(0, str(_COLLECTIONS))
            importlib.import_module(_LOADED)
            sys.path.pop(0)
        fork_server.serve(theirs, _run)
        os._exit(0)
    theirs.close()
    return ours


def _run(program: str) -> None:
    """Be a module."""
    sys.argv = [""]
    exec(compile(program, "<stdin>", "exec"), {"__name__": "__main__"})


def install(server: socket.socket) -> None:
    """Let the connection to the controller itself run modules by the server."""
    from ansible.plugins.connection.local import Connection

    start_program = Connection.exec_command

    def exec_command(
        self: Any, cmd: str, in_data: bytes | None = None, sudoable: bool = True
    ) -> tuple[int, bytes, bytes]:
        ours = in_data is not None and in_data.startswith(_BEGIN)
        settings = _settings_of(cmd) if ours else None
        if in_data is None or settings is None:
            answer: tuple[int, bytes, bytes] = start_program(self, cmd, in_data, sudoable)
            return answer
        environment = {**os.environ, **settings}
        done = fork_server.ask(server, in_data.decode(), Path.cwd(), environment)
        status, said, complained = done
        return status, said.encode(), complained.encode()

    Connection.exec_command = exec_command


def _settings_of(command: str) -> dict[str, str] | None:
    """Return what a command adds to the environment, None unless it starts this Python alone."""
    words = shlex.split(command)
    inner = shlex.split(words[2]) if words[:2] == _SHELL and len(words) == 3 else []
    if inner[-4:] != [sys.executable, *_AFTER] or not all("=" in word for word in inner[:-4]):
        return None
    return dict(word.split("=", 1) for word in inner[:-4])
