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
_REQUIREMENTS, _PYTHON = "requirements.txt", ".python-version"
# Words of a file that lead to other files.
_LOCAL = re.compile(
    r"(?m)^\s*(-[rcef]|--(requirement|constraint|editable))\b|^\s*\.{1,2}(/|\[|\s*$)"
    r"|file:|find-links|\b(path|workspace)\s*="
)


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
    by_path = {entry.path: entry.content for entry in entries}
    return _found(name, command, root, by_path if wish == "auto" else {})


def _found(name: str, command: Sequence[str], root: Path, by_path: dict[str, str]) -> Environment:
    everything = [f"{path} {content}" for path, content in by_path.items()]
    python = by_path.get(_PYTHON, "")
    for word in command:
        path = str(PurePosixPath(word))
        block = _block(root / path) if path in by_path and path.endswith(".py") else ""
        if block:
            parts = [block, by_path.get(f"{path}.lock", ""), python]
            parts += [name, *everything] if _LOCAL.search(block) else []
            return Environment("script", path, _key("script", *parts))
    if "uv.lock" in by_path:
        # It may hold the folder itself, so it is of this job alone.
        return Environment("lock", "uv.lock", _key(name, by_path["uv.lock"], python))
    if _REQUIREMENTS in by_path:
        parts = [by_path[_REQUIREMENTS], python]
        text = (root / _REQUIREMENTS).read_text(encoding="utf-8", errors="replace")
        parts += [name, *everything] if _LOCAL.search(text) else []
        return Environment("requirements", _REQUIREMENTS, _key("requirements", *parts))
    return Environment("none", key="none")


def _block(path: Path) -> str:
    found = _SCRIPT.search(path.read_bytes())
    return found[0].decode(errors="replace") if found else ""


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
