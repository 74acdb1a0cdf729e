# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server on the loopback address that answers whatever a test wants, as slowly as it wants."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "eyJhbGciOiJIUzI1NiJ9.the-bearer-token-of-the-tests"


@dataclass
class Said:
    """One answer: ``drip`` seconds go by before each byte of the body, or of ``slow_head``."""

    body: Any = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    drip: float = 0.0
    slow_head: bool = False

    def payload(self) -> bytes:
        """Return the body as bytes; what is neither text nor bytes becomes JSON."""
        if isinstance(self.body, bytes):
            return self.body
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


class Hostile:
    """What the server answers, by method and path, and what it was asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.over = threading.Event()
        self.asked: list[str] = []
        login = Said({"access_token": TOKEN, "expires_in": 3600})
        self.answers: dict[str, Said] = {"POST /oauth2/token": login}

    def say(self, request: str, body: Any = b"", **how: Any) -> None:
        """Answer a request, such as ``GET /instances``, in this way from now on."""
        self.answers[request] = Said(body, **how)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hostile: Hostile

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = f"{self.command} {self.path.partition('?')[0].removeprefix('/v1')}"
        self.hostile.asked.append(request)
        said = self.hostile.answers.get(request, Said({"message": "unknown"}, 404))
        payload = said.payload()
        headers = {"Content-Type": "application/json", **said.headers}
        if said.status != 204:
            headers.setdefault("Content-Length", str(len(payload)))
        lines = [f"HTTP/1.1 {said.status} Said", *(f"{k}: {v}" for k, v in headers.items())]
        head = "\r\n".join([*lines, "", ""]).encode()
        with contextlib.suppress(OSError):
            self._send(head, said.drip if said.slow_head else 0.0)
            self._send(payload, said.drip)

    def _send(self, data: bytes, pause: float) -> None:
        if not pause:
            self.wfile.write(data)
            return
        for number in range(len(data)):
            if self.hostile.over.wait(pause):
                return
            self.wfile.write(data[number : number + 1])

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Keep quiet."""


for _verb in ("GET", "POST", "PUT", "DELETE"):
    setattr(_Handler, f"do_{_verb}", _Handler._answer)


@contextlib.contextmanager
def hostile_server() -> Iterator[Hostile]:
    """Start the server; it is gone at the end."""
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    handler.hostile = Hostile(f"http://127.0.0.1:{server.server_address[1]}/v1")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield handler.hostile
    finally:
        handler.hostile.over.set()
        server.shutdown()
        thread.join()
        server.server_close()


def instance(**changes: Any) -> dict[str, Any]:
    """Return an instance as the cloud shows it."""
    row = {
        "id": "5f3b0c9e-5a7e-4d8e-9c64-000000000001",
        "hostname": "web1",
        "description": "",
        "status": "running",
        "ip": "203.0.113.9",
        "instance_type": "1H100.80S.30V",
        "location": "FIN-01",
        "image": "ubuntu-24.04",
        "created_at": "2026-11-01T10:00:00.000Z",
        "is_spot": False,
        "price_per_hour": 1.99,
        "os_volume_id": None,
        "volume_ids": [],
        "ssh_key_ids": [],
        "cpu": {"number_of_cores": 30},
        "gpu": {"number_of_gpus": 1},
        "memory": {"size_in_gigabytes": 120},
        "gpu_memory": {"size_in_gigabytes": 80},
        "tags": [],
    }
    return {**row, **changes}


def our_tags(name: str = "llm", deployment: str = "llm", **more: str) -> list[dict[str, str]]:
    """Return the tags of an instance of ours."""
    marks = {"deployment": deployment, "name": name, "owner": "ada", "lease": "none"}
    marks = {**marks, "request": "0123456789abcdef0123456789abcdef"}
    tags = {f"gpuops-{key}": value for key, value in {**marks, **more}.items() if value}
    return [{"id": f"t{n}", "key": k, "value": v} for n, (k, v) in enumerate(tags.items())]
