# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print as JSON which NVIDIA GPUs and which driver this host has; reads only.

usage: probe.py [ROOT]: the folder that holds sys, etc and usr, / unless given.
"""

from __future__ import annotations

import csv
import json
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

KEYS = {
    "index": "index",
    "name": "name",
    "uuid": "uuid",
    "driver_version": "driver_version",
    "memory.total": "memory_mb",
    "compute_cap": "compute_cap",
    "mig.mode.current": "mig",
}
WHOLE = ("index", "memory_mb")
NVIDIA = "0x10de"
# PCI classes of graphics: VGA and 3D controllers. NVIDIA also makes bridges and audio functions.
GRAPHICS = ("0x0300", "0x0302")
# Up to Hopper the switches of NVLink stand on the PCI bus as bridges of this class.
SWITCH = "0x0680"
# From Blackwell on they hide behind a network card whose product data says so.
SWITCH_CARD = b"SW_MNG"
# PCI device numbers rise with the generations: the open kernel modules need Turing, the first of
# which is this, and for Blackwell there are no others.
TURING, BLACKWELL = 0x1E00, 0x2900
SECURE_BOOT = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
UNIT_FOLDERS = ("etc/systemd/system", "usr/lib/systemd/system", "lib/systemd/system")
APT_SOURCES = ("etc/apt/sources.list", "etc/apt/sources.list.d/debian.sources")


def parse_gpus(text: str) -> list[dict[str, Any]]:
    """Return the GPUs that nvidia-smi lists as KEYS in CSV without header and units."""
    rows = [row for row in csv.reader(text.splitlines(), skipinitialspace=True) if row]
    texts = [[field.strip() for field in row] for row in rows]
    gpus = [dict(zip(KEYS.values(), row, strict=False)) for row in texts]
    return [{k: whole(v) if k in WHOLE else v for k, v in gpu.items()} for gpu in gpus]


def whole(text: str) -> int:
    """A whole number; 0 where the driver says [N/A] or the like."""
    return int(text) if text.isdigit() else 0


def cuda_version(header: str) -> str:
    """Return the newest CUDA that the driver supports, from the header of nvidia-smi, or ''."""
    found = re.search(r"CUDA Version: *(\d+\.\d+)", header)
    return found.group(1) if found else ""


def pci_devices(devices: Path) -> list[tuple[str, int]]:
    """Return class (as 0x0302) and number of each NVIDIA device, with a driver or without."""
    found = []
    for device in sorted(devices.glob("*")):
        vendor, kind, number = (word(device / name) for name in ("vendor", "class", "device"))
        if vendor == NVIDIA:
            found.append((kind[:6], int(number or "0", 16)))
    return found


def word(path: Path) -> str:
    """Return what a small file says, or '' when it cannot be read."""
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def run(*command: str) -> tuple[int | None, str]:
    """Return (exit status, output), or (None, reason) when the program cannot be started."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, str(error)
    return done.returncode, f"{done.stdout}{done.stderr}".strip()


def distribution(root: Path) -> str:
    """Return the system as NVIDIA's repositories call it, such as ubuntu2404 or debian12."""
    lines = re.findall(r'^(ID|VERSION_ID)="?([^"\n]*)"?$', word(root / "etc/os-release"), re.M)
    pairs = dict(lines)
    return (pairs.get("ID", "") + pairs.get("VERSION_ID", "")).replace(".", "")


def secure_boot(root: Path) -> bool:
    """Tell whether the firmware refuses kernel modules that nobody signed."""
    try:
        return (root / SECURE_BOOT).read_bytes()[-1:] == b"\x01"
    except OSError:
        return False


def switch_card(root: Path) -> bool:
    """Tell whether a network card leads to NVLink switches, as on boards from B200 on."""
    for data in (root / "sys/class/infiniband").glob("*/device/vpd"):
        try:
            if SWITCH_CARD in data.read_bytes():
                return True
        except OSError:
            continue
    return False


def fabric(root: Path, devices: list[tuple[str, int]]) -> dict[str, Any]:
    """Return whether NVLink switches need the fabric manager, and which one runs."""
    card = switch_card(root)
    found = {"needed": card or any(kind == SWITCH for kind, _number in devices), "card": card}
    if not found["needed"]:
        return {**found, "version": "", "active": False}
    said = re.search(r"\d+\.\d+(\.\d+)?", run("nv-fabricmanager", "--version")[1])
    active = run("systemctl", "is-active", "nvidia-fabricmanager")[0] == 0
    return {**found, "version": said.group(0) if said else "", "active": active}


def surroundings(root: Path) -> dict[str, Any]:
    """Return what an installation has to know: system, kernel, GPUs on the bus, what is set up."""
    devices = pci_devices(root / "sys/bus/pci/devices")
    numbers = [number for kind, number in devices if kind in GRAPHICS]
    units = [root / folder / "nvidia-persistenced.service" for folder in UNIT_FOLDERS]
    no_contrib = [
        f"/{name}"
        for name in APT_SOURCES
        if "main" in (text := word(root / name)) and "contrib" not in text
    ]
    return {
        "pci": len(numbers),
        "modules": {
            "open": all(number >= TURING for number in numbers),
            "proprietary": all(number < BLACKWELL for number in numbers),
        },
        "distribution": distribution(root),
        "machine": platform.machine(),
        "kernel": platform.release(),
        "secure_boot": secure_boot(root),
        "fabric": fabric(root, devices),
        "persistenced": any(unit.exists() for unit in units),
        "no_contrib": no_contrib,
        # A container has none, and the driver of whoever started it.
        "systemd": Path("/run/systemd/system").is_dir(),
    }


def probe(root: Path = Path("/")) -> dict[str, Any]:
    """Return what there is, and in `state`: works, absent, no_driver, mismatch or broken."""
    query = f"--query-gpu={','.join(KEYS)}"
    status, output = run("nvidia-smi", query, "--format=csv,noheader,nounits")
    found = {"gpus": [], "mig": False, "cuda": "", "said": output[-500:], **surroundings(root)}
    if status == 0 and (gpus := parse_gpus(output)):
        mig = [gpu.get("mig") == "Enabled" for gpu in gpus]
        cuda = cuda_version(run("nvidia-smi")[1])
        return {**found, "state": "works", "gpus": gpus, "mig": any(mig), "cuda": cuda}
    if "version mismatch" in output:
        return {**found, "state": "mismatch"}
    if status is None:
        return {**found, "state": "no_driver" if found["pci"] else "absent"}
    return {**found, "state": "broken" if found["pci"] else "absent"}


if __name__ == "__main__":
    print(json.dumps(probe(Path(sys.argv[1] if len(sys.argv) > 1 else "/"))))
