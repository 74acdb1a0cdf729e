# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role gateway looks at on a host before it changes anything."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.roles.support import ROOT, load

PROBE = "roles/gateway/files/probe.py"
probe = load(PROBE)

LISTENING = """\
LISTEN 0 511 0.0.0.0:443 0.0.0.0:* users:(("apache2",pid={pid},fd=4),("apache2",pid=2,fd=4))
LISTEN 0 128 [::]:8443 [::]:*
LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=1,fd=3))
"""
INSTALLED = "haproxy installed\\nnginx config-files\\nnginx-extras installed\\n"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put programs that answer as those of a host first on the path."""
    (tmp_path / "listening").write_text(LISTENING.format(pid=os.getpid()), encoding="utf-8")
    texts = {"ss": f"cat {tmp_path}/listening", "dpkg-query": f"printf '{INSTALLED}'"}
    for name, text in texts.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
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


def test_ports_of_other_programs_are_taken(programs: Path) -> None:
    taken = probe.taken_ports(["443", "8443", "80"], ["gpuops-gateway"])
    assert taken == ["443 (apache2)", "8443 (unknown program)"]


def test_ports_of_the_units_of_the_role_are_free(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "mine", lambda pid, units: units == ["gpuops-gateway"])
    assert probe.taken_ports(["443"], ["gpuops-gateway"]) == []
    monkeypatch.undo()
    assert not probe.mine("0", ["gpuops-gateway"])  # gone meanwhile


def test_everything_is_told_in_one_answer(programs: Path) -> None:
    command = [sys.executable, str(ROOT / PROBE), "gpuops-gateway", "80,443", "haproxy"]
    for file, there in ((str(programs), True), ("/nowhere/at-all", False), ("", False)):
        done = subprocess.run([*command, file], capture_output=True, text=True, check=True)
        told: dict[str, Any] = json.loads(done.stdout)
        assert (told["missing_packages"], told["file"]) == ([], there)
        assert told["taken_ports"] == ["443 (apache2)"]
