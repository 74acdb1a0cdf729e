# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rulebook, by ansible-rulebook itself: an alert comes in, and what is over is terminated."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from installed import run, user
from whole_path import ROOT, free_port, processes_with

from gpuops_simulator import Simulator

RULEBOOK = ROOT / "extensions/eda/rulebooks/alerts.yml"
ALERTS = ROOT / "playbooks/files/monitoring/gpuops.rules.yml"
CASES = ROOT / "tests/e2e/gpuops.rules.test.yml"
PATIENCE_S = 120


def alert(name: str) -> dict[str, Any]:
    """Return an alert as Prometheus raises it, by the test of the rules."""
    tests = yaml.safe_load(CASES.read_text(encoding="utf-8"))["tests"]
    cases = [case for test in tests for case in test["alert_rule_test"]]
    one = next(c["exp_alerts"][0] for c in cases if c["alertname"] == name and c["exp_alerts"])
    return {
        "status": "firing",
        "labels": {"alertname": name, **one["exp_labels"]},
        "annotations": one.get("exp_annotations", {}),
        "startsAt": "2026-01-01T00:00:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
    }


def message(*names: str) -> bytes:
    """Return what Alertmanager sends to a webhook: version 4 of its message."""
    body = {"version": "4", "status": "firing", "alerts": [alert(name) for name in names]}
    return json.dumps({**body, "receiver": "gpuops", "groupKey": "{}:{}"}).encode()


@pytest.fixture
def cloud() -> Iterator[Simulator]:
    """Provide a cloud in which something can outlive its lease."""
    with Simulator() as running:
        yield running


@pytest.fixture
def environment(cloud: Simulator, project: Path, tmp_path: Path) -> dict[str, str]:
    """Provide the environment of a user with that cloud as the account."""
    return {
        **user(tmp_path / "home"),
        "ANSIBLE_COLLECTIONS_PATH": str(project / "collections"),
        "DATACRUNCH_BASE_URL": f"{cloud.url}/v1",
        "DATACRUNCH_CLIENT_ID": "rulebook",
        "DATACRUNCH_CLIENT_SECRET": "simulated-secret-1",
        "GPUOPS_ALERTS_PORT": str(free_port()),
    }


@contextmanager
def listening(environment: dict[str, str], folder: Path) -> Iterator[str]:
    """Run the rulebook of the installed collection; yields the address for Alertmanager."""
    here = {"all": {"hosts": {"localhost": {"ansible_connection": "local"}}}}
    (folder / "inventory.yml").write_text(yaml.safe_dump(here), encoding="utf-8")
    command = ["ansible-rulebook", "-r", "gpuops.cloud.alerts", "-i", "inventory.yml"]
    log = folder / "rulebook.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [*command, "-E", "GPUOPS_ALERTS_PORT"],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield f"http://127.0.0.1:{environment['GPUOPS_ALERTS_PORT']}/alerts"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)
        # The playbook that an alert began has a session of its own, and ends by itself.
        limit = time.monotonic() + PATIENCE_S
        while processes_with(f"GPUOPS_ALERTS_PORT={environment['GPUOPS_ALERTS_PORT']}"):
            assert time.monotonic() < limit, "the playbook of an alert does not end"
            time.sleep(0.2)
        print(log.read_text(encoding="utf-8"))


def send(url: str, body: bytes) -> None:
    """Send a message as soon as somebody listens."""
    limit = time.monotonic() + PATIENCE_S
    while True:
        try:
            headers = {"Content-Type": "application/json"}
            urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=10).close()
            return
        except urllib.error.URLError:
            assert time.monotonic() < limit, "ansible-rulebook does not listen"
            time.sleep(0.2)


def states(cloud: Simulator) -> dict[str, str]:
    """Return the status of every instance by its name."""
    return {row["hostname"]: row["status"] for row in cloud.state()["instances"]}


def test_every_alert_of_the_rulebook_exists() -> None:
    groups = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    known = {rule["alert"] for group in groups for rule in group["rules"]}
    (ruleset,) = yaml.safe_load(RULEBOOK.read_text(encoding="utf-8"))
    words = {
        word
        for rule in ruleset["rules"]
        for word in rule["condition"].split('"')
        if word.startswith("Gpuops")
    }
    assert words
    assert words - known == set()


def test_expired_instance_is_terminated_by_its_alert(
    cloud: Simulator, environment: dict[str, str], tmp_path: Path
) -> None:
    for name, lease in (("old", "1h"), ("new", "2d")):
        options = f"deployment={name} tier=any_a100 lease={lease}"
        module = ("-m", "gpuops.cloud.datacrunch_instance", "-a", options)
        run("ansible", "localhost", *module, cwd=tmp_path, environment=environment)
    cloud.advance(2 * 3600)
    with listening(environment, tmp_path) as url:
        send(url, message("GpuopsEvicted", "GpuopsLeaseExpired"))
        limit = time.monotonic() + PATIENCE_S
        while states(cloud)["old"] == "running" and time.monotonic() < limit:
            time.sleep(0.5)
    assert states(cloud)["old"] != "running"
    assert states(cloud)["new"] == "running"
