# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job at a terminal: each byte once, Ctrl-C, and the exit code; its host is on this machine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.front import Report
from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.remote import Remote
from ansible_collections.gpuops.cloud.tests.unit.front.played import NAME, Playbooks
from ansible_collections.gpuops.cloud.tests.unit.roles.job_host import FILES_PROGRAM, Host, host
from gpuops import attached
from gpuops.attached import Attached, Screen
from gpuops.keys import Keys
from gpuops.logs import show_all
from gpuops.plays import Play

__all__ = ["host"]
Run = Callable[..., Attached]
# Prints once somebody may follow it, which is when its playbook has ended.
BYTES = """
import os, sys, time
while not os.path.exists("go"):
    time.sleep(0.01)
sys.stdout.buffer.write(bytes(range(256)) * 999 + b"\\rbar 1\\rbar 2")
sys.exit(3)
"""
PRINTED = bytes(range(256)) * 999 + b"\rbar 1\rbar 2"
# Says that it has begun, and when it is told to end; else it would go on for a minute.
WAITS = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(print("saved")))
print("begun")
time.sleep(60)
"""


class Pressing(Screen):
    """A screen before which somebody presses Ctrl-C as soon as there is something on it."""

    keys: Keys

    def take(self, data: bytes) -> None:
        """Show it, and press."""
        super().take(data)
        self.keys.pressed += 1


@pytest.fixture
def run(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Provide what runs a Python program attached to this process."""
    monkeypatch.setattr(Report, "files", lambda _report: host.remote)
    monkeypatch.setenv("TOKEN", "a-value-that-is-secret")

    def make(program: str, *, detaches: bool = False, presses: bool = False) -> Attached:
        plays = Playbooks(host, tmp_path / "results", (sys.executable, "-uc", program))
        keys, screen = Keys(), Pressing(1) if presses else Screen(1)
        if isinstance(screen, Pressing):
            screen.keys = keys
        play = Play("job", {"run": "x"}, fixed={"follow": False})
        return Attached(plays, play, detaches, keys, screen)

    return make


def played(made: Attached) -> Playbooks:
    """Return the playbooks of a run."""
    assert isinstance(made.run, Playbooks)
    return made.run


def test_bytes_and_exit_code_are_those_of_the_program(run: Run, capfdbinary: Any) -> None:
    made = run(BYTES)
    assert made.to_the_end() == 3
    out, said = capfdbinary.readouterr()
    assert out == PRINTED
    assert b"Ctrl-C cancels it and terminates its instance" in said
    first, second = played(made).played
    assert first.fixed == {"follow": False}
    assert second.fixed == {"follow": False, "ask": False, "again": False}


def test_what_was_shown_is_not_shown_again(run: Run, capfdbinary: Any) -> None:
    made = run(BYTES)
    log = played(made).home / "output-0001.log"
    log.parent.mkdir()
    log.write_bytes(PRINTED[:1000])
    assert made.to_the_end() == 3
    assert capfdbinary.readouterr().out == PRINTED[1000:]
    assert log.read_bytes() == PRINTED


def test_lost_connections_cost_no_byte(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: Any
) -> None:
    login = tmp_path / "ssh"
    # The first one dies with what it had, as one of OpenSSH does; the next one holds.
    script = '[ -e {0} ] && exec sh -c "$1"\ntouch {0}; sh -c "$1" | head -c 20000; exit 255\n'
    login.write_text("#!/bin/sh\n" + script.format(tmp_path / "once"), encoding="utf-8")
    login.chmod(0o755)
    remote = Remote("host", FILES_PROGRAM, (str(login),))
    monkeypatch.setattr(Report, "files", lambda _report: remote)
    made = run(BYTES)
    follower = attached.Follower
    monkeypatch.setattr(
        attached, "Follower", lambda *args, **more: follower(*args, **more, pause=lambda _s: None)
    )
    assert made.to_the_end() == 3
    assert capfdbinary.readouterr().out == PRINTED


def test_a_host_out_of_reach_is_asked_for_again_and_not_given_up(
    run: Run, monkeypatch: pytest.MonkeyPatch, capfdbinary: Any
) -> None:
    monkeypatch.setattr(attached, "ASK_CLOUD_AFTER_S", -1.0)
    away = Remote("host", FILES_PROGRAM, ("sh", "-c", "exit 255"))
    made = run(BYTES)
    there = played(made).host.remote
    monkeypatch.setattr(
        Report, "files", lambda _report: there if len(played(made).played) > 1 else away
    )
    assert made.to_the_end() == 3
    out, said = capfdbinary.readouterr()
    assert out == PRINTED
    assert b"asking the cloud" in said


def test_ctrl_c_cancels_and_shows_the_last_words(run: Run, capfdbinary: Any) -> None:
    made = run(WAITS, presses=True)
    assert made.to_the_end() == 130
    assert capfdbinary.readouterr().out == b"begun\nsaved\n"
    assert played(made).books == ["job", "job_cancel"]
    assert played(made).played[1].variables == {"job_name": NAME, "follow": False}


