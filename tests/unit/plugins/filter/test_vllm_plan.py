# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings for GPUs; what the role writes of them is tested with the role."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.gpuops.cloud.plugins.filter.vllm_plan import vllm_plan
from ansible_collections.gpuops.cloud.tests.unit.plugins.published import LARGE, SMALL, config_of

H100 = {"name": "NVIDIA H100 80GB HBM3", "memory_mb": 81559, "compute_cap": "9.0"}


def test_rows_have_names_values_and_reasons() -> None:
    found = vllm_plan([H100, H100], config_of(SMALL))
    assert found["refusals"] == []
    values = {row["name"]: row["value"] for row in found["settings"]}
    assert values["tensor-parallel-size"] == 2
    assert all(row["reason"] for row in found["settings"])


@pytest.mark.parametrize("model", [None, {}, {"problem": "gone"}, {"caches": 1}, {"config": {}}])
def test_less_is_derived_from_gpus_alone(model: Any) -> None:
    found = vllm_plan([H100], model)
    assert found["refusals"] == []
    assert "max-num-seqs" not in {row["name"] for row in found["settings"]}


def test_copies_share_the_queue() -> None:
    found = vllm_plan([H100] * 4, config_of(LARGE), "throughput")
    values = {row["name"]: row["value"] for row in found["settings"]}
    assert (values["data-parallel-size"], values["max-num-queued-reqs"]) == (2, 8192)
    assert len(values) == len(found["settings"])
    older = vllm_plan([H100] * 4, config_of(LARGE), "throughput", version="0.31.9")
    assert "max-num-queued-reqs" not in {row["name"] for row in older["settings"]}


def test_machines_divide_the_layers_and_their_gpus_the_heads() -> None:
    found = vllm_plan([H100] * 2, config_of(LARGE), "throughput", nodes=3)
    values = {row["name"]: row["value"] for row in found["settings"]}
    assert found["refusals"] == []
    assert (values["tensor-parallel-size"], values["pipeline-parallel-size"]) == (2, 3)
    assert "data-parallel-size" not in values
    unknown = {row["name"]: row for row in vllm_plan([H100] * 2, nodes=2)["settings"]}
    assert unknown["pipeline-parallel-size"]["reason"] == "a group of layers for each of 2 hosts"


def test_machines_together_hold_what_one_does_not() -> None:
    assert vllm_plan([H100], config_of(LARGE), nodes=2)["refusals"] == []
    small = {**H100, "name": "NVIDIA A10", "memory_mb": 23028}
    (why,) = vllm_plan([small], config_of(LARGE), nodes=2)["refusals"]
    assert why.startswith("model does not fit: 2 hosts with 1 x ")


def test_machines_without_gpus_divide_the_heads_unless_told_otherwise() -> None:
    rows = {row["name"]: row["value"] for row in vllm_plan([], nodes=2)["settings"]}
    assert rows["tensor-parallel-size"] == 2
    own = vllm_plan([], settings={"pipeline-parallel-size": 2}, nodes=2)["settings"]
    assert "tensor-parallel-size" not in {row["name"] for row in own}


def test_refusals_are_sentences() -> None:
    (why,) = vllm_plan([H100], config_of(LARGE))["refusals"]
    assert why.startswith("model does not fit: needs 2 x H100 80 GB")
    divided = vllm_plan([H100], config_of(LARGE), settings={"pipeline-parallel-size": 2})
    assert divided["refusals"] == []  # a user who divides the model by himself knows of more GPUs
    (why,) = vllm_plan([H100], settings={"gpu-memory-utilization": 95})["refusals"]
    assert "a share of the memory" in why
    old = {**H100, "compute_cap": "6.0", "name": "Tesla P100"}
    (why,) = vllm_plan([old], version="0.32.0")["refusals"]
    assert why.startswith("vLLM 0.32.0 holds no code for Tesla P100")


def test_rows_that_are_no_gpus_are_an_error() -> None:
    with pytest.raises(AnsibleFilterError, match="Expected an item of gpuops_gpus"):
        vllm_plan([{"name": "x"}])
