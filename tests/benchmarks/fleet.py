# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long it takes until eight machines run that are bought at once, in real time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MACHINES, TYPE = 8, "1H100.80S.32V"
PROVISION_S = 20


def run() -> float:
    """Return the seconds from the start of Ansible to the last machine that runs."""
    with tempfile.TemporaryDirectory(prefix="gpuops-benchmark-") as folder:
        port, scenario = Path(folder, "port"), Path(folder, "scenario.json")
        scenario.write_text(json.dumps({"stock": {"FIN-03": {"on_demand": {TYPE: MACHINES}}}}))
        command = [sys.executable, ROOT / "tests/simulator"]
        command += ["--port-file", port, "--scenario", scenario]
        command += ["--hosts", "none", "--provision-seconds", str(PROVISION_S)]
        simulator = subprocess.Popen(
            list(map(str, command)),
            stdout=subprocess.DEVNULL,
        )
        try:
            while not (port.exists() and port.read_text()):
                time.sleep(0.05)
            address = f"http://{port.read_text().strip()}"
            took = _buy(f"{address}/v1", folder)
            _check(address)
            return took
        finally:
            simulator.terminate()
            simulator.wait()


def _buy(base_url: str, folder: str) -> float:
    """Buy with the module, as from the command line; return the seconds that it took."""
    credentials = {"client_id": "benchmark", "client_secret": "of-no-account", "base_url": base_url}
    wanted = {"deployment": "benchmark", "instance_type": TYPE, "count": MACHINES}
    arguments = json.dumps({**credentials, **wanted, "state": "running"})
    settings = {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"), "XDG_CACHE_HOME": folder}
    settings["GPUOPS_LEDGER"] = "none"
    module = ["-m", "gpuops.cloud.datacrunch_instance", "-a", arguments]
    command = ["ansible", "localhost", "-c", "local", *module]
    start = time.perf_counter()
    subprocess.run(command, env={**os.environ, **settings}, capture_output=True, check=True)
    return time.perf_counter() - start


def _check(address: str) -> None:
    """Raise RuntimeError unless all machines run, by the simulator's own account."""
    with urllib.request.urlopen(f"{address}/_sim/state", timeout=10) as answer:
        machines = json.load(answer)["instances"]
    running = [row for row in machines if row["status"] == "running"]
    if len(running) < MACHINES:
        raise RuntimeError(f"only {len(running)} of {MACHINES} machines run")
