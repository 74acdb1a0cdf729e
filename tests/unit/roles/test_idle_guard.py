# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is the host idle, and since when: the guard with programs and a server that play the host.

The figures of nvidia-smi stand in its documented format; no GPU was asked.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.roles.support import load

guard = load("roles/idle_guard/files/idle_guard.py")

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=timezone.utc)
LIMITS = {
    "gpu_percent": 5,
    "gpu_memory_mb": 0,
    "terminal_minutes": 30,
    "load": 1.0,
    "network_mb": 100,
    "boot_minutes": 30,
    "idle_after": "2h",
}
QUIET = {"uptime_minutes": 600.0, "network_mb": 500.0}
METRICS = """\
# HELP vllm:num_requests_running Number of requests in model execution batches.
vllm:num_requests_running{{engine="0",model_name="a"}} {running}.0
vllm:num_requests_running{{engine="1",model_name="a"}} 0.0
vllm:num_requests_waiting{{engine="0",model_name="a"}} {waiting}.0
vllm:num_requests_waiting_by_reason{{engine="0",reason="capacity"}} 7.0
vllm:generation_tokens_total{{engine="0",model_name="a"}} 900
vllm:generation_tokens_created{{engine="0",model_name="a"}} 1.7e9
vllm:request_success_total{{engine="0",finished_reason="stop",model_name="a"}} {answered}
"""
Machine = Callable[..., dict[str, Any]]


def gpu(utilization: int | None, memory: int | None = 0, index: int = 0) -> dict[str, Any]:
    """Return a GPU as reports show it."""
    return {"index": index, "utilization_percent": utilization, "memory_used_mb": memory}


@pytest.mark.parametrize(
    ("seen", "last", "limits", "words"),
    [
        ({}, {}, {}, []),
        ({"gpus": [gpu(4, 80000)]}, {}, {}, []),
        ({"gpus": [gpu(0), gpu(5, index=1)]}, {}, {}, ["GPU 1 at 5 %"]),
        ({"gpus": [gpu(0, 900)]}, {}, {"gpu_memory_mb": 900}, ["GPU 0 with 900 MB in use"]),
        ({"gpus": [gpu(0, 899)]}, {}, {"gpu_memory_mb": 900}, []),
        ({"gpus": [gpu(None)]}, {}, {}, ["GPU 0 does not tell its utilisation"]),
        ({"gpus": [gpu(None, 12)]}, {}, {"gpu_memory_mb": 900}, []),
        ({"gpus": [gpu(0, None)]}, {}, {"gpu_memory_mb": 9}, ["GPU 0 with unknown MB in use"]),
        ({"vllm_running": 0, "vllm_waiting": 0, "answers": 3.0}, {"answers": 3.0}, {}, []),
        ({"vllm_running": 0, "vllm_waiting": 0, "answers": 3.0}, {}, {}, []),
        (
            {"vllm_running": 0, "vllm_waiting": 0, "answers": 4.0},
            {"answers": 3.0},
            {},
            ["vLLM answered since the last look"],
        ),
        ({"vllm_running": 0, "vllm_waiting": 2}, {}, {}, ["vLLM: 0 running, 2 waiting"]),
        ({"users": 1}, {}, {}, ["1 login(s) or terminal(s) in use"]),
        ({"load1": 0.99}, {}, {}, []),
        ({"load1": 1.0}, {}, {}, ["load 1.00"]),
        ({"load1": 9.0}, {}, {"load": 0}, []),
        ({}, {"network_mb": 401.0}, {}, []),
        ({}, {"network_mb": 400.0}, {}, ["100 MB through the network since the last look"]),
        ({}, {"network_mb": 1.0}, {"network_mb": 0}, []),
        ({"uptime_minutes": 29.9}, {}, {}, ["booted 30 min ago"]),
        ({"unknown": ["nvidia-smi: broken"]}, {}, {}, ["nvidia-smi: broken"]),
    ],
)
def test_use_of_any_kind_is_named(
    seen: dict[str, Any], last: dict[str, Any], limits: dict[str, Any], words: list[str]
) -> None:
    assert guard.why_busy(guard.Seen(**{**QUIET, **seen}), last, {**LIMITS, **limits}) == words


