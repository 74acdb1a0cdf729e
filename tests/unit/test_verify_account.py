# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook that verifies an account: what it prints, what it writes, what it leaves."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import warm_ansible
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import run_module
from gpuops_simulator import Simulator

ROOT = Path(__file__).resolve().parents[2]
SHELF = {"FIN-01": {"on_demand": {"1A100.22V": 4, "1V100.6V": 4}, "spot": {}}}
AUTH = {"client_id": "verifier", "client_secret": "the-secret-of-the-verifier"}
PLANTED = ("atlas", "globex", "hyperion")
Verify = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def simulator() -> Iterator[Any]:
    """Provide a cloud whose instances are records only."""
    with Simulator(scenario={"stock": SHELF, "balance": 123.45}) as running:
        yield running


@pytest.fixture
def verify(simulator: Any, tmp_path: Path) -> Verify:
    """Provide a run of the playbook with variables."""

    def run(*words: str, **variables: Any) -> subprocess.CompletedProcess[str]:
        environment = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        environment |= {
            "HOME": str(tmp_path),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_REMOTE_TMP": str(tmp_path / "tmp"),
            "PWD": str(tmp_path),
            "GPUOPS_LEDGER": "none",
            "DATACRUNCH_BASE_URL": f"{simulator.url}/v1",
            "DATACRUNCH_CLIENT_ID": AUTH["client_id"],
            "DATACRUNCH_CLIENT_SECRET": AUTH["client_secret"],
        }
        book = str(ROOT / "playbooks/verify_account.yml")
        given = (book, "-e", json.dumps(variables), *words)
        done = warm_ansible.run("playbook", given, folder=tmp_path, environment=environment)
        assert AUTH["client_secret"] not in done.stdout + done.stderr
        return done

    return run


def buy(simulator: Any) -> dict[str, Any]:
    """Buy an instance with names that a report must not hold; returns its record."""
    deployment, owner, project = PLANTED
    wish = {"deployment": deployment, "owner": owner, "project": project, "ledger": "none"}
    address = {"base_url": f"{simulator.url}/v1"}
    result, _output = run_module(
        "datacrunch_instance", {**AUTH, **address, **wish, "instance_type": "1A100.22V"}
    )
    assert result["changed"], result
    return dict(result["instance"])


def values(file: Path) -> dict[str, str]:
    """Return the values of a report, which only its owner may read."""
    assert file.stat().st_mode & 0o777 == 0o600
    report = yaml.safe_load(file.read_text(encoding="utf-8"))
    return {row["name"]: row["value"] for row in report["account"]}


def living(simulator: Any) -> list[str]:
    """Return the names of the instances that run."""
    return [row["hostname"] for row in simulator.state()["instances"] if row["status"] == "running"]


def test_it_only_reads_and_writes_a_report_without_names(
    verify: Verify, simulator: Any, tmp_path: Path
) -> None:
    row = buy(simulator)
    simulator.clear_log()
    done = verify()
    assert done.returncode == 0, done.stdout + done.stderr
    assert simulator.writes() == []
    file = tmp_path / ".local/share/gpuops/reports/account.yml"
    assert file.parent.stat().st_mode & 0o777 == 0o700
    found = values(file)
    assert found["currency"] == "usd"
    assert found["order_tags"] == "unknown until spend=yes"
    assert "-e spend=yes" in done.stdout
    own = [*PLANTED, row["id"], row["ip"], "123.4", AUTH["client_id"], *row["volume_ids"]]
    told = file.read_text(encoding="utf-8") + done.stdout + done.stderr
    assert [word for word in own if word in told] == []


def test_it_buys_once_where_money_may_be_spent(
    verify: Verify, simulator: Any, tmp_path: Path
) -> None:
    buy(simulator)
    done = verify(spend="yes", file="account.yml", wait_interval=1)
    assert done.returncode == 0, done.stdout + done.stderr
    found = values(tmp_path / "account.yml")
    assert found["order_tags"] == "accepted"
    assert found["description_limit"] == "60 characters"
    assert found["left_over"] == "nothing"
    assert "unknown" not in "".join(found.values())
    assert living(simulator) == ["atlas"]
    orders = [row for row in simulator.log() if (row["method"], row["status"]) == ("POST", 202)]
    assert len([row for row in orders if row["path"] == "/v1/instances"]) == 2


def test_check_mode_says_what_it_would_buy(verify: Verify, simulator: Any, tmp_path: Path) -> None:
    done = verify("--check", "--diff", spend="yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1V100.6V" in done.stdout
    assert simulator.writes() == []
    assert not (tmp_path / ".local/share/gpuops/reports").exists()


def test_a_purchase_that_fails_is_cleaned_up_and_reported(
    verify: Verify, simulator: Any, tmp_path: Path
) -> None:
    simulator.add_faults(
        [{"match": {"method": "POST", "path": "/v1/instances"}, "do": "error_later", "times": 9}]
    )
    done = verify(spend="yes", file="account.yml", wait_interval=1)
    assert done.returncode != 0
    assert "is terminated" in done.stdout + done.stderr
    assert living(simulator) == []
    assert values(tmp_path / "account.yml")["order_tags"] == "accepted"
    state = simulator.state()
    assert [row for row in state["volumes"] if row["status"] != "deleting"] == state["trash"] == []


def test_a_login_that_is_refused_still_makes_a_report(
    verify: Verify, simulator: Any, tmp_path: Path
) -> None:
    simulator.switch(clients={"somebody": "else"})
    done = verify(file="account.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert values(tmp_path / "account.yml") == {"login": "refused (401)"}
