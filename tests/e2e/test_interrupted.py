# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that is broken off in the middle of a purchase, by the user or by a crash."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from whole_path import ROOT, processes_with

from gpuops_simulator import Simulator

BUY = (
    "ansible",
    "localhost",
    "-m",
    "gpuops.cloud.datacrunch_instance",
    "-a",
    "deployment=cut tier=a100",
)


def environment(simulator: Simulator, folder: Path) -> dict[str, str]:
    """Return what ansible needs to use the simulator."""
    return {
        **os.environ,
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
        "DATACRUNCH_CLIENT_ID": "cut",
        "DATACRUNCH_CLIENT_SECRET": "cut-secret",
        "DATACRUNCH_BASE_URL": f"{simulator.url}/v1",
        "XDG_CACHE_HOME": str(folder),
        "TMPDIR": str(folder),
    }


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Yield a folder; end whoever still works in it.

    Workers of ansible-core 2.19 are sessions of their own: the module of a killed run lives on.
    """
    yield tmp_path
    for process in processes_with(f"XDG_CACHE_HOME={tmp_path}"):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_the_next_run_adopts_what_a_broken_off_one_has_bought(how: int, folder: Path) -> None:
    with Simulator(provision_seconds=6) as simulator:
        settings = environment(simulator, folder)
        first = subprocess.Popen(BUY, cwd=ROOT, env=settings, start_new_session=True)
        limit = time.monotonic() + 30
        while not any(row["path"] == "/v1/instances" for row in simulator.writes()):
            assert time.monotonic() < limit, "the order was never sent"
            time.sleep(0.05)
        os.killpg(first.pid, how)
        assert first.wait(timeout=30) != 0

        done = subprocess.run(
            BUY, cwd=ROOT, env=settings, capture_output=True, text=True, check=False
        )

        assert done.returncode == 0, done.stdout
        orders = [
            row
            for row in simulator.writes()
            if row["method"] == "POST" and row["path"] == "/v1/instances"
        ]
        assert len(orders) == 1
        assert "changed: false" in done.stdout
