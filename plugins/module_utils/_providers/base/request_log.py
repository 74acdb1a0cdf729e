# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was asked of the API: how often, how long it took, what came back (private)."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

# A file to which every process of a run adds its requests, for whoever counts them at its end.
LOG_VARIABLE = "GPUOPS_API_LOG"


class Call(NamedTuple):
    """One request: the path without ids, the status (None without an answer), seconds, who was asked."""

    method: str
    path: str
    status: int | None
    seconds: float
    provider: str = ""


@dataclass
class Seen:
    """What was asked (``json``, ``params`` and ``path_params``), and what came back so far."""

    asked: dict[str, Any] = field(default_factory=dict)
    answer: Any = None


Listener = Callable[[Call, Seen], None]


class Traffic:
    """The requests of this process to one ``provider``; may be used by many threads."""

    def __init__(self) -> None:
        self.provider = ""
        self.calls: list[Call] = []
        self.listeners: list[Listener] = []
        self._log = os.environ.get(LOG_VARIABLE)

    @contextmanager
    def timed(self, request: str, **asked: Any) -> Iterator[Seen]:
        """Measure what happens within, note it whatever comes of it, and tell the listeners."""
        method, _space, path = request.partition(" ")
        seen, start = Seen(asked), time.monotonic()
        try:
            yield seen
        finally:
            status = getattr(seen.answer, "status_code", None)
            call = Call(method, path, status, time.monotonic() - start, self.provider)
            self._note(call)
            for listener in self.listeners:
                listener(call, seen)

    def _note(self, call: Call) -> None:
        self.calls.append(call)
        if not self._log:
            return
        try:
            how = os.O_WRONLY | os.O_APPEND | os.O_CREAT
            handle = os.open(Path(self._log).expanduser(), how, 0o600)
            with os.fdopen(handle, "ab", buffering=0) as file:
                file.write(json.dumps(call).encode() + b"\n")
        except OSError:
            self._log = None  # figures are not worth a failure


def take_log() -> list[Call] | None:
    """Return the requests in the log of the run and empty it; None where no log is kept."""
    log = os.environ.get(LOG_VARIABLE)
    if not log:
        return None
    taken = Path(f"{log}.{os.getpid()}").expanduser()
    try:
        Path(log).expanduser().replace(taken)
        lines = taken.read_text(encoding="utf-8").splitlines()
        taken.unlink()
    except OSError:
        return []
    found = []
    for line in lines:
        try:
            method, path, status, seconds, *more = json.loads(line)
            whom = str(more[0]) if more else ""
            found.append(Call(str(method), str(path), status and int(status), float(seconds), whom))
        except (ValueError, TypeError):
            continue  # cut off when a process was killed
    return found
