# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gpu_offers
short_description: List matching GPU offers of several providers in one ranked list
version_added: 0.1.0
description:
  - Asks all providers that are meant at the same time for catalogue and live stock, and ranks what can be bought now in one list.
  - Everything else that was meant is returned too, each with its reason; so is a provider that has no credentials or does not answer.
  - Offers are ranked as M(gpuops.cloud.datacrunch_capacity) ranks those of one provider. At the same price the larger instance comes first.
  - Two currencies are never compared. The list is in that of the first provider that answers, in the order of O(providers); offers that are priced in
    another one are rejected, and O(max_price_per_hour) is in the currency of the list.
  - It fails only when no provider tells anything, or when what is asked for is unknown to each of them.
author:
  - gpuops.cloud contributors (@gpuops)
extends_documentation_fragment:
  - gpuops.cloud.attributes.several
  - gpuops.cloud.attributes.changes_nothing
  - gpuops.cloud.accounts
  - gpuops.cloud.selection
notes:
  - Lambda Cloud and Vast.ai were never tried on a real account.
  - At Vast.ai a disk is a part of the price, here one of 100 GB.
  - TensorDock is asked only where O(providers) names it, since most orders of others came to nothing there. It was never tried either.
  - RunPod rents out containers, without systemd and without a port 22 of their own. It was never tried on a real account either.
seealso:
  - module: gpuops.cloud.gpu_instance
  - module: gpuops.cloud.datacrunch_capacity
"""

EXAMPLES = r"""
- name: Show what there is at all providers, best first
  gpuops.cloud.gpu_offers:

- name: Find the cheapest instance with at least 80 GB of GPU memory
  gpuops.cloud.gpu_offers:
    providers: [verda, lambda]
    min_vram_gb: 80
    objective: cheapest
  register: found

- name: Say which providers were not asked, and why
  ansible.builtin.debug:
    msg: "{{ found.rejected | selectattr('reason', 'in', ['no_credentials', 'no_answer']) | map(attribute='detail') }}"

- name: Ask with a key of a vault
  gpuops.cloud.gpu_offers:
    providers: [lambda]
    accounts:
      lambda:
        api_key: "{{ lambda_api_key }}"
    tier: h100_or_less
