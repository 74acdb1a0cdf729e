# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The nox sessions that say what the other sessions have covered, once those have run."""

from __future__ import annotations

import measuring
import nox
import workshop
from bench import Bench, bench, pinned


@nox.session
@bench
def coverage(at: Bench) -> None:
    """Say what the sessions of `make test` have covered; fails below 90 % of the lines."""
    report(at, *measuring.MAKE_TEST)


@nox.session(name="coverage-all")
@bench
def coverage_all(at: Bench) -> None:
    """Say that, and what all of them have covered with the further sessions of .ci/run."""
    report(at, *measuring.MAKE_TEST, "--more", *measuring.FURTHER)


def report(at: Bench, *sessions: str) -> None:
    """Count what these sessions, or those named after `--`, have covered when they last ran."""
    at.use(workshop.environment_for("measure", pinned("coverage")))
    words = at.session.posargs or sessions
    at.check("enough is covered", "python", "scripts/coverage_report.py", *words)
