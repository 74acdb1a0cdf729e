# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept on the controller is closed to others, whatever the umask says."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._core import private_files
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import Cloud


@pytest.fixture
def open_umask() -> Iterator[None]:
    """Let nothing be taken from the modes of new files."""
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    """Return the permissions of a file."""
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("open_umask")
def test_caches_and_logs_are_ours_alone(cloud: Cloud, home: Path) -> None:
    log = home / "logs/stock.jsonl"
    cloud.ask(observation_log=str(log))
    wish = {"tier": "gb300_or_less", "instance_type": "1GB300.36V", "wait_for_capacity": 1}
    cloud.run("datacrunch_instance", deployment="llm", **wish)
    ours = home / "cache/gpuops.cloud"
    found = {path: mode(path) for path in [ours, *ours.rglob("*"), log]}
    assert {p for p, m in found.items() if m != (0o700 if p.is_dir() else 0o600)} == set()
    assert (ours / "tokens").is_dir()


@pytest.mark.usefixtures("open_umask")
def test_folders_that_an_earlier_release_left_open_are_closed(cloud: Cloud, home: Path) -> None:
    tokens = home / "cache/gpuops.cloud/tokens"
    tokens.mkdir(parents=True)
    assert mode(tokens) == 0o777
    cloud.ok("datacrunch_balance")
    assert mode(tokens) == mode(tokens.parent) == 0o700


def test_a_folder_of_somebody_else_is_not_used(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private_files.os, "getuid", lambda: os.geteuid() + 1)
    with pytest.raises(PermissionError, match="belongs to somebody else"):
        private_files.cache_folder("tokens")
