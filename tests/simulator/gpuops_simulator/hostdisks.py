# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks of real hosts: a data volume is a sparse file behind a loop device."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

PREFIX = "gpuops-disks-"
OWNER = "owner"
GIB = 1 << 30


class HostDisks:
    """The disks of one simulator run; what is on them lasts as long as the run."""

    def __init__(self, run_id: str, owner: str) -> None:
        self._folder = Path(tempfile.gettempdir(), f"{PREFIX}{run_id}")
        self._owner = owner
        self._lock = threading.Lock()

    def attach(self, volume_id: str, size: int) -> str:
        """Return the loop device of a volume of `size` GiB, made or grown if need be; OSError."""
        with self._lock:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            (self._folder / OWNER).write_text(self._owner, encoding="utf-8")
            file = self._folder / volume_id
            with file.open("ab"):
                if file.stat().st_size < size * GIB:
                    os.truncate(file, size * GIB)
            loops = _loops(file)
            if not loops:
                return _losetup("--find", "--show", str(file))
            _losetup("--set-capacity", loops[0])
            return loops[0]

    def close(self) -> None:
        """Remove every disk of this run."""
        _remove(self._folder)

    @staticmethod
    def sweep(alive: Callable[[str], bool]) -> None:
        """Remove the disks of simulators that no longer exist."""
        for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
            owner = folder / OWNER
            if owner.is_file() and not alive(owner.read_text(encoding="utf-8")):
                _remove(folder)


def _remove(folder: Path) -> None:
    if not folder.is_dir():
        return
    for file in folder.iterdir():
        for loop in _loops(file) if file.name != OWNER else []:
            # A loop that is still mounted somewhere goes when it no longer is.
            _losetup("--detach", loop)
    shutil.rmtree(folder, ignore_errors=True)


def _loops(file: Path) -> list[str]:
    """The loop devices that a file is behind."""
    lines = _losetup("--associated", str(file), "--noheadings", "--output", "NAME").splitlines()
    return [line.strip() for line in lines if line.strip()]


def _losetup(*arguments: str) -> str:
    """Run losetup and return its output; a failure becomes an OSError with its words."""
    done = subprocess.run(
        ["losetup", *arguments], capture_output=True, text=True, timeout=30, check=False
    )
    if done.returncode:
        raise OSError(f"losetup: {done.stderr.strip()}")
    return done.stdout.strip()
