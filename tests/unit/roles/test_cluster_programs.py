# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs of the role cluster as a host runs them: look, meet, tether."""

from __future__ import annotations

import json
import os
import platform
import signal
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.roles.programs import (
    ENDED,
    PATIENCE,
    answer,
    asked,
    play,
    wait_until,
)
from ansible_collections.gpuops.cloud.tests.unit.roles.support import ROOT, load

LOOK = "roles/cluster/files/look.py"
MEET = "roles/cluster/files/meet.py"
TETHER = "roles/cluster/files/tether.py"
UNIT = "vllm.service"
meet = load(MEET)
tether = load(TETHER)

LINKS = [
    {"ifname": "lo", "addr_info": [{"local": "127.0.0.1", "scope": "host"}]},
    {"ifname": "docker0", "addr_info": [{"local": "172.17.0.1", "scope": "global"}]},
    {"ifname": "eth0", "addr_info": [{"local": "8.8.4.4", "scope": "global"}]},
    {"ifname": "eth1", "addr_info": [{"local": "10.0.0.5", "scope": "global"}]},
    {"ifname": "eth2", "addr_info": [{"local": "169.254.0.9", "scope": "link"}]},
    {"ifname": "eth3"},
]
# Says which process it leaves behind, and ends that one's work as its alarm does.
LISTENER = f"""\
import os
fork = os.fork
def told():
    process = fork()
    if process:
        print(process, flush=True)
    return process
os.fork = told
{ENDED.replace("SIGTERM", "SIGALRM")}
"""


@pytest.fixture
def port() -> int:
    """Find a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def look(model: str, *links: dict[str, Any], **options: str) -> dict[str, Any]:
    """Look at a host with these links."""
    Path(os.environ["LINKS"]).write_text(json.dumps(links), encoding="utf-8")
    words = [f"--{name}={value}" for name, value in options.items()]
    return answer(LOOK, f"--model={model}", *words)


@pytest.fixture
def links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Play the program that tells a host's addresses."""
    monkeypatch.setenv("LINKS", str(tmp_path / "links.json"))
    return play(tmp_path, monkeypatch, {"ip": 'cat "$LINKS"'})


def test_a_host_tells_where_the_others_reach_it(links: Path) -> None:
    (links / "config.json").write_text("{}", encoding="utf-8")
    told = look(str(links), *LINKS, ssh="8.8.4.4")
    assert (told["interface"], told["address"]) == ("eth1", "10.0.0.5")
    assert told["problem"] == ""
    assert told["private"] is True
    assert told["options"]["machine"] == platform.machine()
    assert len(told["options"]["files of the model"]) == 12
    assert asked(links) == ["ip -json -4 address show up"]


def test_what_leads_nowhere_is_no_address(links: Path) -> None:
    told = look("Qwen/Qwen3-8B", *LINKS[:2], *LINKS[4:])
    assert told["problem"] == "the host has no IPv4 address but its own"
    assert (told["interface"], told["address"], told["private"]) == ("", "", False)
    assert told["options"]["files of the model"] == ""


def test_an_address_for_strangers_is_told_as_one(links: Path) -> None:
    told = look("", *LINKS, address="8.8.4.4")
    assert (told["interface"], told["private"]) == ("eth0", False)
    assert (
        "no interface ib0, but eth0 8.8.4.4, eth1" in look("", *LINKS, interface="ib0")["problem"]
    )


def hang_up(server: socket.socket) -> None:
    """Take one connection and end it without a word."""
    server.accept()[0].close()


def silent(place: tuple[str, int]) -> bool:
    """Whether nobody listens there."""
    try:
        socket.create_connection(place, timeout=PATIENCE).close()
    except ConnectionError:
        return True
    return False


