# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A program in a container: what podman is asked for, and how it ends."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.roles.support import load

program = load("roles/job/files/gpuops_job.py")
JOB = {"image": "localhost/tiny:1", "podman": ["podman"], "command": ["python", "train.py"]}
TOKEN = "it's a secret"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Provide a job whose unit has a secret."""
    (tmp_path / "job/work").mkdir(parents=True)
    (tmp_path / "run/job").mkdir(parents=True)
    (tmp_path / "secrets").write_text(f'{{"TOKEN": "{TOKEN}"}}', encoding="utf-8")
    monkeypatch.setattr(program, "SECRETS", tmp_path / "run")
    monkeypatch.setattr(program, "NVIDIA", tmp_path / "nvidia.yaml")
    return tmp_path / "job"


def asked(folder: Path, **job: Any) -> list[str]:
    """Return what podman is asked for."""
    environment = program.variables(folder, {**JOB, **job}, 1)
    return list(program.contained(folder, JOB, JOB["command"], environment))


def test_a_container_has_the_folder_and_variables_of_the_job(folder: Path) -> None:
    words = asked(folder, env={"MODE": "two words"})
    assert words[-3:] == ["localhost/tiny:1", "python", "train.py"]
    assert {f"{folder}:{folder}", f"HOME={folder}/home", "MODE=two words"} <= set(words)
    assert f"{os.getuid()}:{os.getgid()}" in words
    assert not [word for word in words if word.startswith("PATH=")], "the image has its own"
    assert "nvidia.com/gpu=all" not in words
    program.NVIDIA.touch()
    assert "nvidia.com/gpu=all" in asked(folder)


def test_a_secret_goes_in_by_a_file_in_memory(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder.parent))
    asked(folder)
    words = asked(folder)
    place = program.SECRETS / "job/variables"
    assert (place.stat().st_mode & 0o777, place.stat().st_uid) == (0o400, os.getuid())
    assert not [word for word in words if TOKEN in word]
    start = [word.replace(program.INSIDE, str(place)) for word in words[-6:-2]]
    shown = program.subprocess.run(
        [*start, "sh", "-c", 'printf "%s" "$TOKEN"'], capture_output=True, text=True, check=True
    )
    assert shown.stdout == TOKEN


@pytest.mark.parametrize(
    ("status", "code", "reason", "signal"),
    [("3", 3, "exit_code", ""), ("139", 139, "signal", "SEGV"), ("255", 255, "exit_code", "")],
)
def test_podman_tells_a_signal_as_a_shell_does(
    status: str, code: int, reason: str, signal: str
) -> None:
    said = {"EXIT_CODE": "exited", "EXIT_STATUS": status}
    found = program.outcome("", "time_limit", program.by_signal(said))
    assert found == {"exit_code": code, "reason": reason, "signal": signal}
