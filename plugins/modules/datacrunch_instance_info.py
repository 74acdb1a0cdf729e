# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: datacrunch_instance_info
short_description: Gather information about instances
version_added: 0.1.0
description:
  - Returns the instances of the account with what they can do, what they cost and until when they may live.
  - Finding none is no failure.
author:
  - gpuops.cloud contributors (@gpuops)
extends_documentation_fragment:
  - gpuops.cloud.attributes.info
  - gpuops.cloud.auth
options:
  deployment:
    description:
      - Only instances of this deployment.
    type: str
  name:
    description:
      - Only the instance of this name.
    type: str
  id:
    description:
      - Only the instance of this id.
    type: str
  evicted:
    description:
      - Whether to ask as well for spot instances that the cloud has taken away, which costs a second call.
    type: bool
    default: false
seealso:
  - module: gpuops.cloud.datacrunch_instance
"""

EXAMPLES = r"""
- name: List all instances
  gpuops.cloud.datacrunch_instance_info:

- name: List the instances of a deployment
  gpuops.cloud.datacrunch_instance_info:
    deployment: llm
  register: instances
"""

RETURN = r"""
instances:
  description: Instances, by name.
  returned: success
  type: list
  elements: dict
  contains:
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
    Spot instances with tags of ours that the cloud has taken away and that were not bought again, as RV(instances). Empty unless O(evicted).
  returned: success
  type: list
  elements: dict
  sample: []
now:
  description: The time of the cloud in UTC, by which leases end, whatever clock the controller has.
  returned: success
  type: str
  sample: "2026-11-22T08:00:00Z"
"""

from ..module_utils._instances.resource import list_instances
from ..module_utils._runner.cloud import CLOUD
from ..module_utils._runner.engine import run_info

SPEC = {
    "deployment": {"type": "str"},
    "name": {"type": "str"},
    "id": {"type": "str"},
    "evicted": {"type": "bool", "default": False},
}


def main() -> None:
    """List instances."""
    run_info(SPEC, list_instances, CLOUD)


if __name__ == "__main__":
    main()
