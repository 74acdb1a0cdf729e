# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job on a host in a folder, and playbooks that are played: they say where it stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.front import Report
from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.record import output_at_home
from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.results import Follower
from ansible_collections.gpuops.cloud.tests.unit.roles.job_host import Host
from gpuops.plays import Play

NAME = "train"


class Nobody:
    """A screen that nobody looks at."""

    def take(self, data: bytes) -> None:
        """Show nothing."""

    def end(self) -> None:
        """Show nothing."""


@dataclass
class Playbooks:
    """Plays job, job_cancel and teardown: the job is started, stopped, and brought home at its end.

    ``before`` is called with each of them, and with what it would ask meanwhile.
    """

    host: Host
    home: Path
    command: tuple[str, ...]
    played: list[Play] = field(default_factory=list)
    before: Callable[[Play, Callable[[], None] | None], None] = lambda _play, _ask: None

    @property
    def books(self) -> list[str]:
        """The names of what was played."""
        return [play.book for play in self.played]

    def __call__(self, play: Play, *, ask: Callable[[], None] | None = None) -> tuple[int, Report]:
        """Play one; returns its status and its report."""
        self.played.append(play)
        self.before(play, ask)
        report = Report({"deployment": f"job-{NAME}", "folder": str(self.home)})
        if play.book == "teardown":
            return 0, report
        report.states.append(self._state("start"))
        wish = {"state": "stopped"} if play.book == "job_cancel" else {}
        found = self.host.keep(NAME, *self.command, **wish)
        (self.host.jobs / NAME / "work/go").touch()
        report.place, report.attempts = str(self.host.jobs / NAME), found["attempts"]
        if found["next"] == "fetch":
            report.result = self._fetched(report.attempts)
        report.states.append(self._state(found["next"], found["attempt"]))
        return 0, report

    def _state(self, step: str, attempt: int = 0) -> dict[str, Any]:
        job = {"name": NAME, "results": str(self.home), "secrets": ["TOKEN"]}
        return {
            "state": "running", "next": step, "reason": "", "attempt": attempt, "result": None,
            "record": {"job": job, "bought": 1, "attempts": []},
            "host": f"job-{NAME}", "output": output_at_home(str(self.home)),
        }  # fmt: skip

    def _fetched(self, attempts: list[dict[str, Any]]) -> dict[str, Any]:
        """Bring the output home as the playbook does."""
        for row in attempts:
            file = self.home / f"output-{row['number']:04d}.log"
            place = str(self.host.jobs / NAME)
            Follower(self.host.remote, place, row["number"], file, Nobody(), 1).follow()
        return dict(attempts[-1]["exit"])
