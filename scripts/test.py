# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the test sessions one after the other, say how long each took, and end with the counts.

usage: .venv/bin/python scripts/test.py [--until MINUTES] [SESSION ...]

Without a session all of SESSIONS are run, fast ones first; +NAME is a session on top of them.
What CI adds so, other releases of ansible-core and long sessions, would make them take over 25 min.
With --until none of those begins later than that; one for which no time is left was not run.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time

import workshop

SESSIONS = (
    "lint",
    "unit-2.19",
    "build",
    "integration",
    "sanity-2.19",
    "molecule",
    "e2e",
)


Outcome = tuple[workshop.Result, float]  # what a session found, and the seconds it took


def git_status() -> str:
    """Return what git says about the work tree, so that a change by the tests can be seen."""
    command = ["git", "status", "--porcelain", "--untracked-files=all"]
    return subprocess.run(
        command, cwd=workshop.ROOT, capture_output=True, text=True, check=True
    ).stdout


def run(session: str) -> Outcome:
    """Run one nox session; returns what it found and the seconds it took."""
    print(f"\n=== {session} ===", flush=True)
    (workshop.RESULTS / f"{session}.json").unlink(missing_ok=True)
    started = time.monotonic()
    command = [f"{workshop.ROOT}/.venv/bin/nox", "--session", session]
    code = subprocess.run(
        command, cwd=workshop.ROOT, stderr=subprocess.STDOUT, check=False
    ).returncode
    result = workshop.read_result(session) or workshop.Result()
    if code and not result.failed:
        result.check(f"session {session}", good=False)
    took = time.monotonic() - started
    counts = f"{result.passed} passed, {result.failed} failed"
    if result.not_run and not result.passed:
        counts = "NOT RUN"
    print(f"=== {session}: {counts}, {took:.0f} s ===", flush=True)
    return result, took


def report(results: dict[str, Outcome]) -> int:
    """Print the table of sessions, what failed and what could not run; returns how many failed."""
    width = max(map(len, results))
    print("\nsession".ljust(width + 1) + "  passed  failed   seconds")
    for session, (result, took) in results.items():
        print(f"{session:<{width}}  {result.passed:6}  {result.failed:6}  {took:8.0f}")
    for session, row in results.items():
        for name in row[0].not_run:
            print(f"NOT RUN: {session}: {name}")
        for name in row[0].failures:
            print(f"FAILED: {session}: {name}")
    passed = sum(row[0].passed for row in results.values())
    failed = sum(row[0].failed for row in results.values())
    seconds = sum(row[1] for row in results.values())
    print(f"all sessions took {seconds // 60:.0f} min {seconds % 60:.0f} s")
    print(f"{passed} passed, {failed} failed", flush=True)
    return failed


def run_all(named: list[str], more: list[str], until: float) -> dict[str, Outcome]:
    """Run the named sessions, then those on top that begin before `until`, in seconds."""
    started = time.monotonic()
    results = {session: run(session) for session in named}
    for session in more:
        passed = time.monotonic() - started
        if passed <= until:
            results[session] = run(session)
        else:
            why = f"the whole session, because {passed / 60:.0f} min had passed"
            results[session] = (workshop.Result(not_run=[why]), 0.0)
    return results


def main(arguments: argparse.Namespace) -> None:
    """Run the sessions and check that the work tree is as it was."""
    shutil.rmtree(workshop.RESULTS, ignore_errors=True)
    before = git_status()
    more = [name.removeprefix("+") for name in arguments.sessions if name.startswith("+")]
    named = [name for name in arguments.sessions if not name.startswith("+")] or list(SESSIONS)
    results = run_all(named, more, arguments.until * 60)
    clean = workshop.Result()
    clean.check("git status is unchanged", git_status() == before)
    results["work tree"] = (clean, 0.0)
    sys.exit(1 if report(results) else 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--until", type=float, default=float("inf"))
    parser.add_argument("sessions", nargs="*")
    main(parser.parse_args())
