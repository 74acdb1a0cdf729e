# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask supervisord for what other programs of the role ask systemctl, by the same words.

Arguments: a word of systemctl and the name of a unit. A unit is the program of that name, without
".service", in a file of its own below /etc/supervisor/conf.d. One that begins with supervisord is
enabled. "up" starts supervisord where it does not run, and prints whether it had to.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

UNITS = Path("/etc/supervisor/conf.d")
# What else is kept by supervisord is none of ours, also when its file has gone.
OURS = ("vllm", "gpuops-job@")
# Of a program that supervisord does not know there is none.
STATES = {
    "STARTING": "active",
    "RUNNING": "active",
    "BACKOFF": "activating",
    "STOPPING": "deactivating",
    "STOPPED": "inactive",
    "EXITED": "inactive",
    "FATAL": "failed",
}
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
START_SECONDS, LOOK_AGAIN_S = 10.0, 0.2
# Of what follows the name of a process in its file "stat", when it was started.
START_TIME = 19


class RefusedError(Exception):
    """Supervisord did not do it; the text says what it said."""


def supervisorctl(*words: str) -> subprocess.CompletedProcess[str]:
    """Run supervisorctl, whatever comes of it."""
    command = ["supervisorctl", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def must(*words: str) -> str:
    """Run supervisorctl and return what it prints. Raises RefusedError."""
    done = supervisorctl(*words)
    if done.returncode or "ERROR" in done.stdout or "error:" in done.stdout:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise RefusedError(f"supervisorctl {' '.join(words)}: {''.join(said)}")
    return done.stdout


def state(program: str) -> str:
    """Return the state of a program in supervisord's own words, nothing where it knows none."""
    words = [*supervisorctl("status", program).stdout.split(), "", ""]
    return words[1] if words[0] == program and words[1] in STATES else ""


def setting(program: str, name: str) -> str:
    """Return a setting of a program, nothing without its file."""
    path = UNITS / f"{program}.conf"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    found = re.search(rf"^{name}=(.*)$", text, re.MULTILINE)
    return found.group(1).strip() if found else ""


def process(program: str) -> int:
    """Return the process of a program, 0 where none runs."""
    text = supervisorctl("pid", program).stdout.strip()
    return int(text) if text.isdigit() else 0


def begun(pid: int) -> int:
    """Return when a process was started, in seconds since 1970; 0 for one that is not there."""
    try:
        ticks = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return 0
    found = re.search(r"^btime (\d+)$", Path("/proc/stat").read_text(encoding="utf-8"), re.M)
    boot = int(found.group(1)) if found else 0
    return boot + int(ticks[START_TIME]) // os.sysconf("SC_CLK_TCK")


def runs_soon(program: str) -> bool:
    """Tell whether a program runs, which supervisord begins some moments after it was told."""
    limit = time.monotonic() + START_SECONDS
    while time.monotonic() < limit:
        if STATES.get(state(program)) in ("active", "activating"):
            return True
        time.sleep(LOOK_AGAIN_S)
    return False


def start(program: str) -> None:
    """Begin a program with the settings of its file, and say that. Raises RefusedError."""
    ran = STATES.get(state(program)) in ("active", "activating")
    must("update", program)
    if ran and runs_soon(program):
        return
    print("begun")
    if STATES.get(state(program)) in ("active", "activating"):
        return
    if setting(program, "autostart") != "true":
        must("start", program)
        return
    # To be begun by "start" would take as long as it has to run before it counts as begun.
    supervisorctl("remove", program)
    supervisorctl("add", program)
    if not runs_soon(program):
        raise RefusedError(f"supervisord does not begin {program}: {state(program) or 'unknown'}")


def stop(program: str) -> None:
    """End a program, and wait for it. Raises RefusedError."""
    if state(program) not in ("", "STOPPED", "EXITED", "FATAL"):
        must("stop", program)


def restart(program: str) -> None:
    """End a program and begin it anew. Raises RefusedError."""
    stop(program)
    start(program)


def kill(program: str) -> None:
    """Kill a program with all that it has started, as far as that stayed in its group."""
    pid = process(program)
    if pid:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def forget() -> None:
    """Let supervisord forget those of our programs whose files have gone."""
    for line in must("reread").splitlines():
        name, _unused, what = line.partition(": ")
        if what == "disappeared" and name.startswith(OURS):
            must("update", name)


def enabled(program: str) -> str:
    """Tell whether a program begins with supervisord, in the words of systemd."""
    return "enabled" if setting(program, "autostart") == "true" else "disabled"


def shown(program: str) -> dict[str, str]:
    """Return what there is to say of a program, in the words of systemd."""
    pid = process(program)
    return {
        "LoadState": "loaded" if (UNITS / f"{program}.conf").exists() else "not-found",
        "ActiveState": STATES.get(state(program), "inactive"),
        "UnitFileState": enabled(program),
        "ActiveEnterTimestamp": f"@{begun(pid)}" if pid else "",
        "InvocationID": f"{pid}-{begun(pid)}" if pid else "",
    }


def up() -> bool:
    """Start supervisord, and tell whether it did not run. Raises RefusedError."""
    if supervisorctl("pid").returncode == 0:
        return False
    # What whoever logs in has in the environment is not for what it keeps.
    command = ["supervisord"]
    done = subprocess.run(command, env={"PATH": PATH}, capture_output=True, text=True, check=False)
    limit = time.monotonic() + START_SECONDS
    while supervisorctl("pid").returncode:
        if done.returncode or time.monotonic() > limit:
            said = (done.stderr.strip() or done.stdout.strip() or "it does not answer").splitlines()
            raise RefusedError(f"supervisord does not start: {said[-1]}")
        time.sleep(LOOK_AGAIN_S)
    return True


def main(words: list[str]) -> int:
    """Do what the first word says; returns the status of systemctl for it."""
    what, *names = [word for word in words if not word.startswith("--")]
    program = names[0].removesuffix(".service") if names else ""
    told: dict[str, Callable[[], str]] = {
        "is-active": lambda: STATES.get(state(program), "inactive"),
        "is-enabled": lambda: enabled(program),
        "show": lambda: "\n".join(f"{key}={value}" for key, value in shown(program).items()),
        "up": lambda: json.dumps({"changed": up()}),
    }
    done: dict[str, Callable[[str], None]] = {
        "start": start,
        "stop": stop,
        "restart": restart,
        "kill": kill,
        "daemon-reload": lambda _program: forget(),
        # A program that has failed is begun like any other, and one without a file is forgotten.
        "reset-failed": lambda _program: None,
        "disable": lambda _program: None,
    }
    if what in told:
        text = told[what]()
        print(text)
        return 3 if what == "is-active" and text != "active" else 0
    done[what](program)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (RefusedError, OSError) as error:
        sys.exit(str(error))
