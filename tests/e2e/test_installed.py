# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo from the built tarball, installed into an empty folder."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from whole_path import CACHE, MODEL, ROOT

from gpuops_simulator.hosts import SESSION_LABEL, session


def run(*command: object, cwd: Path, environment: dict[str, str]) -> str:
    """Run a command that must succeed, and return its output."""
    words = [str(word) for word in command]
    done = subprocess.run(
        words,
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    print(done.stdout[-6000:])
    assert done.returncode == 0
    return done.stdout


def hosts_left() -> list[str]:
    """Return the hosts of simulators of this session that are gone; others have theirs."""
    own = f"label={SESSION_LABEL}={session()}"
    command = ["podman", "ps", "--all", "--filter", own, "--format", "{{.Names}}"]
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    # gpuops-PROCESS-…
    return [name for name in names if not Path("/proc", name.split("-")[1]).exists()]


def test_the_demo_runs_from_an_installed_collection_and_leaves_nothing(tmp_path: Path) -> None:
    before = hosts_left()
    empty = tmp_path / "empty"
    empty.mkdir()
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(empty), "ANSIBLE_NOCOLOR": "1"}
    environment.pop("ANSIBLE_CONFIG", None)
    run(
        "ansible-galaxy",
        "collection",
        "build",
        "--output-path",
        tmp_path,
        ROOT,
        cwd=empty,
        environment=environment,
    )
    tarball = next(tmp_path.glob("gpuops-cloud-*.tar.gz"))
    command = ("ansible-galaxy", "collection", "install", "--offline", tarball, "-p", empty)
    run(*command, cwd=empty, environment=environment)

    # Another clone's demo may run at the same time; one at a time is what a user's folder holds.
    # The account has every habit at once that a purchase can live with.
    own = {
        "demo_dir": str(tmp_path / "demo"),
        "demo_scenario": str(ROOT / "tests/simulator/scenarios/strict.json"),
        "vllm_wheelhouse": str(CACHE / "wheelhouse"),
    }
    demo = ("ansible-playbook", "gpuops.cloud.demo", "-e", json.dumps(own))
    output = run(*demo, cwd=empty, environment=environment)

    assert MODEL["sentence"] in output
    assert "leftovers: none" in output
    assert hosts_left() == before
    assert (tmp_path / "demo" / "config").is_dir()
    assert not (tmp_path / "demo" / "config" / "demo").exists()
