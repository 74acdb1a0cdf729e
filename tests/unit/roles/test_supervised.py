# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of systemctl, where supervisord keeps the programs; supervisorctl is a stand-in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._host import service_manager
from ansible_collections.gpuops.cloud.plugins.module_utils._host.serving import Program
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import run_module
from ansible_collections.gpuops.cloud.tests.unit.roles.programs import wait_until
from ansible_collections.gpuops.cloud.tests.unit.roles.supervisor_host import asked, play
from ansible_collections.gpuops.cloud.tests.unit.roles.support import load

supervised = load("roles/vllm/files/supervised.py")
CONF = "[program:{name}]\ncommand={command}\nautostart={auto}\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Provide a host without any program yet."""
    play(tmp_path, tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(supervised, "UNITS", tmp_path / "etc/supervisor/conf.d")
    return tmp_path


def write(home: Path, name: str, command: str = "sleep 60", auto: str = "true") -> Path:
    """Write the file of a program."""
    path = home / f"etc/supervisor/conf.d/{name}.conf"
    path.write_text(CONF.format(name=name, command=command, auto=auto), encoding="utf-8")
    return path


def say(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Return the status for words of systemctl, and what was printed."""
    status = supervised.main(list(words))
    return status, capsys.readouterr().out.strip()


def test_a_server_is_begun_restarted_killed_and_forgotten(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(home, "vllm")
    assert say(capsys, "is-active", "vllm.service") == (3, "inactive")
    say(capsys, "start", "vllm.service")
    assert say(capsys, "is-active", "vllm.service") == (0, "active")
    assert say(capsys, "is-enabled", "vllm.service")[1] == "enabled"
    first = supervised.process("vllm")
    say(capsys, "restart", "vllm.service")
    second = supervised.process("vllm")
    assert 0 != first != second != 0
    say(capsys, "kill", "--signal=SIGKILL", "vllm.service")
    wait_until(lambda: not supervised.process("vllm"))
    path.unlink()
    say(capsys, "daemon-reload")
    # One that was stopped is taken out and put in again, or it would be waited for.
    told = ["update vllm", "stop vllm", "update vllm", "remove vllm", "add vllm"]
    assert asked(home) == [*told, "reread", "update vllm"]
    assert say(capsys, "is-active", "vllm.service") == (3, "inactive")


def test_what_is_begun_once_does_not_begin_by_itself(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(home, "gpuops-job@one", "true", auto="false")
    say(capsys, "start", "gpuops-job@one.service")
    assert asked(home) == ["update gpuops-job@one", "start gpuops-job@one"]
    assert say(capsys, "is-enabled", "gpuops-job@one.service")[1] == "disabled"


def test_programs_of_others_are_left_alone(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "supervisor").mkdir()
    (home / "supervisor/jupyter").write_text("", encoding="utf-8")
    say(capsys, "daemon-reload")
    assert asked(home) == ["reread"]


def test_what_supervisord_refuses_is_told(home: Path) -> None:
    with pytest.raises(supervised.RefusedError, match=r"start vllm: vllm: ERROR .no such process"):
        supervised.must("start", "vllm")


def test_which_run_it_is(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(home, "vllm")
    say(capsys, "start", "vllm")
    rows = dict(line.split("=", 1) for line in say(capsys, "show", "vllm")[1].splitlines())
    pid = supervised.process("vllm")
    assert rows["InvocationID"].startswith(f"{pid}-")
    assert (rows["LoadState"], rows["ActiveState"], rows["UnitFileState"]) == (
        "loaded", "active", "enabled",
    )  # fmt: skip
    assert rows["ActiveEnterTimestamp"] == f"@{supervised.begun(pid)}"
    say(capsys, "kill", "vllm")


@pytest.mark.parametrize(
    ("said", "death"),
    [
        (["7", "vllm  RUNNING   pid 7, uptime 0:00:05", "7"], ""),
        (["7", "vllm  STARTING", "7"], ""),
        (["0", "vllm  STARTING", "7"], ""),
        (["7", "vllm  STARTING", "8"], "vllm died, and was begun again"),
        (["7", "vllm  BACKOFF   Exited too quickly"], "vllm died (BACKOFF: Exited too quickly)"),
        (["7", "vllm  FATAL"], "vllm died (FATAL: )"),
        (["0", "vllm: ERROR (no such process)"], "vllm does not exist"),
    ],
)
def test_the_death_of_a_server(said: list[str], death: str) -> None:
    def run(_command: list[str]) -> str:
        return said.pop(0)

    assert Program(run, "vllm.service", {}).death() == death


def test_the_last_words_are_those_of_the_run_that_died_without_secrets() -> None:
    log = (
        "gpuops: vllm begins\nValueError: of before\n"
        "gpuops: vllm begins\nRuntimeError: no memory for key-1234\n"
    )

    def run(command: list[str]) -> str:
        return log if "tail" in command else "0"

    words = Program(run, "vllm.service", {"VLLM_API_KEY": "key-1234"}).last_words()
    assert "RuntimeError: no memory for ***" in words
    assert "of before" not in words


def test_a_host_without_systemd_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_manager, "BOOTED", tmp_path)
    assert service_manager.no_systemd("or set it") == ""
    monkeypatch.setattr(service_manager, "BOOTED", tmp_path / "none")
    assert service_manager.no_systemd("or set it").endswith(": take a whole instance, or set it")
    assert service_manager.no_systemd("").endswith("changed: take a whole instance")


@pytest.mark.parametrize(
    ("module", "wish"),
    [
        ("host_conflicts", {"systemd": "where the role has its timer"}),
        ("host_firewall", {"ssh_ports": [22]}),
        ("data_disk", {"path": "/nowhere", "device": "/dev/null"}),
    ],
)
def test_what_needs_a_whole_instance_says_so(
    module: str, wish: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_manager, "BOOTED", tmp_path / "none")
    failed, _printed = run_module(module, wish)
    assert "is a container without systemd, and nothing was changed" in failed["msg"]
    assert not failed.get("changed")


def test_processes_of_programs_are_ours() -> None:
    told = {"vllm": "12\n", "vllm-two": "0\n", "none": "none: ERROR (no such process)"}
    assert service_manager.processes_of(told, lambda command: told[command[-1]]) == {12}
