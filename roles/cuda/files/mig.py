# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Divide every GPU of this host into MIG instances, or end that; does nothing where it is so.

usage: mig.py PROFILES yes|no: profiles with commas, such as 3g.40gb,3g.40gb, or `off`; whether to
act, or only to say what would be done. Prints as JSON `changed`, `problem` (a sentence or ''),
`reboot` (whether only a reboot brings it about) and `actions` (sentences).
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

OFF = "off"
MODES = ("Enabled", "Disabled")


class MigError(RuntimeError):
    """The layout cannot be made; the message says why."""


def smi(*arguments: str) -> str:
    """Return what nvidia-smi prints; raises MigError with its words when it fails."""
    try:
        done = subprocess.run(
            ["nvidia-smi", *arguments], capture_output=True, text=True, timeout=120, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MigError(str(error)) from error
    if done.returncode:
        raise MigError(f"nvidia-smi {' '.join(arguments)}: {done.stdout}{done.stderr}".strip())
    return done.stdout


def modes() -> list[tuple[str, str, str]]:
    """Return index, name and MIG mode of each GPU; the mode is [N/A] where there is none."""
    text = smi("--query-gpu=index,name,mig.mode.current", "--format=csv,noheader")
    rows = [[field.strip() for field in line.split(",")] for line in text.splitlines() if line]
    return [(row[0], row[1], row[2]) for row in rows]


def layouts() -> dict[str, list[str]]:
    """Return the profiles of each GPU's instances, sorted, by the GPU's index."""
    found: dict[str, list[str]] = {}
    index = ""
    for line in smi("--list-gpus").splitlines():
        if gpu := re.match(r"GPU (\d+):", line):
            index = gpu.group(1)
            found[index] = []
        elif part := re.match(r"\s+MIG (\S+)\s+Device", line):
            found[index] = sorted([*found[index], part.group(1)])
    return found


def divide(index: str, mode: str, wanted: list[str], have: list[str]) -> bool:
    """Make the layout of one GPU; False when the mode takes a reboot to change."""
    if have:
        smi("mig", "-i", index, "-dci")
        smi("mig", "-i", index, "-dgi")
    if not wanted:
        smi("-i", index, "-mig", "0")
        return mode_of(index) == "Disabled"
    if mode != "Enabled":
        smi("-i", index, "-mig", "1")
        if mode_of(index) != "Enabled" and not reset(index):
            return False
    smi("mig", "-i", index, "-cgi", ",".join(wanted), "-C")
    return True


def mode_of(index: str) -> str:
    """Return the MIG mode of one GPU as it is now."""
    return next(mode for number, _name, mode in modes() if number == index)


def reset(index: str) -> bool:
    """Try to reset a GPU, which an A100 needs for its new mode; tells whether the mode is on."""
    try:
        smi("--gpu-reset", "-i", index)
    except MigError:
        return False
    return mode_of(index) == "Enabled"


def settle(wanted: list[str], act: bool) -> dict[str, Any]:
    """Bring every GPU to the wanted layout; an empty one means MIG off."""
    result: dict[str, Any] = {"changed": False, "problem": "", "reboot": False, "actions": []}
    gpus = modes()
    without = sorted({name for _index, name, mode in gpus if mode not in MODES})
    if wanted and without:
        raise MigError(f"{', '.join(without)} cannot be divided: MIG takes A100, H100 or newer")
    have = layouts()
    todo = [
        (index, mode)
        for index, _name, mode in gpus
        if have.get(index, []) != sorted(wanted) or (mode == "Enabled") != bool(wanted)
    ]
    result["changed"] = bool(todo)
    aim = f"divide it into {', '.join(wanted)}" if wanted else "switch MIG off"
    result["actions"] = [f"GPU {index}: {aim}" for index, _mode in todo]
    if todo and act:
        users = smi("--query-compute-apps=pid,process_name", "--format=csv,noheader").split("\n")
        if busy := [user for user in users if user.strip()]:
            raise MigError(f"a GPU is in use by {'; '.join(busy)}: stop that first")
        done = [divide(index, mode, wanted, have.get(index, [])) for index, mode in todo]
        result["reboot"] = not all(done)
    return result


def main(profiles: str, act: str) -> dict[str, Any]:
    """Answer what the command line asks."""
    wanted = [] if profiles == OFF else profiles.split(",")
    try:
        return settle(wanted, act == "yes")
    except MigError as error:
        return {"changed": False, "problem": str(error), "reboot": False, "actions": []}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2])))
