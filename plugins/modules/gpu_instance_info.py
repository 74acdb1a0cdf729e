# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gpu_instance_info
short_description: Gather information about instances at several providers
version_added: 0.1.0
description:
  - Asks all providers at the same time for the instances of their accounts, and returns them as one list with what they cost, until when they may
    live, and how they are reached.
  - A provider without credentials, and one that does not answer, is a row with its reason; one that does not answer is a warning, too, since
    instances there may go on to cost money.
  - Instances of others are listed as well. What is not of this collection has no deployment, and C(managed) is false.
  - Finding none is no failure. It fails only when no provider tells anything.
author:
  - gpuops.cloud contributors (@gpuops)
extends_documentation_fragment:
  - gpuops.cloud.attributes.several
  - gpuops.cloud.attributes.changes_nothing
  - gpuops.cloud.accounts
options:
  deployment:
    description:
      - Only instances of this deployment.
    type: str
  evicted:
    description:
      - Whether to ask as well for spot instances that were taken away, which costs a second call where a provider tells of them.
    type: bool
    default: false
notes:
  - It was tried with imitations of Verda and Lambda Cloud, and never on a real account of another provider than Verda.
seealso:
  - module: gpuops.cloud.gpu_instance
  - module: gpuops.cloud.gpu_lease
  - module: gpuops.cloud.gpu_balance
  - module: gpuops.cloud.datacrunch_instance_info
"""

EXAMPLES = r"""
- name: List all instances at all providers
  gpuops.cloud.gpu_instance_info:
  register: found

- name: Say who was not asked, and why
  ansible.builtin.debug:
    msg: "{{ found.accounts | selectattr('reason') | map(attribute='detail') }}"

- name: List the instances of a deployment, and what was taken away
  gpuops.cloud.gpu_instance_info:
    providers: [verda, lambda]
    deployment: llm
    evicted: true
