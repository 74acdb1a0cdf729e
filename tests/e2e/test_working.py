# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An instance to work on: PyTorch, a login by name with its message, a tunnel, and a pause."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest
from test_path import recap
from whole_path import CACHE, Cloud

DESK = {"purpose": "shell", "tier": "h100_or_less", "vllm_device": "cpu", "deployment": "desk"}
DOWNLOADS = {
    "wheelhouse": str(CACHE / "wheelhouse"),
    "ca_bundle": os.environ.get("SSL_CERT_FILE", ""),
}


@pytest.fixture(scope="module")
def wish() -> dict[str, Any]:
    """Return what is asked for: PyTorch for CPUs, and the name in the user's SSH settings."""
    return {**DESK, "workbench_downloads": DOWNLOADS, "ssh_include": True}


def settings(cloud: Cloud) -> Path:
    """Return the SSH settings of the user."""
    return Path(cloud.environment["HOME"]) / ".ssh/config"


def at(cloud: Cloud, *command: str, text: str = "") -> str:
    """Return what a command prints at ``ssh desk``."""
    login = ["ssh", "-F", str(settings(cloud)), *command]
    done = subprocess.run(login, input=text, capture_output=True, text=True, check=True)
    return done.stdout


def test_bring_up_gives_a_login_by_name_and_changes_nothing_twice(
    cloud: Cloud, wish: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    before = Path(cloud.environment["HOME"])
    cloud.environment["HOME"] = str(tmp_path_factory.mktemp("my own home"))
    # Where packages come from is a setting of the user's, too.
    if (before / ".config/pip").is_dir():
        shutil.copytree(before / ".config/pip", Path(cloud.environment["HOME"], ".config/pip"))
    settings(cloud).parent.mkdir()
    settings(cloud).write_text("Host *\n  ServerAliveInterval 7\n", encoding="utf-8")
    settings(cloud).chmod(0o640)
    first = cloud.play("playbooks/bringup.yml", **wish)
    assert "desk: ready to work on" in first
    assert "log in    ssh desk\n" in first
    second = cloud.play("playbooks/bringup.yml", **wish)
    assert recap(second) == {"desk": 0, "localhost": 0}
    lines = settings(cloud).read_text(encoding="utf-8").splitlines()
    assert lines[1] == f'Include "{cloud.home}/*/ssh_hosts"'
    assert lines[-2:] == ["Host *", "  ServerAliveInterval 7"]
    assert settings(cloud).stat().st_mode & 0o777 == 0o640


def test_login_shows_what_it_costs_and_has_pytorch(cloud: Cloud) -> None:
    shown = at(
        cloud, "-tt", "desk", text="python -c 'import torch; print(torch.ones(2).sum())'\nexit\n"
    )
    for words in ("desk, deployment desk", "per hour", "lease     ends", "tensor(2.)"):
        assert words in shown, words
    assert at(cloud, "desk", "stat -c %a /etc/motd.d/gpuops-workbench").strip() == "644"


def test_tunnel_goes_to_a_port_of_the_instance_and_ends_with_it(cloud: Cloud) -> None:
    opened = cloud.play("playbooks/tunnel.yml", deployment="desk", port=22)
    (port,) = re.findall(r"^http://127\.0\.0\.1:(\d+) is port 22 of desk$", opened, re.M)
    with socket.create_connection(("127.0.0.1", int(port)), 20) as near:
        assert near.recv(7) == b"SSH-2.0"
    cloud.play("playbooks/teardown.yml", deployment="desk")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(port)), 20)


def test_settings_of_the_user_still_work(cloud: Cloud) -> None:
    done = subprocess.run(
        ["ssh", "-G", "-F", settings(cloud), "desk"], capture_output=True, text=True, check=True
    )
    assert "serveraliveinterval 7" in done.stdout
