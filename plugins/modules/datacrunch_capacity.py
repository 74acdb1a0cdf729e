# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: datacrunch_capacity
short_description: List matching GPU offers, ranked, and the reasons of the rejected ones
version_added: 0.1.0
description:
  - Reads catalogue and live stock of the DataCrunch (Verda) cloud and ranks what can be bought now.
  - Everything else that was meant is returned too, each with its reason.
  - Costs one catalogue call and one stock call per market, for any number of tiers and locations.
author:
  - gpuops.cloud contributors (@gpuops)
extends_documentation_fragment:
  - gpuops.cloud.attributes.info
  - gpuops.cloud.auth
  - gpuops.cloud.selection
options:
  observation_log:
    description:
      - File on the host where the module runs, to which each look at the stock adds a line of JSON with time, market and the types in stock
        by location. The playbook C(gpuops.cloud.observed) draws it.
    type: path
seealso:
  - module: gpuops.cloud.datacrunch_instance
"""

EXAMPLES = r"""
- name: Show what there is, best first
  gpuops.cloud.datacrunch_capacity:

- name: Find the best single GPU up to an H100 below 4 per hour
  gpuops.cloud.datacrunch_capacity:
    tier: h100_or_less
    max_price_per_hour: 4
    market: spot_first
  register: capacity

- name: Find the cheapest instance with at least 80 GB of GPU memory in two locations
  gpuops.cloud.datacrunch_capacity:
    min_vram_gb: 80
    locations: [FIN-03, FIN-01]
    objective: cheapest
"""

RETURN = r"""
offers:
  description: What can be bought now, ranked, best first. Empty when no purchase was needed.
  returned: success, and on failure when nothing could be bought
  type: list
  elements: dict
  contains:
    instance_type: {type: str, description: Type by the cloud., returned: success, sample: 1H100.80S.32V}
    location: {type: str, description: Location code; null when it is free nowhere., returned: success, sample: FIN-03}
    market: {type: str, description: V(on_demand) or V(spot)., returned: success, sample: on_demand}
    gpu_model: {type: str, description: GPU model., returned: success, sample: H100}
    gpu_count: {type: int, description: Number of GPUs., returned: success, sample: 1}
    vram_gb: {type: float, description: Memory of all GPUs together in GB., returned: success, sample: 80}
    vram_gb_each: {type: float, description: Memory of one GPU in GB., returned: success, sample: 80}
    bandwidth_gb_s: {type: float, description: Memory bandwidth of all GPUs together in GB/s; null for an unknown model., returned: success, sample: 3350}
    value: {type: float, description: "GB/s of memory bandwidth per price of an hour; null for an unknown model.", returned: success, sample: 942.3}
    saving_percent: {type: float, description: Percent that it costs less than the same type on demand; null unless it is spot., returned: success, sample: 65}
    vcpu: {type: int, description: Virtual CPUs., returned: success, sample: 32}
    ram_gb: {type: float, description: Memory in GB., returned: success, sample: 170}
    price_per_hour: {type: float, description: Price per hour of the whole instance., returned: success, sample: 3.555}
    currency: {type: str, description: Currency of the price., returned: success, sample: usd}
    tier: {type: str, description: Tier of the GPU; null for a model that no tier knows., returned: success, sample: h100}
    image: {type: str, description: Image that would be booted., returned: success, sample: ubuntu-24.04-cuda-13.0-open}