def minutes(number: float) -> str:
    """Return a time some minutes before noon, as reports show it."""
    return (NOON - timedelta(minutes=number)).isoformat()


@pytest.mark.parametrize(
    ("previous", "busy", "since"),
    [
        ({}, False, 0),
        ({}, True, None),
        ({"at": minutes(1), "idle_since": None}, False, 0),
        ({"at": minutes(1), "idle_since": minutes(50)}, False, 50),
        ({"at": minutes(1), "idle_since": minutes(50)}, True, None),
        ({"at": minutes(5), "idle_since": minutes(50)}, False, 50),
        ({"at": minutes(5.1), "idle_since": minutes(50)}, False, 0),
        ({"at": minutes(-1), "idle_since": minutes(50)}, False, 0),
        ({"at": minutes(2), "idle_since": minutes(1)}, False, 0),
        ({"at": "yesterday", "idle_since": minutes(50)}, False, 0),
        ({"at": "2026-11-22T11:59:00", "idle_since": minutes(50)}, False, 0),
    ],
    ids=[
        *("first report", "first, busy", "was busy", "goes on", "ends", "short gap", "long gap"),
        *("clock went back", "later than its report", "no time", "without zone"),
    ],
)
def test_idleness_reaches_back_as_far_as_it_was_watched(
    previous: dict[str, Any], busy: bool, since: float | None
) -> None:
    expected = None if since is None else NOON - timedelta(minutes=since)
    assert guard.idle_since(previous, NOON, busy) == expected


def test_the_busiest_moment_of_a_gpu_counts() -> None:
    samples = [[gpu(0, 5), gpu(9, 1, 1)], [gpu(60, 3), gpu(None, 2, 1)]]
    assert guard.busiest(samples) == [gpu(60, 5), gpu(9, 2, 1)]


def test_loopback_is_no_network() -> None:
    table = (
        "Inter-|   Receive   |  Transmit\n face |bytes packets|bytes\n"
        "    lo: 9000000 1 0 0 0 0 0 0 9000000 1 0 0 0 0 0 0\n"
        "  eth0: 1500000 1 0 0 0 0 0 0 500000 1 0 0 0 0 0 0\n"
    )
    assert guard.network_mb(table) == 2.0


class Metrics(BaseHTTPRequestHandler):
    """Answers as vLLM does, or as the test wants."""

    status, text = 200, ""

    def do_GET(self) -> None:
        """Give the metrics."""
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(self.text.encode())

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    """Provide a server on loopback that plays vLLM."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Metrics) as running:
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield running
        running.shutdown()


@pytest.fixture
def machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: ThreadingHTTPServer
) -> Machine:
    """Provide a look at a machine: nvidia-smi's script (None: no such program), metrics, time."""
    (tmp_path / "run").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path}:/nowhere")
    monkeypatch.setattr(os, "getloadavg", lambda: (0.1, 0.1, 0.1))
    monkeypatch.setattr(guard, "network_mb", lambda _text: 1.0)
    monkeypatch.setattr(guard, "ask_users", lambda *_words: None)

    def look(
        smi: str | None = "0, 0, 70000",
        metrics: str | None = METRICS.format(running=0, waiting=0, answered=8),
        at: datetime = NOON,
        status: int = 200,
    ) -> dict[str, Any]:
        program = tmp_path / "nvidia-smi"
        if smi is None:
            program.unlink(missing_ok=True)
        else:
            text = smi if smi.startswith("exit") else f"echo '{smi}'"
            program.write_text(f"#!/bin/sh\n{text}\n", encoding="ascii")
            program.chmod(0o755)
        port = server.server_address[1] if metrics is not None else 9
        Metrics.status, Metrics.text = status, metrics or ""
        settings = {
            **LIMITS,
            "boot_minutes": 0,
            "folder": str(tmp_path / "run"),
            "done_file": str(tmp_path / "done"),
            "vllm_metrics_url": f"http://127.0.0.1:{port}/metrics",
            "sample_seconds": 0,
            "run": str(tmp_path),
            "control_groups": str(tmp_path),
        }
        guard.report(settings, at.timestamp())
        path = tmp_path / "run/idle.json"
        assert path.stat().st_mode & 0o777 == 0o644
        return dict(json.loads(path.read_text(encoding="utf-8")))

    return look


