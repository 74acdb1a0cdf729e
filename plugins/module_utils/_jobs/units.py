# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps the program of a job: systemd, or supervisord on hosts without it (private, pure).

Both are told by the same words, which the program of the host names: those of systemctl.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

# A shell does not pass a signal on to what it runs.
_SHELL = ("bash", "-euo")
_SUPERVISED = "gpuops_job_supervised.py"
# Beside the output of an attempt, what runs it prints there where supervisord keeps it.
RUNNER_LOG = "runner.log"


@dataclass(frozen=True)
class Wish:
    """What holds for one attempt: its command, how long it may take, and where its output goes."""

    name: str
    folder: Path
    attempt: Path
    user: str
    command: tuple[str, ...]
    seconds: float
    grace: float
    is_image: bool = False
    is_array: bool = False
    is_node: bool = False

    @property
    def runs(self) -> float:
        """Seconds until it is told to end."""
        return max(self.seconds - self.grace, 1)

    @property
    def is_shell(self) -> bool:
        """Whether a shell is the program, so that all are to be told to end."""
        alone = not (self.is_image or self.is_array or self.is_node)
        return alone and self.command[:2] == _SHELL


class Systemd:
    """The role has written a unit; an attempt has a drop-in below /run, which a boot forgets."""

    def place(self, root: Path, unit: str) -> Path:
        """Return the file of an attempt."""
        return root / f"run/systemd/system/{unit}.d/attempt.conf"

    def left(self, root: Path, unit: str) -> Path:
        """Return what has to go with the job."""
        return self.place(root, unit).parent

    def refusal(self, _wish: Wish) -> str:
        """Return why a job cannot be kept, nothing where it can."""
        return ""

    def settings(self, wish: Wish) -> str:
        """Return what holds for one attempt."""
        lines = [
            "# Of one attempt, written when it is started.",
            "[Unit]",
            f"RequiresMountsFor={wish.folder}",
            "[Service]",
            f"StandardOutput=append:{wish.attempt}/output.log",
            f"StandardError=append:{wish.attempt}/output.log",
            f"RuntimeMaxSec={wish.runs:.0f}",
            f"TimeoutStopSec={wish.grace:.0f}",
            f"KillMode={'control-group' if wish.is_shell else 'mixed'}",
            # What uses up the memory of the others is killed, and they go on.
            *(["OOMPolicy=continue"] if wish.is_array else []),
            # podman needs root, and starts the program as the job's user.
            *(["User=root", "Group=root"] if wish.is_image else []),
        ]
        return "".join(f"{line}\n" for line in lines)


class Supervisord:
    """A program of supervisord is all of an attempt; one that is begun never begins by itself."""

    # Between the last signal and the word of supervisord, in which the end is written down.
    _LONGER_S = 60

    def place(self, root: Path, unit: str) -> Path:
        """Return the file of an attempt."""
        return root / f"etc/supervisor/conf.d/{unit.removesuffix('.service')}.conf"

    def left(self, root: Path, unit: str) -> Path:
        """Return what has to go with the job."""
        return self.place(root, unit)

    def refusal(self, wish: Wish) -> str:
        """Return why a job cannot be kept, nothing where it can."""
        for asked, what in ((wish.is_image, "image"), (wish.is_node, "nodes")):
            if asked:
                return f"{what} needs a host with systemd, and supervisord keeps the jobs of this"
        return ""

    def settings(self, wish: Wish) -> str:
        """Return what holds for one attempt."""
        program = Path("/usr/local/lib/gpuops", _SUPERVISED)
        words = ["/usr/bin/python3", "-I", str(program), str(wish.folder), wish.user]
        words += [f"{wish.runs:.0f}", f"{wish.grace:.0f}", "all" if wish.is_shell else "main"]
        lines = [
            "; Ansible managed, by gpuops.cloud: of one attempt, written when it is started.",
            f"[program:gpuops-job@{wish.name}]",
            f"command={' '.join(words)}".replace("%", "%%"),
            "autostart=false",
            "autorestart=false",
            "startsecs=0",
            "umask=022",
            # What it prints is in its own file, by its own hand.
            "redirect_stderr=true",
            f"stdout_logfile={wish.attempt}/{RUNNER_LOG}".replace("%", "%%"),
            "stdout_logfile_maxbytes=0",
            f"stopwaitsecs={wish.grace + self._LONGER_S:.0f}",
            "killasgroup=true",
        ]
        return "".join(f"{line}\n" for line in lines)


KEEPERS: dict[str, Systemd | Supervisord] = {"systemd": Systemd(), "supervisord": Supervisord()}
