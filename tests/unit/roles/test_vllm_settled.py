# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the role vllm leaves a server as it is: nothing of it may be missing, or only half done."""

from __future__ import annotations

from typing import Any

from ansible_collections.gpuops.cloud.tests.unit.roles.support import GPU, HOST, Evaluate

KERNELS = {"there": True, "missing": [], "version": "0.4.0"}
SERVING: dict[str, Any] = {
    **HOST,
    "serves": True,
    "unproven": False,
    "restart_reason": "",
    "environment_ready": True,
    "environment_readable": True,
    "kernels": KERNELS,
    "missing_packages": [],
    "user": ["/var/lib/vllm", "/usr/sbin/nologin"],
    "watchdog_runs": True,
    "watchdog_exists": True,
}
BASE = {"vllm_model": "m", "gpuops_gpus": [GPU], "_vllm_answers": True}
SAME: dict[str, Any] = {**BASE, "_vllm_probe": SERVING, "_vllm_there": {"paths": []}}
# What differs, and so has to be looked at in full.
OTHER: dict[str, Any] = {
    "serves": False,
    "unproven": True,
    "restart_reason": "the unit has failed",
    "environment_ready": False,
    "environment_readable": False,
    "kernels": {**KERNELS, "there": False},
    "missing_packages": ["build-essential"],
    "model_missing": True,
    "user": [],
    "watchdog_runs": False,
}
CLUSTER = {"hosts": ["localhost"], "nodes": 2, "rank": 0, "distributed": "native"}
UNWATCHED = {"vllm_unit": {"health_interval": 0}}


def test_server_that_is_as_it_is_asked_for_is_left_alone(vllm: Evaluate) -> None:
    gone = {**SERVING, "watchdog_runs": False, "watchdog_exists": False}
    on_cpu = {**SERVING, "kernels": {**KERNELS, "there": False}}
    cases = {
        "the same": SAME,
        "no watchdog wanted": {**SAME, **UNWATCHED, "_vllm_probe": gone},
        "no kernels on a CPU": {**SAME, "vllm_device": "cpu", "_vllm_probe": on_cpu},
    }
    assert vllm(cases, "_vllm_settled | bool") == dict.fromkeys(cases, True)


def test_all_else_is_looked_at_in_full(vllm: Evaluate) -> None:
    cases = {key: {**SAME, "_vllm_probe": {**SERVING, key: value}} for key, value in OTHER.items()}
    cases |= {
        "another file": {**SAME, "_vllm_there": {"paths": ["/etc/vllm/config.yaml"]}},
        "not compared": {**SAME, "_vllm_there": {"skipped": True}},
        "no answer": {**SAME, "_vllm_answers": False},
        "watchdog not wanted any more": {**SAME, **UNWATCHED},
        "several hosts": {**SAME, "gpuops_cluster": CLUSTER},
    }
    assert vllm(cases, "_vllm_settled | bool") == dict.fromkeys(cases, False)
