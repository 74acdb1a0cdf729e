# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role vllm refuses before it touches a host, and what it says."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._sizing.llm import model_of
from ansible_collections.gpuops.cloud.tests.unit.plugins.published import LARGE, SMALL, config_of
from ansible_collections.gpuops.cloud.tests.unit.roles.support import GPU, HOST, Evaluate

V100 = {**GPU, "name": "Tesla V100-SXM2-16GB", "compute_cap": "7.0", "memory_mb": 16384}
SMALL_ONE = {"name": "vllm-small", "port": 8001, "share": 0.3}
GOOD: dict[str, Any] = {"vllm_model": "Qwen/Qwen3-8B", "gpuops_gpus": [GPU], "_vllm_probe": HOST}
CPU = {"vllm_device": "cpu"}
SUPERVISED = {"vllm_service_manager": "supervisord"}
QWEN = model_of(config_of(SMALL), SMALL).as_dict()
TOO_LARGE = {"name": "big", "config": config_of(LARGE), "weight_bytes": None}
# Variables, and a word of each complaint.
CASES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "good": ({}, []),
    "good on cpu": ({**CPU, "gpuops_gpus": []}, []),
    "newest": ({"vllm_version": "0.40.1"}, []),
    "old version": ({"vllm_version": "0.21.9"}, ["CVE-2026-48746"]),
    "cpu version": ({**CPU, "vllm_version": "0.33.0"}, ["0.32.0 only"]),
    "own settings": (
        {"vllm_settings": {"api_key": "x", "host": "0.0.0.0", "dtype": "half"}},
        ["must not set api-key, host:"],
    ),
    "secrets in environment": ({"vllm_environment": {"HF_TOKEN": "x"}}, ["use vllm_api_key"]),
    "two lines": ({"vllm_environment": {"A": "b\nVLLM_API_KEY=c"}}, ["more than one line"]),
    "space in key": ({"vllm_api_key": "a key"}, ["no space"]),
    "line end in token": ({"vllm_hf_token": "token\n"}, ["no space"]),
    "no script": ({"vllm_model_script": "/nowhere/make.py"}, ["/nowhere/make.py"]),
    "no bundle": ({"vllm_ca_bundle": "/nowhere/ca.pem"}, ["/nowhere/ca.pem"]),
    "two at once": (
        {"vllm_version": "0.9", "vllm_ca_bundle": "/nowhere/ca.pem"},
        ["CVE-2026-48746", "/nowhere/ca.pem"],
    ),
    "supervisord": (SUPERVISED, []),
    "a sandbox without systemd": ({**SUPERVISED, "vllm_unit": {"hardening": "strict"}}, ["strict"]),
    "a comment in a file of supervisord": (
        {**SUPERVISED, "vllm_extra_args": ["--chat-template", "a ;b"]},
        ["would be a comment"],
    ),
    "no gpu": ({"gpuops_gpus": []}, ["gpuops.cloud.cuda"]),
    "old driver": ({"gpuops_gpus": [{**GPU, "driver_version": "570.172.08"}]}, ["at least 580"]),
    "old gpu": (
        {"gpuops_gpus": [GPU, V100]},
        ["vLLM 0.33.0 holds no code for V100 16 GB (compute capability 7.0, it needs 7.5):"],
    ),
    "old gpu by its version": ({"gpuops_gpus": [V100]}, ["version that did is 0.19.1"]),
    "too large": (
        {"gpuops_model": {**TOO_LARGE, "name": "Qwen/Qwen3-8B"}},
        ["model does not fit: needs 2 x H100 80 GB (it would hold 131.4 GiB of weights"],
    ),
    "large on two": (
        {"gpuops_model": {**TOO_LARGE, "name": "Qwen/Qwen3-8B"}, "gpuops_gpus": [GPU, GPU]},
        [],
    ),
    "of another model": ({"gpuops_model": {**TOO_LARGE, "name": "other"}}, []),
    "not to be checked": ({"gpuops_model": {}}, []),
    "not read": ({"gpuops_model": {"name": "Qwen/Qwen3-8B", "problem": "answers 401"}}, []),
    "of a kind that nobody knows": (
        {"gpuops_model": {"name": "Qwen/Qwen3-8B", "config": {"model_type": "new"}}},
        [],
    ),
    "too large on the host": (
        {"vllm_model": "/srv/big", "_vllm_probe": {**HOST, "model": TOO_LARGE}},
        ["needs 2 x H100"],
    ),
    "too long a context": (
        {"gpuops_model": QWEN, "vllm_settings": {"max-model-len": "1M"}},
        ["has a context of 40960 tokens, not 1048576"],
    ),
    "no number": ({"vllm_settings": {"max-model-len": "long"}}, ["'long' is not a number"]),
    "own name among arguments": (
        {"vllm_extra_args": ["--enable-lora", "--api_key=secret", "--host", "0.0.0.0"]},
        ["must not hold --api-key, --host:"],
    ),
    "argument alone": ({"vllm_extra_args": ["other/model"]}, ["must not hold other/model"]),
    "line end in arguments": ({"vllm_extra_args": ["--x", "a\nb"]}, ["a line end"]),
    "good arguments": ({"vllm_extra_args": ["--enable-lora", "--max-loras", 4]}, []),
    "unknown sandbox": ({"vllm_hardening": "none"}, ["strict or basic, not none"]),
    "second server": ({"vllm_unit": {"name": "small-2"}}, []),
    "name with a slash": ({"vllm_unit": {"name": "../a"}}, ["the name ../a is refused"]),
    "name of the watchdog": ({"vllm_unit": {"name": "small-health"}}, ["small-health is refused"]),
    "name of the devices": ({"vllm_unit": {"name": "devices"}}, ["the name devices is refused"]),
    "older names": (
        {"vllm_hardening": "basic", "vllm_start_timeout": 60, "vllm_wheelhouse": "/tmp/x"},
        [],
    ),
    "bundle by its new name": ({"vllm_downloads": {"ca_bundle": "/nowhere/x"}}, ["/nowhere/x"]),
    "full disk": ({"_vllm_probe": {**HOST, "free_gb": 9.5}}, ["9.5 GB free"]),
    "installed on a full disk": (
        {"_vllm_probe": {**HOST, "free_gb": 1.0, "environment_ready": True}},
        [],
    ),
    "no memory left": (
        {"_vllm_probe": {**HOST, "neighbours": [SMALL_ONE]}},
        ["adds up to 1.22 (vllm 0.92, vllm-small 0.3), more than 0.95:"],
    ),
    "no memory left in a profile": (
        {"_vllm_probe": {**HOST, "neighbours": [SMALL_ONE]}, "vllm_profile": "latency"},
        ["(vllm 0.85, vllm-small 0.3)"],
    ),
    "shares that add up": (
        {
            "_vllm_probe": {**HOST, "neighbours": [SMALL_ONE]},
            "vllm_settings": {"gpu_memory_utilization": 0.65},
            "vllm_profile": "throughput",
        },
        [],
    ),
    "no shares on cpu": ({**CPU, "_vllm_probe": {**HOST, "neighbours": [SMALL_ONE]}}, []),
    "own GPUs": ({"_vllm_probe": {**HOST, "neighbours": [{**SMALL_ONE, "share": 0}]}}, []),
    "only the GPU that is given counts": (
        {"gpuops_gpus": [GPU, V100], "vllm_environment": {"CUDA_VISIBLE_DEVICES": 0}},
        [],
    ),
    "same port": (
        {**CPU, "_vllm_probe": {**HOST, "neighbours": [SMALL_ONE]}, "vllm_port": "8001"},
        ["vllm_port 8001 is already used by vllm-small"],
    ),
    "share among arguments": (
        {"vllm_extra_args": ["--gpu-memory-utilization=0.5"]},
        ["must not hold --gpu-memory-utilization:"],
    ),
    "no model": ({"_vllm_probe": {**HOST, "model_missing": True}}, ["no vllm_model_script"]),
}


@pytest.fixture(scope="module")
def complaints(vllm: Evaluate) -> dict[str, list[str]]:
    """Evaluate the checks of every case."""
    cases = {name: {**GOOD, **given} for name, (given, _unused) in CASES.items()}
    checks = "_vllm_option_checks + _vllm_host_checks"
    return vllm(cases, f"({checks}) | rejectattr('good') | map(attribute='otherwise') | list")


@pytest.mark.parametrize("name", CASES)
def test_what_is_refused_and_how(complaints: dict[str, list[str]], name: str) -> None:
    words = CASES[name][1]
    found = complaints[name]
    assert len(found) == len(words), found
    assert [word for word, text in zip(words, found, strict=True) if word not in text] == []
