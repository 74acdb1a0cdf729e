# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that only its watchdog asks is not in use, and what the watchdog says of its health."""

from __future__ import annotations

import fcntl
import json
import threading
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TextIO

import pytest

from ansible_collections.gpuops.cloud.tests.unit.roles.support import load

guard = load("roles/idle_guard/files/idle_guard.py")
PORT = 8000


@pytest.fixture
def counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the file in which a watchdog counts, on a host without a GPU."""
    monkeypatch.setattr(guard, "WATCHDOG_SECONDS", 0.5)
    monkeypatch.setattr(guard, "ask_gpus", lambda _seen, _pause: None)
    monkeypatch.setattr(guard, "ask_users", lambda *_words: None)
    path = tmp_path / "vllm-health/counts.json"
    path.parent.mkdir()
    return path


def answers(counts: Path, monkeypatch: pytest.MonkeyPatch, served: int) -> float | None:
    """Return what a look counts as answers of a server that has answered so often."""

    def ask(seen: Any, url: str, own: int) -> None:
        asked.append(url)
        seen.answers = (seen.answers or 0) + served - own

    asked: list[str] = []
    monkeypatch.setattr(guard, "ask_vllm", ask)
    settings = {
        "run": str(counts.parents[1]),
        "terminals": str(counts.parents[1]),
        "terminal_minutes": 1,
        "vllm_metrics_url": f"http://127.0.0.1:{PORT}/metrics",
    }
    found: float | None = guard.look(settings, 0.0).answers
    assert f"http://127.0.0.1:{PORT}/metrics" in asked
    return found


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (json.dumps({"port": PORT, "answered": 5}), 6),
        # Another server, whose requests are use as well.
        (json.dumps({"port": 8001, "answered": 5}), 17),
        (json.dumps({"answered": 5}), 11),
        (json.dumps({"port": PORT}), 11),
        ("", 11),
        ("{", 11),
    ],
)
def test_questions_of_the_watchdog_are_no_use(
    counts: Path, monkeypatch: pytest.MonkeyPatch, text: str, left: int
) -> None:
    counts.write_text(text, encoding="utf-8")
    assert answers(counts, monkeypatch, 11) == left


def test_without_a_watchdog_every_answer_counts(
    counts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert answers(counts, monkeypatch, 11) == 11


def test_no_question_is_on_its_way_during_a_look(
    counts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts.write_text(json.dumps({"port": PORT, "answered": 5}), encoding="utf-8")
    with counts.open(encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        # one that takes long is not waited for without end
        assert answers(counts, monkeypatch, 11) == 6
    with guard.unwatched(counts.parents[1]), counts.open(encoding="utf-8") as file:
        assert refused(file)


def refused(file: TextIO) -> bool:
    """Whether a watchdog cannot have its lock now."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def looked(counts: Path, at: datetime) -> list[dict[str, Any]]:
    """Return what a report says of servers at a time."""
    folder = counts.parents[1]
    settings = {
        **dict.fromkeys(("gpu_percent", "gpu_memory_mb", "load", "network_mb", "boot_minutes"), 0),
        "folder": str(folder),
        "done_file": str(folder / "done"),
        "run": str(folder),
        "terminals": str(folder),
        "terminal_minutes": 1,
        "vllm_metrics_url": "",
    }
    found: list[dict[str, Any]] = guard.report(settings, at.timestamp())["servers"]
    return found


class Health(BaseHTTPRequestHandler):
    """Answers a health check."""

    status = 200

    def do_GET(self) -> None:
        """Answer as the test wants it."""
        self.send_response(self.status if self.path == "/health" else 404)
        self.end_headers()

    def log_message(self, *_words: Any) -> None:
        """Say nothing."""


def test_a_server_is_down_since_its_health_check_has_failed(
    counts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noon = datetime(2026, 11, 22, 12, 0, tzinfo=timezone.utc)
    with ThreadingHTTPServer(("127.0.0.1", 0), Health) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        port = server.server_address[1]
        well = [{"port": port, "down_since": None, "why": ""}]

        def count(failures: int) -> None:
            counts.write_text(json.dumps({"port": port, "failures": failures}), encoding="utf-8")

        count(0)
        assert looked(counts, noon) == well
        count(2)
        (row,) = looked(counts, noon + timedelta(minutes=1))
        assert row["why"] == "it gave no token, 2 times in a row"
        assert row["down_since"] == "2026-11-22T12:01:00+00:00"
        # It was started anew, and the watchdog counts from nothing.
        count(0)
        monkeypatch.setattr(Health, "status", 503)
        (row,) = looked(counts, noon + timedelta(minutes=2))
        assert row["why"] == "its health check fails: Service Unavailable"
        assert row["down_since"] == "2026-11-22T12:01:00+00:00"
        monkeypatch.setattr(Health, "status", 200)
        assert looked(counts, noon + timedelta(minutes=3)) == well
        server.shutdown()
    (row,) = looked(counts, noon + timedelta(minutes=4))
    assert row["why"] == "its health check fails: [Errno 111] Connection refused"
    assert row["down_since"] == "2026-11-22T12:04:00+00:00"


@pytest.mark.parametrize("text", ["", "{", "{}", '{"port": "x"}'])
def test_a_watchdog_that_has_counted_nothing_says_nothing_of_a_server(
    counts: Path, text: str
) -> None:
    counts.write_text(text, encoding="utf-8")
    assert looked(counts, datetime(2026, 11, 22, tzinfo=timezone.utc)) == []
