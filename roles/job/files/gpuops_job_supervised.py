# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run an attempt of a job as its unit of systemd would, where supervisord keeps the programs.

Arguments: folder of the job, its user, seconds until it is told to end, seconds from then on until
it is killed, and whom TERM is for: "main", or "all" that it has started.

Whatever the program starts becomes a child of this process when its own parent ends, so that it can
be found, and ends with the attempt. A program whose runner is killed is killed with it.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import resource
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

# Isolated as it is started, Python does not look beside a program.
sys.path.insert(0, str(Path(__file__).parent))
import gpuops_job

SET_CHILD_SUBREAPER = 36
HEARD = {signal.SIGTERM, signal.SIGCHLD}
# Told to it by the kernel first, when memory is short.
OOM_SCORE = "500"
OOM_KILLS = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
LOOK_AGAIN_S = 0.1
# Of what follows the name of a process in its file "stat".
PARENT = 1


def descendants() -> list[int]:
    """Return the processes that this one has started, and what those have."""
    parents: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            parents.setdefault(int(fields[PARENT]), []).append(int(path.parent.name))
    found, waiting = [], [os.getpid()]
    while waiting:
        children = parents.get(waiting.pop(), [])
        found += children
        waiting += children
    return found


def oom_kills() -> int:
    """Return how often memory has run out here, 0 where nothing tells."""
    for place in map(Path, OOM_KILLS):
        with suppress(OSError, ValueError):
            rows = dict(row.split(" ", 1) for row in place.read_text("ascii").splitlines())
            return int(rows.get("oom_kill", 0))
    return 0


class Running:
    """A program that runs, with all that it has started."""

    def __init__(self, process: subprocess.Popen[bytes], grace: float, to_all: bool) -> None:
        self.process, self.grace, self.to_all = process, grace, to_all
        self.status: int | None = None
        self.result = "success"
        # From when on nothing of it may run any more.
        self.until: float | None = None
        self.kills = oom_kills()

    def wait(self, seconds: float) -> None:
        """Wait until all has ended: by itself, at its limit, or when this process is told to."""
        limit = time.monotonic() + seconds
        while self.reap():
            left = (self.until or limit) - time.monotonic()
            # What is started while the rest is killed is killed as well.
            least = LOOK_AGAIN_S if self.until else 0
            heard = signal.sigtimedwait(HEARD, max(left, least))
            if heard is not None and heard.si_signo == signal.SIGTERM:
                self.tell()
            elif self.until is None and time.monotonic() >= limit:
                self.result = "timeout"
                self.tell()
            elif self.until is not None and time.monotonic() >= self.until:
                self.signal(signal.SIGKILL, descendants())

    def tell(self) -> None:
        """Tell it to end, once."""
        if self.until is None:
            self.until = time.monotonic() + self.grace
            self.signal(signal.SIGTERM, descendants() if self.to_all else [self.process.pid])

    def signal(self, number: signal.Signals, pids: list[int]) -> None:
        """Send a signal to processes that may be gone."""
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def reap(self) -> bool:
        """Take the status of what has ended; returns whether anything still runs."""
        try:
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    return True
                if pid == self.process.pid:
                    self.ended(status)
        except ChildProcessError:
            return False

    def ended(self, status: int) -> None:
        """Note how the program ended. What it leaves behind has its time, unless it was told to."""
        self.status = os.waitstatus_to_exitcode(status)
        was_told = self.until is not None
        self.until = time.monotonic() + (0 if was_told else self.grace)
        if self.status == -signal.SIGKILL and not was_told and oom_kills() > self.kills:
            self.result = "oom-kill"

    def said(self) -> dict[str, str]:
        """Return how it ended, in the words of systemd."""
        status = self.status or 0
        if status >= 0:
            how = {"EXIT_CODE": "exited", "EXIT_STATUS": str(status)}
        else:
            name = signal.Signals(-status).name.removeprefix("SIG")
            how = {"EXIT_CODE": "killed", "EXIT_STATUS": name}
        return {"SERVICE_RESULT": self.result, **how}


def credential(folder: Path, user: pwd.struct_passwd) -> Path:
    """Let the user read the secrets, in memory, as long as the attempt lasts."""
    secrets = gpuops_job.SECRETS / folder.name / "secrets"
    place = gpuops_job.SECRETS / folder.name / "credentials"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(mode=0o700)
    copy = place / "secrets"
    with os.fdopen(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "wb") as file:
        file.write(secrets.read_bytes() if secrets.exists() else b"{}")
    for path in (copy, place):
        os.chown(path, user.pw_uid, user.pw_gid)
    return place


def prepare() -> None:
    """Set what holds for the program alone, right before it is started."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HEARD)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(OOM_SCORE, encoding="ascii")
    for limit in (resource.RLIMIT_NOFILE, resource.RLIMIT_MEMLOCK):
        most = resource.getrlimit(limit)[1]
        with suppress(OSError, ValueError):
            resource.setrlimit(limit, (most, most))


def started(folder: Path, user: pwd.struct_passwd) -> subprocess.Popen[bytes]:
    """Start the program as its user, with no right that it could win back."""
    command = ["setpriv", "--no-new-privs", "--pdeathsig=KILL"]
    if os.geteuid() == 0:
        command += [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--init-groups"]
    command += ["--", sys.executable, "-I", str(Path(gpuops_job.__file__)), "run", str(folder)]
    environment = {
        **{name: value for name, value in os.environ.items() if name == "LANG"},
        "PATH": PATH,
        "HOME": user.pw_dir,
        "USER": user.pw_name,
        "LOGNAME": user.pw_name,
        "CREDENTIALS_DIRECTORY": str(credential(folder, user)),
    }
    with (gpuops_job.attempts_of(folder)[-1] / "output.log").open("ab") as log:
        return subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True, preexec_fn=prepare,
        )  # fmt: skip


def main(place: str, name: str, seconds: str, grace: str, whom: str) -> None:
    """Run the attempt, and write down how it ended."""
    folder, user = Path(place), pwd.getpwnam(name)
    signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)
    ctypes.CDLL(None).prctl(SET_CHILD_SUBREAPER, 1)
    gpuops_job.begin(folder)
    running = Running(started(folder, user), float(grace), whom == "all")
    running.wait(float(seconds))
    shutil.rmtree(gpuops_job.SECRETS / folder.name / "credentials", ignore_errors=True)
    os.environ.update(running.said())
    gpuops_job.end(folder)


if __name__ == "__main__":
    main(*sys.argv[1:6])
