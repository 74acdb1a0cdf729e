# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A home and a temporary folder for one session, and the proof that it left nothing behind."""

from __future__ import annotations

import configparser
import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import workshop
from home_watch import MARK
from surroundings import tests_cache, write

GRACE_SECONDS = 20.0  # a simulator that was told to stop removes its hosts first
SWEEP_SECONDS = 300.0

# Stands where ansible-test looks for its pip bootstrap script, which it would otherwise download.
GET_PIP = """\
import shutil, sysconfig
from pathlib import Path
target = Path(sysconfig.get_paths()["purelib"])
source = Path({source!r})
for path in [source / "pip", *source.glob("pip-*.dist-info")]:
    shutil.copytree(path, target / path.name, dirs_exist_ok=True)
"""


@contextlib.contextmanager
def workspace(result: workshop.Result, session: str) -> Iterator[dict[str, str]]:
    """Yield the environment of a session; count what it leaves behind as failure, and remove it.

    Only what this session made is held against it: others may work on this machine, in this home
    and in this clone at the same time. What it wrote in the user's home is told, not removed.
    """
    before = workshop.written_at_home()
    with tempfile.TemporaryDirectory(prefix="gpuops-", ignore_cleanup_errors=True) as folder:
        home, temporary = Path(folder, "home"), Path(folder, "tmp")
        temporary.mkdir()
        _fill_home(home, session)
        environment = _environment(home, temporary)
        _sweep_hosts(environment, "all")  # of simulators and sessions that were killed before
        try:
            yield dict(environment)
        finally:
            left = [f"process {text}" for text in _end_processes(folder)]
            left += [f"host {name}" for name in _sweep_hosts(environment, "mine")]
            left += [f"temporary file {path.name}" for path in sorted(temporary.glob("*gpuops*"))]
            left += [f"{path} in the user's own home" for path in _strange(before, folder)]
            for text in left:
                print(f"LEFT BEHIND: {text}", flush=True)
            if left or result.passed or result.failed:
                result.check("; ".join(["leaves nothing behind", *left]), not left)


def _strange(before: dict[Path, int], folder: str) -> list[str]:
    """Return what programs of this workspace, or of none, have written in the user's own home."""
    rows = []
    for path in workshop.written_at_home():
        text = path.read_bytes()[before.get(path, 0) :].decode(errors="replace")
        rows += [line.split("\t") for line in text.splitlines()]
    return sorted({name for mark, name in rows if mark in ("", folder)})


def _fill_home(home: Path, session: str) -> None:
    """Give the home what is kept between runs, and pip's settings.

    The settings go along as a file because ansible-test drops PIP_* variables. Its environments are
    the session's own, since it makes them without a lock.
    """
    cache = tests_cache(os.environ)
    links = {
        ".ansible/test": workshop.WORK / "ansible-test" / session,
        ".cache/gpuops.cloud/wheelhouse": cache / "wheelhouse",
        ".cache/pip": cache / "pip",
    }
    for name, target in links.items():
        target.mkdir(parents=True, exist_ok=True)
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).symlink_to(target)
    settings = configparser.RawConfigParser()
    settings["global"] = {
        key: value.replace("\\n", " ") for key, value in workshop.pip_settings().items()
    }
    settings["global"].setdefault("quiet", "2")
    (home / ".config/pip").mkdir(parents=True)
    with (home / ".config/pip/pip.conf").open("w", encoding="utf-8") as stream:
        settings.write(stream)


def _environment(home: Path, temporary: Path) -> dict[str, str]:
    """Return the environment that leads every tool to this home and temporary folder."""
    environment = workshop.tool_environment()
    # A shim of pyenv looks for its versions below HOME, so the real interpreter goes first.
    python = str(Path(os.path.realpath(sys.executable)).parent)
    path = os.pathsep.join([python, environment.get("PATH", os.defpath)])
    return {
        **environment,
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "PATH": path,
        MARK: str(home.parent),
        "GPUOPS_WATCH_PID": str(os.getpid()),
        # With ~, its default, it is in the home of the password database, whatever HOME is.
        "ANSIBLE_REMOTE_TMP": "$HOME/.ansible/tmp",
    }


def _sweep_hosts(environment: dict[str, str], whose: str) -> list[str]:
    """Remove the containers of simulators that are gone, with their disks; return their names.

    A podman that does not work has no containers; whoever needs hosts will fail and say why.
    """
    simulator = workshop.ROOT / "tests/simulator"
    done = subprocess.run(
        [sys.executable, str(simulator), "--sweep-hosts", whose],
        env=environment,
        capture_output=True,
        text=True,
        timeout=SWEEP_SECONDS,
        check=False,
    )
    if done.returncode:
        print(f"podman does not work here: {done.stderr.strip()}", flush=True)
    return done.stdout.split()


def _end_processes(folder: str) -> list[str]:
    """End the processes of this workspace that do not end by themselves; return their commands."""
    limit = time.monotonic() + GRACE_SECONDS
    while (found := _processes(folder)) and time.monotonic() < limit:
        time.sleep(0.2)
    for process in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGTERM)
    return list(found.values())


def _processes(folder: str) -> dict[int, str]:
    """Return the processes that were started with this workspace's mark: number and command.

    Masters of ssh connections live a minute by design (ControlPersist): nobody complains of those.
    """
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            variables = (entry / "environ").read_bytes().split(b"\0")
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        command = b" ".join(words).decode(errors="replace").strip()
        marked = f"{MARK}={folder}".encode() in variables and int(entry.name) != os.getpid()
        if marked and not re.match(r"ssh: .*\[mux\]", command):
            found[int(entry.name)] = command
    return found


def place_get_pip(site_packages: Path, home: Path) -> None:
    """Put the bootstrap script where the ansible-test of this home looks first."""
    table = (site_packages / "ansible_test/_internal/python_requirements.py").read_text(
        encoding="utf-8"
    )
    pip = next((workshop.ROOT / ".venv/lib").glob("python3*/site-packages"))
    cache = home / ".ansible/test/cache"
    cache.mkdir(parents=True, exist_ok=True)
    for version in set(re.findall(r"pip='([\d.]+)'", table)):
        script = cache / f"get_pip_{version.replace('.', '_')}.py"
        write(script, GET_PIP.format(source=str(pip)))
