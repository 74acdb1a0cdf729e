# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated cloud with real hosts, and ansible-playbook against it, as a user would run it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SIMULATOR = ROOT / "tests" / "simulator"
MODEL = json.loads((SIMULATOR / "demo_model.json").read_text(encoding="utf-8"))
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "gpuops.cloud"

# Values that no output, process list or log may hold. They are of this session alone, as the tests
# of another one on this machine may look for theirs by a command.
CLIENT_SECRET = f"cs-{secrets.token_hex(16)}"
API_KEY = f"ak-{secrets.token_hex(16)}"
HF_TOKEN = f"hf_{secrets.token_hex(17)}"


@dataclass
class Cloud:
    """A running simulator, and what is needed to use it."""

    url: str
    home: Path
    environment: dict[str, str]
    outputs: list[str] = field(default_factory=list)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Call the control side."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read().decode()
        return json.loads(text) if text else None

    def state(self) -> dict[str, Any]:
        """Return the whole account."""
        return dict(self.call("GET", "/_sim/state"))

    def play(self, playbook: str, *more: str, ok: bool = True, **variables: Any) -> str:
        """Run a playbook and return its output; the return code must be as expected."""
        named = {} if playbook.endswith("status.yml") else {"deployment": "gpuops"}
        values = {"gpuops_home": str(self.home), **named, **variables}
        # Secrets among them would stand in the process list, which the tests search.
        given = self.home.parent / "variables.json"
        given.write_text(json.dumps(values), encoding="utf-8")
        command = ["ansible-playbook", playbook, "-e", f"@{given}", *more]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.outputs.append(done.stdout)
        print(done.stdout[-6000:])
        assert (done.returncode == 0) is ok, f"{playbook} ended with {done.returncode}"
        return done.stdout


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def processes_with(variable: str) -> list[int]:
    """Return the processes with ``NAME=value`` in their environment, whatever session is theirs."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if variable.encode() in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
    return found


def wait_until_gone(pid_file: Path) -> None:
    """Wait for a simulator that removes its hosts; it removes this file last."""
    for _second in range(120):
        if not pid_file.exists():
            return
        time.sleep(1)
    raise AssertionError("the simulated cloud was told to stop and goes on")


@pytest.fixture(scope="module")
def cloud(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cloud]:
    """Start the simulator with real hosts; end it with everything it started.

    HOST_IMAGE of the module says what they boot from: "plain", its default, or "serving".
    """
    folder = tmp_path_factory.mktemp("cloud")
    simulator = [sys.executable, SIMULATOR]
    simulator += ["--host-image", getattr(request.module, "HOST_IMAGE", "plain")]
    subprocess.run([*simulator, "--prepare-hosts"], check=True)
    command = [*simulator, "--hosts", "podman", "--detach"]
    command += [
        "--scenario",
        SIMULATOR / "scenarios" / "demo.json",
        "--watch-pid",
        str(os.getpid()),
    ]
    command += ["--port-file", folder / "port", "--log-file", folder / "log"]
    command += ["--pid-file", folder / "pid"]
    subprocess.run(command, check=True)
    address = (folder / "port").read_text(encoding="utf-8").strip()
    environment = {
        **os.environ,
        "DATACRUNCH_CLIENT_ID": "e2e",
        "DATACRUNCH_CLIENT_SECRET": CLIENT_SECRET,
        "DATACRUNCH_BASE_URL": f"http://{address}/v1",
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
        "ANSIBLE_NOCOLOR": "1",
    }
    running = Cloud(f"http://{address}", folder / "home", environment)
    yield running
    # It may be gone before it has answered.
    with contextlib.suppress(OSError, http.client.HTTPException):
        running.call("POST", "/_sim/stop")
    wait_until_gone(folder / "pid")


@pytest.fixture(scope="session")
def serving() -> dict[str, Any]:
    """Return the variables with which a host without a GPU serves the small model."""
    return {
        "tier": "h100_or_less",
        "vllm_device": "cpu",
        "vllm_model": "/var/lib/vllm/models/gpuops-demo",
        "vllm_model_script": str(SIMULATOR / "demo_model.py"),
        "vllm_wheelhouse": str(CACHE / "wheelhouse"),
        "vllm_ca_bundle": os.environ.get("SSL_CERT_FILE", ""),
        "prompt": MODEL["prompt"],
    }
