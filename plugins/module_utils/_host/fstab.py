# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of fstab: ours are marked, and nobody else's is touched (private)."""

from __future__ import annotations

import os
import re
from pathlib import Path

# In the options of a line, which programs that mount ignore: the line is ours.
MARK = "x-gpuops.data-disk"
# A boot neither waits for the disk nor fails without it.
BOOT_OPTIONS = ("nofail", "x-systemd.device-timeout=30s", MARK)


class FstabError(Exception):
    """There is a line that must not be touched; the message holds it."""


def with_line(text: str, line: str) -> str:
    """Return the text of fstab with our line for a mount point; raises FstabError for others' lines."""
    what, where = line.split()[:2]
    kept = []
    for old in text.splitlines():
        fields = old.split()
        if old.lstrip().startswith("#") or len(fields) < 4:
            kept.append(old)
        elif MARK not in fields[3].split(","):
            if where == fields[1] or what == fields[0]:
                raise FstabError(f"a line that was not made here is about the same: {old}")
            kept.append(old)
        elif where != fields[1] and what != fields[0]:
            kept.append(old)
    return "\n".join([*kept, line]) + "\n" if line not in text.splitlines() else text


def escaped(path: str) -> str:
    """Return a path as a field of fstab."""
    return re.sub(r"[\s\\]", lambda found: f"\\{ord(found.group()):03o}", path)


def replace(file: Path, text: str) -> None:
    """Write the file so that a power cut leaves the old or the new one."""
    fresh = file.with_name(f".{file.name}.gpuops")
    with fresh.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.chmod(0o644)
    fresh.replace(file)
