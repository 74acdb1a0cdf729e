# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sessions as processes: begun beside each other, followed line by line, ended when they hang."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import IO

import sessions
import workshop
from cpu_watch import CpuWatch
from sessions import Session

LOOK_SECONDS = 0.5
CPU_LOOKS = 8  # every so many looks, the CPU seconds are read
END_SECONDS = 90.0  # a session that is told to end removes its hosts first
# What would change nox itself; what its sessions are given is scripts/surroundings.py's business.
STRANGE = ("GIT_", "NOX_", "PYTHON")

# What Ansible, pytest and ansible-test say of a failure, which a long output buries.
TELLING = re.compile(r"fatal: \[|FAILED! =>|\[ERROR\]|ERROR: |^E   |^FAILED (?!- RETRYING)")
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
FRAME = "\u2502 "  # with which molecule indents
MOST_WORDS, LONGEST_WORDS, FOLLOWING = 20, 300, 2  # lines, characters, lines after one that tells


@dataclass
class Outcome:
    """What a session found, and the seconds and CPU seconds it took."""

    result: workshop.Result
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    words: tuple[str, ...] = ()  # lines of its output that tell why it failed


@dataclass
class Words:
    """The last lines of an output that tell of a failure, each with those that follow it."""

    lines: deque[str] = field(default_factory=lambda: deque(maxlen=MOST_WORDS))
    more: int = 0

    def read(self, line: str) -> None:
        """Keep a line if it tells of a failure, or follows one that does."""
        line = COLOURS.sub("", line).strip(f" {FRAME}")
        self.more = FOLLOWING if TELLING.search(line) else self.more - 1
        if self.more >= 0 and line:
            self.lines.append(line[:LONGEST_WORDS])


@dataclass
class Running:
    """A session's process, and what it has printed so far."""

    session: Session
    process: subprocess.Popen[bytes]
    output: IO[bytes] | None  # nothing is kept of one that prints by itself
    begun: float = field(default_factory=time.monotonic)
    waited: float = 0.0
    place: int = 0
    rest: bytes = b""
    words: Words = field(default_factory=Words)

    @property
    def seconds(self) -> float:
        """Return how long it has run."""
        return time.monotonic() - self.begun

    def wait(self, seconds: float, cores: float) -> None:
        """Count time that has gone by as far as the session could use it.

        Where others crowd the machine, each gets a share of it, and what is slow does not hang.
        """
        self.waited += seconds * min(1.0, cores / max(os.getloadavg()[0], 0.01))

    def print_news(self, *, ended: bool = False) -> None:
        """Print the whole lines that came since the last time, with the session's name."""
        if self.output is None:
            return
        # The place in the file is that of the process, too: reading must not move it.
        size = os.fstat(self.output.fileno()).st_size
        news = os.pread(self.output.fileno(), size - self.place, self.place)
        *lines, self.rest = (self.rest + news).split(b"\n")
        self.place = size
        for line in [*lines, self.rest] if ended and self.rest else lines:
            text = line.decode(errors="replace")
            self.words.read(text)
            print(f"{self.session.name}: {text}", flush=True)


def nox(session: str) -> list[str]:
    """Return the command that runs a session."""
    return [f"{workshop.ROOT}/.venv/bin/nox", "--session", session]


