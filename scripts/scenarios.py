# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Molecule scenarios: one after the other, or those that share a simulated cloud beside each other.

A shared cloud is started once, and each scenario has a deployment of its own there. What such a
scenario prints is told when it has ended.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench import Bench
from workshop import ROOT

# They wait for their hosts most of the time, and ask nothing of the cloud itself.
SHARED = ("cuda", "exporters", "firewall", "storage")
AT_ONCE = 2
SIMULATOR = ROOT / "tests/simulator"
STOP_SECONDS = 120
ENDED = ("discontinued", "deleted")


def play(at: Bench, scenarios: list[str]) -> None:
    """Run scenarios; each counts as one check. One alone always has a cloud of its own."""
    together = [name for name in scenarios if name in SHARED]
    if len(together) > 1:
        play_together(at, together)
    for name in scenarios:
        if len(together) < 2 or name not in together:
            at.check(f"molecule {name}", "molecule", "test", "--scenario-name", name)


def play_together(at: Bench, scenarios: list[str]) -> None:
    """Run scenarios on one cloud, some at a time; at its end nothing may be left there."""
    with tempfile.TemporaryDirectory(dir=at.env["TMPDIR"]) as folder:
        port_file = Path(folder, "port")
        with shared_cloud(at, port_file), ThreadPoolExecutor(AT_ONCE) as pool:
            env = {**at.env, "GPUOPS_MOLECULE_CLOUD": str(port_file)}
            outcomes = pool.map(lambda name: run(name, env, Path(folder, name)), scenarios)
            for name, good in zip(scenarios, outcomes, strict=True):
                at.result.check(f"molecule {name}", good)


def run(name: str, env: dict[str, str], output: Path) -> bool:
    """Run one scenario, tell its output when it has ended, and return whether it was good."""
    started = time.monotonic()
    command = ["molecule", "test", "--scenario-name", name]
    print(f"molecule {name} begins, beside others", flush=True)
    with output.open("wb") as stream:
        code = subprocess.run(
            command, cwd=ROOT, env=env, stdout=stream, stderr=subprocess.STDOUT, check=False
        ).returncode
    text = output.read_text(encoding="utf-8", errors="replace")
    print(f"{text}\nmolecule {name}: {time.monotonic() - started:.0f} s, rc {code}", flush=True)
    return code == 0


@contextlib.contextmanager
def shared_cloud(at: Bench, port_file: Path) -> Iterator[None]:
    """Start a simulated cloud with real hosts; stop it, and check that it had ended them all."""
    simulator = ["python", SIMULATOR]
    at.check("the image of the hosts", *simulator, "--prepare-hosts")
    options = ["--hosts=podman", "--detach", "--provision-seconds=2", f"--port-file={port_file}"]
    log = [f"--log-file={port_file}.log", f"--watch-pid={at.env['GPUOPS_WATCH_PID']}"]
    at.check("the shared cloud", *simulator, *options, *log)
    try:
        yield
    finally:
        at.result.check("nothing is left in the shared cloud", stop(port_file))


def stop(port_file: Path) -> bool:
    """Stop a cloud and wait until its hosts are gone; return whether it had no machines left."""
    machines = json.loads(ask(port_file, "GET", "state"))["instances"]
    # It may be gone before it has answered.
    with contextlib.suppress(OSError, http.client.HTTPException):
        ask(port_file, "POST", "stop")
    limit = time.monotonic() + STOP_SECONDS
    while port_file.exists() and time.monotonic() < limit:
        time.sleep(0.2)
    return {one["status"] for one in machines} <= set(ENDED) and not port_file.exists()


def ask(port_file: Path, method: str, call: str) -> bytes:
    """Return what the control side of a simulator answers."""
    address = port_file.read_text(encoding="utf-8").strip()
    with contextlib.closing(http.client.HTTPConnection(address, timeout=10)) as link:
        link.request(method, f"/_sim/{call}")
        return link.getresponse().read()
