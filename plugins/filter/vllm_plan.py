# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: vllm_plan
short_description: Derive vLLM settings from GPUs and model, each with its reason
version_added: 0.1.0
description:
  - Derives from GPUs, model and profile how the model is divided, its type, context and cache, and says why the GPUs cannot serve it.
  - The role P(gpuops.cloud.vllm#role) writes the result to its configuration.
author:
  - gpuops.cloud contributors (@gpuops)
options:
  _input:
    description:
      - The GPUs of one host, as the role P(gpuops.cloud.cuda#role) sets C(gpuops_gpus), with C(name), C(memory_mb) and C(compute_cap).
      - Without any, settings for a CPU.
    type: list
    elements: dict
    required: true
  model:
    description: The C(model) that P(gpuops.cloud.model_info#module) returns, or the contents of a C(config.json). Without it less is derived.
    type: dict
  profile:
    description: What the server is for.
    type: str
    choices: [balanced, throughput, latency]
    default: balanced
  settings:
    description: Settings of the user, which are left out of the result.
    type: dict
  version:
    description: Version of vLLM.
    type: str
    default: 0.33.0
  nodes:
    description: Hosts with the same GPUs that serve one model together, each with a group of its layers.
    type: int
    default: 1
"""

EXAMPLES = r"""
- name: Show what would be set on two H100
  ansible.builtin.debug:
    msg: "{{ ([gpu, gpu] | gpuops.cloud.vllm_plan(profile='throughput')).settings | gpuops.cloud.table(['name', 'value', 'reason']) }}"
  vars:
    gpu: {name: NVIDIA H100 80GB HBM3, memory_mb: 81559, compute_cap: "9.0"}
"""

RETURN = r"""
_value:
  description: C(settings), rows with C(name), C(value) and C(reason), and C(refusals), sentences why this host cannot serve the model.
  type: dict
"""

from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils._core.errors import GpuopsError
from ..module_utils._sizing.gpu_memory import VLLM_VERSION, GpuRow, gpu_from
from ..module_utils._sizing.llm import Model, model_from
from ..module_utils._sizing.vllm_args import Planned, plan


def vllm_plan(
    gpus: list[GpuRow],
    model: dict[str, Any] | None = None,
    profile: str = "balanced",
    settings: dict[str, Any] | None = None,
    version: str = VLLM_VERSION,
    nodes: int = 1,
) -> Planned:
    """Return settings and refusals; settings that vLLM would refuse are refusals, too."""
    try:
        kinds = [gpu_from(row) for row in gpus]
        # CUDA shows a process a single part of what MIG has divided.
        kinds = kinds[:1] if any(gpu.memory_gib <= 0 for gpu in kinds) else kinds
    except GpuopsError as error:
        raise AnsibleFilterError(f"vllm_plan: {error}") from None
    try:
        return plan(kinds, _known(model), profile, settings, version, int(nodes))
    except GpuopsError as error:
        return {"settings": [], "refusals": [str(error)]}


def _known(model: dict[str, Any] | None) -> Model | None:
    """Return the model, or None for one that could not be read or is of an unknown kind."""
    try:
        return model_from(model) if model else None
    except GpuopsError:
        return None


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Any]:
        """Return the filter by name."""
        return {"vllm_plan": vllm_plan}
