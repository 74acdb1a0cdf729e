# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking over SSH whether a host can be worked on: what each answer means, and every end."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._ssh.readiness import (
    Probe,
    Target,
    changed_key_text,
    probe_until_ready,
    read_answer,
)

CHANGED = """@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
Offending ED25519 key in /home/me/.config/gpuops/llm/known_hosts:3
Host key verification failed.
"""
READY = "login=ok\nboot=done\nlock=free\n"
LLM = Target("llm", "192.0.2.1")


def answer(stdout: str = "", stderr: str = "", returncode: int = 0) -> SimpleNamespace:
    """Return what a run of ssh gives."""
    return SimpleNamespace(stdout=stdout, stderr=stderr, returncode=returncode)


REFUSED = answer("", "ssh: connect to host 192.0.2.1 port 22: Connection refused\n", 255)


def probe(
    *answers: SimpleNamespace | Exception,
    timeout: float = 20,
    pause: Callable[[float], Any] | None = None,
) -> tuple[Probe, list[list[str]]]:
    """Probe a host that gives these answers, the last one for ever; a pause takes no time."""
    state, commands, clock = Probe("llm"), [], [0.0]
    rest = [*answers]

    def run(command: list[str], **_more: Any) -> SimpleNamespace:
        commands.append(command)
        found = rest.pop(0) if len(rest) > 1 else rest[0]
        if isinstance(found, Exception):
            raise found
        return found

    def wait(seconds: float) -> None:
        clock[0] += seconds

    probe_until_ready(
        LLM,
        state,
        timeout=timeout,
        interval=3,
        questions=(True, True),
        run=run,
        now=lambda: clock[0],
        pause=pause or wait,
    )
    return state, commands


# -- answers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "ready", "words"),
    [
        (READY, True, "ready"),
        ("login=ok\nboot=none\nlock=free", True, "ready"),
        ("login=ok\nboot=disabled\nlock=free", True, "ready"),
        ("login=ok\nboot=error\nlock=free", True, "ready, cloud-init: error"),
        ("login=ok\nboot=degraded\nlock=free", True, "ready, cloud-init: degraded"),
        ("login=ok\nboot=running\nlock=free", False, "first boot still under way"),
        ("login=ok\nboot=not started\nlock=free", False, "(cloud-init: not started)"),
        ("login=ok\nboot=not run\nlock=free", False, "(cloud-init: not run)"),
        ("login=ok\nboot=\nlock=free", False, "(cloud-init: no status)"),
        ("login=ok\nboot=done\nlock=apt-get (712)", False, "package lock held by apt-get (712)"),
        ("Welcome to the instance!\n" + READY, True, "ready"),
        ("MOTD=x\n" + READY, True, "ready"),
        ("", False, "logged in, but no shell answered"),
        ("Please change your password", False, "logged in, but no shell answered"),
    ],
)
def test_answers(text: str, ready: bool, words: str) -> None:
    found, seen = read_answer(text, (True, True))
    assert found is ready
    assert words in seen


def test_questions_that_are_not_asked() -> None:
    text = "login=ok\nboot=running\nlock=apt-get (712)"
    assert read_answer(text, (False, False))[0]
    assert not read_answer(text, (True, False))[0]
    assert not read_answer(text, (False, True))[0]


def test_changed_key_is_explained() -> None:
    text = changed_key_text(LLM, CHANGED)
    assert text is not None
    assert "llm (192.0.2.1) shows another host key" in text
    assert "/home/me/.config/gpuops/llm/known_hosts line 3" in text
    assert "do not log in" in text
    assert changed_key_text(LLM, "Connection refused") is None
    assert "the known hosts file" in str(changed_key_text(LLM, CHANGED.replace("Offending", "x")))


# -- the wait --------------------------------------------------------------------------------------


def test_ready_at_once() -> None:
    state, commands = probe(answer(READY))
    assert state.as_dict() == {
        "ready": True,
        "attempts": 1,
        "seconds": 0.0,
        "last_seen": "ready",
        "problem": "",
    }
    assert len(commands) == 1


def test_host_that_boots() -> None:
    booting = answer("login=ok\nboot=running\nlock=free\n")
    locked = answer("login=ok\nboot=done\nlock=dpkg (5)\n")
    silent = subprocess.TimeoutExpired(["ssh"], 30)
    state, _commands = probe(REFUSED, silent, booting, locked, answer(READY))
    assert (state.ready, state.attempts, state.seconds) == (True, 5, 12)


@pytest.mark.parametrize(
    ("last", "words"),
    [
        (REFUSED, "ssh: connect to host 192.0.2.1 port 22: Connection refused"),
        (answer(returncode=255), "ssh ended with 255"),
        (answer(stderr="\n \n", returncode=1), "ssh ended with 1"),
        (subprocess.TimeoutExpired(["ssh"], 30), "no end of the login within 30 s"),
        (answer("login=ok\nboot=running\nlock=free"), "first boot still under way"),
    ],
)
def test_host_that_is_given_up(last: SimpleNamespace | Exception, words: str) -> None:
    state, _commands = probe(last, timeout=20)
    assert not state.ready
    assert state.ended
    assert state.problem.startswith("not ready after 21 s: ")
    assert words in state.problem


def test_changed_key_ends_the_wait_at_once() -> None:
    state, commands = probe(answer(stderr=CHANGED, returncode=255), answer(READY))
    assert not state.ready
    assert state.ended
    assert "shows another host key" in state.problem
    assert len(commands) == 1


def test_no_ssh_here() -> None:
    state, _commands = probe(FileNotFoundError(2, "No such file or directory", "ssh"))
    assert state.ended
    assert "cannot run ssh" in state.problem


def test_break_ends_the_wait() -> None:
    state, commands = probe(REFUSED, pause=lambda _seconds: True)
    assert state.ended
    assert not state.ready
    assert len(commands) == 1


# -- the command -----------------------------------------------------------------------------------


def test_command() -> None:
    target = Target("llm", "192.0.2.1", "2222", "root", "/key", "-F '/a b/ssh_config' -o X=y")
    assert target.command() == [
        "ssh",
        *("-F", "/a b/ssh_config", "-o", "X=y"),
        *("-o", "BatchMode=yes", "-o", "ConnectTimeout=10"),
        *("-p", "2222", "-i", "/key", "-l", "root"),
        "192.0.2.1",
        "sh -s",
    ]
    assert "-p" not in LLM.command()
    assert LLM.command()[0] == "ssh"


def test_script_runs_in_a_shell() -> None:
    state = Probe("here")
    probe_until_ready(
        Target("here", "", local=True),
        state,
        timeout=0,
        interval=0,
        questions=(False, True),
        run=subprocess.run,
        now=lambda: 0.0,
        pause=lambda _seconds: True,
    )
    assert state.ready or "package lock held by" in state.last_seen, state.problem
