# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The example of a workflow: every command of it, with the tests and the scenario that it runs."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from installed import run, user
from whole_path import ROOT

EXAMPLE = ROOT / "examples/ci"
JOB = "fleet"


@pytest.fixture(scope="module")
def workflow() -> dict[str, Any]:
    """Provide the workflow as GitHub reads it."""
    return dict(yaml.safe_load((EXAMPLE / "github-workflow.yml").read_text(encoding="utf-8")))


@pytest.fixture
def runner(tmp_path: Path, tarball: Path, workflow: dict[str, Any]) -> dict[str, str]:
    """Provide the environment that a runner gives to the workflow, and a pip."""
    values = {"vars.GPUOPS_CLOUD": str(tarball), "github.workspace": str(tmp_path / "work")}
    environment = user(tmp_path / "home")
    for name, text in workflow["env"].items():
        for expression, value in values.items():
            text = text.replace(f"${{{{ {expression} }}}}", value)
        assert "${{" not in text, text
        environment[name] = text
    # The environments of our sessions have no pip of their own, and uv takes the same words.
    programs = tmp_path / "programs"
    programs.mkdir()
    pip = programs / "pip"
    pip.write_text(f'#!/bin/sh\nexec "{ROOT}/.venv/bin/uv" pip "$@"\n', encoding="utf-8")
    pip.chmod(0o700)
    return {
        **environment,
        "GITHUB_ENV": str(tmp_path / "github_env"),
        "PATH": f"{programs}:{environment['PATH']}",
        "RUNNER_TEMP": str(tmp_path),
    }


def test_every_step_of_the_workflow_runs(
    tmp_path: Path, runner: dict[str, str], workflow: dict[str, Any]
) -> None:
    work = tmp_path / "work"
    shutil.copytree(EXAMPLE, work, ignore=shutil.ignore_patterns("__pycache__", ".pytest_cache"))
    noted = Path(runner["GITHUB_ENV"])
    noted.touch()
    for step in workflow["jobs"][JOB]["steps"]:
        if "run" in step:
            lines = noted.read_text(encoding="utf-8").splitlines()
            now = {**runner, **dict(line.split("=", 1) for line in lines)}
            # As GitHub starts it.
            run("bash", "-eo", "pipefail", "-c", step["run"], cwd=work, environment=now)
