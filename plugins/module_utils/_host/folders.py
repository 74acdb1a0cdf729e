# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders of a host: whose they are, and how much room they have (private)."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from grp import struct_group
from pathlib import Path
from pwd import struct_passwd
from typing import TypedDict

from .block_device import GIB, DiskError


class Room(TypedDict):
    """Size and free space in GiB, null where there is no folder yet."""

    size_gb: float | None
    free_gb: float | None


def make(path: Path) -> None:
    """Make a folder and those above it, for everybody to enter, whatever umask the login has."""
    before = os.umask(0o022)
    try:
        path.mkdir(0o755, parents=True, exist_ok=True)
    finally:
        os.umask(before)


def owner_id(
    lookup: Callable[[str], struct_passwd] | Callable[[str], struct_group], name: str | None
) -> int:
    """Return the number of a user or group, -1 for no name; raises DiskError."""
    if not name:
        return -1
    if name.isdigit():
        return int(name)
    try:
        return int(lookup(name)[2])
    except KeyError as error:
        raise DiskError(f"there is no {name} among the users or groups of this host") from error


def give(path: Path, user: int, group: int) -> None:
    """Change the owner of everything in a folder, and of the folder itself when that is done."""
    for folder, names, files in os.walk(path):
        for name in (*names, *files):
            os.lchown(Path(folder, name), user, group)
    os.lchown(path, user, group)


def room(path: Path) -> Room:
    """Return size and free space in GiB of the file system that a folder is in."""
    if not path.is_dir():
        return {"size_gb": None, "free_gb": None}
    seen = os.statvfs(path)
    size, free = (n * seen.f_frsize / GIB for n in (seen.f_blocks, seen.f_bavail))
    return {"size_gb": round(size, 1), "free_gb": round(free, 1)}


def release() -> str:
    """Return what programs on the disk are built for: system, its version and the architecture."""
    system = platform.freedesktop_os_release()
    return f"{system['ID']}-{system.get('VERSION_ID', 'rolling')}-{platform.machine()}"
