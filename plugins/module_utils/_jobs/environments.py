# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Python environment a job wants, by what lies in its folder (private)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .folder import Entry

# As PEP 723 writes it.
_SCRIPT = re.compile(rb"(?m)^# /// script\s*$(?:\s^#(?:| .*)$)+")
_REQUIREMENTS = "requirements.txt"


@dataclass(frozen=True)
class Environment:
    """What it is made of: ``kind`` is script, lock, requirements, none or path; ``key`` names it."""

    kind: str
    source: str = ""
    key: str = ""


def environment_of(
    wish: str, name: str, command: Sequence[str], root: Path, entries: Sequence[Entry]
) -> Environment:
    """Return the environment of a job. ``auto`` takes the first that the folder speaks of."""
    if wish.startswith("/"):
        return Environment("path", wish)
    if wish == "auto":
        by_path = {entry.path: entry.content for entry in entries}
        for word in command:
            path = str(PurePosixPath(word))
            block = _block(root / path) if path in by_path and path.endswith(".py") else b""
            if block:
                return Environment("script", path, _key("script", block.decode()))
        if "uv.lock" in by_path:
            # It may hold the folder itself, so it is of this job alone.
            return Environment("lock", "uv.lock", _key(name, by_path["uv.lock"]))
        if _REQUIREMENTS in by_path:
            return Environment(
                "requirements", _REQUIREMENTS, _key("requirements", by_path[_REQUIREMENTS])
            )
    return Environment("none", key="none")


def _block(path: Path) -> bytes:
    found = _SCRIPT.search(path.read_bytes())
    return found[0] if found else b""


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
