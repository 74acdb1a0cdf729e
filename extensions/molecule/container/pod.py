# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that is a container: start NAME KEY_FILE, restart NAME, remove NAME.

It is of the simulator's image on which vLLM is installed, and begins with sshd alone. What would
ask systemd is taken out. "start" and "restart" print the port of this machine that leads to it.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tests/simulator"))

from gpuops_simulator import hosts, servingimage

BEGIN = """set -eu
rm -f /usr/bin/systemctl /usr/bin/systemd-run /usr/bin/journalctl
mkdir -p /run/sshd
ssh-keygen -q -A
exec /usr/sbin/sshd -D -e
"""
READY_SECONDS = 90.0


def podman(*arguments: str, text: str | None = None) -> str:
    """Run podman and return its output."""
    command = ["podman", *hosts.runtime(), *arguments]
    done = subprocess.run(command, input=text, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


def start(name: str, key_file: str) -> None:
    """Begin a pod that the key opens for root."""
    remove(name)
    image, line = servingimage.prepare(hosts.runtime(), print)
    print(line)
    # If the whole session is killed, the next one removes it, as it does hosts of simulators.
    owner = hosts.identity(int(os.environ.get("GPUOPS_WATCH_PID", "0")))
    options = ["--label", f"{hosts.OWNER_LABEL}={owner}"] if owner else []
    options += ["--shm-size", hosts.SHARED_MEMORY, *hosts.limits(), *hosts.share()]
    podman(
        *("run", "--detach", "--systemd=false", "--pull=never", "--name", name),
        *("--hostname", "pod", "--publish", "127.0.0.1::22", *options, image, "sh", "-c", BEGIN),
    )
    let_in = "umask 077; mkdir -p /root/.ssh; cat > /root/.ssh/authorized_keys"
    key = Path(key_file).read_text(encoding="utf-8")
    podman("exec", "--interactive", name, "sh", "-c", let_in, text=key)
    wait(name)


def restart(name: str) -> None:
    """End all that runs in the pod and begin it anew, as its host does after maintenance."""
    podman("restart", "--time", "0", name)
    wait(name)


def remove(name: str) -> None:
    """Remove the pod, if there is one."""
    podman("rm", "--force", "--time", "0", "--volumes", "--ignore", name)


def wait(name: str) -> None:
    """Print the port that leads to sshd, once it answers there."""
    port = int(podman("port", name, "22").rpartition(":")[2])
    limit = time.monotonic() + READY_SECONDS
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
                if connection.recv(4) == b"SSH-":
                    break
        except OSError as error:
            if time.monotonic() > limit:
                sys.exit(f"{name} has no sshd after {READY_SECONDS:.0f} s: {error}")
        time.sleep(0.3)
    print(port)


if __name__ == "__main__":
    {"start": start, "restart": restart, "remove": remove}[sys.argv[1]](*sys.argv[2:])
