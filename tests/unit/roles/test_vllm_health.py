# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the watchdog takes a server for dead, with stand-ins for the server and for systemctl."""

from __future__ import annotations

import fcntl
import json
import stat
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.roles.support import Evaluate, load

health = load("roles/vllm/files/health.py")
KEY = "key-of-the-watchdog"
SYSTEMCTL = """#!/bin/sh
echo "$@" >> {folder}/asked
[ "$1" = show ] && cat {folder}/state
exit 0
"""
CHAT, PLAIN, EMBED = "/v1/chat/completions", "/v1/completions", "/v1/embeddings"


class Server(ThreadingHTTPServer):
    """A server with a status for each path, 0 for none, and counters that may go on."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status = {"/metrics": 200}
        self.asked: list[str] = []
        self.tokens, self.busy = 0, False
        self.ended = threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    """Answers as the test wants."""

    server: Server

    def do_GET(self) -> None:
        """Answer the counters, or a question."""
        server, status = self.server, self.server.status.get(self.path, 404)
        server.asked.append(self.path)
        server.tokens += server.busy
        if not status:
            server.ended.wait(10)
            return
        assert self.headers["Authorization"] == f"Bearer {KEY}"
        text = f'vllm:generation_tokens_total{{engine="0"}} {server.tokens}.0\n'.encode()
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text)

    do_POST = do_GET  # noqa: N815

    def log_message(self, *_args: object) -> None:
        """Be silent."""


@pytest.fixture
def server() -> Iterator[Server]:
    """Start a server."""
    running = Server()
    yield running
    running.ended.set()
    running.shutdown()
    running.server_close()


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server) -> Path:
    """Make a host whose unit runs for the first time."""
    (tmp_path / "systemctl").write_text(SYSTEMCTL.format(folder=tmp_path), encoding="utf-8")
    (tmp_path / "systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("VLLM_API_KEY", KEY)
    text = f"port: {server.server_port}\nserved-model-name: 'a model'\n"
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    runs(tmp_path, "active", "first")
    return tmp_path


def runs(host: Path, state: str, run: str) -> None:
    """Set what systemd says of the unit."""
    text = f"ActiveState={state}\nInvocationID={run}\n"
    (host / "state").write_text(text, encoding="utf-8")


def look(host: Path, timeout: float = 0.5) -> bool:
    """Look once; return whether the unit was ended."""
    (host / "asked").unlink(missing_ok=True)
    health.main("vllm.service", host / "config.yaml", host / "counts.json", 2, timeout)
    return "kill --signal=SIGKILL vllm.service" in (host / "asked").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "status",
    [
        {CHAT: 200},
        {CHAT: 503},
        {CHAT: 401},
        {CHAT: 400, PLAIN: 200},
        {CHAT: 404, PLAIN: 404, EMBED: 200},
    ],
)
def test_a_server_that_answers_is_left_alone(
    host: Path, server: Server, status: dict[str, int]
) -> None:
    server.status.update(status)
    assert [look(host), look(host), look(host)] == [False, False, False]


@pytest.mark.parametrize("status", [{CHAT: 500}, {CHAT: 0}, {CHAT: 0, "/metrics": 0}])
def test_a_server_that_gives_no_token_is_ended_at_the_last_failure(
    host: Path, server: Server, status: dict[str, int], capsys: pytest.CaptureFixture[str]
) -> None:
    server.status.update(status)
    assert [look(host), look(host)] == [False, True]
    said = capsys.readouterr().out
    assert "vllm.service gave no token, 2 of 2 times: " in said
    assert KEY not in said


def test_failures_count_in_a_row_only(host: Path, server: Server) -> None:
    for status, ended in ((500, False), (200, False), (500, False), (500, True)):
        server.status[CHAT] = status
        assert look(host) == ended


def test_failures_of_an_earlier_run_do_not_count(host: Path, server: Server) -> None:
    server.status[CHAT] = 500
    assert not look(host)
    runs(host, "active", "second")
    assert not look(host)


def test_a_server_whose_counters_go_on_only_has_a_queue(host: Path, server: Server) -> None:
    server.status[CHAT], server.busy = 0, True
    assert [look(host), look(host), look(host)] == [False, False, False]


def test_its_own_questions_are_counted_for_whoever_asks_if_the_server_is_used(
    host: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "LOCK_SECONDS", 0.5)
    for status in (200, 503, 200):
        server.status[CHAT] = status
        look(host)
    found = host / "counts.json"
    wanted = {"run": "first", "port": server.server_port, "failures": 0, "answered": 2}
    assert json.loads(found.read_text(encoding="utf-8")) == wanted
    assert stat.S_IMODE(found.stat().st_mode) == 0o644
    with found.open(encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        look(host)
    assert json.loads(found.read_text(encoding="utf-8"))["answered"] == 3


def test_a_server_that_loads_or_was_stopped_is_not_asked(host: Path, server: Server) -> None:
    runs(host, "inactive", "")
    assert not look(host)
    assert server.asked == []
    runs(host, "active", "first")
    (host / "config.yaml").write_text("port: 9\nserved-model-name: x\n", encoding="utf-8")
    assert [look(host), look(host), look(host)] == [False, False, False]


def test_the_key_stands_in_no_unit(vllm: Evaluate) -> None:
    base: dict[str, Any] = {"vllm_model": "x", "vllm_api_key": KEY, "ansible_managed": "x"}
    named = {"name": "small", "health_interval": 5, "health_failures": 4}
    cases = {"plain": base, "named": {**base, "vllm_unit": named}}
    look_up = "lookup('ansible.builtin.template', role_path ~ '/templates/health.%s.j2')"
    found = vllm(cases, look_up % "service")
    assert (
        " vllm.service /etc/vllm/config.yaml /run/vllm-health/counts.json 3 30\n" in found["plain"]
    )
    assert "EnvironmentFile=/etc/vllm/small/vllm.env\n" in found["named"]
    assert "/run/vllm-small-health/counts.json 4 10\n" in found["named"]
    assert KEY not in "".join(found.values())
    assert "OnUnitInactiveSec=5\n" in vllm(cases, look_up % "timer")["named"]
