# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for supervisorctl: programs are files of a folder, and those that run are real."""

from __future__ import annotations

import sys
from pathlib import Path

# "update" knows what has a file and forgets what has none; "add" and "start" begin the command.
SUPERVISORCTL = """#!{python}
import configparser, json, os, signal, subprocess, sys, time
from pathlib import Path
home = Path({home!r})
units, known = home / "etc/supervisor/conf.d", home / "supervisor"
known.mkdir(exist_ok=True)
what, *names = sys.argv[1:]
name = names[-1] if names else ""
pids = known / name

def settings():
    found = configparser.RawConfigParser(inline_comment_prefixes=(";", "#"))
    found.read(units / f"{{name}}.conf")
    return found[f"program:{{name}}"]

def pid():
    try:
        number = int(pids.read_text())
        os.kill(number, 0)
        return number if "Z" not in Path(f"/proc/{{number}}/stat").read_text().split()[2] else 0
    except (OSError, ValueError, IndexError):
        return 0

def begin():
    command = settings()["command"].replace("/usr/local/lib/gpuops", str(home / "lib"))
    command = command.replace("/usr/bin/python3", sys.executable)
    words = command.replace("%%", "%").split()
    with open(settings().get("stdout_logfile", home / "programs.log"), "ab") as log:
        places = {{"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}}
        done = subprocess.Popen(words, start_new_session=True, **places)
    pids.write_text(str(done.pid))

with open(home / "asked", "a") as file:
    file.write(" ".join([what, *names]) + "\\n")
if what == "pid":
    print(pid() if name else 1)
elif name and what not in ("update", "reread") and not pids.exists():
    print(f"{{name}}: ERROR (no such process)")
    sys.exit(4)
elif what == "status":
    state = "RUNNING" if pid() else "EXITED" if pids.read_text() else "STOPPED"
    print(f"{{name:<33}}{{state}}   pid {{pid()}}, uptime 0:00:05")
elif what == "reread":
    gone = [path.name for path in known.iterdir() if not (units / f"{{path.name}}.conf").exists()]
    print("\\n".join(f"{{one}}: disappeared" for one in gone) or "No config updates to processes")
elif what == "update" and not (units / f"{{name}}.conf").exists():
    pids.unlink()
elif what in ("update", "add"):
    if not pids.exists() or what == "add":
        pids.write_text("")
        if settings()["autostart"] == "true":
            begin()
elif what == "start":
    begin()
elif what == "stop":
    limit = time.monotonic() + float(settings().get("stopwaitsecs", "10"))
    os.kill(pid(), signal.SIGTERM)
    while pid():
        if time.monotonic() > limit:
            os.killpg(pid(), signal.SIGKILL)
        time.sleep(0.01)
"""


def play(home: Path, programs: Path) -> None:
    """Put the stand-in among the programs; its programs are in etc/supervisor/conf.d of home."""
    (home / "etc/supervisor/conf.d").mkdir(parents=True, exist_ok=True)
    script = programs / "supervisorctl"
    text = SUPERVISORCTL.format(python=sys.executable, home=str(home))
    script.write_text(text, encoding="utf-8")
    script.chmod(0o755)


def asked(home: Path) -> list[str]:
    """Return what it was asked, but for questions."""
    lines = (home / "asked").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if not line.startswith(("status", "pid"))]
