# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counting the requests of a process, and of all processes of a run."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ansible_collections.gpuops.cloud.plugins.module_utils._providers.base import request_log
from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import Cloud


def counted(cloud: Cloud, path: Path) -> dict[tuple[str, str, str], float]:
    """Write the metrics and return the requests by method, path and code."""
    text = cloud.ok("datacrunch_metrics", dest=str(path))["text"]
    return {
        (sample.labels["method"], sample.labels["path"], sample.labels["code"]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "gpuops_api_requests_total"
    }


def test_ids_are_no_labels(cloud: Cloud) -> None:
    bought = cloud.buy(tier="h200_or_less")
    client = cloud.client()
    client.instance(bought["instance"]["id"])
    assert {call.path for call in client.calls} <= {"/instances/{id}", "/oauth2/token"}


def test_requests_of_all_tasks_are_counted_once(
    start: Start, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = home / "api.log"
    monkeypatch.setenv(request_log.LOG_VARIABLE, str(log))
    cloud = start(provision_seconds=30)
    cloud.buy(tier="h200_or_less")
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    orders = len([line for line in log.read_text().splitlines() if '"POST", "/instances"' in line])
    found = counted(cloud, home / "x.prom")
    assert found["POST", "/instances", "202"] == orders == 1
    assert not log.exists()
    again = counted(cloud, home / "x.prom")
    assert again["POST", "/instances", "202"] == 1
    assert sum(again.values()) == len(cloud.sim.log())


def test_line_that_was_cut_off_is_left_out(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = home / "api.log"
    log.write_text('["GET", "/balance", 200, 0.1]\n["GET", "/vol\n[1]\n', encoding="utf-8")
    monkeypatch.setenv(request_log.LOG_VARIABLE, str(log))
    assert request_log.take_log() == [request_log.Call("GET", "/balance", 200, 0.1)]
    assert request_log.take_log() == []


def test_log_that_cannot_be_written_is_no_matter(
    start: Start, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(request_log.LOG_VARIABLE, str(home / "none/api.log"))
    assert start().ok("datacrunch_balance")["amount"] == 500


def test_log_holds_no_secret(start: Start, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(request_log.LOG_VARIABLE, str(home / "api.log"))
    start().ok("datacrunch_balance")
    for line in (home / "api.log").read_text().splitlines():
        method, path, status, seconds, provider = json.loads(line)
        assert provider == "verda"
        assert (method, path, status) in {
            ("POST", "/oauth2/token", 200),
            ("GET", "/balance", 200),
            ("GET", "/instances", 200),
            ("GET", "/volumes", 200),
        }
        assert 0 <= seconds < 30
