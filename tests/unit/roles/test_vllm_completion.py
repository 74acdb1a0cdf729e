# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for a server and asking it, with stand-ins for server, systemctl and journalctl."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._host.serving import Unit
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import run_module

KEY = "the-api-key-of-the-tests"
CHAT, PLAIN, MODELS = "/v1/chat/completions", "/v1/completions", "/v1/models"
EMBEDDINGS = "/v1/embeddings"
# So answers a path that the server does not have, unlike a model that it does not have.
NO_PATH = (404, {"detail": "Not Found"})
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5, "details": None}
NO_TEMPLATE = {"error": {"message": "you must provide a chat template"}}
RUNS = "LoadState=loaded\nActiveState=active\nSubState=running\nNRestarts=0\nInvocationID=abc\n"
JOURNAL = f"""INFO starting with key {KEY}
ERROR [core.py:1] RuntimeError: Insufficient space in /dev/shm
    raise RuntimeError(
          ^^^^^^^^^^^^
ERROR [core.py:1] RuntimeError: Insufficient space in /dev/shm
RuntimeError: Engine core initialization failed.
"""
Answer = tuple[int, dict[str, Any]]


class Server(ThreadingHTTPServer):
    """A server whose answers a test lines up by path; the last one stays."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, list[Answer]] = {MODELS: [(200, {"data": [{"id": "tiny"}]})]}
        self.asked: list[tuple[str, str, dict[str, Any]]] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Address without path."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    """Gives the next answer in line."""

    server: Server

    def do_GET(self) -> None:
        """Answer, whatever the method is."""
        length = int(self.headers.get("Content-Length", 0))
        body = json.loads(self.rfile.read(length) or "{}")
        self.server.asked.append((self.path, self.headers.get("Authorization", ""), body))
        line = self.server.answers.get(self.path, [(404, {"error": "no such path"})])
        status, answer = line.pop(0) if len(line) > 1 else line[0]
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_POST(self) -> None:
        """Answer in the same way."""
        self.do_GET()

    def log_message(self, *_arguments: Any) -> None:
        """Stay quiet."""


@pytest.fixture
def server() -> Iterator[Server]:
    """Start a server that answers nothing yet but its models."""
    running = Server()
    yield running
    running.shutdown()
    running.server_close()


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a host: an environment file, a unit that runs and its journal."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for program, file in (("systemctl", "state"), ("journalctl", "journal")):
        (folder / program).write_text(f"#!/bin/sh\ncat {tmp_path}/{file}\n", encoding="utf-8")
        (folder / program).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    (tmp_path / "state").write_text(RUNS, encoding="utf-8")
    (tmp_path / "journal").write_text(JOURNAL, encoding="utf-8")
    (tmp_path / "env").write_text(f'A="b"\nVLLM_API_KEY="{KEY}"\n', encoding="utf-8")
    return tmp_path


def chat(text: str, **message: Any) -> Answer:
    """Return the answer of a server that says this."""
    choice = {"message": {"content": text, **message}}
    return 200, {"model": "tiny", "choices": [choice], "usage": USAGE}


def ask(host: Path, url: str, check: bool = False, **more: Any) -> dict[str, Any]:
    """Run the module; whatever comes out of it, the key is not in it."""
    args = {"url": url, "env_file": str(host / "env"), "timeout": 0.4, "interval": 0.05, **more}
    result, output = run_module("vllm_completion", args, check=check)
    assert KEY not in output
    return result


@pytest.mark.every_core("vllm_completion")
def test_answer_comes_with_what_it_took(host: Path, server: Server) -> None:
    server.answers[CHAT] = [chat("Hello.")]
    result = ask(host, server.url, prompt="Who?", max_tokens=7)
    assert result["answer"] == "Hello."
    assert (result["model"], result["prompt"], result["changed"]) == ("tiny", "Who?", False)
    assert result["usage"] == {key: count for key, count in USAGE.items() if count is not None}
    assert result["seconds"] >= 0
    path, key, body = server.asked[-1]
    assert (path, key) == (CHAT, f"Bearer {KEY}")
    assert body["messages"] == [{"role": "user", "content": "Who?"}]
    assert (body["model"], body["max_tokens"], body["temperature"]) == ("tiny", 7, 0)


def test_named_model_is_asked_without_looking(host: Path, server: Server) -> None:
    server.answers[CHAT] = [chat("Hello.")]
    ask(host, server.url, model="other")
    assert [(path, body.get("model")) for path, _unused, body in server.asked] == [(CHAT, "other")]


def test_server_that_is_not_ready_is_waited_for(host: Path, server: Server) -> None:
    server.answers[CHAT] = [(503, {}), (500, {"error": "starting"}), chat("Hello.")]
    assert ask(host, server.url, timeout=10)["answer"] == "Hello."


def test_reasoning_counts_when_nothing_else_was_said(host: Path, server: Server) -> None:
    server.answers[CHAT] = [chat("", reasoning="Let me see")]
    assert ask(host, server.url)["answer"] == "Let me see"


def test_model_without_a_chat_template_completes(host: Path, server: Server) -> None:
    server.answers[CHAT] = [(400, NO_TEMPLATE)]
    done = {"model": "tiny", "choices": [{"text": "there was"}], "usage": USAGE}
    server.answers[PLAIN] = [(200, done)]
    assert ask(host, server.url, prompt="Once")["answer"] == "there was"
    assert server.asked[-1][2]["prompt"] == "Once"


def test_model_that_embeds_is_asked_for_a_vector(host: Path, server: Server) -> None:
    server.answers |= {CHAT: [NO_PATH], PLAIN: [NO_PATH]}
    usage = {"prompt_tokens": 3, "completion_tokens": 0}
    server.answers[EMBEDDINGS] = [(200, {"data": [{"embedding": [0.5, -1, 0]}], "usage": usage})]
    result = ask(host, server.url, prompt="a text")
    assert (result["kind"], result["embedding"]) == ("embeddings", [0.5, -1, 0])
    assert result["answer"] == "3 numbers: 0.500 -1.000 0.000 ..."
    assert server.asked[-1][2]["input"] == "a text"
    assert "max_tokens" not in server.asked[-1][2]


def test_only_the_kind_that_is_named_is_asked(host: Path, server: Server) -> None:
    server.answers |= {CHAT: [chat("Hello.")], EMBEDDINGS: [NO_PATH]}
    assert "Not Found" in ask(host, server.url, kind="embeddings", timeout=60)["msg"]
    assert [path for path, _key, _body in server.asked] == [MODELS, EMBEDDINGS]


@pytest.mark.parametrize("vector", ["[]", "[0, 0]", "[1, NaN]"])
def test_a_vector_that_says_nothing_is_no_answer(host: Path, server: Server, vector: str) -> None:
    server.answers[EMBEDDINGS] = [(200, {"data": [{"embedding": json.loads(vector)}]})]
    result = ask(host, server.url, kind="embeddings", timeout=60)
    assert "no usable vector" in result["msg"]


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        ((401, {}), "refused the API key"),
        ((404, {"error": "The model `other` does not exist."}), "does not exist"),
        ((200, {"choices": [{"message": {}}], "usage": {}}), "without generating a token"),
    ],
)
def test_answer_that_waiting_will_not_change_ends_at_once(
    host: Path, server: Server, answer: Answer, word: str
) -> None:
    server.answers[CHAT] = [answer]
    result = ask(host, server.url, timeout=60)
    assert result["failed"]
    assert word in result["msg"]


def test_no_answer_in_time_names_the_last_that_was_seen(host: Path) -> None:
    result = ask(host, "http://127.0.0.1:1")
    assert result["failed"]
    assert "no answer after" in result["msg"]
    assert "refused" in result["msg"]


@pytest.mark.parametrize(
    "change",
    [
        ("ActiveState=active", "ActiveState=failed"),
        ("SubState=running", "SubState=auto-restart"),
        ("ActiveState=active", "ActiveState=inactive"),
    ],
)
def test_death_ends_the_wait_with_its_reasons(host: Path, change: tuple[str, str]) -> None:
    state = RUNS.replace(*change) + "Result=exit-code\nExecMainStatus=1\n"
    (host / "state").write_text(state, encoding="utf-8")
    message = ask(host, "http://127.0.0.1:1", timeout=60)["msg"]
    assert "vllm.service died (result exit-code, exit status 1)" in message
    reasons = message.split("Its last journal lines:")[0].splitlines()[2:]
    assert reasons == [
        "RuntimeError: Insufficient space in /dev/shm",
        "RuntimeError: Engine core initialization failed.",
    ]
    assert "^^^^" not in message


def test_restart_while_waiting_counts_as_death() -> None:
    def die(_command: list[str]) -> str:
        text = RUNS.replace("NRestarts=0", "NRestarts=1") if seen else RUNS
        seen.append(1)
        return text

    seen: list[int] = []
    assert "died" in Unit(die, "vllm.service", {}).death()


def test_unit_that_does_not_exist_is_said(host: Path) -> None:
    (host / "state").write_text("LoadState=not-found\n", encoding="utf-8")
    assert "does not exist" in ask(host, "http://127.0.0.1:1", timeout=60)["msg"]


def test_missing_environment_file_is_said(host: Path) -> None:
    (host / "env").unlink()
    assert "cannot read the environment file" in ask(host, "http://127.0.0.1:1")["msg"]


def test_check_mode_asks_nothing(host: Path, server: Server) -> None:
    result = ask(host, server.url, check=True)
    assert result["skipped"]
    assert result["answer"] == ""
    assert server.asked == []
