# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environments of jobs, made by uv on a host with a data volume."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from test_job import Project, project, wait_until
from whole_path import CACHE, HF_TOKEN, ROOT

__all__ = ["project"]
WHEELHOUSE = ("-e", f"job_wheelhouse={CACHE / 'wheelhouse'}")
# Where the wheels of these tests are, as each kind of file says it.
SETTINGS = 'find-links = ["wheels"]\nno-index = true\n'
SCRIPT = """\
# /// script
# dependencies = ["tiny"]
# [tool.uv]
# find-links = ["wheels"]
# no-index = true
# ///
"""
PROJECT = '[project]\nname = "mine"\nversion = "1"\nrequires-python = ">=3.11"\n'
PROJECT += f'dependencies = ["tiny"]\n[tool.uv]\n{SETTINGS}'
LOCK = """\
version = 1
revision = 5
requires-python = ">=3.11"

[[package]]
name = "mine"
version = "1"
source = { virtual = "." }
dependencies = [
    { name = "tiny" },
]

[package.metadata]
requires-dist = [{ name = "tiny" }]

[[package]]
name = "tiny"
version = "1.0"
source = { registry = "wheels" }
wheels = [
    { path = "tiny-1.0-py3-none-any.whl" },
]
"""
# What started it is no part of uv, which would pass on a signal that it got itself.
SHOW = """\
import os, pathlib, sys
print(pathlib.Path(f"/proc/{os.getppid()}/comm").read_text().strip(), sys.prefix)
"""
TINY = f"import tiny\n{SHOW}print(tiny.word)\n"
EMPTY = f"# /// script\n# dependencies = []\n# ///\n{SHOW}"
FOLDERS = {
    "pep723": {"train.py": SCRIPT + TINY},
    "lock": {"train.py": TINY, "pyproject.toml": PROJECT, "uv.lock": LOCK},
    "requirements": {
        "train.py": TINY,
        "requirements.txt": "--no-index\n--find-links wheels\ntiny\n",
    },
    "shared": {"train.py": EMPTY},
    "sharing": {"train.py": EMPTY},
    "none": {"train.py": SHOW},
}
IMAGE, IMAGES = "localhost/tiny:1", "/srv/gpuops/environments/here/containers"
# One of a single program, made on the host, which has no device for an overlay of its own.
TINY_IMAGE = """\
set -e
apt-get -qq update
DEBIAN_FRONTEND=noninteractive apt-get -qq install -y podman catatonit busybox-static > /dev/null
printf '[storage]\\ndriver = "vfs"\\nrunroot = "/run/c"\\ngraphroot = "/srv/c"\\n' \\
    > /etc/containers/storage.conf
mkdir -p /tmp/tiny/bin /tmp/tiny/tmp
cp /bin/busybox /tmp/tiny/bin/
for name in sh id pwd sleep; do ln -s busybox /tmp/tiny/bin/$name; done
tar -C /tmp/tiny -c ."""
BOXED = """\
echo $(id -u) $MODE $(pwd) ${HF_TOKEN:+given} $GPUOPS_RESUME > out/x
(trap '' TERM; sleep 98765) &
kill -SEGV $$
"""
PLAY = {
    "hosts": "all",
    "gather_facts": False,
    "tasks": [{"ansible.builtin.include_role": {"name": "gpuops.cloud.job"}}],
}


