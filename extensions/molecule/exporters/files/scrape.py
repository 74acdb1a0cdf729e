# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let a Prometheus scrape what a folder names, each second; print as JSON what it has seen."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path
from typing import Any

SECONDS = 60


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def ask(port: int, query: str) -> list[dict[str, Any]]:
    """Return what a query finds; nothing while the server does not answer."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        link.request("GET", f"/api/v1/query?{urllib.parse.urlencode({'query': query})}")
        return list(json.load(link.getresponse())["data"]["result"])
    except (OSError, http.client.HTTPException, ValueError, KeyError):
        return []
    finally:
        link.close()


def watch(port: int, targets: int) -> dict[str, Any]:
    """Return what is up, and vLLM's requests, as soon as all targets were scraped."""
    end = time.monotonic() + SECONDS
    while True:
        requests, up = ask(port, "vllm:num_requests_running"), ask(port, "up")
        seen = {
            f"{one['metric']['instance']} {one['metric']['job']}": one["value"][1] for one in up
        }
        done = requests and list(seen.values()) == ["1"] * targets
        if done or time.monotonic() > end:
            return {"up": seen, "requests": requests[0] if requests else None}
        time.sleep(0.5)


def main() -> None:
    """Start the server, watch, and end it."""
    folder, port = Path(sys.argv[1]), free_port()
    with tempfile.TemporaryDirectory() as made:
        config = Path(made, "prometheus.yml")
        config.write_text(
            "global: {scrape_interval: 1s}\n" + (folder / "scrape.yml").read_text("utf-8")
        )
        subprocess.run(["promtool", "check", "config", config], check=True, stdout=sys.stderr)
        command = ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={made}/data"]
        command.append(f"--web.listen-address=127.0.0.1:{port}")
        targets = len(json.loads((folder / "targets.json").read_text("utf-8")))
        with subprocess.Popen(command, stdout=sys.stderr, stderr=subprocess.STDOUT) as server:
            try:
                print(json.dumps(watch(port, targets)))
            finally:
                server.terminate()


if __name__ == "__main__":
    main()
