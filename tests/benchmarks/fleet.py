# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What it takes, in real time, until a fleet runs, is found again, and is gone."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from control import control

ROOT = Path(__file__).resolve().parents[2]
TYPE = "1H100.80S.32V"
PROVISION_S = 20
BUY = {"instance_type": TYPE, "state": "running"}
END = {"state": "absent", "os_volume": "delete"}


@dataclass(frozen=True)
class Measured:
    """Seconds from the start of Ansible to its end, its memory, and what it asked of the API."""

    seconds: float
    memory_mb: float
    reads: int
    writes: int
    refused: int


def run(machines: int, *steps: dict[str, Any], limits: bool = True) -> list[Measured]:
    """Run a module once for each step, on a fleet of so many instances.

    Without ``limits`` the simulator refuses nothing, however often it is asked.
    """
    with (
        tempfile.TemporaryDirectory(prefix="gpuops-benchmark-") as folder,
        _simulator(Path(folder), machines, limits) as address,
    ):
        return [_step(address, folder, {"count": machines, **step}) for step in steps]


@contextlib.contextmanager
def _simulator(folder: Path, machines: int, limits: bool) -> Iterator[str]:
    """Start a simulator and yield its address."""
    port, scenario = folder / "port", folder / "scenario.json"
    most = dict.fromkeys(("gpus", "vcpus", "volumes", "storage_gb"), 10**6)
    account = {"stock": {"FIN-03": {"on_demand": {TYPE: machines}}}, "quotas": most}
    scenario.write_text(json.dumps({**account, "balance": 10**6, "rate_limits": limits}))
    command = [sys.executable, ROOT / "tests/simulator", "--port-file", port]
    command += ["--scenario", scenario, "--hosts", "none"]
    command += ["--provision-seconds", PROVISION_S]
    simulator = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL)
    try:
        while not (port.exists() and port.read_text()):
            time.sleep(0.05)
        yield f"http://{port.read_text().strip()}"
    finally:
        simulator.terminate()
        simulator.wait()


def _step(address: str, folder: str, options: dict[str, Any]) -> Measured:
    """Run the module as from the command line. Raises RuntimeError when that fails."""
    control(address, "DELETE", "log")
    credentials = {"client_id": "benchmark", "client_secret": "of-no-account"}
    wanted = {**credentials, "base_url": f"{address}/v1", "deployment": "benchmark", **options}
    settings = {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"), "XDG_CACHE_HOME": folder}
    settings["GPUOPS_LEDGER"] = "none"
    module = ["-m", "gpuops.cloud.datacrunch_instance", "-a", json.dumps(wanted)]
    command = ["ansible", "localhost", "-c", "local", *module]
    start = time.perf_counter()
    with Path(folder, "output").open("w", encoding="utf-8") as output:
        program = subprocess.Popen(command, env={**os.environ, **settings}, stdout=output)
        _pid, status, usage = os.wait4(program.pid, 0)
    seconds = time.perf_counter() - start
    program.returncode = os.waitstatus_to_exitcode(status)
    if program.returncode:
        raise RuntimeError(Path(folder, "output").read_text(encoding="utf-8")[-2000:])
    _check(address, 0 if options["state"] == "absent" else options["count"])
    log = control(address, "GET", "log")
    reads = [row for row in log if row["method"] == "GET"]
    writes = [row for row in log if row["write"]]
    refused = [row for row in log if row["status"] == 429]
    return Measured(seconds, usage.ru_maxrss / 1024, len(reads), len(writes), len(refused))


def _check(address: str, machines: int) -> None:
    """Raise RuntimeError unless so many instances run, by the simulator's own account."""
    rows = control(address, "GET", "state")["instances"]
    running = [row for row in rows if row["status"] == "running"]
    if len(running) != machines:
        raise RuntimeError(f"{len(running)} instances run, and not {machines}")
