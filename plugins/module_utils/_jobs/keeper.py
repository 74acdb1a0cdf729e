# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The jobs of a folder, kept until each is finished (private).

A round runs the playbook of each job that is not over. What that does is decided there, by what
cloud, host and results show; so a round may be broken off, repeated, or made by another keeper.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from .._core.data import Data
from .._core.errors import ConflictError, InvalidError
from .job_file import read_job
from .record import read_result
from .spec import JobOptions, checked_keys, flatten, name_of, results_of

PATTERN = "*.job.yml"
# A job that is set up takes long, and must not keep the others from beginning.
_AT_ONCE = 4


@dataclass(frozen=True)
class Due:
    """A job that is not over: its name, and the file that says what it is."""

    name: str
    path: Path


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


@dataclass
class Keeper:
    """Runs the jobs of a folder. ``command`` runs a playbook, ``given`` are variables of it."""

    folder: Path
    load: Callable[[str], Data]
    command: Sequence[str]
    given: Mapping[str, Data] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    say: Callable[[str], None] = _say

    def round(self) -> bool:
        """Run what is due. Returns whether all went well; raises ConflictError beside another one."""
        with _alone(self.folder):
            jobs, faults = due(self.folder, self.load)
            for fault in faults:
                self.say(f"<3>{fault}")
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                ended = list(pool.map(self._run, jobs))
        return all(ended) and not faults

    def _run(self, job: Due) -> bool:
        given = {**self.given, "job": str(job.path), "follow": False, "ask": False}
        done = subprocess.run(
            [*self.command, "gpuops.cloud.job", "--extra-vars", json.dumps(given)],
            cwd=self.folder, env={**os.environ, **self.environment, "PWD": str(self.folder)},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace", check=False,
        )  # fmt: skip
        level = "<3>" if done.returncode else "<6>"
        for line in done.stdout.splitlines():
            self.say(f"{level}{job.name}: {line}")
        return not done.returncode


def due(folder: Path, load: Callable[[str], Data]) -> tuple[list[Due], list[str]]:
    """Return the jobs of a folder that are not over, and what is wrong with files of it.

    A file without a command is one that others extend. Two files of one name are two jobs that
    would take turns at ending each other, so neither is run.
    """
    found: dict[str, list[Due]] = {}
    faults = []
    for path in sorted(folder.glob(PATTERN)):
        try:
            written, _files = read_job(path, load)
            given = cast(JobOptions, flatten(written, str(path)))
            job = checked_keys(written, str(path))
            if job.get("command"):
                name = name_of(given, job)
                rows = found.setdefault(name, [])
                if not _is_over(results_of(given, name, str(folder))):
                    rows.append(Due(name, path))
        except (InvalidError, OSError, ValueError) as error:
            faults.append(f"{path.name}: {error}")
    jobs = [rows[0] for rows in found.values() if len(rows) == 1]
    for name, rows in found.items():
        if len(rows) > 1:
            names = " and ".join(row.path.name for row in rows)
            faults.append(f"{names} are both called {name}; give one of them another name")
    return jobs, faults


def _is_over(results: str) -> bool:
    """Tell whether results are home and the instance has ended, well or not."""
    result = read_result(results)
    return bool(result and result.get("closed"))


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder alone, also against a keeper on another host that shares it."""
    results = folder / "results"
    results.mkdir(exist_ok=True)
    with (results / ".keeper.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConflictError(f"another keeper is at work in {folder}", hint="") from None
        yield
