# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The devices of a GPU after a reboot: made before the server, which may open and not make them.

The units are those of the role, under a systemd that holds to their device rules. There is no GPU:
a program of the test stands in for nvidia-modprobe, and the kernel's device for tunnels, whose
module and rights are like those of the driver, for the driver's.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gpuops_simulator import hostimage, hosts

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0
DEVICE, NUMBERS = "/dev/nvidia-uvm", "c 10 200"
UNITS = ("vllm.service", "devices.service")
PLAY = """
- hosts: localhost
  connection: local
  gather_facts: false
  vars_files: [{role}/defaults/main.yml, {role}/vars/main.yml]
  vars: {{vllm_model: m, role_path: {role}}}
  tasks:
    - ansible.builtin.template:
        src: "{role}/templates/{{{{ item }}}}.j2"
        dest: "{folder}/{{{{ item }}}}"
      loop: [{units}]
"""
FILES = {
    "/usr/bin/nvidia-modprobe": f"#!/bin/sh\n[ -e {DEVICE} ] || mknod -m 666 {DEVICE} {NUMBERS}\n",
    "/opt/vllm/current/bin/vllm": (
        f"#!/bin/sh\nexec 3<>{DEVICE} && echo opened || exit 1\nexec sleep 3600\n"
    ),
    "/etc/vllm/vllm.env": "",
    # What the driver's group of devices is on a host that has the driver.
    "/etc/systemd/system/vllm.service.d/test.conf": "[Service]\nDeviceAllow=char-misc rw\n",
}


def podman(*words: str, text: str | None = None, check: bool = True) -> str:
    """Run podman and return what it prints."""
    command = ["podman", *hosts.runtime(), *words]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0 or not check, done.stderr
    return done.stdout + done.stderr


@dataclass
class Host:
    """A host whose systemd applies device rules, which takes all rights of this machine."""

    name: str

    def do(self, *words: str, check: bool = True) -> str:
        """Run a command there."""
        return podman("exec", self.name, *words, check=check)

    def write(self, place: str, text: str) -> None:
        """Write a program or a file."""
        script = 'mkdir -p "$(dirname "$1")" && cat > "$1" && chmod 755 "$1"'
        podman("exec", "--interactive", self.name, "sh", "-c", script, "sh", place, text=text)

    def wait(self) -> None:
        """Return when it has booted."""
        limit = time.monotonic() + PATIENCE
        while self.do("systemctl", "is-system-running", check=False).strip() not in (
            "running",
            "degraded",
        ):
            assert time.monotonic() < limit, "it does not boot"
            time.sleep(0.3)

    def opened(self) -> bool:
        """Tell whether the server has opened the device since it was started last."""
        limit = time.monotonic() + PATIENCE
        while time.monotonic() < limit:
            state = self.do("systemctl", "show", "vllm", "--property=InvocationID,ActiveState")
            words = dict(line.split("=", 1) for line in state.splitlines())
            match = f"_SYSTEMD_INVOCATION_ID={words['InvocationID']}"
            said = self.do("journalctl", "--output=cat", "--no-pager", match, check=False)
            if "opened" in said or "denied" in said or "No such" in said:
                return "opened" in said
            time.sleep(0.3)
        return False


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """Provide a host with the units of the role, and without the device."""
    role = ROOT / "roles/vllm"
    book = tmp_path / "play.yml"
    book.write_text(PLAY.format(role=role, folder=tmp_path, units=", ".join(UNITS)), "utf-8")
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections")}
    command = [sys.executable, "-m", "ansible", "playbook", str(book)]
    subprocess.run(command, env=environment, check=True)
    image, line = hostimage.prepare(hosts.runtime(), print)
    print(line)
    made = Host(f"gpuops-devices-{os.getpid()}")
    try:
        podman(
            "run", "--detach", "--systemd=always", "--pull=never", "--name", made.name,
            "--label", f"{hosts.SESSION_LABEL}={hosts.session()}",
            "--privileged", "--cgroupns=private", *hosts.limits(), *hosts.share(),
            image, "/sbin/init",
        )  # fmt: skip
        made.wait()
        made.do("useradd", "--system", "vllm")
        for place, text in FILES.items():
            made.write(place, text)
        for unit in UNITS:
            text = (tmp_path / unit).read_text(encoding="utf-8")
            made.write(f"/etc/systemd/system/{unit.replace('devices', 'vllm-devices')}", text)
        made.do("systemctl", "daemon-reload")
        made.do("systemctl", "enable", "vllm")
        yield made
    finally:
        podman("rm", "--force", "--time", "0", "--volumes", "--ignore", made.name)


def test_devices_are_there_before_the_server_and_after_a_reboot(host: Host) -> None:
    closed = ("systemd-run", "--wait", "--pipe", "--quiet", "--property=DevicePolicy=closed")
    said = host.do(*closed, "mknod", "/run/x", *NUMBERS.split(), check=False)
    assert "not permitted" in said, f"this systemd holds to no device rules: {said}"
    host.do("systemctl", "start", "vllm")
    assert host.opened()
    # The folder of devices is made anew by a boot.
    podman("stop", "--time", "10", host.name)
    podman("start", host.name)
    host.wait()
    assert host.opened()
    # As when a module was loaded again: the next start makes what is missing.
    host.do("rm", DEVICE)
    host.do("systemctl", "restart", "vllm")
    assert host.opened()
