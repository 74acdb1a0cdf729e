# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the programs that roles send to hosts, where other programs of a host are played."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.roles.support import ROOT

SWITCH = "COVERAGE_PROCESS_START"
PATIENCE = 15.0  # seconds; nothing here takes one, but on a crowded host
# As if the program were started by itself, but what a signal ends has still to say what it ran.
ENDED = """\
import runpy, signal, sys
signal.signal(signal.SIGTERM, lambda *_unused: sys.exit())
sys.argv.pop(0)
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def play(folder: Path, monkeypatch: pytest.MonkeyPatch, programs: dict[str, str]) -> Path:
    """Put programs, name -> lines of the shell, first on the path; returns their folder.

    Each notes its words in the file "asked" there.
    """
    for name, lines in programs.items():
        path = folder / name
        note = f'echo {name} "$@" >> {folder}/asked'
        path.write_text(f"#!/bin/sh\n{note}\n{lines}\n", encoding="utf-8")
        path.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return folder


def asked(folder: Path) -> list[str]:
    """Return what the played programs were asked, in order."""
    path = folder / "asked"
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def answer(path: str, *words: str) -> dict[str, Any]:
    """Run a program of a role by its path below the root; returns the JSON that it prints."""
    command = [sys.executable, str(ROOT / path), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def measured() -> dict[str, str]:
    """Return what lets a program with an environment of its own be measured as this run is."""
    return {name: os.environ[name] for name in [SWITCH] if name in os.environ}


def wait_until(met: Callable[[], Any]) -> None:
    """Return when it is so; AssertionError when it takes too long."""
    limit = time.monotonic() + PATIENCE
    while not met():
        assert time.monotonic() < limit, "it never came"
        time.sleep(0.02)
