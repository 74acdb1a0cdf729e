# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody who is logged in uses the host; of other terminals, those that are typed in do."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.roles.support import load

guard = load("roles/idle_guard/files/idle_guard.py")
NOW = 1_800_000_000.0


def seen(folder: Path, monkeypatch: pytest.MonkeyPatch, who: str, **typed: int) -> Any:
    """Return a look at a host whose terminals were typed in so many minutes ago."""
    (folder / "who").write_text(f"#!/bin/sh\n{who}\n", encoding="ascii")
    (folder / "who").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/nowhere")
    (folder / "pts").mkdir()
    for name, ago in typed.items():
        path = folder / "pts" / name
        path.touch()
        os.utime(path, (NOW - ago * 60, NOW))
    found = guard.Seen()
    guard.ask_users(found, folder / "pts", 30, NOW)
    return found


def test_of_terminals_without_a_login_those_somebody_types_in_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert seen(tmp_path, monkeypatch, "", **{"0": 29, "1": 31, "ptmx": 0}).users == 1


def test_who_is_logged_in_counts_once_and_without_typing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logins = ("root pts/1 2026-11-22 10:00 (192.0.2.9)", "root pts/0 2026-11-22", "ada tty1 x", "")
    who = "\n".join(f"echo '{line}'" for line in logins)
    found = seen(tmp_path, monkeypatch, who, **{"0": 29, "1": 400, "2": 400})
    assert (found.users, found.unknown) == (3, [])


@pytest.mark.parametrize("who", ["exit 1", "kill $$"])
def test_logins_that_cannot_be_counted_may_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    (reason,) = seen(tmp_path, monkeypatch, who).unknown
    assert reason.startswith("who: ")


@pytest.mark.parametrize("version", ["", "systemd"])
def test_a_job_that_runs_is_use_however_little_it_does(tmp_path: Path, version: str) -> None:
    units = tmp_path / version / "system.slice"
    (units / "system-gpuops\\x2djob.slice/gpuops-job@train.service").mkdir(parents=True)
    (units / "system-getty.slice/getty@tty1.service").mkdir(parents=True)
    found = guard.Seen(jobs=guard.running_jobs(tmp_path), uptime_minutes=99.0)
    limits = {"boot_minutes": 30, "load": 0, "network_mb": 0}
    assert guard.why_busy(found, {}, limits) == ["job train runs"]
