# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real hosts behind doors of the simulator: bought by HTTP, reached by SSH, terminated, gone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from whole_path import SIMULATOR, wait_until_gone

from gpuops_simulator.hosts import INSTANCE_LABEL

PATIENCE = 120.0
LAUNCH = {
    "region_name": "us-west-1",
    "instance_type_name": "gpu_1x_a100_sxm4_80gb",
    "hostname": "llm-1",
    "ssh_key_names": ["mine"],
}
ASK = {
    "image": "docker.io/vastai/kvm:ubuntu_terminal",
    "disk": 20,
    "runtype": "ssh_direct",
    "vm": True,
}


@dataclass
class Doors:
    """A running simulator with two doors, and the key that opens its hosts."""

    urls: dict[str, str]
    key: Path
    pid: str

    def call(self, provider: str, path: str, method: str = "GET", body: Any = None) -> Any:
        """Return what is answered with success."""
        data = None if body is None else json.dumps(body).encode()
        with_key = {"Authorization": "Bearer of-no-account"}
        request = urllib.request.Request(self.urls[provider] + path, data, with_key, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def launch(self, public_key: str) -> str:
        """Buy at Lambda Cloud."""
        key = {"name": "mine", "public_key": public_key}
        self.call("lambda", "/ssh-keys", "POST", key)
        made = self.call("lambda", "/instance-operations/launch", "POST", LAUNCH)
        return str(made["data"]["instance_ids"][0])

    def rent(self, public_key: str) -> str:
        """Buy at Vast.ai."""
        self.call("vast", "/api/v0/ssh/", "POST", {"ssh_key": public_key})
        return str(self.call("vast", "/api/v0/asks/101/", "PUT", ASK)["new_contract"])

    def ssh(self, login: str, port: str, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command on a host."""
        options = ("BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null")
        words = ["ssh", "-F", "none", "-i", str(self.key), "-p", port]
        words += [word for one in options for word in ("-o", one)]
        return subprocess.run(
            [*words, login, command], capture_output=True, text=True, timeout=60, check=False
        )

    def hosts(self) -> set[str]:
        """Return the ids of the instances behind which containers are."""
        name, form = f"name=gpuops-{self.pid}-", f'{{{{index .Labels "{INSTANCE_LABEL}"}}}}'
        command = ["podman", "ps", "--all", "--filter", name, "--format", form]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return set(done.stdout.split())


def wait_for(found: Callable[[], Any], pause: float = 0.5) -> Any:
    """Return what is found in time, if only after some looks."""
    limit = time.monotonic() + PATIENCE
    while not (seen := found()):
        assert time.monotonic() < limit, "it never came true"
        time.sleep(pause)
    return seen


@pytest.fixture
def doors(tmp_path: Path) -> Iterator[Doors]:
    """Start the simulator with both doors, and end it with everything it started."""
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    command: list[Any] = [sys.executable, SIMULATOR, "--hosts", "podman", "--detach"]
    command += ["--providers", "lambda,vast", "--provision-seconds", "1"]
    command += ["--watch-pid", str(os.getpid()), "--pid-file", tmp_path / "pid"]
    command += ["--ports-file", tmp_path / "ports", "--log-file", tmp_path / "log"]
    subprocess.run(command, check=True)
    urls = json.loads((tmp_path / "ports").read_text(encoding="utf-8"))
    yield Doors(urls, key, (tmp_path / "pid").read_text(encoding="utf-8").strip())
    stop = urls["verda"].removesuffix("/v1") + "/_sim/stop"
    urllib.request.urlopen(urllib.request.Request(stop, method="POST"), timeout=10).close()
    wait_until_gone(tmp_path / "pid")
    print((tmp_path / "log").read_text(encoding="utf-8"))


def test_instances_of_two_doors_are_hosts_until_they_are_terminated(doors: Doors) -> None:
    public_key = doors.key.with_suffix(".pub").read_text(encoding="utf-8").strip()
    at_lambda, at_vast = doors.launch(public_key), doors.rent(public_key)

    def there() -> Any:
        row = doors.call("lambda", f"/instances/{at_lambda}")["data"]
        return row["status"] == "active" and row["ip"]

    def here() -> Any:
        row = doors.call("vast", f"/api/v0/instances/{at_vast}/")["instances"]
        place = (row["public_ipaddr"] or "").strip(), (row["ports"] or {}).get("22/tcp")
        return row["actual_status"] == "running" and place

    ip = wait_for(there)
    # Sshd answers some moments before a host lets in anybody but root.
    wait_for(lambda: doors.ssh(f"ubuntu@{ip}", "22", "true").returncode == 0)
    login = doors.ssh(f"ubuntu@{ip}", "22", "sudo -n id -un && id -un && hostname")
    assert login.stdout.split() == ["root", "ubuntu", "llm-1"], login.stderr
    assert doors.ssh(f"root@{ip}", "22", "true").returncode == 255
    address, mapped = wait_for(here, 2.1)
    login = doors.ssh(f"root@{address}", mapped[0]["HostPort"], "id -un")
    assert login.stdout.split() == ["root"], login.stderr

    assert doors.hosts() == {at_lambda, at_vast}
    end = {"instance_ids": [at_lambda]}
    doors.call("lambda", "/instance-operations/terminate", "POST", end)
    doors.call("vast", f"/api/v0/instances/{at_vast}/", "DELETE")
    wait_for(lambda: not doors.hosts())
