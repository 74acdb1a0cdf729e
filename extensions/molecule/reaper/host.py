# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host that plays the controller: start NAME KEY_FILE, restart NAME, remove NAME.

It is no machine of the simulated cloud, but of the same image. Prints {"ip": …, "gateway": …}.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tests/simulator"))

from gpuops_simulator import hostimage, hosts


def podman(*arguments: str, text: str | None = None) -> str:
    """Run podman and return its output."""
    command = ["podman", *hosts.runtime(), *arguments]
    done = subprocess.run(command, input=text, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


def start(name: str, key_file: str) -> None:
    """Boot a host that the key opens for root."""
    remove(name)
    image, _line = hostimage.prepare(hosts.runtime(), print)
    # If the whole session is killed, the next one removes it, as it does hosts of simulators.
    owner = hosts.identity(int(os.environ.get("GPUOPS_WATCH_PID", "0")))
    options = ["--label", f"{hosts.OWNER_LABEL}={owner}"] if owner else []
    options += [*hosts.limits(), *hosts.share()]
    podman(
        *("run", "--detach", "--systemd=always", "--pull=never", "--name", name),
        *("--hostname", "controller", *options, image, "/sbin/init"),
    )
    let_in = "umask 077; cat > /root/.ssh/authorized_keys"
    key = Path(key_file).read_text(encoding="utf-8")
    podman("exec", "--interactive", name, "sh", "-c", let_in, text=key)
    address(name)


def restart(name: str) -> None:
    """Boot the host again, as a power failure would."""
    podman("restart", "--time", "0", name)
    address(name)


def remove(name: str) -> None:
    """Remove the host, if there is one."""
    podman("rm", "--force", "--time", "0", "--volumes", "--ignore", name)


def address(name: str) -> None:
    """Print where the host is, and where it reaches the machine that it runs on."""
    form = '{"ip": "{{.NetworkSettings.IPAddress}}", "gateway": "{{.NetworkSettings.Gateway}}"}'
    print(json.dumps(json.loads(podman("inspect", "--format", form, name))))


if __name__ == "__main__":
    {"start": start, "restart": restart, "remove": remove}[sys.argv[1]](*sys.argv[2:])
