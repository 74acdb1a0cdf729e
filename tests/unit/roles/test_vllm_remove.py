# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes with a server and what stays, with stand-ins for systemctl and userdel."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.gpuops.cloud.tests.unit.roles.support import load

remove = load("roles/vllm/files/remove.py")
FILES = (
    "etc/vllm/config.yaml",
    "etc/vllm/vllm.env",
    "etc/vllm/next/config.yaml",
    "etc/vllm/small/config.yaml",
    "etc/vllm/small/next/config.yaml",
    "units/vllm.service",
    "units/vllm-health.timer",
    "units/vllm-small.service",
    "units/vllm-devices.service",
    "modules/gpuops-vllm.conf",
    "opt/vllm/1/bin/vllm",
    "lib/vllm/models/one/config.json",
)


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a host with two servers."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    for link in ("current", "current-small"):
        (tmp_path / "opt/vllm" / link).symlink_to(tmp_path / "opt/vllm/1")
    for program in ("systemctl", "userdel"):
        path = tmp_path / program
        path.write_text(f'#!/bin/sh\necho {program} "$@" >> {tmp_path}/asked\n', encoding="utf-8")
        path.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(remove, "UNITS", tmp_path / "units")
    monkeypatch.setattr(remove, "TRIALS", tmp_path / "trials")
    monkeypatch.setattr(remove, "MODULES", tmp_path / "modules/gpuops-vllm.conf")
    monkeypatch.setattr(remove, "user_exists", lambda: "userdel" not in asked(tmp_path))
    return tmp_path


def asked(host: Path) -> str:
    """Return what was called."""
    path = host / "asked"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def gone(host: Path, action: str, name: str) -> list[str]:
    """Run the program for a server."""
    etc = host / "etc/vllm"
    first = name == "vllm"
    folder = etc if first else etc / name
    link = host / "opt/vllm" / ("current" if first else f"current-{name}")
    shared = f"{host}/opt/vllm,{host}/lib/vllm"
    unit = "vllm" if first else f"vllm-{name}"
    found = remove.main(action, unit, str(folder), str(etc), str(link), shared)
    return [path.removeprefix(f"{host}/") for path in found]


def left(host: Path) -> set[str]:
    """Return the files that are there."""
    return {name for name in FILES if (host / name).exists()}


def test_the_first_server_leaves_the_second_whole(host: Path) -> None:
    assert "units/vllm.service" in gone(host, "remove", "vllm")
    theirs = ("small", "/models/", "/bin/", "devices", "modules")
    assert left(host) == {name for name in FILES if any(part in name for part in theirs)}
    assert "vllm-small" not in asked(host)
    assert "userdel" not in asked(host)
    assert (host / "opt/vllm/current-small").is_symlink()


def test_the_second_server_leaves_the_first_whole(host: Path) -> None:
    gone(host, "remove", "small")
    assert left(host) == {name for name in FILES if "small" not in name}
    assert "vllm.service" not in asked(host)


def test_with_the_last_one_goes_what_they_share(host: Path) -> None:
    gone(host, "remove", "small")
    assert gone(host, "remove", "vllm")[-1] == "user vllm"
    assert left(host) == set()
    assert not (host / "etc/vllm").exists()
    assert "userdel vllm" in asked(host)
    assert gone(host, "remove", "vllm") == []


def test_a_look_removes_nothing(host: Path) -> None:
    assert "units/vllm.service" in gone(host, "look", "vllm")
    assert left(host) == set(FILES)
    assert asked(host) == ""
