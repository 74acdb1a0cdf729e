# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remove a server with what the role has made for it, and print what was removed.

Arguments: "remove", or "look" which removes nothing; name of the unit without ".service"; folder of
its settings; folder of all settings; link to its environment; folders that all servers of a host
share, comma-separated; and what keeps the server, systemd or supervisord. The shared ones, and the
user, go with the last server.
"""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path

USER = "vllm"
UNITS = Path("/etc/systemd/system")
TRIALS = Path("/run/systemd/system")
PROGRAMS = Path("/etc/supervisor/conf.d")
# Knows the words of systemctl, where the server is a program of supervisord.
SUPERVISED = ["/usr/bin/python3", "-I", "/usr/local/lib/vllm/supervised.py"]
# What makes the devices of the GPUs for all servers of a host.
DEVICES = "vllm-devices.service"
MODULES = Path("/etc/modules-load.d/gpuops-vllm.conf")
# Of the server in the folder of all settings; a folder beside them belongs to another server.
PARTS = ("config.yaml", "vllm.env", "next", "before", ".before", "trial")


def units_of(name: str, is_supervised: bool) -> list[Path]:
    """Return the files of a server's units, those first that could start it again."""
    parts = (f"{name}-health", f"{name}-trial", name)
    files = (
        [PROGRAMS / f"{part}.conf" for part in parts]
        if is_supervised
        else [
            UNITS / f"{name}-health.timer",
            UNITS / f"{name}-health.service",
            TRIALS / f"{name}-trial.service",
            UNITS / f"{name}.service",
        ]
    )
    return [path for path in files if path.exists()]


def others(etc: Path, folder: Path) -> list[str]:
    """Return the folders of the other servers on the host."""
    found = [path.parent for path in (etc / "config.yaml", *etc.glob("*/config.yaml"))]
    own = {folder, *(folder / part for part in PARTS), *(etc / part for part in PARTS)}
    return sorted(str(path) for path in found if path not in own)


def end(units: list[Path], manager: list[str]) -> None:
    """Stop the units and remove their files."""
    for unit in units:
        name = unit.name.removesuffix(".conf")
        # A server that loads does not answer the signal to stop.
        subprocess.run([*manager, "disable", "--quiet", name], check=False)
        if unit.suffix != ".timer":
            kill = [*manager, "kill", "--signal=SIGKILL", name]
            subprocess.run(kill, check=False, stderr=subprocess.DEVNULL)
        subprocess.run([*manager, "stop", name], check=True)
        reset = [*manager, "reset-failed", name]
        subprocess.run(reset, check=False, stderr=subprocess.DEVNULL)
        unit.unlink()
    subprocess.run([*manager, "daemon-reload"], check=True)


def remove(path: Path) -> None:
    """Remove a folder with all in it, or a file, or a link."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def user_exists() -> bool:
    """Whether the user of the servers is there."""
    try:
        pwd.getpwnam(USER)
    except KeyError:
        return False
    return True


def main(
    action: str, name: str, folder: str, etc: str, link: str, shared: str, keeper: str = "systemd"
) -> list[str]:
    """Remove, or only look, and return what is concerned."""
    is_supervised = keeper == "supervisord"
    units = units_of(name, is_supervised)
    stay = others(Path(etc), Path(folder))
    own = [Path(folder)] if folder != etc else [Path(etc) / part for part in PARTS]
    paths = [*own, Path(link), Path(f"/run/{name}-health")]
    if not stay:
        units += [unit for unit in (UNITS / DEVICES,) if unit.exists()]
        paths += [Path(etc), *map(Path, shared.split(",")), MODULES]
    paths = [path for path in paths if os.path.lexists(path)]
    user = not stay and user_exists()
    if action == "remove":
        if units:
            end(units, SUPERVISED if is_supervised else ["systemctl"])
        for path in paths:
            # A folder above it may have taken it along.
            if os.path.lexists(path):
                remove(path)
        if user:
            subprocess.run(["userdel", USER], check=True)
    return [*map(str, [*units, *paths]), *([f"user {USER}"] if user else [])]


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:8])))
