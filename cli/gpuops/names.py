# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The jobs and hosts that this controller knows, for completion and for ssh."""

from __future__ import annotations

import os
import re
from difflib import get_close_matches
from pathlib import Path

from .exits import FailedError

# The deployment of a job, and so its instance, is named after it.
_JOB = "job-"
_HOST = re.compile(r"^Host (?!\*)(.+)$", re.MULTILINE)


def home() -> Path:
    """Return the folder of keys and settings."""
    return Path(os.environ.get("GPUOPS_HOME") or "~/.config/gpuops").expanduser()


def jobs() -> list[str]:
    """Return the names of the jobs that are remembered."""
    return sorted(path.stem for path in (home() / "jobs").glob("*.json"))


def hosts() -> dict[str, Path]:
    """Return the names of hosts, each with the settings by which OpenSSH reaches it."""
    found: dict[str, Path] = {}
    for settings in sorted(home().glob("*/ssh_config")):
        for names in _HOST.findall(settings.read_text(encoding="utf-8")):
            found[names.split()[0]] = settings
    return found


def short_hosts() -> list[str]:
    """Return the names of hosts as they are given, those of jobs by the names of the jobs."""
    return sorted({name.removeprefix(_JOB) for name in hosts()})


def login(name: str, command: tuple[str, ...]) -> list[str]:
    """Return the command that logs in to an instance, or to that of a job. Raises FailedError."""
    known = hosts()
    host = next((one for one in (name, f"{_JOB}{name}") if one in known), None)
    if host is None:
        near = get_close_matches(name, short_hosts())
        hint = f"Did you mean {' or '.join(near)}?" if near else "gpuops status lists what lives."
        raise FailedError(f"No instance {name} is known here. {hint}")
    return ["ssh", "-F", str(known[host]), host, *command]
