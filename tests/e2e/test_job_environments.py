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
from whole_path import CACHE, ROOT

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

    def __init__(self, project: Project) -> None:
        self.project = project
        project.write("keeps", "import time; time.sleep(3600)\n", data={"volume_gb": 1})
        wish = ("-e", "job=keeps.job.yml", "-e", "follow=false", "-e", "ask=false")
        assert project.play("job", *wish)[0] == 0
        settings = project.cloud.home / "job-keeps/ssh_config"
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

    def output(self, name: str) -> list[str]:
        """Return the lines of a job that has ended well."""
        attempt = f"/srv/gpuops/jobs/{name}/attempts/0001"
        wait_until(lambda: self.said(f"cat {attempt}/exit.json"))
        assert '"exit_code": 0' in self.said(f"cat {attempt}/exit.json")
        return self.said(f"cat {attempt}/output.log").splitlines()


@pytest.fixture
def host(project: Project) -> Host:
    """Provide a host."""
    return Host(project)


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
    assert host.project.play("job_cancel", "-e", "job_name=keeps")[0] == 0
    assert host.project.living() == []
