# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of the test sessions: where each runs, what it covers, what it costs, what begins next.

tests/sessions.toml is written by hand, tests/session_costs.json by scripts/test.py --remember.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomllib

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "tests/sessions.toml"
COSTS = ROOT / "tests/session_costs.json"
MAKE_TEST, CI, NIGHTLY = "make test", ".ci/run", "nightly"
PLACES = (MAKE_TEST, CI, NIGHTLY)

UNKNOWN_SECONDS, UNKNOWN_CORES = 300.0, 1.0  # of a session that was never measured
# A host that boots or an index that answers slowly leaves a core idle, so a little more is begun.
CROWDED = 1.2
AT_ONCE = 4  # sessions; some hold three servers with a model in memory
# Far above what a slow or crowded machine needs: whoever takes that long hangs.
PATIENCE, LEAST_LIMIT = 5.0, 900.0
UNKNOWN_LIMIT = 3 * 3600.0  # long ones run at night, where nobody measures them


@dataclass(frozen=True)
class Session:
    """A session: its name in noxfile.py, where it runs, what it covers, its cost on two cores.

    One that is last begins after all others, and only where the longest list that has it ends.
    """

    name: str
    runs_in: str
    covers: tuple[str, ...] = ()
    last: bool = False
    seconds: float = UNKNOWN_SECONDS
    cores: float = UNKNOWN_CORES
    measured: bool = True

    @property
    def limit(self) -> float:
        """Return the seconds that it could use after which it is taken to hang."""
        return max(LEAST_LIMIT, PATIENCE * self.seconds) if self.measured else UNKNOWN_LIMIT


def read(table: Path = TABLE, costs: Path = COSTS) -> list[Session]:
    """Return all sessions in the order of the table; ValueError for one that runs nowhere."""
    known = json.loads(costs.read_text(encoding="utf-8"))["sessions"] if costs.exists() else {}
    rows = tomllib.loads(table.read_text(encoding="utf-8"))["session"]
    sessions = [_session(name, row, known.get(name, {})) for name, row in rows.items()]
    strange = [one.name for one in sessions if one.runs_in not in PLACES]
    if strange:
        raise ValueError(f"{table.name}: runs_in is none of {PLACES}: {', '.join(strange)}")
    return sessions


def _session(name: str, row: dict[str, Any], cost: dict[str, float]) -> Session:
    """Return a session from its row and its cost; it counts with at least the cores of its row."""
    return Session(
        name,
        row["runs_in"],
        tuple(row["covers"]),
        row.get("last", False),
        cost.get("seconds", UNKNOWN_SECONDS),
        max(cost.get("cores", UNKNOWN_CORES), row.get("cores", 0.0)),
        measured=bool(cost),
    )


def chosen(places: tuple[str, ...], table: Iterable[Session]) -> list[Session]:
    """Return the sessions of these places; the last ones are those of the last place alone."""
    return [
        session
        for session in table
        if session.runs_in in places and (not session.last or session.runs_in == places[-1])
    ]


def named(names: Iterable[str], table: Iterable[Session]) -> list[Session]:
    """Return the sessions of these names; one that is not in the table is taken as it is."""
    known = {session.name: session for session in table}
    return [known.get(name, Session(name, MAKE_TEST)) for name in names]


def covered(session: str, kind: str) -> list[str]:
    """Return what a session covers of a kind: the words behind it, such as a scenario's name."""
    one = next(one for one in read() if one.name == session)
    return [words.removeprefix(f"{kind} ") for words in one.covers if words.startswith(f"{kind} ")]


@dataclass(frozen=True)
class Core:
    """A release of ansible-core: its newest version, its Python, why it may be left out."""

    release: str
    python: str
    not_possible_here: str = ""


def cores(table: Path = TABLE) -> dict[str, Core]:
    """Return the releases of ansible-core that are tested, such as ``2.19``."""
    rows = tomllib.loads(table.read_text(encoding="utf-8"))["core"]
    return {name: Core(**row) for name, row in rows.items()}


def next_one(
    waiting: Iterable[Session], running: Iterable[Session], cores: float
) -> Session | None:
    """Return the session to begin now: the one with the most work that still finds room.

    What waits for hosts so runs beside what computes, and no row has to be balanced by hand.
    """
    now = list(running)
    if len(now) >= AT_ONCE:
        return None
    room = cores * CROWDED - sum(session.cores for session in now)
    fitting = [session for session in waiting if session.cores <= room or not now]
    return max(fitting, key=lambda session: session.seconds * session.cores, default=None)


def forecast(sessions: Iterable[Session], cores: float) -> float:
    """Return the seconds that these sessions take together, if all cost what they did."""
    waiting, running = list(sessions), dict[Session, float]()
    now = 0.0
    while waiting or running:
        while (one := next_one(waiting, running, cores)) is not None:
            waiting.remove(one)
            running[one] = now + one.seconds
        first = min(running, key=lambda session: running[session])
        now = running.pop(first)
    return now


def remember(costs: dict[str, dict[str, float]], machine: str, path: Path = COSTS) -> None:
    """Write what sessions cost, beside what is known of the others."""
    known = json.loads(path.read_text(encoding="utf-8"))["sessions"] if path.exists() else {}
    rows = {**known, **costs}
    text = {"measured_on": machine, "sessions": {name: rows[name] for name in sorted(rows)}}
    path.write_text(json.dumps(text, indent=2) + "\n", encoding="utf-8")
