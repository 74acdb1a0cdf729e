# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a bring-up of instances that run already may ask, and how many tasks it may take."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.support import run_module
from ansible_collections.gpuops.cloud.tests.unit.test_estates import WISH, Estate, said
from gpuops_simulator import Simulator

READS = ["/v1/balance", "/v1/instances", "/v1/ssh-keys", "/v1/volumes"]
MINE = {**WISH, "deployment": "llm"}


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Estate]:
    """Return an estate in whose cloud an instance runs at once."""
    stock = {"FIN-01": {"on_demand": {"1A100.22V": 4}, "spot": {}}}
    with Simulator({"stock": stock, "provision_seconds": 0}) as cloud:
        yield Estate(cloud, tmp_path)


def rent(estate: Estate, key: Path) -> None:
    """Rent what the bring-up wants, with a key of the user."""
    auth = {"client_id": "estate", "client_secret": "the-secret-of-the-estate"}
    auth["base_url"] = f"{estate.cloud.url}/v1"
    public = key.with_name(f"{key.name}.pub").read_text(encoding="utf-8")
    made = _run("datacrunch_ssh_key", **auth, deployment="llm", public_key=public)
    wish = {"deployment": "llm", "owner": "ada", "tier": "any_a100", "ledger": "none"}
    _run("datacrunch_instance", **auth, **wish, ssh_keys=[made["ssh_key"]["id"]])
    estate.cloud.clear_log()


def _run(module: str, **options: Any) -> dict[str, Any]:
    result, _output = run_module(module, options)
    assert result["changed"], result
    return result


@pytest.mark.every_core
def test_second_run_reads_the_account_once_and_starts_no_module_that_buys(estate: Estate) -> None:
    key = estate.key()
    rent(estate, key)
    wish = {**MINE, "ssh_private_key_file": str(key)}
    done = estate.run_installed("bringup", "--tags", "purchase", variables=wish)
    assert done.returncode == 0, said(done)
    rows = [row for row in estate.cloud.log() if not row["path"].endswith("/oauth2/token")]
    assert sorted(row["path"] for row in rows) == READS
    assert {row["method"] for row in rows} == {"GET"}
    ran = re.search(r"localhost : ok=(\d+) .* skipped=(\d+)", said(done))
    assert ran is not None
    assert sum(map(int, ran.groups())) <= 23
    settings = (estate.home / ".config/gpuops/llm/ssh_config").read_text(encoding="utf-8")
    assert "Host llm " in settings
