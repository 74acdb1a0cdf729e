# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the gateway's program finds out about real servers, and how it loads what it has written."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.roles.gateway_support import UPSTREAM_KEY, make
from ansible_collections.gpuops.cloud.tests.unit.roles.programs import asked, play
from ansible_collections.gpuops.cloud.tests.unit.roles.support import load

MODELS = b'{"data": [{"id": "tiny"}]}'
# How its server answers the list of models and the question, and what that means.
SEEN = {
    "good": ((200, 200), True, "it answers"),
    "embeds": ((200, 400), True, "it answers"),
    "ends": ((530, 200), False, "its server is stopping or down"),
    "stranger": ((401, 200), False, "it refuses the gateway's key"),
    "full": ((200, 503), False, "its queue is full"),
    "dead": ((200, 500), False, "it answers 500"),
}


class Replica(ThreadingHTTPServer):
    """A server behind the link, as the role makes it, that answers as the test wants."""

    daemon_threads = True

    def __init__(self, link: Path, status: tuple[int, int], models: bytes = MODELS) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status, self.models = status, models
        self.questions: list[Any] = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(link / "replica.pem")
        context.load_verify_locations(link / "ca.crt")
        context.verify_mode = ssl.CERT_REQUIRED
        self.socket = context.wrap_socket(
            self.socket, server_side=True, do_handshake_on_connect=False
        )
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def handle_error(self, *_unused: Any) -> None:
        """Say nothing of those who refuse the certificate."""


class Handler(BaseHTTPRequestHandler):
    """Answers as the test wants."""

    server: Replica

    def do_GET(self) -> None:
        """Answer with the list of models."""
        self.reply(self.server.status[0], self.server.models)

    def do_POST(self) -> None:
        """Answer a question."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.questions.append((self.path, self.headers["Authorization"], body))
        self.reply(self.server.status[1], b"{}")

    def reply(self, status: int, body: bytes) -> None:
        """Send an answer."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_unused: Any) -> None:
        """Keep quiet."""


class Front:
    """The host of the gateway: its folders, its replicas, and programs that are played."""

    def __init__(self, folder: Path, program: Any) -> None:
        self.folder, self.program = folder, program
        self.etc = folder / "etc/gpuops-gateway"
        make(self.etc)
        self.link = self.etc / "link"
        (self.etc / "upstream_key.conf").write_text(f'"Bearer {UPSTREAM_KEY}"', encoding="utf-8")
        self.servers: dict[str, Replica] = {}
        self.ports: dict[str, int] = {}

    def serve(self, name: str, *given: Any, link: Path | None = None) -> Replica:
        """Start a server."""
        server = self.servers[name] = Replica(link or self.link, *given)
        self.ports[name] = server.server_address[1]
        return server

    def check(self) -> dict[str, Any]:
        """Let the program check all replicas."""
        rows = [{"name": n, "address": "127.0.0.1", "port": p} for n, p in self.ports.items()]
        told = {"replicas": rows, "watched": [str(self.folder / "watched")]}
        (self.etc / "replicas.json").write_text(json.dumps(told), encoding="utf-8")
        return dict(self.program.check())

    def balancing(self) -> str:
        """Return what was written for nginx."""
        return str(self.program.BALANCING.read_text(encoding="utf-8"))


@pytest.fixture
def front(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Front]:
    """Provide the host of a gateway that does not run yet."""
    program = load("roles/gateway/files/gpuops_gateway.py")
    play(tmp_path, monkeypatch, {"systemctl": "exit 3", "nginx": "exit 0"})
    monkeypatch.setattr(program, "NGINX", str(tmp_path / "nginx"))
    monkeypatch.setattr(program, "ETC", tmp_path / "etc")
    monkeypatch.setattr(program, "RUN", tmp_path / "run")
    monkeypatch.setattr(program, "BALANCING", tmp_path / "replicas.conf")
    (tmp_path / "run").mkdir()
    made = Front(tmp_path, program)
    yield made
    for server in made.servers.values():
        server.shutdown()
        server.server_close()


