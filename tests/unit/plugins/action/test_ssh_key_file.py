# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The public half of a key, as the real ``ssh-keygen`` derives it, and keys that open nothing."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.action import ssh_key_file
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import run_action


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """Return a key without a passphrase."""
    return make(tmp_path / "own key")


def make(path: Path, passphrase: str = "") -> Path:
    """Make a key; returns its path."""
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", str(path)]
    subprocess.run(command, check=True)
    return path


def beside(key: Path) -> Path:
    """Return the file of the public half."""
    return key.with_name(f"{key.name}.pub")


def look(key: Path, **options: Any) -> dict[str, Any]:
    """Look at a key."""
    return run_action(ssh_key_file, path=str(key), **options)


@pytest.mark.every_core("ssh_key_file")
def test_public_half_is_that_of_the_key_and_not_of_the_file_beside_it(key: Path) -> None:
    text = beside(key).read_text(encoding="utf-8").strip()
    beside(key).write_text("ssh-ed25519 of-another-key\n", encoding="utf-8")
    assert look(key)["public_key"] == text


def test_key_that_is_not_there_yet_has_no_public_half(tmp_path: Path) -> None:
    assert look(tmp_path / "none")["public_key"] == ""
    found = look(tmp_path / "none", required=True)
    assert found["failed"]
    assert f"ssh_private_key_file {tmp_path}/none does not exist" in found["msg"]


def test_key_with_a_passphrase_needs_its_public_half(tmp_path: Path) -> None:
    key = make(tmp_path / "locked", "swordfish")
    assert look(key)["public_key"] == beside(key).read_text(encoding="utf-8").strip()
    beside(key).unlink()
    found = look(key)
    assert "passphrase" in found["msg"]
    assert found["error"]["code"] == "invalid"


def test_key_that_others_may_read_is_refused(key: Path) -> None:
    key.chmod(0o644)
    assert "Give it mode 0600." in look(key)["msg"]


def test_controller_without_ssh_keygen_is_told(key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/none")
    assert "apt install openssh-client" in look(key)["msg"]
