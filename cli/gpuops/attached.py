# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job at this terminal: its bytes as they come, Ctrl-C, and its exit code.

Where the job stands is what the playbook has said; this only looks, and asks the playbook again.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import click

from ansible_collections.gpuops.cloud.plugins.module_utils._core.errors import GpuopsError
from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.front import Report
from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.record import output_file
from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.results import Follower
from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.screen import Raw, values_of

from .exits import FAILED, INTERRUPTED, FailedError
from .keys import Keys, PressedError
from .plays import OUT, Play

# Out of reach for so long, the cloud is asked whether the instance is there.
ASK_CLOUD_AFTER_S = 120.0
_BLOCK = 1 << 16
_CANCELS = "Ctrl-C cancels it and terminates its instance; a lost connection does neither."
_DETACHES = "Ctrl-C only stops following: the job continues, and gpuops cancel stops it."


class Runner(Protocol):
    """Runs a playbook; returns its status and what it has found out."""

    def __call__(self, play: Play, *, ask: Callable[[], None] | None = None) -> tuple[int, Report]:
        """Run it, apart from the keys of the terminal where there is something to ask."""


def tell(words: str) -> None:
    """Say something that is no output of a job."""
    click.echo(f"gpuops: {words}", err=True)


class Screen(Raw):
    """Standard output, for as long as somebody reads it: the job goes on without a reader."""

    def _write(self, text: bytes) -> None:
        try:
            super()._write(text)
        except BrokenPipeError:
            self.descriptor = os.open(os.devnull, os.O_WRONLY)
            tell("nobody reads the output any more; the job continues to its end.")


@dataclass
class Attached:
    """A job that is run here; ``shown`` are the bytes of each attempt that this terminal had."""

    run: Runner
    play: Play
    detaches: bool
    keys: Keys
    screen: Screen = field(default_factory=lambda: Screen(OUT))
    shown: dict[int, int] = field(default_factory=dict)

    def to_the_end(self) -> int:
        """Return the exit code of the job."""
        tell(_DETACHES if self.detaches else _CANCELS)
        try:
            return self._to_the_end()
        finally:
            self.screen.end()

    def _to_the_end(self) -> int:
        play, before = self.play, (0, 0)
        while True:
            status, report = self.run(play)
            if play is self.play:
                self._begin(report)
            self._catch_up(report)
            if (result := result_of(report)) is not None:
                return result
            if self.keys.pressed:
                return self._leave(report)
            now = (report.state["record"].get("bought", 0), report.state["attempt"])
            if report.state["next"] == "follow":
                try:
                    self._follow(report)
                except PressedError:
                    return self._leave(report)
            elif report.state["state"] != "evicted" or now == before:
                return FAILED if status else _not_over(report)
            play, before = _once_more(self.play), now

    def _begin(self, report: Report) -> None:
        """Take what is home for seen: it was shown by the run that brought it home."""
        self.screen.masked = values_of(report.job.get("secrets", ()))
        self.shown = {int(number): size for number, size in report.begin["output"].items()}
        if any(self.shown.values()) and report.state["next"] == "follow":
            name = report.job["name"]
            tell(f"attached again; gpuops logs {name} shows what was printed before.")

    def _follow(self, report: Report) -> None:
        number = report.state["attempt"]
        follower = Follower(
            report.files(),
            report.place,
            number,
            output_file(report.job["results"], number),
            self.screen,
            ASK_CLOUD_AFTER_S,
            wanted=self.keys.check,
        )
        try:
            if not follower.follow():
                tell(f"out of reach for {ASK_CLOUD_AFTER_S:.0f} s; asking the cloud.")
        except GpuopsError as error:
            raise FailedError(str(error)) from error
        finally:
            self.shown[number] = follower.at

    def _catch_up(self, report: Report) -> None:
        """Show what a playbook has brought home."""
        for number in attempts_at_home(report):
            path = output_file(report.job["results"], number)
            self.shown[number] = show(path, self.screen, self.shown.get(number, 0))

    def _leave(self, report: Report) -> int:
        """Do what Ctrl-C means here; returns the exit code."""
        self.keys.answered = self.keys.pressed
        if self.detaches:
            tell("the job continues. The same command attaches again, gpuops cancel stops it.")
            return INTERRUPTED
        if not report.states:
            return INTERRUPTED  # nothing was bought, for nobody knew yet what to do
        if not report.state["record"].get("bought"):
            return self._undo(report)
        name = report.job["name"]
        tell(f"cancelling {name}: SIGTERM, then what it has made comes home. Ctrl-C kills it now.")
        done = self._alone("job_cancel", {"job_name": name, "follow": False}, report)
        if done is None:
            tell(f"{name} may go on until its lease ends; gpuops cancel {name} stops it.")
            return INTERRUPTED
        self._catch_up(done)
        result = result_of(done)
        return FAILED if result is None else result

    def _undo(self, report: Report) -> int:
        """Terminate what may have been bought just now, before anybody could remember it."""
        wish = {"deployment": report.request["deployment"], "missing_ok": True}
        self._alone("teardown", wish, report)
        return INTERRUPTED

    def _alone(self, book: str, wish: dict[str, Any], report: Report) -> Report | None:
        """Run a playbook that ends the job, which Ctrl-C hastens, and at last gives up."""
        play = replace(self.play, book=book, variables=wish, fixed={})
        hastened = False

        def ask() -> None:
            nonlocal hastened
            try:
                self.keys.check()
            except PressedError:
                if hastened:
                    raise
                hastened = True
                tell("killing it. Ctrl-C stops waiting.")
                _kill(report)

        try:
            return self.run(play, ask=ask)[1]
        except PressedError:
            return None


def _kill(report: Report) -> None:
    try:
        report.kill()
    except (GpuopsError, KeyError) as error:
        tell(f"it could not be killed: {error}")


def _once_more(play: Play) -> Play:
    """Return the same without what was meant once: nobody is asked, and nothing begins anew."""
    return replace(play, fixed={**play.fixed, "ask": False, "again": False})


def _not_over(report: Report) -> int:
    tell(f"it is {report.state['state']}; the same command goes on.")
    return FAILED


def result_of(report: Report) -> int | None:
    """Return the exit code of a job that is over, none of one that is not."""
    home = report.state["result"] if report.state["next"] == "nothing" else None
    result = report.result or home
    return int(result["exit_code"]) if result else None


def attempts_at_home(report: Report) -> list[int]:
    """Return the numbers of the attempts that may have output at home."""
    rows = report.attempts or report.state["record"].get("attempts", ())
    return sorted({row["number"] for row in rows} | set(map(int, report.state["output"])))


def show(path: Path, screen: Raw, at: int) -> int:
    """Show what a file has after a byte; returns how many bytes it has."""
    if not path.is_file():
        return at
    with path.open("rb") as file:
        file.seek(at)
        while data := file.read(_BLOCK):
            screen.take(data)
        return file.tell()
