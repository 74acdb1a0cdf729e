# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print as JSON what a cluster must know of a host: its address among the others; reads only."""

from __future__ import annotations

import argparse
import hashlib
import ipaddress
import json
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

# Networks that end at the host itself.
INSIDE = re.compile(r"(lo|docker|br-|podman|cni|virbr|veth)")
RULES = Path("/etc/gpuops/firewall.nft")
Place = tuple[str, str]


def places() -> list[Place]:
    """Return interface and address of each IPv4 address that leads out of the host."""
    command = ["ip", "-json", "-4", "address", "show", "up"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [
        (link["ifname"], entry["local"])
        for link in json.loads(done.stdout)
        for entry in link.get("addr_info", ())
        if not INSIDE.match(link["ifname"]) and entry.get("scope") == "global"
    ]


def is_private(address: str) -> bool:
    """Tell whether strangers cannot send anything to the address."""
    return not ipaddress.ip_address(address).is_global


def choose(found: list[Place], ssh: str, address: str, interface: str) -> Place | str:
    """Return where the others reach this host, or why that cannot be said."""
    shown = ", ".join(" ".join(place) for place in found) or "none"
    if address or interface:
        asked = f"address {address}" if address else f"interface {interface}"
        named = [
            place for place in found if address in ("", place[1]) and interface in ("", place[0])
        ]
        return named[0] if named else f"the host has no {asked}, but {shown}"
    # The one that leads to the controller comes first, for it is known to lead somewhere.
    ranked = sorted(found, key=lambda place: (not is_private(place[1]), place[1] != ssh))
    return ranked[0] if ranked else "the host has no IPv4 address but its own"


def model_digest(model: str) -> str:
    """Return what tells the models of two hosts apart, empty when there is none in a folder."""
    folder = Path(model)
    config = folder / "config.json"
    if not model.startswith("/") or not config.exists():
        return ""
    sizes = [(path.name, path.stat().st_size) for path in sorted(folder.glob("*.safetensors"))]
    return hashlib.sha256(config.read_bytes() + repr(sizes).encode()).hexdigest()[:12]


def main(options: argparse.Namespace) -> dict[str, Any]:
    """Return everything that is asked for."""
    place = choose(places(), options.ssh, options.address, options.interface)
    interface, address = ("", "") if isinstance(place, str) else place
    return {
        "problem": place if isinstance(place, str) else "",
        "interface": interface,
        "address": address,
        "private": bool(address) and is_private(address),
        "firewall": RULES.exists(),
        "glibc": platform.libc_ver()[1],
        "options": {
            "Python": ".".join(map(str, sys.version_info[:2])),
            "machine": platform.machine(),
            "files of the model": model_digest(options.model),
        },
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name in ("--ssh", "--address", "--interface", "--model"):
        parser.add_argument(name, default="")
    print(json.dumps(main(parser.parse_args())))
