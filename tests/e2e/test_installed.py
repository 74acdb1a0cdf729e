# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo from the built tarball, installed into an empty folder."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from installed import run, user
from whole_path import CACHE, MODEL, ROOT

from gpuops_simulator.hosts import SESSION_LABEL, session


def hosts_left() -> list[str]:
    """Return the hosts of simulators of this session that are gone; others have theirs."""
    own = f"label={SESSION_LABEL}={session()}"
    command = ["podman", "ps", "--all", "--filter", own, "--format", "{{.Names}}"]
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    # gpuops-PROCESS-…
    return [name for name in names if not Path("/proc", name.split("-")[1]).exists()]


def test_the_demo_runs_from_an_installed_collection_and_leaves_nothing(
    tmp_path: Path, project: Path
) -> None:
    before = hosts_left()
    places = {"ANSIBLE_COLLECTIONS_PATH": str(project / "collections")}
    environment = {**user(Path.home()), **places}
    # Another clone's demo may run at the same time; one at a time is what a user's folder holds.
    # The account has every habit at once that a purchase can live with.
    own = {
        "demo_dir": str(tmp_path / "demo"),
        "demo_scenario": str(ROOT / "tests/simulator/scenarios/strict.json"),
        "vllm_wheelhouse": str(CACHE / "wheelhouse"),
    }
    demo = ("ansible-playbook", "gpuops.cloud.demo", "-e", json.dumps(own))
    output = run(*demo, cwd=tmp_path, environment=environment)

    assert MODEL["sentence"] in output
    assert "leftovers: none" in output
    assert hosts_left() == before
    assert (tmp_path / "demo" / "config").is_dir()
    assert not (tmp_path / "demo" / "config" / "demo").exists()
