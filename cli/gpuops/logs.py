# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a job has printed, from its first byte, on standard output."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ansible_collections.gpuops.cloud.plugins.module_utils._core.errors import GpuopsError
from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.front import Report
from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.record import (
    output_file,
    task_file,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.results import Follower
from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.screen import Raw, values_of

from .attached import attempts_at_home, show, tell
from .exits import FAILED, FailedError
from .plays import OUT

_PATIENCE_S = 1200.0


def show_all(
    report: Report, *, follow: bool, attempt: int | None = None, task: int | None = None
) -> int:
    """Show the output of all attempts, or of one of them, or of a task of an array.

    What is home comes from there, and the rest from the host. Nothing is written, so that this
    disturbs nobody who brings the output home meanwhile.
    """
    results, last = report.job["results"], report.state["attempt"]
    numbers = [attempt] if attempt else attempts_at_home(report)
    logs = [
        Log(number, output_file(results, number), follow and number == last) for number in numbers
    ]
    if task is not None:
        logs = [Log(task, task_file(results, task), follow, of_task=True)]
    screen = Raw(OUT, values_of(report.job.get("secrets", ())))
    return 0 if all(_show(report, log, screen) for log in logs) else FAILED


@dataclass(frozen=True)
class Log:
    """What an attempt, or a task, has printed, and whether more of it is waited for."""

    number: int
    file: Path
    wait: bool
    of_task: bool = False


def _show(report: Report, log: Log, screen: Raw) -> bool:
    at = show(log.file, screen, 0)
    if not (report.state["host"] and report.place):
        screen.end()
        return True
    follower = Follower(
        report.files(),
        report.place,
        log.number,
        log.file,
        screen,
        _PATIENCE_S,
        log.wait,
        log.of_task,
        wanted=lambda: None,
        at=at,
    )
    try:
        if follower.watch():
            return True
    except GpuopsError as error:
        raise FailedError(str(error)) from error
    tell(f"{report.state['host']} cannot be reached, which does not say that the job has ended.")
    return False
