# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Somebody at a terminal, who answers the questions of a program."""

from __future__ import annotations

import os
import pty
import select
import signal
from pathlib import Path


def converse(
    command: list[str],
    environment: dict[str, str],
    folder: Path,
    answers: dict[str, str],
    patience: float = 60,
) -> tuple[int, str]:
    """Run a program at a terminal and answer its questions; return its status and what it said.

    One that has not ended after ``patience`` seconds is killed, so that it stays behind for nobody.
    """
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(folder)
        os.execve(command[0], command, environment)
    said = b""
    for _wait in range(int(patience * 10)):
        ready, _writable, _failed = select.select([terminal], [], [], 0.1)
        try:
            piece = os.read(terminal, 4096) if ready else b""
        except OSError:  # its end of the terminal is closed
            break
        said += piece
        # What is typed before it listens is thrown away, so it is typed again.
        asked = said.decode(errors="replace").rstrip() if not ready else ""
        for question, answer in answers.items():
            if asked.endswith(question):
                os.write(terminal, f"{answer}\r".encode())
    else:
        os.kill(process, signal.SIGKILL)
    os.close(terminal)
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    return status, said.decode(errors="replace")
