# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs beside what SSH alone would do: a folder sent, and the first line of a program."""

from __future__ import annotations

import json
import os
import re
import secrets
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from ansible_collections.gpuops.cloud.plugins.action.job_send import send
from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.folder import read_folder
from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.remote import Remote
from gpuops_simulator import hostimage
from gpuops_simulator.hosts import PodmanHosts, runtime

ROOT = Path(__file__).resolve().parents[2]
FILES, SIZE, REPEATS = 10_000, 2_000, 3
FIRST = "import time; print(time.time())"


@dataclass(frozen=True)
class Pair:
    """Seconds of ours, and of SSH alone."""

    what: str
    ours: float
    plain: float


@dataclass(frozen=True)
class Login:
    """A host, and the words that run a command there."""

    address: str
    key: Path

    @property
    def options(self) -> tuple[str, ...]:
        known = f"UserKnownHostsFile={self.key}.known"
        return ("-o", known, "-o", "StrictHostKeyChecking=accept-new")

    @property
    def words(self) -> tuple[str, ...]:
        return ("ssh", "-i", str(self.key), *self.options, f"root@{self.address}")

    def run(self, command: str, data: bytes = b"") -> str:
        """Run a command and return what it printed."""
        done = subprocess.run([*self.words, command], input=data, capture_output=True, check=True)
        return done.stdout.decode()


@contextmanager
def host() -> Iterator[tuple[Login, Path]]:
    """Start a host, and yield how to log in and a folder for what is measured."""
    image, _line = hostimage.prepare(runtime(), print)
    hosts = PodmanHosts(f"{os.getpid()}-{secrets.token_hex(3)}", print, image)
    with tempfile.TemporaryDirectory(prefix="gpuops-benchmark-") as place:
        key = Path(place, "key")
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)]
        subprocess.run(command, check=True)
        try:
            public = key.with_suffix(".pub").read_text(encoding="utf-8")
            yield Login(hosts.start("measured", "measured", [public]), key), Path(place)
        finally:
            hosts.close()


def run() -> list[Pair]:
    """Measure both on one host."""
    with host() as (login, place):
        return [_sent(login, place), _begun(login, place)]


def _seconds(step: Callable[[int], None], number: int) -> float:
    began = time.monotonic()
    step(number)
    return time.monotonic() - began


def _sent(login: Login, place: Path) -> Pair:
    """Send many small files."""
    source = place / "source"
    for number in range(FILES):
        path = source / f"{number % 100}" / f"{number}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(SIZE))
    program = (ROOT / "roles/job/files/gpuops_job_files.py").read_bytes()
    login.run("cat > /root/files.py", program)
    remote = Remote("host", ("/usr/bin/python3", "-I", "/root/files.py"), login.words)

    def ours(number: int) -> None:
        send(remote, f"/root/ours{number}", read_folder(source, 200))

    def plain(number: int) -> None:
        there = f"mkdir /root/plain{number} && tar -xf - -C /root/plain{number}"
        line = f"tar -cf - -C {source} . | {shlex.join([*login.words, there])}"
        subprocess.run(["bash", "-o", "pipefail", "-c", line], check=True)

    pairs = [(_seconds(ours, number), _seconds(plain, number)) for number in range(REPEATS)]
    what = f"{FILES:,} files of {SIZE / 1000:g} kB sent, against tar over SSH"
    return Pair(what, median(one for one, _two in pairs), median(two for _one, two in pairs))


def _begun(login: Login, place: Path) -> Pair:
    """Wait for a program's first output on a host that has had a job before."""
    project = place / "project"
    project.mkdir()
    (project / "first.py").write_text(FIRST, encoding="utf-8")
    _start(login, project, "warm")
    ours = [_start(login, project, f"measured{number}") for number in range(REPEATS)]
    plain = []
    for _number in range(REPEATS):
        began = time.time()
        plain.append(float(login.run(f"python3 -c {shlex.quote(FIRST)}")) - began)
    return Pair("first output of a program, against ssh host program", median(ours), median(plain))


def _start(login: Login, project: Path, name: str) -> float:
    """Start a job by the tasks of the playbook; returns the seconds until its program printed."""
    given = {"measured": name, "folder": str(project)}
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-u", "root"]
    command += ["-i", f"{login.address},", "--private-key", str(login.key)]
    command += ["--ssh-common-args", shlex.join(login.options), "-e", json.dumps(given)]
    settings = {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections")}
    settings["ANSIBLE_CONFIG"] = str(ROOT / "ansible.cfg")
    done = subprocess.run(
        [*command, str(ROOT / "tests/benchmarks/job.yml")],
        env={**os.environ, **settings}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = re.search(r"began ([0-9.]+)", done.stdout)
    if done.returncode or not found:
        raise RuntimeError(done.stdout[-2000:])
    log = f"/srv/gpuops/jobs/{name}/attempts/0001/output.log"
    said = login.run(f"until [ -s {log} ]; do sleep 0.1; done; cat {log}")
    return float(said) - float(found[1])
