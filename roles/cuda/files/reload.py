# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load the installed driver's kernel modules, in place of old ones, without a reboot.

Touches nothing while a program uses a GPU. Prints as JSON whether the driver works afterwards, who
uses a GPU, and what stood in the way.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

# They hold the devices all the time and are started again. The kernel keeps 15 letters of a name.
SERVICES = {
    "nvidia-persiste": "nvidia-persistenced.service",
    "nv-fabricmanage": "nvidia-fabricmanager.service",
    "nv-hostengine": "nvidia-dcgm.service",
}
# Each before those it stands on; nouveau is the kernel's own driver of the same GPUs.
MODULES = ("nvidia_peermem", "nvidia_uvm", "nvidia_drm", "nvidia_modeset", "nvidia", "nouveau")
LOADED = ("nvidia", "nvidia_uvm")


def run(*command: str) -> tuple[int, str]:
    """Return exit status and output; 127 with the reason when it cannot be started."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return 127, str(error)
    return done.returncode, f"{done.stdout}{done.stderr}".strip()


def users(processes: Path = Path("/proc")) -> list[str]:
    """Return `name (process)` of each program that has a GPU open, our own services left out."""
    found = []
    for folder in processes.glob("[0-9]*"):
        name = command_of(folder)
        if name not in SERVICES and holds_device(folder / "fd"):
            found.append(f"{name} ({folder.name})")
    return sorted(found)


def command_of(folder: Path) -> str:
    """Return the name of a process, '' when it has ended."""
    try:
        return (folder / "comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def holds_device(files: Path) -> bool:
    """Tell whether one of the open files is a device of the driver."""
    try:
        return any(str(file.readlink()).startswith("/dev/nvidia") for file in files.iterdir())
    except OSError:
        return False


def loaded(processes: Path = Path("/proc")) -> set[str]:
    """Return the names of the kernel modules that are loaded."""
    try:
        lines = (processes / "modules").read_text(encoding="utf-8").splitlines()
    except OSError:
        # A kernel that cannot load modules has no such list.
        return set()
    return {line.split()[0] for line in lines if line}


def exchange(present: set[str]) -> str:
    """Take the old modules out and put the installed ones in; returns what failed, or ''."""
    for module in (name for name in MODULES if name in present):
        status, said = run("rmmod", module)
        if status:
            return f"rmmod {module}: {said}"
    for module in LOADED:
        status, said = run("modprobe", module)
        if status:
            return f"modprobe {module}: {said}"
    return ""


def reload(processes: Path = Path("/proc")) -> dict[str, Any]:
    """Exchange the modules unless a GPU is in use; returns works, users and why."""
    busy = users(processes)
    if busy:
        return {"works": False, "users": busy, "why": f"in use by {', '.join(busy)}"}
    stopped = [name for name in SERVICES.values() if not run("systemctl", "is-active", name)[0]]
    for name in stopped:
        run("systemctl", "stop", name)
    why = exchange(loaded(processes))
    for name in stopped:
        run("systemctl", "start", name)
    status, said = run("nvidia-smi", "--list-gpus")
    works = status == 0 and bool(said)
    return {"works": works, "users": [], "why": "" if works else why or said[-500:]}


if __name__ == "__main__":
    print(json.dumps(reload()))
