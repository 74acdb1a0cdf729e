# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One SSH connection that asks whether a host can be worked on (private)."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypedDict

Run = Callable[..., "subprocess.CompletedProcess[str]"]
CONNECT_TIMEOUT_S = 10
# A login that hangs after the connection (a host that boots) must end as well.
COMMAND_TIMEOUT_S = 30

# /proc/locks names the inode of a locked file; that needs no package on the host.
SCRIPT = r"""
echo "login=ok"
if command -v cloud-init >/dev/null 2>&1; then
  echo "boot=$(cloud-init status 2>/dev/null | sed -n 's/^status: //p')"
else
  echo "boot=none"
fi
lock=free
for file in /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock; do
  [ -e "$file" ] || continue
  pid=$(awk -v inode="$(stat -c %i "$file")" '{split($6, part, ":"); if (part[3] == inode) print $5}' /proc/locks | head -n 1)
  [ -n "$pid" ] && lock="$(cat "/proc/$pid/comm" 2>/dev/null || echo process) ($pid)"
done
echo "lock=$lock"
"""


@dataclass(frozen=True)
class Target:
    """How to reach a host; empty values leave the choice to OpenSSH."""

    name: str
    address: str
    port: str = ""
    user: str = ""
    key_file: str = ""
    args: str = ""
    local: bool = False

    def command(self) -> list[str]:
        """Return the command that runs a script from its standard input on the host."""
        if self.local:
            return ["sh", "-s"]
        options = ["-o", "BatchMode=yes", "-o", f"ConnectTimeout={CONNECT_TIMEOUT_S}"]
        options += ["-p", self.port] if self.port else []
        options += ["-i", self.key_file] if self.key_file else []
        options += ["-l", self.user] if self.user else []
        return ["ssh", *shlex.split(self.args), *options, self.address, "sh -s"]


class Found(TypedDict):
    """The result for a host."""

    ready: bool
    attempts: int
    seconds: float
    last_seen: str
    problem: str


@dataclass
class Probe:
    """What is known about a host while it is awaited."""

    name: str
    ready: bool = False
    ended: bool = False
    attempts: int = 0
    seconds: float = 0.0
    last_seen: str = "not tried yet"
    problem: str = ""

    def as_dict(self) -> Found:
        """Return the result for the host."""
        return {
            "ready": self.ready,
            "attempts": self.attempts,
            "seconds": round(self.seconds, 1),
            "last_seen": self.last_seen,
            "problem": self.problem,
        }


def changed_key_text(target: Target, stderr: str) -> str | None:
    """Return an explanation when the host showed another key than the pinned one."""
    if "REMOTE HOST IDENTIFICATION HAS CHANGED" not in stderr:
        return None
    place = re.search(r"Offending \S+ key in (\S+?):(\d+)", stderr)
    where = f"{place[1]} line {place[2]}" if place else "the known hosts file"
    return (
        f"{target.name} ({target.address}) shows another host key than the one pinned in {where}. "
        "Something else may be answering at this address. If you reinstalled the host yourself, "
        f"remove that line and run again; otherwise do not log in"
    )


def read_answer(text: str, questions: tuple[bool, bool]) -> tuple[bool, str]:
    """Return whether the answers mean ready, and what was seen in words."""
    answers = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    first_boot, package_lock = questions
    boot, lock = answers.get("boot", ""), answers.get("lock", "free")
    if answers.get("login") != "ok":
        return False, "logged in, but no shell answered"
    # "error" and "degraded" are ends too: the host is as booted as it will ever be.
    if first_boot and boot in ("running", "not started", "not run", ""):
        return False, f"logged in, first boot still under way (cloud-init: {boot or 'no status'})"
    if package_lock and lock != "free":
        return False, f"logged in, package lock held by {lock}"
    return True, "ready" if boot in ("none", "done", "disabled") else f"ready, cloud-init: {boot}"


def probe_until_ready(
    target: Target,
    state: Probe,
    *,
    timeout: float,
    interval: float,
    questions: tuple[bool, bool],
    run: Run,
    now: Callable[[], float],
    pause: Callable[[float], bool | None],
) -> None:
    """Ask a host until it is ready, its key is wrong, or ``timeout`` seconds have passed."""
    start = now()
    while not state.ended:
        state.attempts += 1
        _ask(target, state, questions, run)
        state.seconds = now() - start
        if not state.ended and (state.seconds >= timeout or pause(interval)):
            state.problem = f"not ready after {state.seconds:.0f} s: {state.last_seen}"
            state.ended = True


def _ask(target: Target, state: Probe, questions: tuple[bool, bool], run: Run) -> None:
    try:
        answer = run(
            target.command(),
            input=SCRIPT,
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        state.last_seen = f"no end of the login within {COMMAND_TIMEOUT_S} s"
        return
    except OSError as error:
        state.last_seen = state.problem = f"cannot run ssh: {error}"
        state.ended = True
        return
    wrong_key = changed_key_text(target, answer.stderr)
    if wrong_key:
        state.last_seen, state.problem, state.ended = "another host key", wrong_key, True
    elif answer.returncode:
        lines = [line for line in answer.stderr.splitlines() if line.strip()]
        state.last_seen = lines[-1] if lines else f"ssh ended with {answer.returncode}"
    else:
        state.ready, state.last_seen = read_answer(answer.stdout, questions)
        state.ended = state.ready