"""

RETURN = r"""
instances:
  description: Instances by name and provider.
  returned: success
  type: list
  elements: dict
  contains:
    provider: {type: str, description: Provider of the instance., returned: success, sample: lambda}
    rents: {type: str, description: "V(vm), or V(container) without systemd and a driver of its own.", returned: success, sample: vm}
    ssh_user: {type: str, description: User that logs in there., returned: success, sample: ubuntu}
    ssh_host: {type: str, description: Address at which SSH listens; null until there is one., returned: success, sample: 192.0.2.10}
    ssh_port: {type: int, description: Port at which SSH listens; null until it is known., returned: success, sample: 22}
    id: {type: str, description: Id of the instance., returned: success, sample: 5f1c2a60-7d5e-4c0e-9d0b-0a4b6f3b9c11}
    name: {type: str, description: Host name., returned: success, sample: llm}
    deployment: {type: str, description: Deployment by the instance's tags; null for a foreign instance., returned: success, sample: llm}
    owner: {type: str, description: Owner by the instance's tags., returned: success, sample: ml-team}
    managed: {type: bool, description: Whether the instance bears tags of this collection., returned: success, sample: true}
    status: {type: str, description: Status by the cloud., returned: success, sample: running}
    ip: {type: str, description: Public address; null until there is one., returned: success, sample: 192.0.2.10}
    instance_type: {type: str, description: Type by the cloud., returned: success, sample: 1H100.80S.32V}
    gpu_model: {type: str, description: GPU model., returned: success, sample: H100}
    gpu_count: {type: int, description: Number of GPUs., returned: success, sample: 1}
    compute_capability: {type: str, description: CUDA compute capability of the GPU model; null when unknown., returned: success, sample: "9.0"}
    vram_gb: {type: float, description: Memory of all GPUs together in GB., returned: success, sample: 80}
    vcpu: {type: int, description: Virtual CPUs., returned: success, sample: 32}
    ram_gb: {type: float, description: Memory in GB., returned: success, sample: 170}
    tier: {type: str, description: Tier of the GPU., returned: success, sample: h100}
    location: {type: str, description: Location code., returned: success, sample: FIN-03}
    market: {type: str, description: V(on_demand) or V(spot)., returned: success, sample: on_demand}
    price_per_hour: {type: float, description: Price per hour of the whole instance., returned: success, sample: 3.555}
    cost_per_hour_now: {type: float, description: What the instance costs per hour in its present status., returned: success, sample: 3.555}
    contract:
      description: V(pay_as_you_go), V(spot) or V(long_term) as the cloud says; null where it does not. A long-term contract costs until its end.
      returned: success
      type: str
      sample: pay_as_you_go
    image: {type: str, description: Image it was made from., returned: success, sample: ubuntu-24.04-cuda-13.0-open}
    lease: {type: str, description: Lease as written on the instance; V(none) when it has none on purpose., returned: success, sample: "2026-11-22T20:00:00Z"}
    lease_end: {type: str, description: End of the lease in UTC; null without one., returned: success, sample: "2026-11-22T20:00:00Z"}
    created_at: {type: str, description: Time of the order in UTC., returned: success, sample: "2026-11-22T08:00:00.000Z"}
    os_volume_id: {type: str, description: Id of the volume it boots from., returned: success, sample: 0c41a7d2-55ad-4a36-a2a7-b1c5b8e8a001}
    volume_ids: {type: list, elements: str, description: Ids of all its volumes., returned: success, sample: [0c41a7d2-55ad-4a36-a2a7-b1c5b8e8a001]}
    ssh_key_ids: {type: list, elements: str, description: Ids of the SSH keys that log in., returned: success, sample: []}
    project: {type: str, description: Project by the instance's tags; null without one., returned: success, sample: research}
    protected: {type: bool, description: Whether the instance is terminated only after confirmation., returned: success, sample: false}
    hours: {type: str, description: Business hours by the instance's tags; null without any., returned: success, sample: "mon-fri 08:00-19:00 Europe/Helsinki"}
    tags: {type: dict, description: Tags., returned: success, sample: {gpuops-deployment: llm}}
evicted:
  description: >-
    Spot instances with tags of ours that were taken away, and that were bought again at no provider, as RV(instances). Empty unless O(evicted), and of
    providers that tell nothing of instances that are gone.
  returned: success
  type: list
  elements: dict
  sample: []
accounts:
  description: One account a provider, in the order of O(providers).
  returned: success, and on failure when no provider answered
  type: list
  elements: dict
  contains:
    provider: {type: str, description: Provider., returned: success, sample: verda}
    instances: {type: int, description: Instances of RV(instances) that are there; null without an answer., returned: success, sample: 1}
    now: {type: str, description: The time of the provider in UTC; null without an answer., returned: success, sample: "2026-11-22T08:00:00Z"}
    clock_skew_seconds:
      description: By how much the controller's clock is ahead of the provider's; null without an answer.
      returned: success
      type: int
      sample: 0
    reason:
      description: Why nobody could look there, for programs - V(no_credentials) or V(no_answer); null where it answered.
      returned: success
      type: str
      sample: null
    detail: {type: str, description: The same for people; empty where it answered., returned: success, sample: ""}
asked:
  description: Providers that answered.
  returned: success
  type: list
  elements: str
  sample: [verda, lambda]
now:
  description:
    - The time in UTC of the first provider that answered, by which the time that is left of leases can be told, whatever clock the controller has.
    - A lease ends by the clock of its own provider, in RV(accounts). The two differ by seconds at most where both are right.
  returned: success
  type: str
  sample: "2026-11-22T08:00:00Z"
"""

from ..module_utils._runner.cloud import ACCOUNTS
from ..module_utils._runner.engine import run_info
from ..module_utils._several.listing import instances_of_all

SPEC = {
    "deployment": {"type": "str"},
    "evicted": {"type": "bool", "default": False},
}


def main() -> None:
    """List the instances at every provider."""
    run_info(SPEC, instances_of_all, ACCOUNTS)


if __name__ == "__main__":
    main()