rejected:
  description: Every other offer that was meant, with the reason why it is not taken.
  returned: success, and on failure when nothing could be bought
  type: list
  elements: dict
  contains:
    instance_type: {type: str, description: Type by the cloud., returned: success, sample: 1H100.80S.32V}
    location: {type: str, description: Location code; null when it is free nowhere., returned: success, sample: FIN-03}
    market: {type: str, description: V(on_demand) or V(spot)., returned: success, sample: on_demand}
    gpu_model: {type: str, description: GPU model., returned: success, sample: H100}
    gpu_count: {type: int, description: Number of GPUs., returned: success, sample: 1}
    vram_gb: {type: float, description: Memory of all GPUs together in GB., returned: success, sample: 80}
    vram_gb_each: {type: float, description: Memory of one GPU in GB., returned: success, sample: 80}
    bandwidth_gb_s: {type: float, description: Memory bandwidth of all GPUs together in GB/s; null for an unknown model., returned: success, sample: 3350}
    value: {type: float, description: "GB/s of memory bandwidth per price of an hour; null for an unknown model.", returned: success, sample: 942.3}
    saving_percent: {type: float, description: Percent that it costs less than the same type on demand; null unless it is spot., returned: success, sample: 65}
    vcpu: {type: int, description: Virtual CPUs., returned: success, sample: 32}
    ram_gb: {type: float, description: Memory in GB., returned: success, sample: 170}
    price_per_hour: {type: float, description: Price per hour of the whole instance., returned: success, sample: 3.555}
    currency: {type: str, description: Currency of the price., returned: success, sample: usd}
    tier: {type: str, description: Tier of the GPU; null for a model that no tier knows., returned: success, sample: h100}
    image: {type: str, description: Image that would be booted., returned: success, sample: ubuntu-24.04-cuda-13.0-open}
    reason:
      description: >-
        Reason for programs, one of V(not_in_stock), V(other_location), V(unknown_model), V(too_few_gpus), V(too_expensive),
        V(gpu_count), V(too_little_vram), V(too_few_vcpu),
        V(too_little_ram), V(no_price), V(excluded), V(confidential), V(no_fitting_image),
        and for O(model) V(model_too_large), V(gpu_unsupported), V(context_too_long).
      returned: success
      type: str
      sample: too_expensive
    detail: {type: str, description: Reason for people., returned: success, sample: "9.72 per hour, the ceiling is 4"}
cheapest_free:
  description: Cheapest instance with a GPU that is free now, whether or not it was asked for; null when none is.
  returned: success, and on failure when nothing could be bought
  type: dict
  contains:
    instance_type: {type: str, description: Type by the cloud., returned: success, sample: 1H100.80S.32V}
    location: {type: str, description: Location code; null when it is free nowhere., returned: success, sample: FIN-03}
    market: {type: str, description: V(on_demand) or V(spot)., returned: success, sample: on_demand}
    gpu_model: {type: str, description: GPU model., returned: success, sample: H100}
    gpu_count: {type: int, description: Number of GPUs., returned: success, sample: 1}
    vram_gb: {type: float, description: Memory of all GPUs together in GB., returned: success, sample: 80}
    vram_gb_each: {type: float, description: Memory of one GPU in GB., returned: success, sample: 80}
    bandwidth_gb_s: {type: float, description: Memory bandwidth of all GPUs together in GB/s; null for an unknown model., returned: success, sample: 3350}
    value: {type: float, description: "GB/s of memory bandwidth per price of an hour; null for an unknown model.", returned: success, sample: 942.3}
    saving_percent: {type: float, description: Percent that it costs less than the same type on demand; null unless it is spot., returned: success, sample: 65}
    vcpu: {type: int, description: Virtual CPUs., returned: success, sample: 32}
    ram_gb: {type: float, description: Memory in GB., returned: success, sample: 170}
    price_per_hour: {type: float, description: Price per hour of the whole instance., returned: success, sample: 3.555}
    currency: {type: str, description: Currency of the price., returned: success, sample: usd}
    tier: {type: str, description: Tier of the GPU; null for a model that no tier knows., returned: success, sample: h100}
    image: {type: str, description: Image that would be booted., returned: success, sample: ubuntu-24.04-cuda-13.0-open}
wanted:
  description: What was meant, in words.
  returned: success
  type: str
  sample: h100_or_less with 1 GPU
"""

from ..module_utils._catalog.stock import capacity
from ..module_utils._core.argspecs import SELECTION_SPEC
from ..module_utils._runner.cloud import CLOUD
from ..module_utils._runner.engine import run_info


def main() -> None:
    """Ask the market."""
    run_info({**SELECTION_SPEC, "observation_log": {"type": "path"}}, capacity, CLOUD)


if __name__ == "__main__":
    main()
