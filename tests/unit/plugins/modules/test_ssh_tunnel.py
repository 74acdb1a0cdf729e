# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tunnels: opened once, kept, closed, and refused where they would be wrong.

A program of the test stands in for ssh: it listens as ssh would, or fails as told. Another one
stands in for the user's systemd, and starts what it is given.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._ssh.tunnel import Tunnel
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import run_module

SETTINGS = (
    "Host llm 192.0.2.7\n  HostName 192.0.2.7\n\nHost llm-2 192.0.2.8\n\nHost *\n  User root\n"
)
SSH = """#!{python}
import pathlib, signal, socket, sys
if "refused" in pathlib.Path({folder!r}, "mood").read_text():
    sys.exit("ssh: connect to host 192.0.2.7 port 22: Connection refused")
address, port = sys.argv[sys.argv.index("-L") + 1].split(":")[:2]
one = socket.create_server((address, int(port)))
while True:
    one.accept()[0].close()
"""
SYSTEMD_RUN = """#!{python}
import json, os, pathlib, subprocess, sys
words = sys.argv[1:]
unit = next(w.partition("=")[2] for w in words if w.startswith("--unit="))
command = words[next(i for i, w in enumerate(words) if not w.startswith("--")):]
null = subprocess.DEVNULL
pid = subprocess.Popen(command, stdin=null, stdout=null, stderr=null, start_new_session=True).pid
pathlib.Path({folder!r}, unit).write_text(json.dumps([pid, words]))
"""
SYSTEMCTL = """#!{python}
import json, os, pathlib, signal, sys
if "show" in sys.argv:
    sys.exit(0)
unit = pathlib.Path({folder!r}, sys.argv[-1])
if not unit.exists():
    sys.exit(3)
if "stop" in sys.argv:
    os.kill(json.loads(unit.read_text())[0], signal.SIGTERM)
    unit.unlink()
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Put the stand-in for ssh first in the path; end what a test has left open."""
    folder = tmp_path / "programs"
    folder.mkdir()
    (folder / "mood").write_text("well", encoding="utf-8")
    write(folder, ssh=SSH)
    # The real one may be there.
    write(folder, **{"systemd-run": "", "systemctl": "#!/bin/sh\nexit 1\n"})
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    yield folder
    for record in tmp_path.rglob("tunnels/*.json"):
        with contextlib.suppress(ProcessLookupError):
            os.kill(json.loads(record.read_text(encoding="utf-8"))["pid"], signal.SIGTERM)


def write(folder: Path, **texts: str) -> None:
    """Write programs."""
    for name, text in texts.items():
        (folder / name).write_text(text.format(python=sys.executable, folder=str(folder)))
        (folder / name).chmod(0o755)


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """Return SSH settings of a deployment, in a folder with a blank in its path."""
    folder = tmp_path / "my own home/llm"
    folder.mkdir(parents=True)
    (folder / "ssh_config").write_text(SETTINGS, encoding="utf-8")
    return folder / "ssh_config"


def port_of_nobody() -> int:
    """Return a port that is free."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


def tunnel(settings: Path, check: bool = False, **wish: Any) -> dict[str, Any]:
    """Run the module."""
    given = {"settings": str(settings), "timeout": 20, **wish}
    result, _output = run_module("ssh_tunnel", given, check=check)
    return result


def listens(port: int) -> bool:
    """Tell whether something listens on loopback."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


@pytest.mark.every_core("ssh_tunnel")
def test_tunnel_is_opened_once_and_closed(programs: Path, settings: Path) -> None:
    port = port_of_nobody()
    planned = tunnel(settings, check=True, port=port)
    assert planned["actions"] == [f"open 127.0.0.1:{port} to port {port} of llm"]
    assert not listens(port)
    first = tunnel(settings, port=port)
    assert (first["changed"], first["tunnel"]["unit"]) == (True, "")
    assert listens(port)
    again = tunnel(settings, port=port)
    assert (again["changed"], again["tunnel"]) == (False, first["tunnel"])
    closed = tunnel(settings, state="absent")
    assert closed["actions"] == [f"close 127.0.0.1:{port} to port {port} of llm"]
    assert tunnel(settings, state="absent")["changed"] is False
    assert list(settings.parent.glob("tunnels/*")) == []


def test_another_port_is_taken_and_told_where_somebody_listens(
    programs: Path, settings: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        opened = tunnel(settings, port=port)
        assert opened["tunnel"]["local_port"] > port
        refused = tunnel(settings, name="llm-2", port=port, local_port=port)
        assert f"Port {port} of 127.0.0.1 is in use" in refused["msg"]
        assert tunnel(settings, port=port)["tunnel"] == opened["tunnel"]


def test_tunnel_whose_process_has_ended_is_opened_anew(programs: Path, settings: Path) -> None:
    port = port_of_nobody()
    first = tunnel(settings, port=port)
    os.kill(first["tunnel"]["pid"], signal.SIGKILL)
    os.waitpid(first["tunnel"]["pid"], 0)
    again = tunnel(settings, port=port)
    assert again["changed"]
    assert again["tunnel"]["pid"] != first["tunnel"]["pid"]


def test_systemd_of_the_user_keeps_it(programs: Path, settings: Path) -> None:
    write(programs, **{"systemd-run": SYSTEMD_RUN, "systemctl": SYSTEMCTL})
    port = port_of_nobody()
    opened = tunnel(settings, port=port)["tunnel"]
    assert (opened["unit"], opened["pid"]) == (f"gpuops-tunnel-llm-llm-{port}.service", 0)
    _pid, words = json.loads((programs / opened["unit"]).read_text(encoding="utf-8"))
    assert "--property=Restart=always" in words
    assert tunnel(settings, port=port)["changed"] is False
    assert tunnel(settings, state="absent", name="llm")["changed"]
    assert not (programs / opened["unit"]).exists()


def test_what_ssh_says_comes_back(programs: Path, settings: Path) -> None:
    (programs / "mood").write_text("refused", encoding="utf-8")
    result = tunnel(settings, port=port_of_nobody())
    assert "Connection refused" in result["msg"]
    assert f"ssh -F '{settings}' llm" in result["msg"]
    assert list(settings.parent.glob("tunnels/*.json")) == []


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"name": "web"}, "does not name web. Known: llm, llm-2."),
        ({"port": 70000}, "port must be between 1 and 65535 (got 70000)"),
        ({"address": "everywhere"}, "'everywhere' is no IP address"),
    ],
)
def test_what_cannot_be_is_refused(settings: Path, wish: dict[str, Any], words: str) -> None:
    assert words in tunnel(settings, **wish)["msg"]


def test_deployment_of_another_controller_is_not_known(tmp_path: Path) -> None:
    assert "lists no instance. Bring up the deployment" in tunnel(tmp_path / "none")["msg"]


def test_command_listens_on_loopback_and_asks_nobody() -> None:
    command = Tunnel("llm", 8888, "127.0.0.1", 9000).command(Path("/a b/ssh_config"))
    assert command[1:3] == ["-F", "/a b/ssh_config"]
    assert command[-3:] == ["-L", "127.0.0.1:9000:127.0.0.1:8888", "llm"]
    assert {"BatchMode=yes", "ExitOnForwardFailure=yes"} <= set(command)
    assert Tunnel("llm", 1, "::1", 2).forward == "[::1]:2:127.0.0.1:1"
