# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of the playbook job that are killed, instances that are taken away, and the bill of it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from test_job import Project
from whole_path import processes_with

MARK = "GPUOPS_RUN_TO_KILL"


@contextmanager
def running(project: Project, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start the playbook; what is left of it in the end is killed."""
    mark = f"{os.getpid()}-{project.folder.name}"
    with subprocess.Popen(
        project.command("job", *words),
        cwd=project.folder, env={**project.environment, MARK: mark}, stdin=subprocess.DEVNULL,
        stdout=sys.stdout, stderr=subprocess.STDOUT, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            # Workers of Ansible are sessions of their own.
            for one in (process.pid, *processes_with(f"{MARK}={mark}")):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(one, signal.SIGKILL)


def evict(project: Project) -> int:
    """Take all instances away; returns how many there were."""
    rows = project.cloud.state()["instances"]
    there = [row["id"] for row in rows if row["status"] == "running"]
    for row_id in there:
        project.cloud.call("POST", f"/_sim/instances/{row_id}/evict", {})
    return len(there)


def costs(project: Project, ledger: str, deployment: str) -> tuple[float, float]:
    """Return what a deployment has cost, by the ledger and by the simulator's own bill."""
    file = project.folder / "costs.json"
    ask = {"format": "json", "file": str(file), "deployment": deployment, "ledger": ledger}
    status, said = project.play("cost", "-e", json.dumps(ask))
    assert status == 0, said
    things: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["things"]
    disks = f"gpuops.{deployment}."
    rows = project.cloud.state()["bill"]
    own = [
        row["cost"] for row in rows if row["name"] == deployment or row["name"].startswith(disks)
    ]
    return sum(row["cost"] for row in things), sum(own)


def kept(folder: Path) -> dict[str, Any]:
    """Return the result that is home, empty without one."""
    try:
        return dict(json.loads((folder / "result.json").read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}
