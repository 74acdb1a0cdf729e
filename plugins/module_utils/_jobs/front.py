# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of a playbook leaves for a front end, and the way to a job's output from there (private).

The callback ``report`` writes it. A front end of its own, such as the command gpuops, decides
nothing: where the job stands is what the playbook has said last.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypedDict, cast

from .._core.data import Data
from .record import JobRow, ResultRow
from .remote import Remote
from .rows import AttemptRow

_FILES = ("/usr/bin/python3", "-I", "/usr/local/lib/gpuops/gpuops_job_files.py")


class RecordRow(TypedDict, total=False):
    """What a controller remembers of a job, as a run has told it."""

    job: JobRow
    content: str
    bought: int
    attempts: list[AttemptRow]
    instance: str
    own: bool
    same: dict[str, Data]


class StateRow(TypedDict):
    """Where a job stands, and what is next; ``output`` is what of it is home, in bytes by attempt."""

    state: str
    next: str
    reason: str
    attempt: int
    record: RecordRow
    result: ResultRow | None
    host: str
    output: dict[str, int]


class RequestRow(TypedDict, total=False):
    """What of a request a front end needs."""

    folder: str
    deployment: str
    job: JobRow


_NOBODY_KNOWS: StateRow = {
    "state": "unknown",
    "next": "",
    "reason": "",
    "attempt": 0,
    "record": {},
    "result": None,
    "host": "",
    "output": {},
}


@dataclass
class Report:
    """``request`` as it was checked, ``states`` of the job one after another, and its ``result``.

    ``place`` is the folder of the job on its host, and ``attempts`` are those that its host showed.
    """

    request: RequestRow = field(default_factory=RequestRow)
    states: list[StateRow] = field(default_factory=list)
    place: str = ""
    attempts: list[AttemptRow] = field(default_factory=list)
    result: ResultRow | None = None

    @classmethod
    def read(cls, path: Path) -> Report:
        """Return what a run has left; nothing of one that told nothing."""
        text = path.read_text(encoding="utf-8")
        return cls(**json.loads(text)) if text else cls()

    def write(self, path: Path) -> None:
        """Leave it, whole or not at all."""
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(asdict(self), file)
        fresh.replace(path)

    @property
    def state(self) -> StateRow:
        """Where the job stands, as the run has seen it last."""
        return self.states[-1] if self.states else _NOBODY_KNOWS

    @property
    def begin(self) -> StateRow:
        """Where the job stood when the run began."""
        return self.states[0] if self.states else _NOBODY_KNOWS

    @property
    def job(self) -> JobRow:
        """The job as it was asked for, or is remembered; empty where nothing was told."""
        found = self.state["record"].get("job") or self.request.get("job")
        return found or cast(JobRow, {})

    @property
    def settings(self) -> Path:
        """The settings with which OpenSSH reaches its host."""
        return Path(self.request["folder"], "ssh_config")

    def files(self) -> Remote:
        """Return the program of its host that gives files."""
        return Remote.by_settings(self.settings, self.state["host"], _FILES)

    def kill(self) -> None:
        """End the program at once, with all that it has started. Raises RemoteError."""
        systemctl = Remote.by_settings(self.settings, self.state["host"], ("systemctl",))
        systemctl.call("kill", "--signal=KILL", f"gpuops-job@{self.job['name']}.service")
