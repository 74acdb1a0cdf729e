# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role gateway looks at on a host before it changes anything."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.roles.support import ROOT, load

PROBE = "roles/gateway/files/probe.py"
probe = load(PROBE)

INSTALLED = "haproxy installed\\nnginx config-files\\nnginx-extras installed\\n"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put programs that answer as those of a host first on the path."""
    program = tmp_path / "dpkg-query"
    program.write_text(f"#!/bin/sh\nprintf '{INSTALLED}'\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return tmp_path


@pytest.mark.parametrize(
    ("release", "missing"), [(("debian", "12"), ["nginx"]), (("ubuntu", "22.04"), [])]
)
def test_packages_are_missing_that_are_not_installed_by_their_name_there(
    release: tuple[str, str],
    missing: list[str],
    programs: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(probe, "release", lambda: release)
    assert probe.missing_packages(["haproxy", "nginx"]) == missing


def test_everything_is_told_in_one_answer(programs: Path) -> None:
    command = [sys.executable, str(ROOT / PROBE), "haproxy"]
    for file, there in ((str(programs), True), ("/nowhere/at-all", False), ("", False)):
        done = subprocess.run([*command, file], capture_output=True, text=True, check=True)
        told: dict[str, Any] = json.loads(done.stdout)
        assert (told["missing_packages"], told["file"]) == ([], there)
