# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An instance that nobody uses: seen by status, ended by a reaper, and told of where none comes."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.support import run_module
from ansible_collections.gpuops.cloud.tests.unit.test_estates import WISH, Estate, said
from gpuops_simulator import Simulator

ROOT = Path(__file__).resolve().parents[2]
AUTH = {"client_id": "estate", "client_secret": "the-secret-of-the-estate", "ledger": "none"}
QUIET = {
    "version": 1, "done": False, "gpus": [], "vllm_running": 0, "vllm_waiting": 0,
    "users": 0, "load1": 0.0, "why_busy": [], "idle_after": "2h",
}  # fmt: skip

# What is asked of the cloud, as before anything was told of use and of reapers.
STATUS = {"POST /oauth2/token": 1, "GET /instances": 3, "GET /volumes": 1, "GET /balance": 1}
BRING_UP = {
    "POST /oauth2/token": 1, "GET /balance": 2, "GET /volumes": 2,
    "GET /ssh-keys": 1, "POST /ssh-keys": 1, "GET /instance-types": 1, "GET /volume-types": 1,
    "GET /instance-availability": 1, "POST /instances": 1,
}  # fmt: skip


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Estate]:
    """Return an estate with an instance of ada's, for which a program of the test plays ssh."""
    stock = {"FIN-01": {"on_demand": {"1A100.22V": 4}, "spot": {}}}
    with Simulator({"stock": stock}) as cloud:
        wish = {"deployment": "llm", "lease": "12h", "owner": "ada", "tier": "any_a100"}
        login = {**AUTH, "base_url": f"{cloud.url}/v1"}
        result, _output = run_module("datacrunch_instance", {**login, **wish})
        folder = tmp_path / ".config/gpuops/llm"
        folder.mkdir(parents=True)
        (folder / "ssh_config").touch()
        pin = f"{result['instance']['id']} ssh-ed25519 A\n"
        (folder / "known_hosts").write_text(pin, encoding="ascii")
        (tmp_path / "ssh").write_text(f"#!/bin/sh\ncat '{tmp_path}/report'\n", encoding="ascii")
        (tmp_path / "ssh").chmod(0o755)
        yield Estate(cloud, tmp_path)


def play(estate: Estate, book: str, **variables: Any) -> str:
    """Run a playbook of ada's, unattended, and return its output."""
    path = f"{estate.home}:/usr/bin:/bin"
    done = estate.run(book, variables={"ledger": "none", "owner": "ada", **variables}, PATH=path)
    assert done.returncode == 0, said(done)
    return str(done.stdout)


def idle(estate: Estate, hours: float, **more: Any) -> datetime:
    """Let the instance report that nobody has used it for so long, and return since when."""
    now = estate.cloud.now()
    since = now - timedelta(hours=hours)
    times = {"at": now.isoformat(), "idle_since": since.isoformat()}
    (estate.home / "report").write_text(json.dumps({**QUIET, **times, **more}), encoding="ascii")
    return since


def names(estate: Estate) -> list[str]:
    """Return the names of the instances that run."""
    rows = estate.cloud.state()["instances"]
    return [row["hostname"] for row in rows if row["status"] == "running"]


def asked(estate: Estate) -> dict[str, int]:
    """Return how often each request was made."""
    rows = estate.cloud.log()
    paths = (re.sub(r"/v1|/[0-9a-f-]{36}", "", row["path"]) for row in rows)
    return dict(Counter(f"{row['method']} {path}" for row, path in zip(rows, paths, strict=True)))


def test_instance_of_a_plain_bring_up_ends_by_a_plain_reaper_after_two_idle_hours(
    estate: Estate,
) -> None:
    estate.cloud.advance(3 * 3600)
    since = idle(estate, 1.9).strftime("%Y-%m-%dT%H:%M")
    estate.cloud.clear_log()
    shown = play(estate, "status")
    assert f"  {since}" in shown
    assert "Nothing terminates llm by itself yet" in shown
    assert "ansible-playbook playbooks/reaper.yml --ask-become-pass\n" in shown
    assert asked(estate) == STATUS
    play(estate, "reap", mode="delete")
    assert names(estate) == ["llm"]
    shown = play(estate, "status")
    assert "Nothing terminates" not in shown
    assert "last ran at" in shown
    idle(estate, 2)
    assert "Terminated instance llm" in play(estate, "reap", mode="delete")
    assert names(estate) == []


def test_bring_up_makes_the_key_of_readers_and_asks_the_cloud_no_more(estate: Estate) -> None:
    estate.cloud.clear_log()
    estate.run("bringup", variables={**WISH, "ssh_ready_timeout": 1})
    reader = estate.home / ".config/gpuops/reader_ed25519"
    assert reader.stat().st_mode & 0o777 == 0o600
    assert reader.with_suffix(".pub").is_file()
    found = asked(estate)
    # As often as it takes until the instance runs.
    assert found.pop("GET /instances") <= 5
    assert found == BRING_UP
