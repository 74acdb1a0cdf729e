# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a job has printed, from its first byte, on standard output."""

from __future__ import annotations

from ansible_collections.gpuops.cloud.plugins.module_utils._core.errors import GpuopsError
from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.front import Report
from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.record import output_file
from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.results import Follower
from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.screen import Raw, values_of

from .attached import attempts_at_home, show, tell
from .exits import FAILED, FailedError
from .plays import OUT

_PATIENCE_S = 1200.0


def show_all(report: Report, *, follow: bool, attempt: int | None = None) -> int:
    """Show the output of all attempts, or of one: what is home, and what its host has beyond it.

    Nothing is written, so that this disturbs nobody who brings the output home meanwhile.
    """
    screen = Raw(OUT, values_of(report.job.get("secrets", ())))
    numbers = attempts_at_home(report)
    for number in [attempt] if attempt else numbers:
        at = show(output_file(report.job["results"], number), screen, 0)
        if report.state["host"] and report.place:
            last = number == numbers[-1] if numbers else True
            if not _watch(report, number, at, screen, wait=follow and last):
                return FAILED
        screen.end()
    return 0


def _watch(report: Report, number: int, at: int, screen: Raw, *, wait: bool) -> bool:
    file = output_file(report.job["results"], number)
    follower = Follower(
        report.files(), report.place, number, file, screen, _PATIENCE_S, wait, wanted=lambda: None
    )
    follower.at = at
    try:
        if follower.watch():
            return True
    except GpuopsError as error:
        raise FailedError(str(error)) from error
    tell(f"{report.state['host']} cannot be reached, which does not say that the job has ended.")
    return False
