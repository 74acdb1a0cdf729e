# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the test sessions, say how long each took, and end with the counts.

usage: .venv/bin/python scripts/test.py [--until MINUTES] [SESSION ...]

Without a session FIRST is run, then the rows of BESIDE at the same time, so that two cores are busy
while a row waits for its hosts. Sessions that are named run one after the other.
+NAME is a session on top of all: what CI adds so, other releases of ansible-core, the modules again
through ansible-test and the longest sessions, would make them take over 25 min. With --until none
of those begins later than that; one for which no time is left was not run.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import IO

import workshop

FIRST = ("unit-2.19",)  # uses two cores itself
BESIDE = (("e2e",), ("lint", "sanity-2.19", "pages"), ("molecule", "build"))
LOOK_SECONDS = 0.5

Outcome = tuple[workshop.Result, float]  # what a session found, and the seconds it took


def git_status() -> str:
    """Return what git says about the work tree, so that a change by the tests can be seen."""
    command = ["git", "status", "--porcelain", "--untracked-files=all"]
    return subprocess.run(
        command, cwd=workshop.ROOT, capture_output=True, text=True, check=True
    ).stdout


def run(session: str, *, beside: bool = False) -> Outcome:
    """Run one nox session; returns what it found and the seconds it took.

    Lines of one that runs beside others begin with its name.
    """
    print(f"\n=== {session} ===", flush=True)
    (workshop.RESULTS / f"{session}.json").unlink(missing_ok=True)
    started = time.monotonic()
    command = [f"{workshop.ROOT}/.venv/bin/nox", "--session", session]
    # No pipe: what a session leaves running by design would hold it open.
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command,
            cwd=workshop.ROOT,
            stdout=output if beside else None,
            stderr=subprocess.STDOUT,
        )
        if beside:
            follow(process, output, session)
        code = process.wait()
    result = workshop.read_result(session) or workshop.Result()
    if code and not result.failed:
        result.check(f"session {session}", good=False)
    took = time.monotonic() - started
    counts = f"{result.passed} passed, {result.failed} failed"
    if result.not_run and not result.passed:
        counts = "NOT RUN"
    print(f"=== {session}: {counts}, {took:.0f} s ===", flush=True)
    return result, took


def follow(process: subprocess.Popen[bytes], output: IO[bytes], session: str) -> None:
    """Print what a process writes into a file, line by line, until it has ended."""
    place, rest, ended = 0, b"", False
    while not ended:
        ended = process.poll() is not None
        # The place in the file is that of the process, too: reading must not move it.
        size = os.fstat(output.fileno()).st_size
        *lines, rest = (rest + os.pread(output.fileno(), size - place, place)).split(b"\n")
        place = size
        for line in [*lines, rest] if ended else lines:
            print(f"{session}: {line.decode(errors='replace')}", flush=True)
        if not ended:
            time.sleep(LOOK_SECONDS)


def report(results: dict[str, Outcome], seconds: float) -> int:
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
    print(f"all sessions took {seconds // 60:.0f} min {seconds % 60:.0f} s")
    print(f"{passed} passed, {failed} failed", flush=True)
    return failed


def run_beside(rows: tuple[tuple[str, ...], ...]) -> dict[str, Outcome]:
    """Run rows of sessions at the same time; whoever is interrupted begins no other session."""
    interrupted = threading.Event()

    def run_row(row: tuple[str, ...]) -> dict[str, Outcome]:
        return {name: run(name, beside=True) for name in row if not interrupted.is_set()}

    with ThreadPoolExecutor(len(rows)) as pool:
        try:
            return {name: one for row in pool.map(run_row, rows) for name, one in row.items()}
        except KeyboardInterrupt:
            interrupted.set()
            raise


def run_all(named: list[str], more: list[str], until: float) -> dict[str, Outcome]:
    """Run the named sessions or all, then those on top that begin before `until`, in seconds."""
    started = time.monotonic()
    results = {session: run(session) for session in named or FIRST}
    if not named:
        results |= run_beside(BESIDE)
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
    started = time.monotonic()
    shutil.rmtree(workshop.RESULTS, ignore_errors=True)
    before = git_status()
    more = [name.removeprefix("+") for name in arguments.sessions if name.startswith("+")]
    named = [name for name in arguments.sessions if not name.startswith("+")]
    results = run_all(named, more, arguments.until * 60)
    clean = workshop.Result()
    clean.check("git status is unchanged", git_status() == before)
    results["work tree"] = (clean, 0.0)
    sys.exit(1 if report(results, time.monotonic() - started) else 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--until", type=float, default=float("inf"))
    parser.add_argument("sessions", nargs="*")
    main(parser.parse_args())
