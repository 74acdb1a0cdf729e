# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: model_fit
short_description: List on which GPUs, and how many, vLLM serves a model
version_added: 0.1.0
description:
  - Computes from a model's configuration the memory of weights, cache and vLLM itself, and finds for each kind of GPU the smallest number,
    a power of two up to eight, that serves the model, with the arithmetic.
  - What a configuration leaves out or says in an unknown way is never taken for something small. It is an error, or the larger bound and
    a warning.
author:
  - gpuops.cloud contributors (@gpuops)
options:
  _input:
    description: The C(model) that P(gpuops.cloud.model_info#module) returns, or the contents of a C(config.json).
    type: dict
    required: true
  gpus:
    description:
      - Kinds of GPUs to answer for. Names such as V(H100) or V(A100 40), offers of P(gpuops.cloud.datacrunch_capacity#module), or rows with
        C(name), C(memory_mb) and C(compute_cap) as the role P(gpuops.cloud.cuda#role) finds them.
      - Without it all that are known, best first.
    type: list
    elements: raw
  settings:
    description: Settings of C(vllm serve) that the answer depends on, such as C(max-model-len) and C(kv-cache-dtype).
      Without them, those that the model was looked up with.
    type: dict
  profile:
    description: Profile of P(gpuops.cloud.vllm#role).
    type: str
    choices: [balanced, throughput, latency]
    default: balanced
"""

EXAMPLES = r"""
- name: Say whether a model of a local folder fits on one H100 with a context of 16,384 tokens
  ansible.builtin.debug:
    msg: "{{ (lookup('ansible.builtin.file', '/srv/models/mine/config.json') | from_json
              | gpuops.cloud.model_fit(gpus=['H100'], settings={'max-model-len': 16384})).0.text }}"
"""

RETURN = r"""
_value:
  description: >-
    A row for each kind of GPU, with C(gpu_model), C(vram_gb), C(fits), the smallest C(gpu_count) and how it is divided
    (C(tensor_parallel_size), C(pipeline_parallel_size)), C(dtype) that vLLM computes in, C(context) asked for and C(max_context) that would fit,
    GiB on each GPU (C(weights_gib), C(cache_gib), C(overhead_gib), C(budget_gib)), C(reason) (C(fits), C(model_too_large), C(gpu_unsupported),
    C(context_too_long)) and all of it as C(text).
  type: list
  elements: dict
"""

from dataclasses import asdict
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.utils.display import Display

from ..module_utils._core.errors import GpuopsError
from ..module_utils._sizing.fit import fit
from ..module_utils._sizing.gpu_memory import gpus_from
from ..module_utils._sizing.llm import model_from
from ..module_utils._sizing.vllm_profiles import demand_from


def model_fit(
    model: Any,
    gpus: list[Any] | None = None,
    settings: dict[str, Any] | None = None,
    profile: str = "balanced",
) -> list[dict[str, Any]]:
    """Return a row for each kind of GPU."""
    try:
        demand = demand_from(model, profile, settings)
        known = model_from(model)
        for note in known.notes if "caches" not in model else ():  # else model_info has warned
            Display().warning(f"model_fit: {known.name}: {note}")
        return [asdict(fit(known, gpu, demand)) for gpu in gpus_from(gpus)]
    except GpuopsError as error:
        raise AnsibleFilterError(f"model_fit: {error}") from None


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Any]:
        """Return the filter by name."""
        return {"model_fit": model_fit}
