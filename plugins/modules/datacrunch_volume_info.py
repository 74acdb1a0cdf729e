# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: datacrunch_volume_info
short_description: Gather information about volumes
version_added: 0.1.0
description:
  - Returns the volumes of the account, attached or not, and on request those in the trash. Finding none is no failure.
author:
  - gpuops.cloud contributors (@gpuops)
extends_documentation_fragment:
  - gpuops.cloud.attributes.info
  - gpuops.cloud.auth
options:
  deployment:
    description:
      - Only volumes that bear the tags of this deployment.
    type: str
  name:
    description:
      - Only volumes of this name, as the cloud shows it or, with O(deployment), within the deployment.
    type: str
  id:
    description:
      - Only the volume of this id.
    type: str
  status:
    description:
      - Only volumes in this status by the cloud, such as V(detached).
    type: str
  trash:
    description:
      - Whether to list volumes in the trash too, with the hours for which they can still be restored.
    type: bool
    default: false
seealso:
  - module: gpuops.cloud.datacrunch_volume
"""

EXAMPLES = r"""
- name: List all volumes
  gpuops.cloud.datacrunch_volume_info:

- name: List the volumes of a deployment, and those that can still be restored
  gpuops.cloud.datacrunch_volume_info:
    deployment: llm
    trash: true
  register: volumes

- name: Find what costs although no instance uses it
  gpuops.cloud.datacrunch_volume_info:
    status: detached
"""

RETURN = r"""
volumes:
  description: Volumes, by name.
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
"""

from ..module_utils._runner.cloud import CLOUD
from ..module_utils._runner.engine import run_info
from ..module_utils._volumes.resource import list_volumes

SPEC = {
    "deployment": {"type": "str"},
    "name": {"type": "str"},
    "id": {"type": "str"},
    "status": {"type": "str"},
    "trash": {"type": "bool", "default": False},
}


def main() -> None:
    """List volumes."""
    run_info(SPEC, list_volumes, CLOUD)


if __name__ == "__main__":
    main()