def test_what_servers_answer_decides_who_gets_work(
    front: Front, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, (status, _serves, _why) in SEEN.items():
        front.serve(name, status)
    found = front.check()["replicas"]
    assert {name: (row["serves"], row["why"]) for name, row in found.items()} == {
        name: (serves, why) for name, (_status, serves, why) in SEEN.items()
    }
    said = capsys.readouterr().err
    assert said == "good in: it answers\nembeds in: it answers\n"
    question = {"model": "tiny", "prompt": "1", "max_tokens": 1}
    expected = [("/v1/completions", f"Bearer {UPSTREAM_KEY}", question)]
    assert front.servers["good"].questions == expected
    assert f"127.0.0.1:{front.ports['dead']} max_fails=3 fail_timeout=10s down;" in (
        front.balancing()
    )


def test_answers_that_are_no_list_of_models(front: Front) -> None:
    for name, models in {"text": b"welcome", "list": b"[]", "row": b"[1]"}.items():
        front.serve(name, (200, 200), models)
    found = front.check()["replicas"]
    assert {name: row["serves"] for name, row in found.items()} == {
        "text": True, "list": True, "row": False,
    }  # fmt: skip


def test_whoever_is_no_replica_of_ours_gets_no_work_and_no_key(
    front: Front, tmp_path: Path
) -> None:
    make(tmp_path / "other")
    other = front.serve("other", (200, 200), link=tmp_path / "other/link")
    with socket.create_server(("127.0.0.1", 0)) as server:
        front.ports["nobody"] = server.getsockname()[1]
    found = front.check()["replicas"]
    assert "certificate verify failed" in found["other"]["why"]
    assert "refused" in found["nobody"]["why"]
    assert other.questions == []
    # With nobody left all are asked.
    assert "down" not in front.balancing()


def test_only_several_silences_take_one_out(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    front.serve("one", (200, 200))
    assert front.check()["replicas"]["one"]["serves"] is True
    monkeypatch.setattr(front.program, "ANSWER_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        front.ports["one"] = server.getsockname()[1]
        seen = [front.check()["replicas"]["one"] for _again in range(3)]
    assert [(row["serves"], row["silences"]) for row in seen] == [(True, 1), (True, 2), (False, 3)]
    assert seen[0]["why"] == "no answer in 0.2 s"


def test_a_host_that_takes_no_connection_is_out_at_once(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_unused: Any) -> None:
        raise TimeoutError

    front.ports["one"] = 9
    monkeypatch.setattr(front.program.socket, "create_connection", never)
    found = front.check()["replicas"]["one"]
    assert (found["why"], found["silences"]) == ("no connection in 5 s", 0)


def test_one_without_an_address_does_not_stop_the_others(
    front: Front, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    front.ports["lost"] = 1
    real = socket.getaddrinfo

    def resolve(host: Any, port: Any, *words: Any, **more: Any) -> Any:
        if port == 1:
            raise socket.gaierror("Name or service not known")
        return real(host, port, *words, **more)

    monkeypatch.setattr(front.program.socket, "getaddrinfo", resolve)
    with pytest.raises(SystemExit, match="no replica has an address"):
        front.check()
    front.serve("one", (200, 200))
    assert list(front.check()["replicas"]) == ["one"]
    assert "lost: 127.0.0.1: Name or service not known" in capsys.readouterr().err


def test_only_what_has_changed_is_loaded(front: Front) -> None:
    front.serve("one", (200, 200))
    assert [front.check()["done"] for _again in range(2)] == ["loaded", "current"]
    (front.folder / "watched").write_text("a certificate", encoding="utf-8")
    assert [front.check()["done"] for _again in range(2)] == ["loaded", "current"]
    front.servers["one"].status = (530, 200)
    front.serve("two", (200, 200))
    assert [front.check()["done"] for _again in range(2)] == ["loaded", "current"]
    test = f"nginx -t -q -c {front.etc}/nginx.conf"
    # It does not run, and nothing starts it.
    assert asked(front.folder) == [test, "systemctl is-active --quiet gpuops-gateway"] * 3


def test_the_program_does_one_thing_at_a_time(
    front: Front, capsys: pytest.CaptureFixture[str]
) -> None:
    front.serve("one", (200, 200))
    front.check()
    front.program.main(["check"])
    told = json.loads(capsys.readouterr().out)
    assert told == {
        "done": "current",
        "replicas": {"one": {"serves": True, "silences": 0, "why": "it answers"}},
    }
    front.program.main(["load", "gpuops-link"])
    assert json.loads(capsys.readouterr().out) == {"done": "loaded"}
    for words in ([], ["load"], ["check", "x"]):
        with pytest.raises(SystemExit, match="usage: gpuops-gateway"):
            front.program.main(words)
