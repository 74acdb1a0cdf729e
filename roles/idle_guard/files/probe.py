# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print as JSON whether the guard is on the host just as it is wanted; reads only.

Argument: JSON with state, user, timer, files (path, mode, digest), and everything that is made.
"""

from __future__ import annotations

import hashlib
import json
import pwd
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

RUNS = {"ActiveState=active", "UnitFileState=enabled", "NeedDaemonReload=no"}


def is_as_wanted(path: Path, mode: str, digest: str) -> bool:
    """Tell whether a file has this content and mode, and is one that only its owner changes."""
    try:
        status, content = path.lstat(), path.read_bytes()
    except OSError:
        return False
    plain = stat.S_ISREG(status.st_mode) and stat.S_IMODE(status.st_mode) == int(mode, 8)
    return plain and hashlib.sha256(content).hexdigest() == digest


def runs(timer: str) -> bool:
    """Tell whether systemd runs the timer as its file says, now and at boot."""
    asked = "--property=ActiveState,UnitFileState,NeedDaemonReload"
    command = ["systemctl", "show", timer, asked]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return set(done.stdout.splitlines()) >= RUNS


def knows(user: str) -> bool:
    """Tell whether the host has such a user."""
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def is_ready(wanted: dict[str, Any]) -> bool:
    """Tell whether there is nothing to do."""
    if wanted["state"] == "absent":
        return not knows(wanted["user"]) and not any(Path(one).exists() for one in wanted["made"])
    same = all(is_as_wanted(Path(path), *how) for path, *how in wanted["files"])
    return same and knows(wanted["user"]) and runs(wanted["timer"])


if __name__ == "__main__":
    print(json.dumps({"ready": is_ready(json.loads(sys.argv[1]))}))
