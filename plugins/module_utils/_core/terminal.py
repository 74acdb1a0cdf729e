# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether somebody sits at the terminal who could be asked (private)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path


def is_interactive() -> bool:
    """Tell whether the input of the run is a terminal.

    A task runs in a process of its own, whose input is none; that of the run is its parent's. Where
    ``CI`` is set nobody sits there, even with a terminal.
    """
    if os.environ.get("CI"):
        return False
    if os.isatty(0):
        return True
    parent = os.getppid()
    try:
        with Path(f"/proc/{parent}/fd/0").open("rb", buffering=0) as stream:
            return os.isatty(stream.fileno())
    except OSError:
        return sys.platform != "linux" and _has_terminal(parent)


def _has_terminal(process: int) -> bool:
    """Tell by ``ps`` whether a process has a terminal, where there is no /proc."""
    program = shutil.which("ps")
    if not program:
        return False
    command = [program, "-o", "tty=", "-p", str(process)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode == 0 and done.stdout.strip() not in ("", "?", "??", "-")
