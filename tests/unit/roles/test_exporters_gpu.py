# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The exporter for GPUs is believed when it tells of one; a server of the test stands in for it."""

from __future__ import annotations

import http.server
import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import warm_ansible
from ansible_collections.gpuops.cloud.tests.unit.roles.support import COLLECTIONS, load

probe = load("roles/exporters/files/probe.py")
PLAY = """
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - ansible.builtin.include_role:
        name: gpuops.cloud.exporters
        tasks_from: gpu
"""
GOOD = '# HELP DCGM_FI_DEV_GPU_TEMP x\nDCGM_FI_DEV_GPU_TEMP{gpu="0"} 34\n'


@contextmanager
def exporter(text: str, address: str = "127.0.0.1") -> Iterator[int]:
    """Answer every question with a text; provides the port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_unused: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer((address, 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def prove(folder: Path, port: int) -> tuple[bool, str]:
    """Run the tasks that prove the exporter; return whether they hold, and what was said."""
    playbook = folder / "play.yml"
    playbook.write_text(PLAY, encoding="utf-8")
    values = {
        "ansible_python_interpreter": sys.executable,
        "_exporters_probe": {"gpu_unit": "gpus.service"},
        "_exporters_gpu_port": port,
        "_exporters_gpu_patience": 1,
    }
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), "HOME": str(folder)}
    words = (str(playbook), "-e", json.dumps(values))
    done = warm_ansible.run("playbook", words, folder=folder, environment=environment)
    return done.returncode == 0, " ".join((done.stdout + done.stderr).split())


@pytest.mark.parametrize(
    ("text", "address", "problem"),
    [
        (GOOD, "127.0.0.1", ""),
        ("# HELP DCGM_FI_DEV_GPU_TEMP x\n", "127.0.0.1", "answers, and tells of no GPU"),
        (GOOD, "0.0.0.0", "listens on 0.0.0.0, whatever DCGM_EXPORTER_LISTEN says"),
    ],
)
def test_the_exporter_has_to_tell_of_a_gpu_and_to_nobody_else(
    tmp_path: Path, text: str, address: str, problem: str
) -> None:
    with exporter(text, address) as port:
        good, said = prove(tmp_path, port)
    assert good is not bool(problem), said
    assert problem in said


def test_an_exporter_that_does_not_answer_is_no_proof(tmp_path: Path) -> None:
    with exporter(GOOD) as port:
        pass
    good, said = prove(tmp_path, port)
    assert not good
    assert "the exporter for GPUs (gpus.service) does not answer" in said


def test_a_driver_without_a_gpu_is_no_gpu(tmp_path: Path) -> None:
    assert probe.gpu(tmp_path) is False
    (tmp_path / "version").touch()
    (tmp_path / "gpus").mkdir()
    assert probe.gpu(tmp_path) is False
    (tmp_path / "gpus/0000:01:00.0").mkdir()
    assert probe.gpu(tmp_path) is True