def test_a_second_ctrl_c_kills_and_a_third_stops_waiting(
    run: Run, monkeypatch: pytest.MonkeyPatch, capfdbinary: Any
) -> None:
    killed: list[str] = []
    monkeypatch.setattr(Report, "kill", lambda report: killed.append(report.job["name"]))
    made = run(WAITS, presses=True)

    def press(_play: Play, ask: Any) -> None:
        for _time in range(2 if ask else 0):
            made.keys.pressed += 1
            ask()

    played(made).before = press
    assert made.to_the_end() == 130
    assert killed == [NAME]
    assert b"may go on until its lease ends" in capfdbinary.readouterr().err


def test_ctrl_c_only_detaches_where_that_was_asked_for(run: Run, capfdbinary: Any) -> None:
    made = run(WAITS, presses=True, detaches=True)
    assert made.to_the_end() == 130
    out, said = capfdbinary.readouterr()
    assert (out, played(made).books) == (b"begun\n", ["job"])
    assert b"The same command attaches again" in said


def test_ctrl_c_while_it_buys_ends_what_nobody_remembers_yet(run: Run) -> None:
    made = run(WAITS)
    plays = played(made)
    bought = {"record": {"job": {"name": NAME}, "bought": 0}, "next": "buy", "result": None}
    made.run = broken_off(plays, {**plays._state("buy"), **bought})
    made.keys.pressed = 1
    assert made.to_the_end() == 130
    assert [(play.book, play.variables) for play in plays.played[1:]] == [
        ("teardown", {"deployment": f"job-{NAME}", "missing_ok": True})
    ]


def test_ctrl_c_before_anything_is_known_has_nothing_to_end(run: Run) -> None:
    made = run(WAITS)
    plays = played(made)
    made.run = broken_off(plays)
    made.keys.pressed = 1
    assert made.to_the_end() == 130
    assert plays.books == ["job"]


def broken_off(plays: Playbooks, *states: dict[str, Any]) -> Any:
    """Return playbooks that end when they know no more of a job."""

    def run(play: Play, *, ask: Any = None) -> tuple[int, Report]:
        plays.played.append(play)
        return 99, Report({"deployment": f"job-{NAME}", "folder": "/x"}, list(states))

    return run


def test_what_never_began_is_no_exit_code_of_the_job(run: Run) -> None:
    made = run(WAITS)
    plays = played(made)
    made.run = broken_off(plays)
    assert made.to_the_end() == 125
    assert plays.books == ["job"]


def test_nobody_who_reads_does_not_end_the_job(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: Any
) -> None:
    def closed(_descriptor: int, _text: bytes) -> int:
        raise BrokenPipeError

    made = run(BYTES)
    write = attached.os.write
    monkeypatch.setattr(
        attached.os, "write", lambda fd, text: closed(fd, text) if fd == 1 else write(fd, text)
    )
    assert made.to_the_end() == 3
    monkeypatch.undo()
    assert b"nobody reads the output any more" in capfdbinary.readouterr().err


# -- logs ------------------------------------------------------------------------------------------


def test_logs_begin_at_the_first_byte_and_write_nothing(run: Run, capfdbinary: Any) -> None:
    made = run(BYTES)
    plays = played(made)
    plays.home.mkdir()
    log = plays.home / "output-0001.log"
    log.write_bytes(PRINTED[:10])
    plays.host.ended(NAME, *plays.command[:2], BYTES.replace("not ", ""))
    report = Report(
        {"folder": str(plays.home)}, [plays._state("follow", 1)], str(plays.host.jobs / NAME)
    )
    assert show_all(report, follow=True) == 0
    assert capfdbinary.readouterr().out == PRINTED
    assert log.read_bytes() == PRINTED[:10]


def test_logs_of_a_finished_job_need_no_host(run: Run, capfdbinary: Any) -> None:
    plays = played(run(BYTES))
    plays.home.mkdir()
    (plays.home / "output-0001.log").write_bytes(b"one a-value-that-is-secret\n")
    (plays.home / "output-0002.log").write_bytes(b"two\n")
    state = {**plays._state("nothing", 2), "host": ""}
    assert show_all(Report({}, [state]), follow=True) == 0
    assert capfdbinary.readouterr().out == b"one ********\ntwo\n"
    assert show_all(Report({}, [state]), follow=False, attempt=2) == 0
    assert capfdbinary.readouterr().out == b"two\n"
    of_task = plays.home / "tasks/0003/output.log"
    of_task.parent.mkdir(parents=True)
    of_task.write_bytes(b"three\n")
    assert show_all(Report({}, [state]), follow=False, task=3) == 0
    assert capfdbinary.readouterr().out == b"three\n"
