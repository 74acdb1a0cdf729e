# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bring-up of hosts that serve already, beside an empty play of the same moment; needs podman."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from control import control

ROOT = Path(__file__).resolve().parents[2]
SIMULATOR = ROOT / "tests/simulator"
EMPTY = "[{hosts: localhost, connection: local, gather_facts: false, tasks: []}]"
REPEATS = 3


@dataclass(frozen=True)
class Measured:
    """Seconds of a run and of an empty play before it, processor time of the controller, and what
    the run did: requests, and tasks that ran and were skipped, a host's each for itself.
    """

    seconds: float
    empty: float
    processor: float
    requests: int
    ran: int
    skipped: int


class Controller:
    """A user with a home of its own, who brings up hosts of a simulated cloud."""

    def __init__(self, folder: Path, address: str, hosts: int) -> None:
        self.folder, self.address = folder, address
        self.variables = folder / "variables.json"
        self.variables.write_text(json.dumps(_wish(folder, hosts)), encoding="utf-8")
        self.empty = folder / "empty.yml"
        self.empty.write_text(EMPTY, encoding="utf-8")
        self.environment = {
            **os.environ,
            "HOME": str(folder),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
            "ANSIBLE_NOCOLOR": "1",
            "DATACRUNCH_BASE_URL": f"{address}/v1",
            "DATACRUNCH_CLIENT_ID": "benchmark",
            "DATACRUNCH_CLIENT_SECRET": "of-no-account",
        }

    def play(self, *words: str | Path) -> tuple[float, float, str]:
        """Run a playbook; returns seconds, seconds of processor time, and what it said."""
        start, before = time.perf_counter(), os.times()
        command = ["ansible-playbook", *map(str, words)]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        seconds, after = time.perf_counter() - start, os.times()
        if done.returncode:
            raise RuntimeError(f"{command} failed:\n{done.stdout[-3000:]}{done.stderr[-2000:]}")
        spent = after.children_user - before.children_user
        return seconds, spent + after.children_system - before.children_system, done.stdout

    def bring_up(self) -> tuple[float, float, str]:
        """Run the bring-up."""
        return self.play(ROOT / "playbooks/bringup.yml", "-e", f"@{self.variables}")

    def again(self) -> Measured:
        """Run it where nothing is to be done. Raises RuntimeError when it changed something."""
        empty, _processor, _text = self.play(self.empty)
        control(self.address, "DELETE", "log")
        seconds, processor, text = self.bring_up()
        rows = control(self.address, "GET", "log")
        count = {key: _sum(text, key) for key in ("ok", "changed", "skipped")}
        if count["changed"]:
            raise RuntimeError(f"the second run changed something:\n{text[-3000:]}")
        requests = [row for row in rows if not row["path"].endswith("/oauth2/token")]
        return Measured(seconds, empty, processor, len(requests), count["ok"], count["skipped"])


def _sum(text: str, key: str) -> int:
    return sum(map(int, re.findall(rf"^\S+ +: .*\b{key}=(\d+)", text, re.MULTILINE)))


def _wish(folder: Path, hosts: int) -> dict[str, Any]:
    """Return the variables with which hosts without a GPU serve the small model."""
    return {
        "gpuops_home": str(folder / "gpuops"),
        "gpuops_ledger": "none",
        "deployment": "benchmark",
        "count": hosts,
        "tier": "h100_or_less",
        "vllm_device": "cpu",
        "vllm_model": "/var/lib/vllm/models/gpuops-demo",
        "vllm_model_script": str(SIMULATOR / "demo_model.py"),
    }


@contextmanager
def cloud(folder: Path) -> Iterator[str]:
    """Run a simulator whose instances are containers with vLLM in them; yields its address."""
    command: list[str | Path] = [sys.executable, SIMULATOR, "--host-image", "serving"]
    subprocess.run([*command, "--prepare-hosts"], check=True, stdout=subprocess.DEVNULL)
    port, pid = folder / "port", folder / "pid"
    stock = {"FIN-03": {"on_demand": {"1H100.80S.32V": 64}}}
    scenario = folder / "scenario.json"
    scenario.write_text(json.dumps({"stock": stock, "balance": 10**5}), encoding="utf-8")
    command += ["--hosts", "podman", "--detach", "--scenario", scenario]
    command += ["--watch-pid", str(os.getpid()), "--port-file", port, "--pid-file", pid]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    address = f"http://{port.read_text(encoding='utf-8').strip()}"
    try:
        yield address
    finally:
        control(address, "POST", "stop")
        while pid.exists():  # which it removes last
            time.sleep(0.2)


def run(folder: Path, hosts: int) -> list[Measured]:
    """Bring up so many hosts, and measure further runs."""
    with cloud(folder) as address:
        controller = Controller(folder, address, hosts)
        controller.bring_up()
        return [controller.again() for _repeat in range(REPEATS)]