class Runner:
    """Runs sessions, as many beside each other as the machine's cores bear."""

    def __init__(
        self,
        cores: float,
        command: Callable[[str], Sequence[str]] = nox,
        *,
        until: float = float("inf"),
    ) -> None:
        """Take the cores, what to start for a session, and the monotonic time when all must end."""
        self.cores, self.command, self.until = cores, command, until
        self.watch = CpuWatch()
        self.outcomes: dict[str, Outcome] = {}
        self._running: list[Running] = []

    def run(self, waiting: list[Session], *, beside: bool) -> dict[str, Outcome]:
        """Run them all, one by one or beside each other; none is left out without a word."""
        waiting = list(waiting)
        looks, before = 0, time.monotonic()
        try:
            while waiting or self._running:
                if time.monotonic() > self.until:
                    self._give_up(waiting)
                    break
                self._begin(waiting, beside=beside)
                time.sleep(LOOK_SECONDS)
                looks += 1
                now = time.monotonic()
                self._look(now - before, cpu=looks % CPU_LOOKS == 0)
                before = now
        finally:
            self._end(self._running)
        return self.outcomes

    def _begin(self, waiting: list[Session], *, beside: bool) -> None:
        """Begin the next sessions, if there is room for them."""
        while True:
            running = [one.session for one in self._running]
            if beside:
                session = sessions.next_one(waiting, running, self.cores)
            else:
                session = waiting[0] if waiting and not running else None
            if session is None:
                return
            waiting.remove(session)
            self._running.append(self._start(session, beside=beside))

    def _start(self, session: Session, *, beside: bool) -> Running:
        """Start a session; its lines are followed if it runs beside others."""
        print(f"\n=== {session.name} ===", flush=True)
        (workshop.RESULTS / f"{session.name}.json").unlink(missing_ok=True)
        # No pipe: what a session leaves running by design would hold it open.
        output = tempfile.TemporaryFile() if beside else None  # noqa: SIM115, see _take
        process = subprocess.Popen(
            self.command(session.name),
            cwd=workshop.ROOT,
            env={name: value for name, value in os.environ.items() if not name.startswith(STRANGE)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if beside else None,
            start_new_session=True,  # the whole of it can be ended
        )
        return Running(session, process, output)

    def _look(self, since: float, *, cpu: bool) -> None:
        """Print what is new, take the results of what has ended, end what hangs."""
        if cpu:
            self.watch.look({one.process.pid for one in self._running})
        for one in list(self._running):
            ended = one.process.poll() is not None
            one.print_news(ended=ended)
            if ended:
                self._running.remove(one)
                self._take(one)
                continue
            one.wait(since, self.cores)
            if one.waited > one.session.limit:
                self._running.remove(one)
                self._end([one])
                self._take(one, f"hung, and was ended after {one.seconds:.0f} s")

    def _take(self, one: Running, trouble: str = "") -> None:
        """Keep the result of a session; without one, or with a bad end, it has failed."""
        name = one.session.name
        if one.output is not None:
            one.output.close()
        result = workshop.read_result(name) or workshop.Result()
        if trouble:
            result.check(f"session {name} {trouble}", good=False)
        elif one.process.returncode and not result.failed:
            result.check(f"session {name} ended with {one.process.returncode}", good=False)
        elif not (result.passed or result.failed or result.not_run or result.not_possible):
            result.check(f"session {name} did not say what it found", good=False)
        cpu = self.watch.seconds(one.process.pid)
        words = tuple(one.words.lines) if result.failed else ()
        self.outcomes[name] = Outcome(result, one.seconds, cpu, words)
        print(f"=== {name}: {counts(result)}, {one.seconds:.0f} s ===", flush=True)

    def _give_up(self, waiting: list[Session]) -> None:
        """End what runs and tell what was not begun, since the time is over: both have failed."""
        running, self._running = self._running, []
        self._end(running)
        for one in running:
            self._take(one, "was ended, since the time for all sessions was over")
        for session in waiting:
            result = workshop.Result()
            result.not_run.append("the whole session, since the time for all was over")
            self.outcomes[session.name] = Outcome(result)

    def _end(self, running: list[Running]) -> None:
        """Interrupt sessions, as Ctrl-C does, and kill what then does not end."""
        for one in running:
            _signal(one, signal.SIGINT)
        limit = time.monotonic() + END_SECONDS
        for one in running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                one.process.wait(max(0.0, limit - time.monotonic()))
            _signal(one, signal.SIGKILL)
            one.process.wait()
            one.print_news(ended=True)


def _signal(one: Running, number: signal.Signals) -> None:
    """Send a signal to all processes of a session."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(one.process.pid, number)


def counts(result: workshop.Result) -> str:
    """Return a result in a few words."""
    if result.not_possible and not (result.passed or result.failed or result.not_run):
        return "NOT POSSIBLE HERE"
    if result.not_run and not result.passed:
        return "NOT RUN"
    return f"{result.passed} passed, {result.failed} failed"
