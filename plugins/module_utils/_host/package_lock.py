# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who holds the locks of the package manager (private)."""

from __future__ import annotations

import fcntl
import struct
import time
from collections.abc import Callable
from pathlib import Path

# A run of the package manager takes the first one for all of its time, and the last to refresh its lists.
LOCKS = ("var/lib/dpkg/lock-frontend", "var/lib/dpkg/lock", "var/lib/apt/lists/lock")
# struct flock of Linux: type, whence, start, length, process.
FLOCK = "hhqqi4x"


def holder(root: Path = Path("/")) -> str:
    """Return who holds one of the locks, or an empty text."""
    for name in LOCKS:
        path = root / name
        pid = _locked_by(path) if path.exists() else 0
        if pid:
            return f"{_program(pid)} holds the package lock {path}"
    return ""


def _locked_by(path: Path) -> int:
    """Return the process that keeps others from locking the file: 0 for none, -1 for an unknown."""
    wish = struct.pack(FLOCK, fcntl.F_WRLCK, 0, 0, 0, 0)
    with path.open("rb+") as file:
        seen = struct.unpack(FLOCK, fcntl.fcntl(file, fcntl.F_GETLK, wish))
    return 0 if seen[0] == fcntl.F_UNLCK else int(seen[4]) or -1


def _program(pid: int) -> str:
    try:
        name = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return "another program"
    return f"{name} (pid {pid})"


def wait_until_free(
    seconds: float,
    look: Callable[[], str] = holder,
    now: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> tuple[str, float]:
    """Wait until nobody holds a lock; returns who still does, and how long it took."""
    began = now()
    while (found := look()) and now() - began < seconds:
        pause(1)
    return found, now() - began
