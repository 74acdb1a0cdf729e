# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trying a candidate, switching to it and going back, with a stand-in for systemctl."""

from __future__ import annotations

import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.roles.support import Evaluate, load

candidate = load("roles/vllm/files/candidate.py")
SYSTEMCTL = """#!/bin/sh
echo "$@" >> {folder}/asked
[ "$1" = is-active ] && cat {folder}/active
[ "$1" = is-enabled ] && echo enabled
[ "$1" = "$(cat {folder}/fails 2>/dev/null)" ] && {{ echo broken >&2; exit 1; }}
exit 0
"""
ENVIRONMENT = (
    'PATH="{opt}/current/bin:/usr/bin"\nVLLM_CPU_KVCACHE_SPACE="0"\n'
    'VLLM_RPC_BASE_PATH="/run/vllm"\n'
)
UNIT = (
    "[Unit]\nDescription=server\n[Service]\nRuntimeDirectory=vllm\nRestart=always\n"
    "EnvironmentFile={etc}/vllm.env\n"
    "ExecStart={opt}/current/bin/vllm serve --config {etc}/config.yaml\n"
)


class Host:
    """A host in a folder, with a server that serves if `serving` says so."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port, self.etc = folder, port, folder / "etc"
        (self.etc / "next").mkdir(parents=True)
        (folder / "systemctl").write_text(SYSTEMCTL.format(folder=folder), encoding="utf-8")
        (folder / "systemctl").chmod(0o755)
        (folder / "active").write_text("active\n", encoding="utf-8")
        self.ask_for("old")
        self.do("switch")
        (folder / "asked").unlink()

    def ask_for(self, model: str, port: int | None = None, **more: Any) -> None:
        """Write a candidate as the role does."""
        lines = {"model": model, "port": port or self.port, **more}
        made = self.etc / "next"
        text = "".join(f"{name}: {value}\n" for name, value in lines.items())
        (made / "config.yaml").write_text(text, encoding="utf-8")
        (made / "vllm.env").write_text(ENVIRONMENT.format(opt=self.folder), encoding="utf-8")
        (made / "vllm.env").chmod(0o600)
        unit = UNIT.format(etc=self.etc, opt=self.folder)
        (made / "server.service").write_text(unit, encoding="utf-8")
        (made / "environment").unlink(missing_ok=True)
        (made / "environment").symlink_to(self.folder / model)

    def do(self, action: str) -> dict[str, Any]:
        """Run the program."""
        unit, link = self.folder / "vllm.service", self.folder / "current"
        return dict(candidate.main(action, str(self.etc), str(unit), str(link), "cpu", "900"))

    def model(self) -> str:
        """Return the model in the settings in use, which are those of its environment."""
        text = (self.etc / "config.yaml").read_text(encoding="utf-8")
        assert (self.folder / "current").readlink() == self.folder / text.split()[1]
        return text.split()[1]

    def asked(self, word: str) -> list[str]:
        """Return the calls of systemctl with a word."""
        lines = (self.folder / "asked").read_text(encoding="utf-8").splitlines()
        return [line for line in lines if line.split()[0] == word]


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    """Make a host that serves the model "old" on a port that accepts connections."""
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(candidate, "TRIALS", tmp_path / "run")
    monkeypatch.setattr(candidate, "PROCESSES", 0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield Host(tmp_path, server.getsockname()[1])


def test_nothing_changed_is_neither_tried_nor_switched(host: Host) -> None:
    calm = {"changed": [], "no_trial": "", "unproven": False, "serves": True, "enabled": True}
    assert host.do("look") == calm


def test_what_changes_is_named(host: Host) -> None:
    host.ask_for("new")
    assert host.do("look")["changed"] == ["config.yaml", "environment"]
    assert host.model() == "old"


def test_a_trial_touches_nothing_of_the_server(host: Host) -> None:
    host.ask_for("new")
    found = host.do("try")
    assert host.model() == "old"
    text = (host.folder / "run/vllm-trial.service").read_text(encoding="utf-8")
    trial, made = host.etc / "trial", host.etc / "next"
    assert f"ExecStart={made}/environment/bin/vllm serve --config {trial}/config.yaml\n" in text
    assert f"EnvironmentFile={trial}/vllm.env\n" in text
    # A run that is killed cannot end it, and it holds memory.
    assert "RuntimeDirectory=vllm-trial\nRestart=no\nRuntimeMaxSec=960\n" in text
    assert f"port: {found['port']}\n" in (trial / "config.yaml").read_text(encoding="utf-8")
    assert found["port"] != host.port
    environment = (trial / "vllm.env").read_text(encoding="utf-8")
    assert '"/run/vllm-trial"' in environment
    assert f'PATH="{host.etc}/next/environment/bin:/usr/bin"' in environment
    assert stat.S_IMODE((trial / "vllm.env").stat().st_mode) == 0o600
    assert host.asked("start") == ["start vllm-trial.service"]
    host.do("end")
    assert not trial.exists()
    assert list((host.folder / "run").iterdir()) == []


def test_a_switch_restarts_once_and_keeps_what_served(host: Host) -> None:
    host.ask_for("new")
    assert host.do("switch")["changed"] == ["config.yaml", "environment"]
    assert host.asked("restart") == ["restart vllm.service"]
    assert host.model() == "new"
    assert stat.S_IMODE((host.etc / "before/vllm.env").stat().st_mode) == 0o600
    assert host.do("look")["unproven"]


def test_what_served_comes_back_whole(host: Host) -> None:
    host.ask_for("new", port=1)
    host.do("switch")
    assert host.do("back") == {"back": True, "port": host.port}
    assert host.model() == "old"
    assert len(host.asked("restart")) == 2
    assert host.do("back") == {"back": False}


def test_a_second_switch_keeps_what_was_proved_and_not_what_was_not(host: Host) -> None:
    for model in ("new", "newer"):
        host.ask_for(model)
        host.do("switch")
    host.do("back")
    assert host.model() == "old"


def test_what_did_not_serve_is_not_kept(host: Host) -> None:
    (host.folder / "active").write_text("activating\n", encoding="utf-8")
    host.ask_for("new")
    assert host.do("look")["no_trial"] == "nothing serves yet"
    host.do("switch")
    assert host.do("back") == {"back": False}
    assert host.model() == "new"


def test_a_server_that_loads_is_ended_without_waiting(host: Host) -> None:
    host.ask_for("loads", port=1)
    host.do("switch")
    assert host.asked("kill") == []
    host.do("switch")
    assert host.asked("kill") == ["kill --signal=SIGKILL vllm.service"]


def test_no_memory_and_several_machines_leave_no_room(host: Host) -> None:
    host.ask_for("new", nnodes=2)
    assert "several hosts" in host.do("look")["no_trial"]
    host.ask_for("new")
    (host.etc / "next/vllm.env").write_text(ENVIRONMENT.replace('"0"', '"99999999"'))
    assert "99999999 GiB of memory" in host.do("look")["no_trial"]


@pytest.mark.parametrize(
    ("free", "share", "lack"), [(80000, None, ""), (70000, None, "92%"), (70000, 0.5, "")]
)
def test_every_gpu_needs_the_share_that_is_asked_for(
    host: Host, free: int, share: float | None, lack: str
) -> None:
    program = f"#!/bin/sh\necho '80000, 81559'\necho '{free}, 81559'\n"
    (host.folder / "nvidia-smi").write_text(program, encoding="utf-8")
    (host.folder / "nvidia-smi").chmod(0o755)
    more: dict[str, Any] = {"gpu-memory-utilization": share} if share else {}
    host.ask_for("new", **more)
    made = host.etc / "next"
    found = candidate.memory_lack(made / "config.yaml", made / "vllm.env", "cuda")
    assert lack in found
    assert bool(found) == bool(lack)


def test_a_failure_of_systemd_is_told(host: Host) -> None:
    (host.folder / "fails").write_text("restart", encoding="utf-8")
    with pytest.raises(SystemExit, match=r"restart vllm\.service: broken"):
        host.do("switch")


def test_a_trial_of_what_the_role_writes_shares_nothing(vllm: Evaluate, host: Host) -> None:
    given = {
        "vllm_model": "x",
        "vllm_device": "cpu",
        "ansible_managed": "x",
        "_vllm_folder": str(host.etc),
        "_vllm_link": str(host.folder / "current"),
    }
    look = "lookup('ansible.builtin.template', role_path ~ '/templates/vllm.service.j2')"
    text = vllm({"x": given}, look)["x"]
    (host.etc / "next/server.service").write_text(text, encoding="utf-8")
    host.do("try")
    made = (host.folder / "run/vllm-trial.service").read_text(encoding="utf-8")
    words = ("Exec", "RuntimeDirectory", "Restart", "EnvironmentFile", "Description")
    named = [line for line in made.splitlines() if line.startswith(words)]
    shared = [line for line in named if line in text.splitlines()]
    assert shared == ["ExecStopPost=/bin/sleep 1", "RestartSec=10"]
    assert len(named) == len([line for line in text.splitlines() if line.startswith(words)])
