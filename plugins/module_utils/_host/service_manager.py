# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps the programs of a host: systemd, or supervisord in a container without it (private)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

# There as long as systemd is what the host has booted, as sd_booted(3) has it.
BOOTED = Path("/run/systemd/system")


def no_systemd(hint: str) -> str:
    """Return that there is no systemd, with what can be done about it; nothing where there is."""
    if BOOTED.is_dir():
        return ""
    return (
        "this host is a container without systemd, and nothing was changed: take a whole instance"
        f"{', ' * bool(hint)}{hint}"
    )


def processes_of(programs: Iterable[str], run: Callable[[list[str]], str]) -> set[int]:
    """Return the processes of programs of supervisord, each of which leads a group of its own."""
    try:
        told = [run(["supervisorctl", "pid", name]).strip() for name in programs]
    except OSError:  # it is not installed
        return set()
    return {int(text) for text in told if text.isdigit() and text != "0"}
