# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program ansible-inventory, in this process or in one of its own."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from ansible.cli.inventory import InventoryCLI

from ansible_collections.gpuops.cloud.tests.unit.in_process import own_process

ROOT = Path(__file__).resolve().parents[4]
Done = subprocess.CompletedProcess[str]
Program = Callable[..., Done]


def collections() -> str:
    """Return the folder in which this collection is installed, or looks so."""
    installed = [path for path in ROOT.parents if path.name == "ansible_collections"]
    return str(installed[0].parent if installed else ROOT / ".collections")


def by_program(*words: str, home: Path) -> Done:
    """Run ansible-inventory as a user does."""
    kept = ("PATH", "LANG", "HOME", "XDG_CACHE_HOME", "COVERAGE_PROCESS_START")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    environment["ANSIBLE_COLLECTIONS_PATH"] = collections()
    command = [sys.executable, "-m", "ansible", "inventory", *words]
    return subprocess.run(
        command, cwd=home, env=environment, capture_output=True, text=True, check=False
    )


def in_process(*words: str, home: Path) -> Done:
    """Run ansible-inventory without starting a process for it."""
    said, complained = io.StringIO(), io.StringIO()
    status: object = None
    with (
        own_process(home),
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(complained),
    ):
        try:
            InventoryCLI.cli_executor(["ansible-inventory", *words])
        except SystemExit as ended:
            status = ended.code
    return Done(words, int(str(status)), said.getvalue(), complained.getvalue())
