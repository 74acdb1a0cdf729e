# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host of jobs in a folder: the programs of the role are real, systemd is played.

What is played runs a unit as the role's template says: begin, run, end, with the output appended to
a file, TERM for a stop, and the words that systemd has for how a program ended.
"""

from __future__ import annotations

import getpass
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.host import HostJob
from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.remote import Remote
from ansible_collections.gpuops.cloud.tests.unit.roles.kept import kept
from ansible_collections.gpuops.cloud.tests.unit.roles.programs import measured, wait_until
from ansible_collections.gpuops.cloud.tests.unit.roles.support import ROOT

FILES = ROOT / "roles/job/files"
PROGRAM = (sys.executable, "-I", str(FILES / "gpuops_job.py"))
FILES_PROGRAM = (sys.executable, "-I", str(FILES / "gpuops_job_files.py"))
SYSTEMCTL = """#!{python}
import os, re, signal, subprocess, sys, time
from pathlib import Path
what, unit = sys.argv[1], sys.argv[-1]
home = Path({home!r})
name = re.sub(r"^gpuops-job@|[.]service$", "", unit)
pids = home / f"{{name}}.pid"

def alive():
    try:
        watcher, program = map(int, pids.read_text().split())
        os.kill(watcher, 0)
        return program
    except (OSError, ValueError):
        return 0

def program(word, **more):
    return [*{program!r}, word, str(home / "jobs" / name)], {{**os.environ, **more}}

if what == "is-active":
    print("active" if alive() else "inactive")
elif what == "stop" and alive():
    os.kill(alive(), signal.SIGTERM)
    while alive():
        time.sleep(0.01)
elif what == "start" and not alive():
    lines = (home / f"run/systemd/system/{{unit}}.d/attempt.conf").read_text().splitlines()
    settings = dict(line.split("=", 1) for line in lines if "=" in line)
    words, environment = program("begin")
    subprocess.run(words, env=environment, check=True)
    if os.fork():
        while not alive() and not pids.with_suffix(".done").exists():
            time.sleep(0.01)
        sys.exit()
    os.setsid()
    for number in (0, 1, 2):
        os.close(number)
    os.open("/dev/null", os.O_RDWR)
    out = open(settings["StandardOutput"].removeprefix("append:"), "ab")
    words, environment = program("run", CREDENTIALS_DIRECTORY=str(home / "run/gpuops-jobs" / name))
    running = subprocess.Popen(words, env=environment, stdout=out, stderr=out)
    pids.write_text(f"{{os.getpid()}} {{running.pid}}")
    try:
        status, result = running.wait(float(settings["RuntimeMaxSec"])), "success"
    except subprocess.TimeoutExpired:
        running.terminate()
        status, result = running.wait(), "timeout"
    said = {{"EXIT_CODE": "exited", "EXIT_STATUS": str(status)}}
    if status < 0:
        ended = signal.Signals(-status).name.removeprefix("SIG")
        said = {{"EXIT_CODE": "killed", "EXIT_STATUS": ended}}
    words, environment = program("end", SERVICE_RESULT=result, **said)
    subprocess.run(words, env=environment, check=True)
    pids.with_suffix(".done").touch()
    pids.unlink()
"""


class Host:
    """A host, and jobs on it."""

    def __init__(self, folder: Path, program: Sequence[str] = PROGRAM) -> None:
        self.folder, self.program = folder, list(program)
        self.jobs = folder / "jobs"
        self.jobs.mkdir(parents=True)
        self.remote = Remote("host", FILES_PROGRAM)

    def want(self, name: str, *command: str, **more: Any) -> dict[str, Any]:
        """Return the wish for a job."""
        wish: dict[str, Any] = {
            "name": name, "state": "started", "folder": str(self.jobs), "command": list(command),
            "folder_hash": "", "environment": None, "environment_wish": "none", "env": measured(),
            "image": "", "nodes": None, "podman": ["podman"], "credential_names": [],
            "seconds": 3600.0, "grace": 5.0, "lease_end": None,
            "fetch_time": 600.0, "retries": 0, "reason": "cancelled", "user": getpass.getuser(),
            "tasks": [], "at_once": 0, "done_after": 0.0, "waiting": False,
            "program": self.program,
        }  # fmt: skip
        return {**wish, **more}

    def keep(self, name: str, *command: str, dry: bool = False, **more: Any) -> dict[str, Any]:
        """Keep a job, whose folder is empty unless it was sent; returns what there is."""
        (self.jobs / name / "work").mkdir(parents=True, exist_ok=True)
        return kept(HostJob(self.folder), run, self.want(name, *command, **more), dry=dry)

    def ended(self, name: str, *command: str, **more: Any) -> dict[str, Any]:
        """Run a job to its end; returns what is said of its last attempt."""
        self.keep(name, *command, **more)
        last = self.jobs / name / "attempts"

        def has_ended() -> bool:
            return (sorted(last.iterdir())[-1] / "exit.json").exists()

        wait_until(has_ended)
        return dict(self.keep(name, *command, **more)["attempts"][-1])

    def boot(self, name: str, attempt: int = 1) -> None:
        """Let an attempt be one of an earlier boot, or of an earlier host."""
        path = self.jobs / name / f"attempts/{attempt:04d}/started.json"
        text = path.read_text(encoding="utf-8")
        now = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        path.write_text(text.replace(now, "another-boot"), encoding="utf-8")
        (path.with_name("exit.json")).unlink(missing_ok=True)


def run(command: list[str]) -> tuple[int, str, str]:
    """Run a command as the module does."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    """Provide a host."""
    folder, programs = tmp_path / "host", tmp_path / "bin"
    programs.mkdir()
    script = programs / "systemctl"
    words = {"python": sys.executable, "home": str(folder), "program": [*PROGRAM]}
    script.write_text(SYSTEMCTL.format(**words), encoding="utf-8")
    script.chmod(0o755)
    later = programs / "systemd-run"
    later.write_text(f'#!/bin/sh\necho "$*" >> {folder}/systemd-run.log\n', encoding="utf-8")
    later.chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    made = Host(folder)
    yield made
    for place in made.jobs.iterdir():
        run([str(script), "stop", f"gpuops-job@{place.name}.service"])
