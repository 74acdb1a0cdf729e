# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What profiles and hosts decide, as the role writes it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.gpuops.cloud.plugins.module_utils._sizing.llm import model_of
from ansible_collections.gpuops.cloud.plugins.module_utils._sizing.vllm_profiles import PROFILES
from ansible_collections.gpuops.cloud.tests.unit.plugins.published import LARGE, SMALL, config_of
from ansible_collections.gpuops.cloud.tests.unit.roles.support import Evaluate

ROOT = Path(__file__).resolve().parents[3]
LOOK = "lookup('ansible.builtin.template', role_path ~ '/templates/%s')"
H100 = {"name": "NVIDIA H100 80GB HBM3", "memory_mb": 81559, "compute_cap": "9.0"}
A100 = {"name": "NVIDIA A100-SXM4-40GB", "memory_mb": 40960, "compute_cap": "8.0"}
T4 = {"name": "Tesla T4", "memory_mb": 15360, "compute_cap": "7.5"}
THOR = {"name": "NVIDIA Thor", "memory_mb": 0, "compute_cap": "11.0"}
TINY = "Qwen/Qwen2.5-0.5B-Instruct"
# Model, GPUs, further variables, and settings that must be there; None: must not.
CASES: dict[str, tuple[str, list[dict[str, Any]], dict[str, Any], dict[str, Any]]] = {
    "one": (
        SMALL,
        [H100],
        {},
        {
            "tensor-parallel-size": 1,
            "pipeline-parallel-size": None,
            "dtype": "auto",
            "max-model-len": "auto",
            "max-num-queued-reqs": 2048,
            "gpu-memory-utilization": None,
            "max-num-seqs": None,
            "kv-cache-dtype": None,
        },
    ),
    "two, and memory is short": (
        LARGE,
        [H100, H100],
        {},
        {"tensor-parallel-size": 2, "max-num-seqs": 256},
    ),
    "four for one that needs two": (
        LARGE,
        [H100] * 4,
        {},
        {"tensor-parallel-size": 4, "max-num-seqs": None, "data-parallel-size": None},
    ),
    "three of which two are used": (SMALL, [H100] * 3, {}, {"tensor-parallel-size": 2}),
    "heads that do not divide": (
        TINY,
        [H100] * 8,
        {},
        {"tensor-parallel-size": 2, "pipeline-parallel-size": 4},
    ),
    "throughput": (
        SMALL,
        [H100] * 4,
        {"vllm_profile": "throughput"},
        {
            "gpu-memory-utilization": 0.95,
            "performance-mode": "throughput",
            "max-num-batched-tokens": 16384,
            "max-num-seqs": 1024,
            "kv-cache-dtype": "fp8",
            "tensor-parallel-size": 1,
            "data-parallel-size": 4,
            "max-num-queued-reqs": 16384,
            "stream-interval": 4,
        },
    ),
    "throughput on smaller GPUs without 8 bits": (
        SMALL,
        [A100],
        {"vllm_profile": "throughput"},
        {"max-num-seqs": 256, "kv-cache-dtype": "auto", "data-parallel-size": None},
    ),
    "throughput with windows": (
        "openai/gpt-oss-20b",
        [H100],
        {"vllm_profile": "throughput"},
        {"kv-cache-dtype": "auto"},
    ),
    "latency": (
        SMALL,
        [H100, H100],
        {"vllm_profile": "latency"},
        {
            "gpu-memory-utilization": 0.85,
            "performance-mode": "interactivity",
            "max-num-seqs": 64,
            "tensor-parallel-size": 2,
        },
    ),
    "no bfloat16": (TINY, [T4], {}, {"dtype": "half"}),
    "of unknown memory": (LARGE, [THOR], {}, {"tensor-parallel-size": 1}),
    "divided by MIG": (
        LARGE,
        [{**H100, "mig": "Enabled"}] * 2,
        {},
        {"tensor-parallel-size": 1, "max-model-len": "auto"},
    ),
    "of another model": ("", [H100, H100], {}, {"tensor-parallel-size": 2, "dtype": "auto"}),
    "own settings win": (
        SMALL,
        [H100] * 4,
        {
            "vllm_profile": "throughput",
            "vllm_settings": {
                "tensor_parallel_size": 4,
                "max-num-seqs": 8,
                "kv-cache-dtype": None,
                "max-model-len": 4096,
                "stream-interval": None,
            },
        },
        {
            "tensor-parallel-size": 4,
            "data-parallel-size": None,
            "max-num-seqs": 8,
            "kv-cache-dtype": None,
            "max-model-len": 4096,
            "stream-interval": None,
        },
    ),
    "older vLLM": (SMALL, [H100], {"vllm_version": "0.31.1"}, {"max-num-queued-reqs": None}),
    "cpu": (
        SMALL,
        [],
        {"vllm_device": "cpu", "vllm_profile": "latency"},
        {
            "dtype": "float32",
            "max-num-seqs": 64,
            "gpu-memory-utilization": None,
            "max-num-batched-tokens": None,
            "tensor-parallel-size": None,
        },
    ),
}


