# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gateway's program loads what has changed into an nginx that runs, or leaves it as it is."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.gpuops.cloud.tests.unit.roles.programs import asked, play, wait_until
from ansible_collections.gpuops.cloud.tests.unit.roles.support import ROOT, load

# Installed, or unpacked by the set-up of the tests.
PLACES = [os.environ["PATH"], "/usr/sbin", str(ROOT / ".venv/unpacked/usr/sbin")]
NGINX = shutil.which("nginx", path=os.pathsep.join(PLACES))
UNIT = "gpuops-gateway"
CONFIGURATION = """\
{user}
worker_processes 1;
pid {folder}/run/gateway.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    scgi_temp_path {folder}/scgi;
    uwsgi_temp_path {folder}/uwsgi;
    limit_req_zone $uri zone=one:1m rate=1r/s;
    server {{
        listen 127.0.0.1:{port};
        return 404;
    }}
}}
"""
SYSTEMCTL = """\
[ "$1" = reload ] || exit 0
kill -HUP "$(cat {folder}/run/gateway.pid)"
"""
pytestmark = pytest.mark.skipif(
    NGINX is None, reason="no nginx: python3 scripts/setup.py test unpacks one"
)


class Unit:
    """A unit with an nginx that runs, of one worker."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.program = load("roles/gateway/files/gpuops_gateway.py")
        self.file = folder / "etc" / UNIT / "nginx.conf"
        for path in (self.file.parent, folder / "run"):
            path.mkdir(parents=True)
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        user = f"user {getpass.getuser()};" if os.geteuid() == 0 else ""
        self.file.write_text(CONFIGURATION.format(folder=folder, port=port, user=user), "utf-8")

    def start(self) -> None:
        """Start nginx."""
        subprocess.run([str(NGINX), "-c", str(self.file)], check=True, capture_output=True)
        wait_until(lambda: (self.folder / "run/gateway.pid").exists() and self.workers())

    def change(self, old: str, new: str) -> None:
        """Change the configuration."""
        text = self.file.read_text(encoding="utf-8")
        assert old in text
        self.file.write_text(text.replace(old, new), encoding="utf-8")

    def workers(self) -> set[str]:
        """Return the processes that answer."""
        return set(self.program.workers(UNIT))

    def load(self) -> str:
        """Load what has changed."""
        return str(self.program.load(UNIT, []))


@pytest.fixture
def unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Unit]:
    """Provide a unit that runs, and whose configuration was loaded."""
    made = Unit(tmp_path)
    monkeypatch.setattr(made.program, "NGINX", str(NGINX))
    monkeypatch.setattr(made.program, "ETC", tmp_path / "etc")
    monkeypatch.setattr(made.program, "RUN", tmp_path / "run")
    monkeypatch.setattr(made.program, "BALANCING", tmp_path / "replicas.conf")
    journal = f"cat {tmp_path}/error.log"
    play(tmp_path, monkeypatch, {"systemctl": SYSTEMCTL.format(folder=tmp_path)})
    play(tmp_path, monkeypatch, {"journalctl": journal})
    made.start()
    process = int((tmp_path / "run/gateway.pid").read_text(encoding="utf-8"))
    yield made
    os.kill(process, signal.SIGTERM)
    wait_until(lambda: not (tmp_path / "run/gateway.pid").exists())


def test_new_workers_have_what_was_loaded(unit: Unit) -> None:
    before = unit.workers()
    assert len(before) == 1
    assert [unit.load(), unit.load()] == ["loaded", "current"]
    after = unit.workers()
    assert after - before
    unit.change("return 404", "return 405")
    assert unit.load() == "loaded"
    assert unit.workers() - after - before


def test_what_nginx_refuses_is_not_loaded(unit: Unit) -> None:
    before = unit.workers()
    unit.change("return 404", "retrun 404")
    for _again in range(2):
        with pytest.raises(SystemExit, match=r'old one stays: .*unknown directive "retrun"'):
            unit.load()
    assert unit.workers() == before
    assert asked(unit.folder) == []


@pytest.mark.parametrize("journal", [True, False])
def test_what_only_a_reload_refuses_is_told(
    unit: Unit, monkeypatch: pytest.MonkeyPatch, journal: bool
) -> None:
    before = unit.workers()
    monkeypatch.setattr(unit.program, "LOAD_SECONDS", 3)
    if not journal:
        play(unit.folder, monkeypatch, {"journalctl": "exit 1"})
    # The zone's memory is kept, and counts by the old key.
    unit.change("$uri zone", "$host zone")
    said = 'limit_req "one" uses' if journal else "it does not say why"
    with pytest.raises(SystemExit, match=f"keeps its old configuration: .*{said}"):
        unit.load()
    assert unit.workers() == before
    # It is not taken for loaded.
    assert not (unit.folder / "run" / f"{UNIT}.loaded").exists()
