# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders and files that only their owner may read, whatever the umask says (private)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, TextIO

_OURS = "gpuops.cloud"


def private_folder(path: Path) -> Path:
    """Return a folder of ours that only we can use, making or closing it. Raises OSError."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    info = path.stat()
    if info.st_uid != os.getuid():
        raise PermissionError(f"{path} belongs to somebody else")
    if info.st_mode & 0o077:
        path.chmod(0o700)
    return path


def cache_path(name: str) -> Path:
    """Return where one of our folders below the cache of this user is, or would be."""
    root = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    return root / _OURS / name


def cache_folder(name: str) -> Path:
    """Return one of our folders below the cache of this user, made or closed. Raises OSError."""
    path = cache_path(name)
    private_folder(path.parent)
    return private_folder(path)


def open_private(path: Path, mode: Literal["a", "a+", "w"]) -> TextIO:
    """Open a text file to append to (``a``), also to read (``a+``), or anew; a new one is ours alone."""

    def opener(name: str, flags: int) -> int:
        return os.open(name, flags, 0o600)

    return open(path, mode, encoding="utf-8", opener=opener)
