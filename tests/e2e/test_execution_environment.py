# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The execution environment, by ansible-builder: all but the image itself."""

from __future__ import annotations

import shutil
from pathlib import Path

import yaml
from installed import COLLECTION, run, user
from whole_path import ROOT

DEFINITION = ROOT / "examples/awx/execution-environment.yml"


def test_definition_holds_the_tarball(tmp_path: Path, tarball: Path) -> None:
    shutil.copy(DEFINITION, tmp_path)
    shutil.copy(tarball, tmp_path)
    command = ("ansible-builder", "create", "-f", DEFINITION.name)
    run(*command, cwd=tmp_path, environment=user(tmp_path / "home"))
    packed = tmp_path / "context/_build"
    assert (packed / tarball.name).is_file()
    wanted = yaml.safe_load((packed / "requirements.yml").read_text(encoding="utf-8"))
    assert wanted["collections"] == [{"name": tarball.name, "type": "file"}]


def test_everything_that_the_collection_needs_is_found(tmp_path: Path, project: Path) -> None:
    command = ("ansible-builder", "introspect", project / "collections")
    output = run(*command, cwd=tmp_path, environment=user(tmp_path / "home"))
    found = yaml.safe_load(output)
    lines = (project / COLLECTION / "requirements.txt").read_text(encoding="utf-8").splitlines()
    packages = [line for line in lines if line and not line.startswith("#")]
    assert sorted(line.split("  #")[0] for line in found["python"]) == sorted(packages)
    assert any(line.startswith("openssh-client ") for line in found["system"])
