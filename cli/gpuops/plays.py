# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks of the collection as commands, without what Ansible has to say of itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible import constants

from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.front import Report

OUT, ERR = 1, 2
_LOOK_S = 0.2
_QUIET = {
    "ANSIBLE_STDOUT_CALLBACK": "gpuops.cloud.quiet",
    "ANSIBLE_DEPRECATION_WARNINGS": "false",
    "ANSIBLE_HOST_PATTERN_MISMATCH": "ignore",
    "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
    "ANSIBLE_LOCALHOST_WARNING": "false",
}
_CALLBACKS = ("gpuops.cloud.progress", "gpuops.cloud.report")


@dataclass(frozen=True)
class Play:
    """A playbook and its variables.

    ``extra`` is passed on as it was given and wins over them; ``fixed`` wins over both.
    """

    book: str
    variables: dict[str, Any] = field(default_factory=dict)
    extra: tuple[str, ...] = ()
    fixed: dict[str, Any] = field(default_factory=dict)
    verbose: int = 0
    check: bool = False

    def command(self) -> list[str]:
        """Return the command that runs it, by the Ansible that is installed beside this."""
        words = [sys.executable, "-m", "ansible", "playbook", f"gpuops.cloud.{self.book}"]
        given = (as_variables(self.variables), *self.extra, as_variables(self.fixed))
        words += [word for one in given if one for word in ("-e", one)]
        words += ["--check"] if self.check else []
        return [*words, f"-{'v' * self.verbose}"] if self.verbose else words

    def environment(self, report: Path) -> dict[str, str]:
        """Return the environment in which it tells only what somebody wants to know."""
        enabled = dict.fromkeys([*constants.CALLBACKS_ENABLED, *_CALLBACKS])
        return {
            **os.environ,
            **({} if self.verbose else _QUIET),
            "ANSIBLE_CALLBACKS_ENABLED": ",".join(enabled),
            "GPUOPS_REPORT_FILE": str(report),
        }


def as_variables(values: dict[str, Any]) -> str:
    """Return variables as YAML in which no text is a template, whatever braces it has."""
    rows = [f"{json.dumps(name)}: {_literal(value)}" for name, value in values.items()]
    return f"{{{', '.join(rows)}}}" if rows else ""


def _literal(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return f"!unsafe {text}" if isinstance(value, str) else text


def start(
    play: Play, *, out: int = ERR, ask: Callable[[], None] | None = None
) -> tuple[int, Report]:
    """Run a playbook; returns its status, and what it has found out.

    With ``ask`` it is run apart from the terminal, whose keys do not reach it; that is asked now
    and then, and raises to leave it alone.
    """
    with tempfile.TemporaryDirectory(prefix="gpuops-") as folder:
        report = Path(folder, "report.json")
        report.touch(mode=0o600)
        with subprocess.Popen(
            play.command(),
            env=play.environment(report),
            stdin=subprocess.DEVNULL if ask else None,
            stdout=out,
            start_new_session=ask is not None,
        ) as running:
            status = _wait(running, ask)
        return status, Report.read(report)


def hidden(play: Play) -> tuple[int, Report]:
    """Run a playbook whose words nobody has asked for, unless it fails."""
    with tempfile.TemporaryFile() as words:
        status, report = start(play, out=words.fileno())
        if status:
            words.seek(0)
            os.write(ERR, words.read())
    return status, report


def _wait(running: subprocess.Popen[bytes], ask: Callable[[], None] | None) -> int:
    while True:
        with suppress(subprocess.TimeoutExpired):
            return running.wait(_LOOK_S)
        if ask:
            try:
                ask()
            except BaseException:
                running.terminate()
                raise
