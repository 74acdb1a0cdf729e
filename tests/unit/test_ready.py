# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ready variable files: each is a whole request that a cloud with such GPUs would fulfil."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.gpuops.cloud.plugins.action.request import role_specs
from ansible_collections.gpuops.cloud.plugins.module_utils._request.gather import (
    Sources,
    check_role,
    gather,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._request.specs import ROLES
from ansible_collections.gpuops.cloud.plugins.module_utils._request.variables import known_names
from ansible_collections.gpuops.cloud.tests.unit.plugins.published import SMALL, running_hub
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import run_module, stock
from ansible_collections.gpuops.cloud.tests.unit.test_estates import Estate, said
from gpuops_simulator import Simulator

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "playbooks/vars").glob("*.yml"))
# What each would buy, of what there is.
BOUGHT = {
    "cpu_preparation_shell": ("CPU.16V.64G", 1),
    "cheapest_chat": ("1A6000.10V", 1),
    "h100_qwen3_8b": ("1H100.80S.32V", 1),
    "kernel_shell": ("1H100.80S.32V", 1),
    "spot_training_shell": ("1A100.22V", 1),
    "two_nodes": ("8H200.141S.176V", 2),
}


@pytest.fixture
def cloud() -> Iterator[Simulator]:
    """Run a cloud with some of everything."""
    shelves = stock(
        "1H100.80S.32V@FIN-03", "1A6000.10V@FIN-01", "8H200.141S.176V@FIN-01", "CPU.16V.64G@FIN-03"
    )
    shelves["FIN-01"]["spot"]["1A100.22V"] = 4
    with Simulator({"balance": 90000}) as running:
        running.set_stock(shelves)
        yield running


def model_of(values: dict[str, Any]) -> dict[str, Any] | None:
    """Return what the playbook says of the model to serve, or of PyTorch; nothing without a GPU."""
    if values.get("vllm_device") == "cpu":
        return None
    if values.get("purpose") == "shell" or "vllm_nodes" in values:
        return {"name": values.get("vllm_model", "PyTorch"), "problem": "another one says more"}
    with running_hub() as hub:
        hub.publish(SMALL, {"model.safetensors": 16_381_517_208})
        wish = {"model": values["vllm_model"], "endpoint": hub.url}
        return dict(run_module("model_info", wish)[0]["model"])


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_ready_file_is_a_request_that_is_fulfilled(file: Path, cloud: Simulator) -> None:
    values = yaml.safe_load(file.read_text(encoding="utf-8"))
    roles = role_specs()
    assert values.keys() <= known_names(name for rows in roles.values() for name in rows)
    for role in ROLES["bringup"]:
        check_role(roles[role], values)
    request = gather("bringup", Sources(values, {}, {}, values))
    count = values.get("vllm_nodes", 1)
    wish = {**request["options"]["datacrunch_instance"], "deployment": "ready", "count": count}
    wish |= {"model": model_of(values), "ledger": "none", "base_url": f"{cloud.url}/v1"}
    wish |= {"client_id": "ready", "client_secret": "the-secret-of-the-ready"}
    result, _output = run_module("datacrunch_instance", wish, check=True)
    bought = [action for action in result.get("actions", []) if action.startswith("buy ")]
    kind, number = BOUGHT[file.stem]
    assert len(bought) == number, result
    assert all(f": {kind} " in action for action in bought), bought
    assert cloud.writes() == []


def test_every_ready_file_is_told_of() -> None:
    text = (ROOT / "docs/variables.md").read_text(encoding="utf-8")
    assert [file.name for file in FILES if f"../playbooks/vars/{file.name}" not in text] == []


def test_ready_file_is_given_on_the_command_line(cloud: Simulator, tmp_path: Path) -> None:
    estate = Estate(cloud, tmp_path)
    file = f"@{ROOT}/playbooks/vars/kernel_shell.yml"
    wish = {"ledger": "none", "owner": "ada", "lease": "2h"}
    done = estate.run("bringup", "-e", file, "--check", variables=wish)
    assert done.returncode == 0, said(done)
    assert "would: buy gpuops-ada: 1H100.80S.32V" in said(done)
