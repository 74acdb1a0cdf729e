# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: datacrunch_deployment_info
short_description: Gather information about the resources of a deployment and their cost
version_added: 0.1.0
description:
  - Returns instances, volumes, SSH keys and startup scripts of a deployment. After it was terminated, an empty RV(leftovers) is the proof that nothing is left.
author:
  - gpuops.cloud contributors (@gpuops)
extends_documentation_fragment:
  - gpuops.cloud.attributes.info
  - gpuops.cloud.auth
  - gpuops.cloud.ledger
options:
  deployment:
    description:
      - Name of the deployment.
    type: str
    required: true
seealso:
  - module: gpuops.cloud.datacrunch_instance
"""

EXAMPLES = r"""
- name: See what a deployment has and costs
  gpuops.cloud.datacrunch_deployment_info:
    deployment: llm
  register: deployment

- name: Fail unless nothing is left of it
  gpuops.cloud.datacrunch_deployment_info:
    deployment: ended
  register: ended
  failed_when: ended.leftovers | length > 0
"""

RETURN = r"""
deployment: {type: str, description: Name of the deployment., returned: success, sample: llm}
instances:
  description: Its instances.
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
volumes:
  description: Its volumes, attached or not.
  returned: success
  type: list
  elements: dict
  contains:
    id: {type: str, description: Id., returned: success, sample: 0c41a7d2-55ad-4a36-a2a7-b1c5b8e8a001}
    name: {type: str, description: Name., returned: success, sample: gpuops.llm.llm.os}
    size_gb: {type: int, description: Size in GiB., returned: success, sample: 100}
    type: {type: str, description: Type of storage., returned: success, sample: NVMe}
    status: {type: str, description: Status by the cloud., returned: success, sample: attached}
    location: {type: str, description: Location code., returned: success, sample: FIN-03}
    is_os_volume: {type: bool, description: Whether an instance boots from it., returned: success, sample: true}
    instance_id: {type: str, description: Instance it is attached to., returned: success, sample: 5f1c2a60-7d5e-4c0e-9d0b-0a4b6f3b9c11}
    price_per_hour: {type: float, description: Price per hour., returned: success, sample: 0.0274}
    created_at: {type: str, description: Time of the order in UTC., returned: success, sample: "2026-11-22T08:00:00.000Z"}
    kept: {type: bool, description: Whether it is retained on purpose when its instance ends., returned: success, sample: false}
    tags: {type: dict, description: Tags., returned: success, sample: {gpuops-deployment: llm}}
trash:
  description: Its volumes in the trash, which cost nothing but fill the quota for 96 hours.
  returned: success
  type: list
  elements: dict
  contains:
    id: {type: str, description: Id., returned: success, sample: 0c41a7d2-55ad-4a36-a2a7-b1c5b8e8a001}
    name: {type: str, description: Name., returned: success, sample: gpuops.llm.llm.os}
    size_gb: {type: int, description: Size in GiB., returned: success, sample: 100}
    type: {type: str, description: Type of storage., returned: success, sample: NVMe}
    status: {type: str, description: Status by the cloud., returned: success, sample: attached}
    location: {type: str, description: Location code., returned: success, sample: FIN-03}
    is_os_volume: {type: bool, description: Whether an instance boots from it., returned: success, sample: true}
    instance_id: {type: str, description: Instance it is attached to., returned: success, sample: 5f1c2a60-7d5e-4c0e-9d0b-0a4b6f3b9c11}
    price_per_hour: {type: float, description: Price per hour., returned: success, sample: 0.0274}
    created_at: {type: str, description: Time of the order in UTC., returned: success, sample: "2026-11-22T08:00:00.000Z"}
    kept: {type: bool, description: Whether it is retained on purpose when its instance ends., returned: success, sample: false}
    tags: {type: dict, description: Tags., returned: success, sample: {gpuops-deployment: llm}}
ssh_keys:
  description: SSH keys registered for it.
  returned: success
  type: list
  elements: dict
  contains:
    id: {type: str, description: Id., returned: success, sample: 7a1f0f5e-2b1c-4b57-8a8e-6a7c2f1f0001}
    name: {type: str, description: Name., returned: success, sample: gpuops.llm.1f3a5c7e}
    public_key: {type: str, description: Public key., returned: success, sample: ssh-ed25519 AAAA…}
    fingerprint: {type: str, description: MD5 fingerprint; null when the cloud has none., returned: success, sample: "9a:1c:…"}
startup_scripts:
  description: Startup scripts registered for it, without their text.
  returned: success
  type: list
  elements: dict
  contains:
    id: {type: str, description: Id., returned: success, sample: 2f3e4d5c-6b7a-4899-8a1b-2c3d4e5f6071}
    name: {type: str, description: Name., returned: success, sample: gpuops.llm.startup}
    created_at: {type: str, description: "When it was registered, in UTC.", returned: success, sample: "2026-11-22T08:00:00.000Z"}
leftovers:
  description: All of the above but the trash, as one list.
  returned: success
  type: list
  elements: dict
  contains:
    kind: {type: str, description: "V(instance), V(os_volume), V(data_volume), V(ssh_key) or V(startup_script).", returned: success, sample: instance}
    id: {type: str, description: Id., returned: success, sample: 5f1c2a60-7d5e-4c0e-9d0b-0a4b6f3b9c11}
    name: {type: str, description: Name., returned: success, sample: llm}
    status: {type: str, description: Status by the cloud; null for keys., returned: success, sample: running}
    price_per_hour: {type: float, description: What it costs per hour., returned: success, sample: 3.555}
    kept: {type: bool, description: Whether it is a volume that is retained on purpose., returned: success, sample: false}
cost_per_hour: {type: float, description: Price per hour of all of it., returned: success, sample: 3.5824}
known:
  description:
    - Whether anything says that there is or was such a deployment - what exists of it, the trash, an instance that has ended, the ledger.
  returned: success
  type: bool
  sample: true
others:
  description: The other deployments of this account that cost, by name.
  returned: success
  type: list
  elements: dict
  contains:
    deployment: {type: str, description: Name of the deployment., returned: success, sample: train}
    cost_per_hour: {type: float, description: What it costs per hour., returned: success, sample: 4.666}
nearest:
  description: Those of them whose names are at most two letters off.
  returned: success
  type: list
  elements: str
  sample: [llm2]
"""

from ..module_utils._core.argspecs import LEDGER_SPEC
from ..module_utils._instances.deployment import survey
from ..module_utils._runner.cloud import CLOUD
from ..module_utils._runner.engine import run_info


def main() -> None:
    """Survey a deployment."""
    run_info({"deployment": {"type": "str", "required": True}, **LEDGER_SPEC}, survey, CLOUD)


if __name__ == "__main__":
    main()
