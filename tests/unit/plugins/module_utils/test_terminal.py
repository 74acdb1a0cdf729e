# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether somebody sits at a terminal, as the task of a run sees it."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._core import terminal as _terminal

ROOT = Path(__file__).resolve().parents[4]
# A run that starts a task: the task has no input of its own.
RUN = f"""
import subprocess, sys
sys.path.insert(0, {str(ROOT / ".collections")!r})
utils = "ansible_collections.gpuops.cloud.plugins.module_utils"
task = f"from {{utils}}._core.terminal import is_interactive as f"
code = f"import sys; sys.path[:] = {{sys.path!r}}; {{task}}; print('asked' if f() else 'nobody')"
print(subprocess.check_output([sys.executable, "-c", code], stdin=subprocess.DEVNULL, text=True))
"""


def run(**environment: str) -> list[str]:
    """Return a command that runs a task in a run of its own."""
    pairs = [f"{name}={value}" for name, value in environment.items()]
    return ["/usr/bin/env", "-u", "CI", *pairs, sys.executable, "-c", RUN]


def heard(command: list[str]) -> str:
    """Return what a command prints at a terminal."""
    process, terminal = pty.fork()
    if process == 0:
        os.execv(command[0], command)
    text = b""
    try:
        while piece := os.read(terminal, 4096):
            text += piece
    except OSError:  # its end of the terminal is closed
        pass
    os.close(terminal)
    os.waitpid(process, 0)
    return text.decode().strip()


def test_input_of_the_run_counts_and_not_that_of_the_task() -> None:
    assert heard(run()) == "asked"
    done = subprocess.run(
        run(), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "nobody"


def test_nobody_sits_in_a_pipeline_even_with_a_terminal() -> None:
    assert heard(run(CI="true")) == "nobody"


@pytest.mark.parametrize(("tty", "asked"), [("ttys003", True), ("??", False), ("", False)])
def test_ps_tells_where_there_is_no_proc(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tty: str, asked: bool
) -> None:
    program = tmp_path / "ps"
    program.write_text(f"#!/bin/sh\necho '{tty}'\n", encoding="ascii")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert _terminal._has_terminal(1) is asked


def test_without_proc_and_ps_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert _terminal._has_terminal(1) is False
