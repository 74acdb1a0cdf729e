# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print in a sentence over which network a server's NCCL talks to other hosts; argument: its unit.

NCCL tells it in the journal, with NCCL_DEBUG=INFO. Where it finds nothing faster it takes sockets
without a complaint, and the model answers many times slower.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

# "Using network IB" up to 2.26, "Assigned NET plugin IB to comm" later; before either of them
# "NET/IB : Using [0]mlx5_0:1/IB [1]mlx5_1:1/IB; OOB eth0:10.0.0.4<0>", or "No device found.".
TAKEN = re.compile(r"NCCL INFO (?:Using network|Assigned NET plugin) (\S+)")
FOUND = re.compile(r"NCCL INFO NET/(\S+) ?: Using (.+?)(?:; OOB.*)?$", re.MULTILINE)
SOCKET = "Socket"


def journal(unit: str) -> str:
    """Return what the unit has said since its last start, nothing where it was never started."""
    ask = ["systemctl", "show", unit, "--property=InvocationID", "--value"]
    start = subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip()
    if not start:
        return ""
    read = ["journalctl", "--output=cat", "--no-pager", f"_SYSTEMD_INVOCATION_ID={start}"]
    return subprocess.run(read, capture_output=True, text=True, check=True).stdout


def networks(text: str) -> dict[str, str]:
    """Return the networks that NCCL has taken, each with its devices there."""
    found = {name: devices.strip() for name, devices in FOUND.findall(text)}
    taken = dict.fromkeys(TAKEN.findall(text)) or dict.fromkeys(found)
    return {name: found.get(name, "") for name in taken}


def infiniband(devices: Path) -> list[str]:
    """Return the InfiniBand devices of the host that have a link."""
    ports = [
        port
        for port in sorted(devices.glob("*/ports/*"))
        if "ACTIVE" in word(port / "state") and word(port / "link_layer") == "InfiniBand"
    ]
    return list(dict.fromkeys(port.parent.parent.name for port in ports))


def word(path: Path) -> str:
    """Return what a small file says, or nothing when it cannot be read."""
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def sentence(taken: dict[str, str], fast: list[str]) -> str:
    """Say which network it is, and that there is a faster one."""
    if not taken:
        return "NCCL has not said which network it takes"
    parts = [f"{name} ({devices})" if devices else name for name, devices in taken.items()]
    told = f"NCCL talks to the other hosts by {', '.join(parts)}"
    if SOCKET in taken and fast:
        return f"{told}, which is slow, though {', '.join(fast)} of InfiniBand has a link here"
    return told


if __name__ == "__main__":
    print(sentence(networks(journal(sys.argv[1])), infiniband(Path("/sys/class/infiniband"))))
