# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: datacrunch_volume
short_description: Manage volumes
version_added: 0.1.0
description:
  - Keeps a volume of a deployment in the wanted state on the DataCrunch (Verda) cloud.
  - A volume is found again by the tags that were written on it with the order, its deployment as a tag and in its name,
    so a second run changes nothing.
    In the cloud it is called C(gpuops.DEPLOYMENT.NAME), which also tells whose it is where an account has no tags.
  - An order whose answer was lost is looked up before anything else happens, so a failed call creates at most one volume.
  - Volumes without tags, or of another deployment, are touched only by O(id) with O(foreign=true). Instances of others are never changed.
author:
  - gpuops.cloud contributors (@gpuops)
extends_documentation_fragment:
  - gpuops.cloud.attributes
  - gpuops.cloud.auth
  - gpuops.cloud.wait
  - gpuops.cloud.ledger
options:
  state:
    description:
      - V(present) wants a volume that exists, with everything that is given. Options that are left out are not managed.
      - V(absent) wants every volume of this name, or the one of this id, gone in the way that O(policy) says. An attached one is detached first.
    type: str
    choices: [present, absent]
    default: present
  deployment:
    description:
      - Deployment that owns the volume. Only with O(id) and O(foreign=true) it may be left out.
    type: str
  name:
    description:
      - Name within the deployment, or the whole name as the cloud shows it.
      - With O(id), the name that the volume shall have.
    type: str
  id:
    description:
      - Id of a volume, instead of O(name).
    type: str
  size_gb:
    description:
      - Size in GiB. A bigger size grows the volume; a smaller one is refused, because volumes only grow.
      - The file system in it is grown in the instance, not here.
    type: int
  type:
    description:
      - Type of storage, such as V(NVMe) or V(NVMe_Shared), a file system that many instances can mount.
      - A new volume is V(NVMe) without it. It cannot be changed later.
    type: str
  location:
    description:
      - Code of the location. A new volume needs it, unless O(instance) says where. It cannot be changed later.
    type: str
  instance:
    description:
      - Name or id of an instance of O(deployment) that the volume shall be attached to.
      - A volume that is attached to another instance is detached there first, unless it is a shared file system.
    type: str
  attached:
    description:
      - V(false) wants the volume detached, with O(instance) only from this instance. V(true) says no more than O(instance) alone.
    type: bool
  power_cycle:
    description:
      - Whether an instance that runs may be shut down to attach or detach the volume, and be started again afterwards.
        The cloud does both only while the instance is off, so without it a running instance is a refusal.
      - It is started again also when the change fails. All these steps are waited for, whatever O(wait) says.
    type: bool
    default: false
  policy:
    description:
      - How a volume goes. V(trash) keeps it for 96 hours, in which it costs nothing unless it is restored, and counts against the quota.
      - V(delete) deletes it for good, and volumes of this name that are in the trash too.
    type: str
    choices: [trash, delete]
    default: trash
  restore:
    description:
      - Whether a volume that is in the trash is brought back instead of a new one created. The cloud then charges its time in the trash in full.
      - Without it, a volume of the same name in the trash is a warning, and by O(id) a refusal.
    type: bool
    default: false
  foreign:
    description:
      - Whether the volume of this O(id) may be touched although it bears no tags of O(deployment).
      - With O(deployment) and O(name) it is renamed, and so belongs to the deployment from then on, unless a tag says otherwise.
    type: bool
    default: false
seealso:
  - module: gpuops.cloud.datacrunch_volume_info
  - module: gpuops.cloud.datacrunch_instance
"""

EXAMPLES = r"""
- name: Keep a volume
  gpuops.cloud.datacrunch_volume:
    deployment: llm
    name: models
    size_gb: 100
    location: FIN-03
  register: models

- name: Grow it
  gpuops.cloud.datacrunch_volume:
    deployment: llm
    name: models
    size_gb: 200

- name: Keep an instance where the volume is
  gpuops.cloud.datacrunch_instance:
    deployment: llm
    tier: h100_or_less
    locations: ["{{ models.volume.location }}"]

- name: Attach the volume to it, which takes a restart
  gpuops.cloud.datacrunch_volume:
    deployment: llm
    name: models
    instance: llm
    power_cycle: true

- name: Detach it
  gpuops.cloud.datacrunch_volume:
    deployment: llm
    name: models
    attached: false
    power_cycle: true

- name: Rename it
  gpuops.cloud.datacrunch_volume:
    deployment: llm
    id: "{{ models.volume.id }}"
    name: weights

- name: Move it to the trash
  gpuops.cloud.datacrunch_volume:
    deployment: llm
    name: weights
    state: absent

- name: Bring it back
  gpuops.cloud.datacrunch_volume:
    deployment: llm
    name: weights
    restore: true

- name: Delete it for good
  gpuops.cloud.datacrunch_volume:
    deployment: llm
    name: weights
    state: absent
    policy: delete
