# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CPU seconds of sessions that run beside each other, their hosts in podman included (Linux only).

A host's processes are no children of the session: podman's monitor takes itself out of the tree.
But its HOME is that of whoever started it, and each session gives its programs a home of their own.
"""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Process:
    """One line of /proc: who started it, and its CPU seconds with those of ended children."""

    parent: int
    seconds: float
    started: int


def processes() -> dict[int, Process]:
    """Return every process of this machine; empty where there is no /proc."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            text = (entry / "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue  # it has ended meanwhile
        words = text.rpartition(")")[2].split()
        seconds = sum(map(int, words[11:15])) / TICKS
        found[int(entry.name)] = Process(int(words[1]), seconds, int(words[19]))
    return found


def home_of(pid: int) -> str:
    """Return the HOME of a process, empty if it cannot be read."""
    try:
        variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return ""
    found = [one for one in variables if one.startswith(b"HOME=")]
    return found[0].removeprefix(b"HOME=").decode(errors="replace") if found else ""


@dataclass
class CpuWatch:
    """Adds up, look by look, what trees of processes have used."""

    # (process, its start) -> its session and the seconds of its tree at the last look
    roots: dict[tuple[int, int], tuple[int, float]] = field(default_factory=dict)
    homes: dict[tuple[int, int], str] = field(default_factory=dict)
    sessions: dict[str, int] = field(default_factory=dict)  # home -> session

    def look(self, sessions: set[int]) -> None:
        """Look at the trees of these sessions, given by the numbers of their processes."""
        table = processes()
        below = defaultdict(list)
        for pid, process in table.items():
            below[process.parent].append(pid)
        for pid in sessions & table.keys():
            self._learn_homes(pid, table, below)
        for pid, process in table.items():
            session = pid if pid in sessions else None
            if process.parent == 1 and session is None:
                session = self.sessions.get(self._home(pid, process))
            if session is not None:
                key = (pid, process.started)
                total = sum(table[one].seconds for one in tree(pid, below))
                self.roots[key] = (session, max(self.roots.get(key, (0, 0.0))[1], total))

    def _learn_homes(
        self, session: int, table: dict[int, Process], below: dict[int, list[int]]
    ) -> None:
        """Remember the homes that a session gave to its programs."""
        own = os.environ.get("HOME", "")
        homes = {self._home(pid, table[pid]) for pid in tree(session, below)}
        for home in homes - {own, ""}:
            self.sessions[home] = session

    def _home(self, pid: int, process: Process) -> str:
        """Return the HOME of a process, which is asked for once."""
        key = (pid, process.started)
        if not self.homes.get(key):
            self.homes[key] = home_of(pid)
        return self.homes[key]

    def seconds(self, session: int) -> float:
        """Return the CPU seconds of a session so far."""
        return sum(seconds for owner, seconds in self.roots.values() if owner == session)


def tree(pid: int, below: dict[int, list[int]]) -> list[int]:
    """Return a process and all below it."""
    found = [pid]
    for one in found:
        found += below.get(one, [])
    return found
