# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One look tells whether the guard is on a host as it is wanted, or wholly gone from it."""

from __future__ import annotations

import getpass
import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.roles.expressions import evaluate
from ansible_collections.gpuops.cloud.tests.unit.roles.support import load

probe = load("roles/idle_guard/files/probe.py")
RUNS = "ActiveState=active\nUnitFileState=enabled\nNeedDaemonReload=no"


@pytest.fixture
def wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return what is wanted of a host where all of it is so."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    systemd(tmp_path, RUNS)
    path = tmp_path / "program"
    path.write_text("one\n", encoding="ascii")
    path.chmod(0o755)
    files = [[str(path), "0755", hashlib.sha256(b"one\n").hexdigest()]]
    user = getpass.getuser()
    return {"state": "present", "user": user, "timer": "x", "made": [str(path)], "files": files}


def systemd(folder: Path, says: str) -> None:
    """Let systemd say this of the timer."""
    (folder / "systemctl").write_text(f"#!/bin/sh\necho '{says}'\n", encoding="ascii")
    (folder / "systemctl").chmod(0o755)


def test_host_that_is_as_it_should_be_needs_nothing(wanted: dict[str, Any]) -> None:
    assert probe.is_ready(wanted)


@pytest.mark.parametrize(
    "says",
    [
        RUNS.replace("=active", "=inactive"),
        RUNS.replace("=enabled", "=disabled"),
        RUNS.replace("=no", "=yes"),
        "",
    ],
)
def test_timer_that_does_not_run_is_seen(wanted: dict[str, Any], tmp_path: Path, says: str) -> None:
    systemd(tmp_path, says)
    assert not probe.is_ready(wanted)


@pytest.mark.parametrize("what", ["text", "mode", "gone", "link", "user"])
def test_anything_else_than_wanted_is_seen(
    wanted: dict[str, Any], tmp_path: Path, what: str
) -> None:
    path = tmp_path / "program"
    if what == "text":
        path.write_text("two\n", encoding="ascii")
    if what == "mode":
        path.chmod(0o777)
    if what == "gone":
        path.unlink()
    if what == "link":
        path.rename(tmp_path / "other")
        path.symlink_to(tmp_path / "other")
    user = {"user": "nobody-has-this-name"} if what == "user" else {}
    assert not probe.is_ready({**wanted, **user})


def test_what_is_to_be_gone_is_looked_for(wanted: dict[str, Any], tmp_path: Path) -> None:
    gone = {**wanted, "state": "absent", "files": [], "user": "nobody-has-this-name"}
    assert not probe.is_ready(gone)
    (tmp_path / "program").unlink()
    assert probe.is_ready(gone)
    assert not probe.is_ready({**gone, "user": wanted["user"]})


@pytest.mark.every_core
def test_role_writes_the_limit_and_lets_every_reader_in(tmp_path: Path) -> None:
    (tmp_path / "reader.pub").write_text("ssh-ed25519 B two\n", encoding="ascii")
    files = [str(tmp_path / "reader.pub")]
    given = {"idle_guard_reader_keys": ["ssh-ed25519 A one"], "idle_guard_reader_key_files": files}
    cases = {"plain": {}, "given": {**given, "idle_guard_idle_after": "2h"}}
    found = evaluate(
        tmp_path, "idle_guard", cases, "[_idle_guard_settings.idle_after, _idle_guard_keys]"
    )
    assert found == {
        "plain": ["never", []],
        "given": ["2h", ["ssh-ed25519 A one", "ssh-ed25519 B two"]],
    }