"""

RETURN = r"""
volume:
  description: The volume; null when it is absent. In check mode, values that are not known yet are null.
  returned: success
  type: dict
  contains:
    id: {type: str, description: Id; null in check mode before it exists., returned: success, sample: 0c41a7d2-55ad-4a36-a2a7-b1c5b8e8a001}
    name: {type: str, description: Name in the cloud., returned: success, sample: gpuops.llm.models}
    deployment: {type: str, description: Deployment by the volume's tags; null for a foreign volume., returned: success, sample: llm}
    size_gb: {type: int, description: Size in GiB., returned: success, sample: 200}
    type: {type: str, description: Type of storage., returned: success, sample: NVMe}
    status: {type: str, description: Status by the cloud., returned: success, sample: detached}
    location: {type: str, description: Location code., returned: success, sample: FIN-03}
    is_os_volume: {type: bool, description: Whether an instance boots from it., returned: success, sample: false}
    instance_id: {type: str, description: Instance it is attached to; null when detached., returned: success, sample: 5f1c2a60-7d5e-4c0e-9d0b-0a4b6f3b9c11}
    instance_ids: {type: list, elements: str, description: All instances it is attached to., returned: success, sample: [5f1c2a60-7d5e-4c0e-9d0b-0a4b6f3b9c11]}
    device:
      description: Path of the block device in the instance; null for a shared file system. A new volume is blank.
      returned: success
      type: str
      sample: /dev/disk/by-id/virtio-b1c5b8e8a001
    mount_command: {type: str, description: How to mount a shared file system; null for other volumes., returned: success, sample: null}
    price_per_hour: {type: float, description: "What it costs per hour now, attached or not; 0 in the trash.", returned: success, sample: 0.054795}
    price_per_month: {type: float, description: What it costs per month outside the trash., returned: success, sample: 40.0}
    currency: {type: str, description: Currency of the prices., returned: success, sample: usd}
    created_at: {type: str, description: Time of the order in UTC., returned: success, sample: "2026-11-22T08:00:00.000Z"}
    kept: {type: bool, description: Whether it is retained on purpose when its instance ends., returned: success, sample: false}
    deleted_at: {type: str, description: When it came into the trash; null outside of it., returned: success, sample: null}
    trash_hours_left: {type: float, description: For how many hours it can still be restored; null outside the trash., returned: success, sample: null}
    restore_charge: {type: float, description: What a restore would charge now for the time in the trash; null outside of it., returned: success, sample: null}
    tags: {type: dict, description: Tags., returned: success, sample: {gpuops-deployment: llm}}
trashed:
  description:
    - Volumes of the same name that lie in the trash and were left there, with the keys of RV(volume).
      They are looked for when there is none outside of it.
  returned: success
  type: list
  elements: dict
  contains:
    id: {type: str, description: Id., returned: success, sample: 0c41a7d2-55ad-4a36-a2a7-b1c5b8e8a001}
    name: {type: str, description: Name in the cloud., returned: success, sample: gpuops.llm.models}
    deployment: {type: str, description: Deployment by the volume's tags; null for a foreign volume., returned: success, sample: llm}
    size_gb: {type: int, description: Size in GiB., returned: success, sample: 200}
    type: {type: str, description: Type of storage., returned: success, sample: NVMe}
    status: {type: str, description: Status by the cloud., returned: success, sample: detached}
    location: {type: str, description: Location code., returned: success, sample: FIN-03}
    is_os_volume: {type: bool, description: Whether an instance boots from it., returned: success, sample: false}
    instance_id: {type: str, description: Instance it is attached to; null when detached., returned: success, sample: 5f1c2a60-7d5e-4c0e-9d0b-0a4b6f3b9c11}
    instance_ids: {type: list, elements: str, description: All instances it is attached to., returned: success, sample: [5f1c2a60-7d5e-4c0e-9d0b-0a4b6f3b9c11]}
    device:
      description: Path of the block device in the instance; null for a shared file system. A new volume is blank.
      returned: success
      type: str
      sample: /dev/disk/by-id/virtio-b1c5b8e8a001
    mount_command: {type: str, description: How to mount a shared file system; null for other volumes., returned: success, sample: null}
    price_per_hour: {type: float, description: "What it costs per hour now, attached or not; 0 in the trash.", returned: success, sample: 0.054795}
    price_per_month: {type: float, description: What it costs per month outside the trash., returned: success, sample: 40.0}
    currency: {type: str, description: Currency of the prices., returned: success, sample: usd}
    created_at: {type: str, description: Time of the order in UTC., returned: success, sample: "2026-11-22T08:00:00.000Z"}
    kept: {type: bool, description: Whether it is retained on purpose when its instance ends., returned: success, sample: false}
    deleted_at: {type: str, description: When it came into the trash; null outside of it., returned: success, sample: null}
    trash_hours_left: {type: float, description: For how many hours it can still be restored; null outside the trash., returned: success, sample: null}
    restore_charge: {type: float, description: What a restore would charge now for the time in the trash; null outside of it., returned: success, sample: null}
    tags: {type: dict, description: Tags., returned: success, sample: {gpuops-deployment: llm}}
actions:
  description: What was done, or in check mode would be done, as sentences.
  returned: success
  type: list
  elements: str
  sample: ["create volume gpuops.llm.models: 100 GB NVMe in FIN-03, 20.00 usd a month"]
"""

from ..module_utils._core.argspecs import LEDGER_SPEC, WAIT_SPEC
from ..module_utils._runner.cloud import CLOUD
from ..module_utils._runner.engine import run
from ..module_utils._volumes.resource import VolumeResource

SPEC = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "deployment": {"type": "str"},
    "name": {"type": "str"},
    "id": {"type": "str"},
    "size_gb": {"type": "int"},
    "type": {"type": "str"},
    "location": {"type": "str"},
    "instance": {"type": "str"},
    "attached": {"type": "bool"},
    "power_cycle": {"type": "bool", "default": False},
    "policy": {"type": "str", "choices": ["trash", "delete"], "default": "trash"},
    "restore": {"type": "bool", "default": False},
    "foreign": {"type": "bool", "default": False},
    **WAIT_SPEC,
    **LEDGER_SPEC,
}


def main() -> None:
    """Keep a volume, or not."""
    run(SPEC, VolumeResource(), CLOUD, required_one_of=[("name", "id")])


if __name__ == "__main__":
    main()