@pytest.fixture(scope="module")
def written(vllm: Evaluate) -> dict[str, str]:
    """Render the settings of every case."""
    cases = {}
    for name, (model, gpus, more, _unused) in CASES.items():
        facts = model_of(config_of(model), model).as_dict() if model else {"name": "other"}
        cases[name] = {
            "vllm_model": model or SMALL,
            "vllm_api_key": "the-key-of-the-tests",
            "ansible_managed": "Ansible managed",
            "gpuops_model": facts,
            "gpuops_gpus": gpus,
            **more,
        }
    return {name: str(text) for name, text in vllm(cases, LOOK % "config.yaml.j2").items()}


@pytest.mark.parametrize("name", CASES)
def test_settings_are_derived(written: dict[str, str], name: str) -> None:
    found = yaml.safe_load(written[name])
    wanted = CASES[name][3]
    assert {key: found.get(key) for key in wanted} == wanted


@pytest.mark.parametrize("name", CASES)
def test_what_is_derived_carries_its_reason(written: dict[str, str], name: str) -> None:
    lines = written[name].splitlines()
    own = CASES[name][2].get("vllm_settings", {})
    for setting in ("tensor-parallel-size", "max-num-queued-reqs", "gpu-memory-utilization"):
        number = next((i for i, line in enumerate(lines) if line.startswith(f"{setting}:")), None)
        if number is not None and setting.replace("-", "_") not in own:
            assert lines[number - 1].startswith("# "), setting


def test_reasons_name_what_was_seen(written: dict[str, str]) -> None:
    assert (
        "# 2 x H100 80 GB seen; the model has 64 attention heads, 8 of keys"
        in written["two, and memory is short"]
    )
    assert "memory is short: the trial run of 1024" in written["two, and memory is short"]
    assert re.search(
        r"here at least \d{5} of the model's 131072", written["two, and memory is short"]
    )
    assert "compute capability 7.5 has no bfloat16" in written["no bfloat16"]
    assert "of which 2 are used" in written["three of which two are used"]
    assert "a copy of the model fits on 1" in written["throughput"]


def test_further_arguments_reach_the_server_as_they_are(vllm: Evaluate) -> None:
    odd = ["--enable-lora", "--x", 'a "b" $c %d \\e', "--lora-modules", "one=/srv/lora one", 7]
    base = {"vllm_model": SMALL, "ansible_managed": "x"}
    cases = {"odd": {**base, "vllm_extra_args": odd}, "none": base}
    lines = {
        name: re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
        for name, text in vllm(cases, LOOK % "vllm.service.j2").items()
    }
    assert lines["none"] == ["/opt/vllm/current/bin/vllm serve --config /etc/vllm/config.yaml"]
    (line,) = lines["odd"]
    # systemd takes quotes as a shell does, and then halves these signs.
    read = [word.replace("$$", "$").replace("%%", "%") for word in shlex.split(line)]
    assert read[4:] == [str(argument) for argument in odd]


def test_profiles_are_documented_as_they_are() -> None:
    text = (ROOT / "roles/vllm/README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \| (.*) \| (.*) \| (.*) \| (.*) \|$", text, re.MULTILINE)
    documented = {
        name: {row[0]: row[column] for row in rows if not row[column].startswith("(")}
        for column, name in enumerate(PROFILES, 1)
    }
    settings = {
        name: {setting: str(value) for setting, (value, _why) in profile.items()}
        for name, profile in PROFILES.items()
    }
    assert documented == settings
