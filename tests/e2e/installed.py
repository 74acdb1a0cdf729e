# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection as a user has it: built into a tarball, and installed from there."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from whole_path import ROOT

COLLECTION = "collections/ansible_collections/gpuops/cloud"


def run(*command: object, cwd: Path, environment: dict[str, str]) -> str:
    """Run a command that must succeed, and return its output."""
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    print(done.stdout[-6000:])
    assert done.returncode == 0
    return done.stdout


def user(home: Path) -> dict[str, str]:
    """Return the environment of somebody who has no clone, no settings and no account."""
    home.mkdir(exist_ok=True)
    ours = ("ANSIBLE_", "DATACRUNCH_", "VERDA_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    # Its default is in the home of the password database, whatever HOME is.
    settings = {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_REMOTE_TMP": "$HOME/.ansible/tmp"}
    return {**kept, **settings, "HOME": str(home)}


@pytest.fixture(scope="session")
def tarball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Provide the collection, built."""
    folder = tmp_path_factory.mktemp("built")
    command = ("ansible-galaxy", "collection", "build", "--output-path", folder, ROOT)
    run(*command, cwd=folder, environment=user(folder / "home"))
    return next(folder.glob("gpuops-cloud-*.tar.gz"))


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory, tarball: Path) -> Path:
    """Provide a folder in which the collection is installed, below ./collections."""
    folder = tmp_path_factory.mktemp("project")
    command = ("ansible-galaxy", "collection", "install", "--offline", tarball)
    run(*command, "-p", "collections", cwd=folder, environment=user(folder / "home"))
    return folder