def test_the_one_that_listens_is_left_behind_and_ends_with_its_alarm(port: int) -> None:
    place = f"127.0.0.1:{port}"
    command = [sys.executable, "-c", LISTENER, str(ROOT / MEET), "listen", place, "alice"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE)
    process = int(done.stdout)
    try:
        # One that goes at once does not end it.
        socket.create_connection(("127.0.0.1", port)).close()
        reach = [sys.executable, str(ROOT / MEET), "reach", f"alice={place}", f"alice={place}"]
        met = subprocess.run(reach, capture_output=True, text=True, check=False, timeout=PATIENCE)
        assert (met.returncode, met.stderr) == (0, "")
        assert os.getsid(process) == process  # the end of the play's session does not end it
    finally:
        os.kill(process, signal.SIGALRM)
    wait_until(lambda: silent(("127.0.0.1", port)))


def test_one_that_comes_late_is_met_and_one_that_says_nothing_is_not(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = [b"", b"alice"]

    def come() -> None:
        with socket.create_server(("127.0.0.1", port)) as server:
            for name in said:
                connection, _unused = server.accept()
                with connection:
                    connection.sendall(name)

    thread = threading.Thread(target=come, daemon=True)
    clock = SimpleNamespace(monotonic=lambda: 0.0, sleep=lambda _s: thread.is_alive() or start())

    def start() -> None:
        if thread.ident is None:
            thread.start()

    monkeypatch.setattr(meet, "time", clock)
    assert meet.trouble("alice", f"127.0.0.1:{port}", 1.0) == ""
    thread.join(PATIENCE)
    assert not thread.is_alive()
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = f"127.0.0.1:{server.getsockname()[1]}"
        threading.Thread(target=hang_up, args=(server,), daemon=True).start()
        assert meet.trouble("alice", place, 0.0) == f"alice at {place} is nobody"


def test_a_head_that_has_started_anew_is_gone(port: int) -> None:
    with socket.create_server(("127.0.0.1", port)) as server:
        connection = tether.connect("127.0.0.1", port)
        head, _unused = server.accept()
    head.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    head.close()  # with a reset
    tether.wait_for_end(connection)
    assert connection.fileno() == -1


def test_a_head_that_is_not_there_yet_is_waited_for(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    heads: list[socket.socket] = []

    def sleep(_seconds: float) -> None:
        if not heads:
            heads.append(socket.create_server(("127.0.0.1", port)))

    monkeypatch.setattr(tether, "time", SimpleNamespace(sleep=sleep))
    watcher = threading.Thread(target=tether.watch, args=("127.0.0.1", port), daemon=True)
    watcher.start()
    wait_until(lambda: heads)
    heads[0].settimeout(PATIENCE)
    connection, _unused = heads[0].accept()
    assert watcher.is_alive()
    heads[0].close()
    connection.close()
    watcher.join(PATIENCE)
    assert not watcher.is_alive()


def test_a_dead_host_is_asked_soon(port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        connection = tether.connect("127.0.0.1", port)
        with connection:
            assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            options = [getattr(socket, name) for name in tether.KEEPALIVE]
            asks = [connection.getsockopt(socket.IPPROTO_TCP, option) for option in options]
    assert asks == [10, 5, 3]
    assert tether.connect("127.0.0.1", port) is None


def test_a_unit_starts_anew_when_its_head_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(tmp_path, monkeypatch, {"systemctl": "exit 1"})
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(PATIENCE)
    place = [str(word) for word in server.getsockname()]
    command = [sys.executable, "-c", ENDED, str(ROOT / TETHER), *place, UNIT]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watcher:
        try:
            connection, _unused = server.accept()
            assert asked(tmp_path) == []
            server.close()
            connection.close()
            assert watcher.stdout is not None
            said = watcher.stdout.readline()
            wait_until(lambda: asked(tmp_path))
            assert watcher.poll() is None  # it watches the next head
        finally:
            watcher.terminate()
    assert said == f"the head {place[0]} is gone: {UNIT} is started anew\n"
    assert asked(tmp_path) == [f"systemctl kill --kill-who=main --signal=SIGKILL {UNIT}"]
