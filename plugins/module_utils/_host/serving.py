# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that is waited for: whether it has died, and what it said (private).

It is a unit of systemd, or a program of supervisord, as the role vllm has made it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Protocol

Run = Callable[[list[str]], str]
# vLLM's own message is far above the end: processes above the one that died add their tracebacks.
REASON = re.compile(r"(?:^|\s)((?:\w+\.)*\w*(?:Error|Exception)\b: \S.*)")
LINES_READ = 400
LINES_SHOWN = 12
REASONS_SHOWN = 3
LONGEST_LINE = 300
# Bytes of a log that hold as much; and what the role lets a server say first.
LOG_READ = 200_000
BEGINS = re.compile(r"^gpuops: \S+ begins$", re.MULTILINE)


class Server(Protocol):
    """What whoever waits for a server asks."""

    def death(self) -> str:
        """Return how it ended, or an empty text while it runs or starts."""

    def last_words(self) -> str:
        """Return the reasons and the last lines of what it said, without secrets."""


def shown(text: str, secrets: dict[str, str], where: str) -> str:
    """Return the reasons and the last lines of a text, without secrets."""
    for secret in filter(None, secrets.values()):
        text = text.replace(secret, "***")
    lines = [line[:LONGEST_LINE] for line in text.splitlines() if line.strip(" ^~")]
    latest = (m.group(1) for line in reversed(lines) if (m := REASON.search(line)))
    found = list(dict.fromkeys(latest))[:REASONS_SHOWN]
    parts = []
    if found:
        parts.append(f"Reasons in its {where}:\n" + "\n".join(reversed(found)))
    parts.append(f"Its last {where} lines:\n" + "\n".join(lines[-LINES_SHOWN:] or ["none"]))
    return "\n".join(parts)


class Unit:
    """A unit of systemd, as far as its end and its journal go."""

    def __init__(self, run: Run, name: str, secrets: dict[str, str]) -> None:
        self._run, self._name, self._secrets = run, name, secrets
        seen = self._show()
        self._restarts = seen.get("NRestarts", "0")
        # The run that is waited for; an earlier or later one has other reasons.
        self._invocation = seen.get("InvocationID", "")

    def _show(self) -> dict[str, str]:
        wanted = "LoadState,ActiveState,SubState,Result,ExecMainStatus,NRestarts,InvocationID"
        output = self._run(["systemctl", "show", self._name, f"--property={wanted}"])
        return dict(line.split("=", 1) for line in output.splitlines() if "=" in line)

    def death(self) -> str:
        """Return how it ended, or an empty text while it runs or starts."""
        seen = self._show()
        if seen.get("LoadState") == "not-found":
            return f"{self._name} does not exist"
        gone = seen.get("ActiveState") in ("failed", "inactive")
        again = seen.get("SubState") == "auto-restart"
        if gone or again or seen.get("NRestarts", "0") != self._restarts:
            how = f"result {seen.get('Result')}, exit status {seen.get('ExecMainStatus')}"
            return f"{self._name} died ({how})"
        return ""

    def last_words(self) -> str:
        """Return the reasons and the last lines of its journal, without secrets."""
        run = self._invocation
        which = [f"_SYSTEMD_INVOCATION_ID={run}", "+", f"INVOCATION_ID={run}"]
        command = ["journalctl", "--quiet", "--no-pager", "--output=cat", f"--lines={LINES_READ}"]
        text = self._run([*command, *(which if run else ["--unit", self._name])])
        return shown(text, self._secrets, "journal")


class Program:
    """A program of supervisord, as far as its end and its log go."""

    _LIVES = ("STARTING", "RUNNING")

    def __init__(self, run: Run, name: str, secrets: dict[str, str]) -> None:
        self._run, self._name, self._secrets = run, name.removesuffix(".service"), secrets
        # The process that is waited for; where it is none yet, the first that is seen.
        self._process = self._pid()

    def _pid(self) -> str:
        text = self._run(["supervisorctl", "pid", self._name]).strip()
        return text if text.isdigit() and text != "0" else ""

    def death(self) -> str:
        """Return how it ended, or an empty text while it runs or starts."""
        words = [*self._run(["supervisorctl", "status", self._name]).split(maxsplit=2), "", "", ""]
        if words[0] != self._name:
            return f"{self._name} does not exist"
        if words[1] not in self._LIVES:
            return f"{self._name} died ({words[1]}: {words[2].strip()})"
        now = self._pid()
        self._process = self._process or now
        return f"{self._name} died, and was begun again" if now != self._process else ""

    def last_words(self) -> str:
        """Return the reasons and the last lines of its log, without secrets."""
        text = self._run(["supervisorctl", "tail", f"-{LOG_READ}", self._name])
        runs = [run for run in BEGINS.split(text) if run.strip()]
        # One that has just been begun again has said nothing yet.
        return shown("".join(runs[-2:] if self._pid() else runs[-1:]), self._secrets, "log")


SERVERS: dict[str, Callable[[Run, str, dict[str, str]], Server]] = {
    "systemd": Unit,
    "supervisord": Program,
}
