# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands of a host, and the error of one that fails (private)."""

from __future__ import annotations

from collections.abc import Callable

from .._core.apply import Threads
from .._core.errors import GpuopsError

# Takes a command, returns its exit status, output and error output; raises OSError without a program.
Run = Callable[[list[str]], tuple[int, str, str]]


class HostError(GpuopsError):
    """Something on a host is not what it has to be; the message says what was seen."""

    code = "host"


class Commands(Threads):
    """What runs the commands of a host."""

    def __init__(self, run: Run) -> None:
        """Take what runs one, which tests replace."""
        self.run = run

    def has(self, program: str) -> bool:
        """Tell whether a program is installed."""
        return self.run(["sh", "-c", f"command -v {program}"])[0] == 0

    def must(self, *command: str) -> str:
        """Run a command and return its output. Raises HostError with its words."""
        try:
            rc, out, err = self.run(list(command))
        except OSError as error:
            raise HostError(f"{command[0]}: {error.strerror}") from error
        if rc:
            raise HostError(f"{' '.join(command)}: {(err or out).strip()}")
        return out
