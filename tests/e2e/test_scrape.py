# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the playbook monitor writes for Prometheus, by Prometheus itself."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from test_monitoring import program, promtool
from test_pages import run
from whole_path import ROOT

from gpuops_simulator import Simulator

CERTIFICATES = ROOT / "roles/gateway/files/controller.py"
SCRAPE = ROOT / "extensions/molecule/exporters/files/scrape.py"


class Door(BaseHTTPRequestHandler):
    """Tells of one request that runs, where vLLM's metrics are."""

    def do_GET(self) -> None:
        """Answer."""
        text = b"vllm:num_requests_running 3\n" if self.path == "/vllm" else b""
        self.send_response(200 if text else 404)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


@contextmanager
def door(certificates: Path) -> Iterator[int]:
    """Listen as the door of an instance does; yields the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "replica.pem")
    context.load_verify_locations(certificates / "ca.crt")
    context.verify_mode = ssl.CERT_REQUIRED
    with HTTPServer(("127.0.0.1", 0), Door) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_port
        finally:
            server.shutdown()


def test_prometheus_takes_what_the_playbook_writes(tmp_path: Path) -> None:
    home, folder = tmp_path / "home", tmp_path / "prometheus"
    asked = json.dumps({"folder": str(home / "gpuops/metrics"), "users": [], "check": False})
    subprocess.run([sys.executable, CERTIFICATES], input=asked, text=True, check=True)
    with Simulator() as simulator:
        given = json.dumps({"gpuops_home": str(home), "folder": str(folder)})
        run(simulator, tmp_path, "ansible-playbook", "playbooks/monitor.yml", "-e", given)
    assert "SUCCESS" in promtool("check", "config", str(folder / "scrape.yml"))
    # Without instances there are no targets, and no fault.
    assert json.loads((folder / "targets.json").read_text(encoding="utf-8")) == []

    path = os.pathsep.join([str(Path(program("prometheus")).parent), os.environ["PATH"]])
    with door(home / "gpuops/metrics/link") as port:
        labels = {"job": "vllm", "instance": "llm", "__metrics_path__": "/vllm"}
        targets = [{"targets": [f"127.0.0.1:{port}"], "labels": labels}]
        (folder / "targets.json").write_text(json.dumps(targets), encoding="utf-8")
        command = [sys.executable, SCRAPE, folder]
        environment = {**os.environ, "PATH": path}
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    seen = json.loads(done.stdout)
    assert seen["up"] == {"llm vllm": "1"}
    assert seen["requests"]["value"][1] == "3"