def test_report_of_an_idle_machine(machine: Machine) -> None:
    machine(at=NOON - timedelta(minutes=2))
    machine(at=NOON - timedelta(minutes=1))
    assert machine() == {
        "version": 1,
        "at": "2026-11-22T12:00:00+00:00",
        "idle_since": "2026-11-22T11:58:00+00:00",
        "idle_after": "2h",
        "done": False,
        "gpus": [gpu(0, 70000)],
        "vllm_running": 0,
        "vllm_waiting": 0,
        "users": 0,
        "load1": 0.1,
        "why_busy": [],
        "servers": [],
    }


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"smi": "0, 97, 70000"}, "GPU 0 at 97 %"),
        ({"smi": "exit 9"}, "nvidia-smi: Command"),
        ({"smi": "No devices were found"}, "nvidia-smi lists no GPU"),
        (
            {"metrics": METRICS.format(running=2, waiting=1, answered=8)},
            "vLLM: 2 running, 1 waiting",
        ),
        ({"metrics": METRICS.format(running=0, waiting=0, answered=9)}, "vLLM answered"),
    ],
)
def test_use_ends_idleness(machine: Machine, given: dict[str, Any], words: str) -> None:
    machine(at=NOON - timedelta(minutes=1))
    found = machine(**given)
    assert found["idle_since"] is None
    assert [text for text in found["why_busy"] if text.startswith(words)] == found["why_busy"] != []


def test_a_machine_without_gpu_and_vllm_can_be_idle(machine: Machine) -> None:
    found = machine(smi=None, metrics=None)
    assert (found["gpus"], found["vllm_running"]) == ([], None)
    assert found["idle_since"] == NOON.isoformat()


@pytest.mark.parametrize(("status", "metrics"), [(404, ""), (200, "up 1\n")])
def test_another_server_at_the_port_is_not_vllm(
    machine: Machine, status: int, metrics: str
) -> None:
    found = machine(status=status, metrics=metrics)
    assert (found["vllm_running"], found["why_busy"]) == (None, [])


def test_a_server_that_does_not_answer_may_be_at_work(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "VLLM_SECONDS", 0.2)
    held = threading.Event()
    monkeypatch.setattr(Metrics, "do_GET", lambda _self: held.wait(5) and None)
    found = machine()
    held.set()
    assert found["why_busy"] == ["vLLM: timed out"]


def test_done_is_what_somebody_on_the_machine_says(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "done").touch()
    assert machine()["done"] is True


def test_a_damaged_report_is_replaced(machine: Machine, tmp_path: Path) -> None:
    for text in ("", "[]", "{"):
        (tmp_path / "run/idle.json").write_text(text, encoding="ascii")
        assert machine()["idle_since"] == NOON.isoformat()


def test_requests_of_several_servers_add_up(server: ThreadingHTTPServer) -> None:
    seen = guard.Seen()
    for running, own in ((2, 3), (1, 0)):
        Metrics.status, Metrics.text = 200, METRICS.format(running=running, waiting=1, answered=8)
        guard.ask_vllm(seen, f"http://127.0.0.1:{server.server_address[1]}/metrics", own)
    assert (seen.vllm_running, seen.vllm_waiting, seen.answers) == (3, 2, 13)
