# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An instance to work on instead of one that serves: what is asked for, and what is not."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.support import run_module
from ansible_collections.gpuops.cloud.tests.unit.test_estates import Estate, said
from gpuops_simulator import Simulator

AUTH = {"client_id": "estate", "client_secret": "the-secret-of-the-estate", "ledger": "none"}
WISH = {"purpose": "shell", "ledger": "none", "owner": "ada"}
SHELF = {"1A100.22V": 4, "1V100.6V": 4}


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Estate]:
    """Return an estate, and a cloud that has two kinds of GPUs."""
    stock = {"FIN-01": {"on_demand": SHELF, "spot": {}}}
    with Simulator({"stock": stock, "provision_seconds": 0}) as cloud:
        yield Estate(cloud, tmp_path)


def test_instance_to_work_on_needs_no_model(estate: Estate) -> None:
    done = estate.run("bringup", "--check", variables={**WISH, "tier": "any_a100"})
    assert done.returncode == 0, said(done)
    assert "would: buy gpuops-ada: 1A100.22V" in said(done)
    assert estate.orders() == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "set tier (for example tier=h100_or_less), gpus or instance_type"),
        ({"tier": "any_a100", "ssh_private_key_file": "/none"}, "/none does not exist"),
        ({"purpose": "play"}, 'purpose "play" is not one of serve, shell'),
    ],
)
def test_everything_but_the_model_is_checked(
    estate: Estate, given: dict[str, str], words: str
) -> None:
    done = estate.run("preflight", variables={**WISH, **given})
    assert done.returncode != 0
    assert words in said(done).replace('\\"', '"'), said(done)
    assert estate.cloud.writes() == []


def test_account_without_money_is_told_before(estate: Estate) -> None:
    estate.cloud.set_balance(0)
    done = estate.run("preflight", variables={**WISH, "tier": "any_a100"})
    assert done.returncode != 0
    assert "Top up the account" in said(done)


def test_pause_keeps_disk_and_keys_and_says_what_they_cost(estate: Estate) -> None:
    wish = {"deployment": "llm", "owner": "ada", "tier": "any_a100"}
    bought, _output = run_module(
        "datacrunch_instance", {**AUTH, **wish, "base_url": f"{estate.cloud.url}/v1"}
    )
    assert bought["changed"], bought
    folder = estate.home / ".config/gpuops/llm"
    folder.mkdir(parents=True)
    key = folder / "id_ed25519"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    for name in ("known_hosts", "ssh_hosts"):
        (folder / name).touch()
    mine = {"deployment": "llm", "owner": "ada", "ledger": "none"}
    done = estate.run("hibernate", variables=mine)
    assert done.returncode == 0, said(done)
    assert "llm hibernates; its disks cost 0.0274 per hour" in said(done)
    assert "-e deployment=llm -e instance_type=1A100.22V" in said(done)
    assert sorted(path.name for path in folder.iterdir()) == ["id_ed25519", "id_ed25519.pub"]
    (disk,) = estate.cloud.state()["volumes"]
    assert (disk["name"], disk["status"]) == ("gpuops.llm.llm.os", "detached")
    orders = len(estate.orders())
    again = estate.run("hibernate", variables=mine)
    assert "llm hibernates" in said(again), said(again)
    assert "changed=0" in said(again)
    back = estate.run("restore", "--check", variables={**mine, **WISH, "tier": "any_a100"})
    assert "would: buy llm: 1A100.22V" in said(back), said(back)
    assert "gpuops.llm.llm.os" in said(back)
    assert len(estate.orders()) == orders
    gone = estate.run("teardown", variables={**mine, "os_volume": "delete"})
    assert "leftovers: none" in said(gone), said(gone)
    assert "retained (keep)" not in said(gone)
    assert estate.cloud.state()["volumes"] == []


def test_nothing_is_restored_that_was_not_kept(estate: Estate) -> None:
    done = estate.run("restore", variables={**WISH, "tier": "any_a100", "deployment": "llm"})
    assert done.returncode != 0
    assert "Deployment llm has no retained OS disk to boot from" in said(done)
    assert estate.orders() == []
