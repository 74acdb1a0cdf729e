# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A home and a temporary folder for one session, and the proof that it left nothing behind."""

from __future__ import annotations

import configparser
import contextlib
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import workshop

sys.path.insert(0, str(workshop.ROOT / "tests/simulator"))

from gpuops_simulator.hosts import HostError, PodmanHosts

MARK = "GPUOPS_WORKSPACE"
GRACE_SECONDS = 20.0  # a simulator that was told to stop removes its hosts first

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
def workspace(result: workshop.Result) -> Iterator[dict[str, str]]:
    """Yield the environment of a session; count what it leaves behind as failure, and remove it.

    What is new in the user's own home is told, not removed: somebody else may have made it.
    """
    _sweep_hosts()  # what others left before is not held against this session
    before = set(Path.home().glob(".*"))
    with tempfile.TemporaryDirectory(prefix="gpuops-", ignore_cleanup_errors=True) as folder:
        home, temporary = Path(folder, "home"), Path(folder, "tmp")
        temporary.mkdir()
        _fill_home(home)
        try:
            yield _environment(home, temporary)
        finally:
            left = [f"process {text}" for text in _end_processes(folder)]
            left += [f"host {name}" for name in _sweep_hosts()]
            left += [f"temporary file {path.name}" for path in sorted(temporary.glob("*gpuops*"))]
            strange = set(Path.home().glob(".*")) - before - {Path.home() / ".cache"}
            left += [f"{path} in the user's own home" for path in sorted(strange)]
            for text in left:
                print(f"LEFT BEHIND: {text}", flush=True)
            if left or result.passed or result.failed:
                result.check("; ".join(["leaves nothing behind", *left]), not left)


def _fill_home(home: Path) -> None:
    """Give the home pip's settings, our cache and the environments of ansible-test.

    The settings go along as a file because ansible-test drops PIP_* variables.
    """
    links = {
        ".cache/gpuops.cloud": Path.home() / ".cache/gpuops.cloud",
        ".ansible/test": workshop.WORK / "ansible-test",
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
    strange = ("DATACRUNCH_", "GPUOPS_LEDGER", "VERDA_", "XDG_")
    for name in [name for name in environment if name.startswith(strange)]:
        del environment[name]
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


def _sweep_hosts() -> list[str]:
    """Remove the containers of simulators that are gone; return their names.

    A podman that does not work has no containers; whoever needs hosts will fail and say why.
    """
    if not shutil.which("podman"):
        return []
    try:
        return PodmanHosts(run_id="sweep", log=print).sweep()
    except HostError as error:
        print(f"podman does not work here: {error}", flush=True)
        return []


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


def place_get_pip(site_packages: Path) -> None:
    """Put the bootstrap script where this ansible-test looks first."""
    table = (site_packages / "ansible_test/_internal/python_requirements.py").read_text(
        encoding="utf-8"
    )
    pip = next((workshop.ROOT / ".venv/lib").glob("python3*/site-packages"))
    cache = workshop.WORK / "ansible-test/cache"
    cache.mkdir(parents=True, exist_ok=True)
    for version in set(re.findall(r"pip='([\d.]+)'", table)):
        script = cache / f"get_pip_{version.replace('.', '_')}.py"
        script.write_text(GET_PIP.format(source=str(pip)), encoding="utf-8")
