# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of choosing."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  tier:
    description:
      - Which GPUs match, as a rank. V(h100_or_less) means an H100 or the next best that is free;
        V(any_h100) any instance with H100s, V(any_1h100) one with a single H100, V(h100) the same as V(any_1h100).
      - Case, hyphens and underscores do not matter.
      - "Tiers, best first: V(gb300), V(b300), V(b200), V(h200), V(h100), V(a100_80), V(a100_40), V(rtx_pro_6000), V(rtx_6000_ada),
        V(l40s), V(a6000), V(v100)."
      - A tier means instances with one GPU unless O(gpu_count) says otherwise.
    type: str
  gpus:
    description:
      - GPU models that match, in order of preference, for example V(H200).
    type: list
    elements: str
  instance_type:
    description:
      - Exactly this type of the cloud, for example V(1H100.80S.32V), at any location where it is free.
    type: str
  gpu_count:
    description:
      - GPUs in the instance.
    type: int
  min_gpu_count:
    description:
      - GPUs that the instance must have at least, instead of O(gpu_count).
    type: int
  min_tier:
    description:
      - Lowest tier that still matches, for example V(a100_40), as a floor for O(tier).
    type: str
  confidential:
    description:
      - Whether confidential computing types are wanted. Unless named by O(instance_type), only those, or only others, are taken.
    type: bool
    default: false
  min_vram_gb:
    description:
      - GPU memory that the instance must have at least, all its GPUs together, in GB.
    type: float
  min_vram_gb_each:
    description:
      - Memory that each GPU must have at least, in GB.
    type: float
  min_vcpu:
    description:
      - Virtual CPUs that the instance must have at least.
    type: int
  min_ram_gb:
    description:
      - Memory that the instance must have at least, in GB.
    type: float
  locations:
    description:
      - Locations that match, in order of preference. Without it, any.
    type: list
    elements: str
  market:
    description:
      - V(on_demand) buys instances that stay, V(spot) cheaper ones that may be taken away at any moment.
      - V(spot_first) prefers spot inside a tier, V(any) takes the cheaper of both inside a tier.
    type: str
    choices: [on_demand, spot, spot_first, any]
    default: on_demand
  max_price_per_hour:
    description:
      - Ceiling of the price per hour for the whole instance, in the account's currency.
    type: float
  objective:
    description:
      - V(best) takes the best tier that is free and within the ceiling, V(cheapest) the cheapest of all matching offers.
      - Without it V(best), or V(cheapest) when only O(model) says what is wanted.
      - V(value) takes the most memory bandwidth per money, since reading the weights bounds how fast a model generates;
        the bandwidths are those of NVIDIA's data sheets, and a model without a figure comes last.
    type: str
    choices: [best, cheapest, value]
  exclude:
    description:
      - Instance types, GPU models or locations that are not taken.
    type: list
    elements: str
  model:
    description:
      - A language model that the instance must be able to serve, as RV(gpuops.cloud.model_info#module:model) returns it.
      - Instances that are too small for it are rejected as V(model_too_large), with the arithmetic, and GPUs that vLLM does not run on as
        V(gpu_unsupported).
      - It alone says what is wanted, too. With O(tier), O(gpus) or O(instance_type) it is a further demand; a tier still means
        one GPU unless O(gpu_count) or O(min_gpu_count) says otherwise.
      - One that could not be read, with C(problem) instead of the facts, demands nothing but a driver for vLLM.
    type: dict
  image:
    description:
      - Image to boot, by name or id. Without it, the type's newest Ubuntu with a CUDA 13 driver and without Docker,
        or the nearest to that.
      - Where O(model) says that vLLM is to serve, one with a CUDA older than 13 is not taken, because its driver is too old, and the role
        P(gpuops.cloud.cuda#role) installs one on a plain Ubuntu only.
      - A type that does not boot the named image is rejected with this reason.
    type: str
  tiers:
    description:
      - Ranks of your own, best first, instead of the built-in ones.
    type: list
    elements: dict
    suboptions:
      name:
        description: Name of the rank, which O(tier) uses.
        type: str
        required: true
      models:
        description: GPU models that belong to it.
        type: list
        elements: str
        required: true
      min_vram_gb:
        description: Least memory of one GPU that belongs to it, in GB.
        type: float
      max_vram_gb:
        description: Most memory of one GPU that belongs to it, in GB.
        type: float
"""
