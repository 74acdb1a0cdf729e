# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run test sessions, say how long each took, and end with the counts.

usage: .venv/bin/python scripts/test.py [--ci | --nightly] [--limit MINUTES] [--remember]
                                        [--list] [SESSION ...]

Without a session, those of `make test` in tests/sessions.toml run beside each other, as many as the
cores bear; --ci adds those of .ci/run, --nightly runs those of the night alone.
Sessions that are named run one after the other, with their output as it comes.

Red is what failed, what hung, and what was to run and did not: after --limit minutes, running
sessions are ended. --remember writes into tests/session_costs.json what each session cost.
--list prints the chosen sessions as JSON, for the workflow, and runs none.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import sessions
import workshop
from running import Outcome, Runner
from sessions import CI, MAKE_TEST, NIGHTLY, Session
from surroundings import for_git

DEFAULT_PYTHON = "3.11"
ALLOWED_MINUTES = {MAKE_TEST: 25, CI: 40}


def git_status() -> str:
    """Return what git says about the work tree, so that a change by the tests can be seen."""
    command = ["git", "status", "--porcelain", "--untracked-files=all"]
    return subprocess.run(
        command,
        cwd=workshop.ROOT,
        env=for_git(os.environ),
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def chosen(arguments: argparse.Namespace) -> list[Session]:
    """Return the sessions that the arguments ask for."""
    table = sessions.read()
    if arguments.sessions:
        return sessions.named(arguments.sessions, table)
    places: tuple[str, ...] = (MAKE_TEST,)
    if arguments.ci:
        places = (MAKE_TEST, CI)
    elif arguments.nightly:
        places = (NIGHTLY,)
    return sessions.chosen(places, table)


def report(outcomes: dict[str, Outcome], seconds: float) -> int:
    """Print the table of sessions, what failed and what did not run; return how many of these."""
    width = max(map(len, outcomes))
    print("\nsession".ljust(width + 1) + "  passed  failed  seconds  of CPU  covers")
    covers = {session.name: session.covers for session in sessions.read()}
    for name, one in outcomes.items():
        counts = f"{one.result.passed:6}  {one.result.failed:6}"
        times = f"{one.seconds:7.0f}  {one.cpu_seconds:6.0f}"
        print(f"{name:<{width}}  {counts}  {times}  {', '.join(covers.get(name, ()))}")
    for name, one in outcomes.items():
        for what in one.result.not_possible:
            print(f"NOT POSSIBLE HERE: {name}: {what}")
        for what in one.result.not_run:
            print(f"NOT RUN: {name}: {what}")
        for what in one.result.failures:
            print(f"FAILED: {name}: {what}")
        for line in one.words:
            print(f"    {line}")
    results = [one.result for one in outcomes.values()]
    passed = sum(result.passed for result in results)
    # What was to run and did not is as bad as what failed.
    failed = sum(result.failed + len(result.not_run) for result in results)
    print(f"all sessions took {seconds // 60:.0f} min {seconds % 60:.0f} s")
    print(f"{passed} passed, {failed} failed", flush=True)
    return failed


def tell_room(arguments: argparse.Namespace, seconds: float) -> None:
    """Print how much longer the sessions of `make test` or of CI may still become."""
    allowed = ALLOWED_MINUTES[CI if arguments.ci else MAKE_TEST]
    room = allowed - seconds / 60
    print(f"room left of {allowed} min: {room:.1f} min")


def costs(outcomes: dict[str, Outcome]) -> dict[str, dict[str, float]]:
    """Return what each session that ran and passed has cost: seconds, and how many cores."""
    return {
        name: {"seconds": round(one.seconds), "cores": round(one.cpu_seconds / one.seconds, 2)}
        for name, one in outcomes.items()
        if one.seconds and one.result.passed and not one.result.failed
    }


def machine() -> str:
    """Return where and when this was measured."""
    today = datetime.datetime.now(tz=datetime.UTC).date()
    return f"{os.cpu_count()} cores, {today}, sessions beside each other"


def as_json(rows: list[Session]) -> str:
    """Return the sessions as a matrix of the workflow wants them."""
    pythons = {name: core.python for name, core in sessions.cores().items()}
    matrix = [
        {
            "session": session.name,
            "python": pythons.get(session.name.rpartition("-")[2], DEFAULT_PYTHON),
            "minutes": round(session.limit / 60) + 10,
        }
        for session in rows
        if not session.last  # each runs on a machine of its own there, without the others' data
    ]
    return json.dumps(matrix)


def listen_to_signals() -> None:
    """Let SIGINT and SIGTERM end the sessions that run, also where a shell ignores SIGINT."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)


def main(arguments: argparse.Namespace) -> None:
    """Run the sessions and check that the work tree is as it was."""
    rows = chosen(arguments)
    if arguments.list:
        print(as_json(rows))
        return
    listen_to_signals()
    started = time.monotonic()
    cores = float(os.cpu_count() or 1)
    shutil.rmtree(workshop.RESULTS, ignore_errors=True)
    before = git_status()
    whole = not arguments.sessions
    if whole:
        print(
            f"expected to take {sessions.forecast(rows, cores) / 60:.0f} min on {cores:.0f} cores"
        )
    runner = Runner(cores, until=started + arguments.limit * 60)
    runner.run([one for one in rows if not one.last], beside=whole)
    outcomes = runner.run([one for one in rows if one.last], beside=False)
    clean = workshop.Result()
    clean.check("git status is unchanged", git_status() == before)
    outcomes["work tree"] = Outcome(clean)
    failed = report(outcomes, time.monotonic() - started)
    if whole and not arguments.nightly:
        tell_room(arguments, time.monotonic() - started)
    if arguments.remember:
        sessions.remember(costs(outcomes), machine())
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(usage=__doc__)
    for place in ("ci", "nightly", "remember", "list"):
        parser.add_argument(f"--{place}", action="store_true")
    parser.add_argument("--limit", type=float, default=float("inf"))
    parser.add_argument("sessions", nargs="*")
    try:
        main(parser.parse_args())
    except KeyboardInterrupt:
        sys.exit("interrupted: the sessions that ran were ended, and nothing is said of them")
