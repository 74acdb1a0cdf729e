# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small OpenAI-compatible server that behaves at its edges as vLLM does: `server.py NAME [PORT]`.

Like vLLM it protects /v1 alone, leaves other paths open, and after SIGTERM finishes what runs,
refuses what is new with 500, and stays "healthy". Unlike vLLM it starts at once, says in each
answer which replica it is, and notes in seen.jsonl what has reached it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

NAME = sys.argv[1] if len(sys.argv) > 1 else "replica"
PORT = int(sys.argv[2]) if len(sys.argv) > 2 else 8000
KEY = os.environ.get("VLLM_API_KEY", "")
SEEN = Path(os.environ.get("SEEN", "/run/vllm/seen.jsonl"))
# While it is there, the server answers as one whose engine has died.
BROKEN = Path("/run/vllm/broken")
TOKEN_SECONDS = 0.05
stopping = threading.Event()
lock = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"

    def note(self, body: bytes) -> None:
        """Write down what has reached the server."""
        line = {"path": self.path, "headers": dict(self.headers), "body": len(body)}
        with lock, SEEN.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({"method": self.command, **line}) + "\n")

    def answer(self, status: int, data: Any) -> None:
        """Send JSON."""
        text = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def handle_any(self) -> None:
        """Answer as vLLM would."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.note(body)
        if self.path == "/health":
            self.answer(200, {})
        elif stopping.is_set() or BROKEN.exists():
            self.answer(500, {"error": {"message": "stopping"}})
        elif self.path.startswith("/v1/") and self.headers.get("Authorization") != f"Bearer {KEY}":
            self.answer(401, {"error": "Unauthorized"})
        elif self.path == "/v1/models":
            self.answer(200, {"object": "list", "data": [{"id": "small", "object": "model"}]})
        elif self.path in ("/v1/completions", "/v1/chat/completions"):
            try:
                asked = json.loads(body)
            except ValueError:
                self.answer(400, {"error": {"message": "no JSON"}})
                return
            self.complete(asked)
        else:
            self.answer(200, {"reached": self.path})

    def __getattr__(self, name: str) -> Any:
        """Take every method."""
        if name.startswith("do_"):
            return self.handle_any
        raise AttributeError(name)

    def complete(self, asked: dict[str, Any]) -> None:
        """Say the replica's name as often as tokens are asked for."""
        count = int(asked.get("max_tokens", 4))
        if not asked.get("stream"):
            time.sleep(TOKEN_SECONDS * count)
            text = " ".join([NAME] * count)
            choice = {"index": 0, "message": {"role": "assistant", "content": text}, "text": text}
            usage = {"prompt_tokens": 1, "completion_tokens": count}
            self.answer(200, {"model": "small", "choices": [choice], "usage": usage})
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number in range(count):
            time.sleep(TOKEN_SECONDS)
            delta = {"choices": [{"delta": {"content": NAME}, "index": number}]}
            self.part(f"data: {json.dumps(delta)}\n\n")
        self.part("data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")

    def part(self, text: str) -> None:
        """Send one chunk."""
        self.wfile.write(f"{len(text):x}\r\n{text}\r\n".encode())
        self.wfile.flush()

    def log_message(self, *arguments: Any) -> None:
        """Say nothing; what matters is noted."""


class Server(ThreadingHTTPServer):
    """Waits at its end for what runs."""

    daemon_threads = False
    block_on_close = True
    request_queue_size = 128


def main() -> None:
    """Serve until SIGTERM, then finish."""
    server = Server(("127.0.0.1", PORT), Handler)

    def end() -> None:
        # Listening goes on for a while, as with vLLM.
        stopping.set()
        time.sleep(3)
        server.shutdown()

    signal.signal(signal.SIGTERM, lambda *_unused: threading.Thread(target=end).start())
    server.serve_forever(poll_interval=0.1)
    server.server_close()


if __name__ == "__main__":
    main()