"""

RETURN = r"""
offers:
  description: What can be bought now, ranked, best first.
  returned: success
  type: list
  elements: dict
  contains:
    provider: {type: str, description: Provider that offers it., returned: success, sample: lambda}
    instance_type: {type: str, description: Type by the cloud., returned: success, sample: gpu_1x_h100_sxm5}
    location: {type: str, description: Location code; null when it is free nowhere., returned: success, sample: US-WEST-1}
    market: {type: str, description: V(on_demand) or V(spot)., returned: success, sample: on_demand}
    gpu_model: {type: str, description: GPU model., returned: success, sample: H100}
    gpu_count: {type: int, description: Number of GPUs., returned: success, sample: 1}
    vram_gb: {type: float, description: Memory of all GPUs together in GB., returned: success, sample: 80}
    vram_gb_each: {type: float, description: Memory of one GPU in GB., returned: success, sample: 80}
    bandwidth_gb_s: {type: float, description: Memory bandwidth of all GPUs together in GB/s; null for an unknown model., returned: success, sample: 3350}
    value: {type: float, description: "GB/s of memory bandwidth per price of an hour; null for an unknown model.", returned: success, sample: 942.3}
    saving_percent: {type: float, description: Percent that it costs less than the same type on demand; null unless it is spot., returned: success, sample: 65}
    vcpu: {type: int, description: Virtual CPUs., returned: success, sample: 26}
    ram_gb: {type: float, description: Memory in GB., returned: success, sample: 200}
    price_per_hour: {type: float, description: Price per hour of the whole instance., returned: success, sample: 3.555}
    currency: {type: str, description: Currency of the price., returned: success, sample: usd}
    tier: {type: str, description: Tier of the GPU; null for a model that no tier knows., returned: success, sample: h100}
    image: {type: str, description: Image that would be booted., returned: success, sample: lambda-stack-24-04}
    terms:
      description: >-
        What else is to be known of a single offer of a market, where anybody rents out; null elsewhere. Traffic is billed on top of the price.
      returned: success
      type: dict
      contains:
        reliability: {type: float, description: Share of the time in which it could be used., returned: success, sample: 0.997}
        verification: {type: str, description: The market's own word., returned: success, sample: verified}
        traffic_down_price: {type: float, description: Price of a GB that comes in., returned: success, sample: 0.002}
        traffic_up_price: {type: float, description: Price of a GB that goes out., returned: success, sample: 0.003}
        contract_end: {type: str, description: When whoever rents it out stops it., returned: success, sample: "2026-12-24T00:00:00Z"}
rejected:
  description: Providers that told nothing, and every other offer that was meant, each with the reason.
  returned: success, and on failure when a provider told nothing
  type: list
  elements: dict
  contains:
    provider: {type: str, description: Provider that offers it; all else is null where it told nothing., returned: success, sample: lambda}
    instance_type: {type: str, description: Type by the cloud., returned: success, sample: gpu_1x_h100_sxm5}
    location: {type: str, description: Location code; null when it is free nowhere., returned: success, sample: US-WEST-1}
    market: {type: str, description: V(on_demand) or V(spot)., returned: success, sample: on_demand}
    gpu_model: {type: str, description: GPU model., returned: success, sample: H100}
    gpu_count: {type: int, description: Number of GPUs., returned: success, sample: 1}
    vram_gb: {type: float, description: Memory of all GPUs together in GB., returned: success, sample: 80}
    vram_gb_each: {type: float, description: Memory of one GPU in GB., returned: success, sample: 80}
    bandwidth_gb_s: {type: float, description: Memory bandwidth of all GPUs together in GB/s; null for an unknown model., returned: success, sample: 3350}
    value: {type: float, description: "GB/s of memory bandwidth per price of an hour; null for an unknown model.", returned: success, sample: 942.3}
    saving_percent: {type: float, description: Percent that it costs less than the same type on demand; null unless it is spot., returned: success, sample: 65}
    vcpu: {type: int, description: Virtual CPUs., returned: success, sample: 26}
    ram_gb: {type: float, description: Memory in GB., returned: success, sample: 200}
    price_per_hour: {type: float, description: Price per hour of the whole instance., returned: success, sample: 3.555}
    currency: {type: str, description: Currency of the price., returned: success, sample: usd}
    tier: {type: str, description: Tier of the GPU; null for a model that no tier knows., returned: success, sample: h100}
    image: {type: str, description: Image that would be booted., returned: success, sample: lambda-stack-24-04}
    terms:
      description: >-
        What else is to be known of a single offer of a market, where anybody rents out; null elsewhere. Traffic is billed on top of the price.
      returned: success
      type: dict
      contains:
        reliability: {type: float, description: Share of the time in which it could be used., returned: success, sample: 0.997}
        verification: {type: str, description: The market's own word., returned: success, sample: verified}
        traffic_down_price: {type: float, description: Price of a GB that comes in., returned: success, sample: 0.002}
        traffic_up_price: {type: float, description: Price of a GB that goes out., returned: success, sample: 0.003}
        contract_end: {type: str, description: When whoever rents it out stops it., returned: success, sample: "2026-12-24T00:00:00Z"}
    reason:
      description: >-
        Reason for programs, one of V(no_credentials) and V(no_answer) of a provider that told nothing, V(not_in_stock), V(other_location),
        V(other_currency), V(unreadable), V(unknown_model), V(too_few_gpus), V(too_expensive),
        V(gpu_count), V(too_little_vram), V(too_few_vcpu),
        V(too_little_ram), V(no_price), V(excluded), V(confidential), V(no_fitting_image), V(contract_ends),
        and for O(model) V(model_too_large), V(gpu_unsupported), V(context_too_long).
      returned: success
      type: str
      sample: too_expensive
    detail: {type: str, description: Reason for people., returned: success, sample: "9.72 per hour, the ceiling is 4"}
cheapest_free:
  description: Cheapest instance with a GPU that is free now, whether or not it was asked for; null when none is.
  returned: success
  type: dict
  contains:
    provider: {type: str, description: Provider that offers it., returned: success, sample: lambda}
    instance_type: {type: str, description: Type by the cloud., returned: success, sample: gpu_1x_h100_sxm5}
    location: {type: str, description: Location code; null when it is free nowhere., returned: success, sample: US-WEST-1}
    market: {type: str, description: V(on_demand) or V(spot)., returned: success, sample: on_demand}
    gpu_model: {type: str, description: GPU model., returned: success, sample: H100}
    gpu_count: {type: int, description: Number of GPUs., returned: success, sample: 1}
    vram_gb: {type: float, description: Memory of all GPUs together in GB., returned: success, sample: 80}
    vram_gb_each: {type: float, description: Memory of one GPU in GB., returned: success, sample: 80}
    bandwidth_gb_s: {type: float, description: Memory bandwidth of all GPUs together in GB/s; null for an unknown model., returned: success, sample: 3350}
    value: {type: float, description: "GB/s of memory bandwidth per price of an hour; null for an unknown model.", returned: success, sample: 942.3}
    saving_percent: {type: float, description: Percent that it costs less than the same type on demand; null unless it is spot., returned: success, sample: 65}
    vcpu: {type: int, description: Virtual CPUs., returned: success, sample: 26}
    ram_gb: {type: float, description: Memory in GB., returned: success, sample: 200}
    price_per_hour: {type: float, description: Price per hour of the whole instance., returned: success, sample: 3.555}
    currency: {type: str, description: Currency of the price., returned: success, sample: usd}
    tier: {type: str, description: Tier of the GPU; null for a model that no tier knows., returned: success, sample: h100}
    image: {type: str, description: Image that would be booted., returned: success, sample: lambda-stack-24-04}
    terms:
      description: >-
        What else is to be known of a single offer of a market, where anybody rents out; null elsewhere. Traffic is billed on top of the price.
      returned: success
      type: dict
      contains:
        reliability: {type: float, description: Share of the time in which it could be used., returned: success, sample: 0.997}
        verification: {type: str, description: The market's own word., returned: success, sample: verified}
        traffic_down_price: {type: float, description: Price of a GB that comes in., returned: success, sample: 0.002}
        traffic_up_price: {type: float, description: Price of a GB that goes out., returned: success, sample: 0.003}
        contract_end: {type: str, description: When whoever rents it out stops it., returned: success, sample: "2026-12-24T00:00:00Z"}
wanted:
  description: What was meant, in words.
  returned: success
  type: str
  sample: h100_or_less with 1 GPU
currency:
  description: Currency of the prices that are compared; null where no provider names one.
  returned: success
  type: str
  sample: usd
asked:
  description: Providers that answered.
  returned: success
  type: list
  elements: str
  sample: [lambda, verda]
"""

from ..module_utils._catalog.several import offers
from ..module_utils._core.argspecs import SELECTION_SPEC
from ..module_utils._runner.cloud import ACCOUNTS
from ..module_utils._runner.engine import run_info


def main() -> None:
    """Ask every market."""
    run_info(SELECTION_SPEC, offers, ACCOUNTS)


if __name__ == "__main__":
    main()