def write_wheel(folder: Path, version: str) -> None:
    """Write a wheel of a module that knows its version."""
    folder.mkdir(parents=True, exist_ok=True)
    about = f"tiny-{version}.dist-info"
    files = {
        "tiny.py": f"word = 'tiny {version}'\n",
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{about}/RECORD"] = "".join(f"{name},,\n" for name in (*files, f"{about}/RECORD"))
    with zipfile.ZipFile(folder / f"tiny-{version}-py3-none-any.whl", "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)


class Host:
    """The host of a job that waits, and further jobs on it by the role alone."""

    def __init__(self, project: Project, name: str) -> None:
        self.project, self.name = project, name
        project.write(name, "import time; time.sleep(3600)\n", data={"volume_gb": 1})
        assert project.play("job", "-e", f"job={name}.job.yml", "-e", "follow=false")[0] == 0
        settings = project.cloud.home / f"job-{name}/ssh_config"
        self.login = ["ssh", "-F", str(settings)]
        (host,) = [row for row in project.cloud.state()["instances"] if row["status"] == "running"]
        self.address = host["ip"]
        self.options = {
            "ansible_host": self.address,
            "ansible_user": "root",
            "ansible_ssh_common_args": f"-F {settings}",
            "job_folder": "/srv/gpuops/jobs",
            "gpuops_storage": {
                "path": "/srv/gpuops",
                "environments": "/srv/gpuops/environments/here",
            },
        }

    def run(self, name: str, files: dict[str, str], **more: Any) -> tuple[int, str]:
        """Let the role run a job; returns the status of the play, and what was said."""
        folder = self.project.folder / "sent" / name
        write_wheel(folder / "wheels", "1.0")
        for path, text in files.items():
            (folder / path).write_text(text, encoding="utf-8")
        wish = {"job_name": name, "job_command": ["python", "train.py"], "job_inputs": str(folder)}
        book = self.project.folder / f"{name}.yml"
        book.write_text(
            yaml.safe_dump([{**PLAY, "vars": {**self.options, **wish, **more}}]), encoding="utf-8"
        )
        done = subprocess.run(
            ["ansible-playbook", "-i", f"{self.address},", str(book), *WHEELHOUSE],
            cwd=ROOT, env=self.project.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        print(done.stdout[-4000:])
        return done.returncode, done.stdout

    def said(self, command: str) -> str:
        """Return what a command of the host prints, nothing for one that fails."""
        words = [*self.login, f"root@{self.address}", command]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        return done.stdout

    def ending(self, name: str) -> str:
        """Return how a job has ended."""
        place = f"/srv/gpuops/jobs/{name}/attempts/0001/exit.json"
        wait_until(lambda: self.said(f"cat {place}"))
        print(self.said(f"cat {Path(place).with_name('output.log')}"))
        return self.said(f"cat {place}")

    def output(self, name: str) -> list[str]:
        """Return the lines of a job that has ended well."""
        assert '"exit_code": 0' in self.ending(name)
        return self.said(f"cat /srv/gpuops/jobs/{name}/attempts/0001/output.log").splitlines()

    def end(self) -> None:
        """End the job that waits, and the host with it."""
        assert self.project.play("job_cancel", "-e", f"job_name={self.name}")[0] == 0
        assert self.project.living() == []


@pytest.fixture
def host(project: Project, request: pytest.FixtureRequest) -> Host:
    """Provide a host."""
    return Host(project, f"keeps-{'image' if 'container' in request.node.name else 'uv'}")


def test_environments_are_made_by_what_the_folder_asks_for(host: Host) -> None:
    prefixes = {}
    for name, files in FOLDERS.items():
        assert host.run(name, files)[0] == 0
        parent, prefixes[name] = host.output(name)[0].split()
        assert parent == "systemd"
        assert prefixes[name].startswith("/srv/gpuops/environments/here/job-")
    for name in ("pep723", "lock", "requirements"):
        assert host.output(name)[1] == "tiny 1.0", name
    assert prefixes["shared"] == prefixes["sharing"], "what is asked for alike is made once"
    assert len(set(prefixes.values())) == len(prefixes) - 1
    assert host.said("findmnt -n -o TARGET -T /srv/gpuops/environments/here").strip() == (
        "/srv/gpuops"
    ), "they are on the data volume"
    there = {"job_environment": prefixes["lock"]}
    assert host.run("there", {"train.py": TINY}, **there)[0] == 0
    assert host.output("there")[1] == "tiny 1.0"
    status, said = host.run("nowhere", {"train.py": TINY}, job_environment="/opt/none")
    assert (status, "environment /opt/none is not on the host" in said) == (2, True)
    stale = {**FOLDERS["lock"], "pyproject.toml": PROJECT.replace('"tiny"', '"tiny<2"')}
    status, said = host.run("stale", stale)
    assert (status, "uv.lock is out of date: run 'uv lock'" in said) == (2, True)
    assert host.said("ls /srv/gpuops/jobs/stale/attempts") == ""
    host.end()


def test_a_program_runs_in_a_container(host: Host) -> None:
    host.said(f"{TINY_IMAGE} | podman --root {IMAGES} import - {IMAGE}")
    wish = {"job_image": IMAGE, "job_secrets": ["HF_TOKEN"], "job_env": {"MODE": "two words"}}
    status, said = host.run("boxed", {}, job_command=["sh", "-c", BOXED], **wish)
    assert (status, HF_TOKEN in said) == (0, False)
    assert '"exit_code": 139, "reason": "signal", "signal": "SEGV"' in host.ending("boxed")
    user = host.said("id -u gpuops-job").strip()
    place = "/srv/gpuops/jobs/boxed/work"
    assert host.said(f"cat {place}/out/x").split() == [
        user, "two", "words", place, "given", "0",
    ]  # fmt: skip
    assert host.said("pgrep -f 'sleep 98765'") == "", "what it has started ends with it"
    assert host.said(f"grep -rlF {HF_TOKEN} /srv/gpuops /var/lib/containers /etc/systemd") == ""
    status, said = host.run("longer", {}, job_command=["sleep", "1000"], **wish)
    assert status == 0
    host.said("systemctl stop gpuops-job@longer")
    assert '"signal": "TERM"' in host.ending("longer")
    missing = {**wish, "job_image": "localhost/none:1"}
    status, said = host.run("none", {}, job_command=["true"], **missing)
    assert (status, "localhost/none:1" in said) == (2, True)
    host.end()
