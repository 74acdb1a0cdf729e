# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The installed command gpuops on hosts with systemd: bytes, exit codes, Ctrl-C, and once more."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from test_job import LONG, Project, project, wait_until

__all__ = ["project"]
# Every byte there is, and a bar that only returns to the begin of its line.
BYTES = """\
import pathlib, sys
sys.stdout.buffer.write(bytes(range(256)) * 4000)
for step in range(3):
    sys.stdout.write(f"\\rstep {step}")
pathlib.Path("out/model.txt").write_text("weights")
sys.exit(7)
"""
PRINTED = bytes(range(256)) * 4000 + b"\rstep 0\rstep 1\rstep 2"


@dataclass
class Terminal:
    """Runs of the command in the folder of a project, as from a shell of its user."""

    project: Project

    def start(self, *words: str, out: Any = subprocess.PIPE) -> subprocess.Popen[bytes]:
        """Start a command in a group of processes of its own, as a shell does."""
        given = {"gpuops_home": str(self.project.cloud.home), "cuda_required": False}
        command, *more = words
        return subprocess.Popen(
            ["gpuops", command, "-e", json.dumps(given), *more],
            cwd=self.project.folder, env=self.project.environment, stdin=subprocess.DEVNULL,
            stdout=out, process_group=0,
        )  # fmt: skip

    def run(self, *words: str) -> tuple[int, bytes]:
        """Run a command; returns its status and what it printed."""
        with self.start(*words) as running:
            out, _none = running.communicate()
        return running.returncode, out


@pytest.fixture
def terminal(project: Project) -> Terminal:
    """Provide a terminal in a project of its own."""
    return Terminal(project)


@pytest.fixture
def shown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Provide a file for what is on the terminal, which is no part of the folder that is sent."""
    return tmp_path_factory.mktemp("terminal") / "shown"


def test_it_prints_the_bytes_of_the_program_and_ends_like_it(terminal: Terminal) -> None:
    project = terminal.project
    project.write("bytes", BYTES)
    assert terminal.run("run", "bytes.job.yml") == (7, PRINTED)
    assert (project.folder / "results/bytes/out/model.txt").read_text() == "weights"
    assert project.living() == []
    orders = project.orders()
    assert terminal.run("run", "bytes.job.yml") == (7, b"")
    assert terminal.run("logs", "-f", "bytes") == (0, PRINTED)
    assert project.orders() == orders


def test_ctrl_c_cancels_and_nothing_goes_on(terminal: Terminal, shown: Path) -> None:
    project = terminal.project
    project.write("wait", LONG, env={"STEPS": 100000})
    with (
        shown.open("wb") as out,
        terminal.start("run", "wait.job.yml", out=out) as running,
    ):
        wait_until(lambda: b"step 2\n" in shown.read_bytes())
        os.killpg(running.pid, signal.SIGINT)
    assert running.returncode == 130
    assert project.result("wait")["state"] == "cancelled"
    assert shown.read_bytes().decode() == project.output("wait")
    assert project.living() == []


def test_a_killed_terminal_costs_no_byte_and_no_instance(terminal: Terminal, shown: Path) -> None:
    project = terminal.project
    project.write("long", LONG, env={"STEPS": 60})
    orders = project.orders()
    with (
        shown.open("wb") as out,
        terminal.start("run", "long.job.yml", out=out) as running,
    ):
        wait_until(lambda: b"step 2\n" in shown.read_bytes())
        os.killpg(running.pid, signal.SIGKILL)
    status, rest = terminal.run("run", "long.job.yml")
    assert status == 0
    whole = "".join(f"step {number}\n" for number in range(1, 61))
    assert project.output("long") == f"resume 0 from 0\n{whole}"
    # The kill may have come between the file and the terminal.
    assert project.output("long").encode().endswith(rest)
    assert len(shown.read_bytes() + rest) <= len(project.output("long"))
    assert project.orders() == orders + 1
    assert project.living() == []


def test_another_terminal_looks_on_and_cancels(terminal: Terminal) -> None:
    project = terminal.project
    project.write("apart", LONG, env={"STEPS": 100000})
    assert terminal.run("run", "-d", "apart.job.yml") == (0, b"")
    living = project.living()
    status, said = terminal.run("status", "apart")
    assert (status, b"apart is running" in said) == (0, True)
    with terminal.start("logs", "-f", "apart") as looking:
        begin = looking.stdout.read(30) if looking.stdout else b""
        os.killpg(looking.pid, signal.SIGINT)
    assert begin.startswith(b"resume 0 from 0\nstep 1\n")
    assert looking.returncode == 130
    assert project.living() == living
    assert terminal.run("cancel", "apart")[0] == 0
    assert project.result("apart")["exit_code"] == 130
    assert project.living() == []
