# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Published models, and a hub on this machine that serves them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

TABLE = json.loads((Path(__file__).parent / "models.json").read_text(encoding="utf-8"))
MODELS: dict[str, dict[str, Any]] = {row["name"]: row for row in TABLE["models"]}
CONFIGURATIONS = Path(__file__).parent / "configurations"
SMALL, LARGE = "Qwen/Qwen3-8B", "meta-llama/Llama-3.3-70B-Instruct"
COMMIT = "b968826d9c46dd6066d109eabc6255188de91218"


def config_of(name: str) -> dict[str, Any]:
    """Return the configuration of a published model."""
    return dict(MODELS[name]["config"])


def shape_of(name: str) -> dict[str, Any]:
    """Return a whole config.json as it is published."""
    file = CONFIGURATIONS / f"{name.replace('/', '--')}.json"
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


class Hub:
    """A hub: what it answers by path, and what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, Any]] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.url = ""

    def publish(self, name: str, files: dict[str, int] | None = None, at: str = "main") -> None:
        """Answer for a model, with the sizes of its files."""
        rows = [{"rfilename": file, "size": size} for file, size in (files or {}).items()]
        self.answers[f"/{name}/resolve/{at}/config.json"] = (200, config_of(name))
        about = {"sha": COMMIT, "siblings": rows}
        self.answers[f"/api/models/{name}/revision/{at}?blobs=true"] = (200, about)


@contextmanager
def running_hub() -> Iterator[Hub]:
    """Run a hub on the loopback interface."""
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hub.asked.append((self.path, self.headers.get("Authorization")))
            status, answer = hub.answers.get(self.path, (404, {"error": "not found"}))
            body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", str(answer))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
