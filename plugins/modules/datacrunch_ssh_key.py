# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: datacrunch_ssh_key
short_description: Manage SSH keys
version_added: 0.1.0
description:
  - Keeps a public SSH key registered in the account, or removes it.
  - A key is matched by its body, not by its comment. With O(deployment) it gets a name by which it is removed with the deployment.
author:
  - gpuops.cloud contributors (@gpuops)
extends_documentation_fragment:
  - gpuops.cloud.attributes
  - gpuops.cloud.auth
options:
  state:
    description:
      - Whether the key is registered.
      - V(absent) with O(deployment) alone removes every key of the deployment.
    type: str
    choices: [present, absent]
    default: present
  name:
    description:
      - Name of the key.
    type: str
  id:
    description:
      - Id of a registered key.
    type: str
  deployment:
    description:
      - Deployment that the key belongs to.
    type: str
  public_key:
    description:
      - One line of an OpenSSH public key, as in a C(.pub) file.
    type: str
seealso:
  - module: gpuops.cloud.datacrunch_ssh_key_info
"""

EXAMPLES = r"""
- name: Register a key for a deployment
  gpuops.cloud.datacrunch_ssh_key:
    deployment: llm
    public_key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHr2JkN4kTzmS0Hg2m3sYQ7Y0m4o9b7c8d1e2f3a4b5c laptop
  register: key

- name: Remove every key of a deployment
  gpuops.cloud.datacrunch_ssh_key:
    deployment: llm
    state: absent
"""

RETURN = r"""
ssh_key:
  description: The key; null when it is absent.
  returned: success
  type: dict
  contains:
    id: {type: str, description: Id; null in check mode before it exists., returned: success, sample: 7a1f0f5e-2b1c-4b57-8a8e-6a7c2f1f0001}
    name: {type: str, description: Name., returned: success, sample: gpuops.llm.1f3a5c7e}
    public_key: {type: str, description: Public key., returned: success, sample: ssh-ed25519 AAAA…}
    fingerprint: {type: str, description: MD5 fingerprint; null when the cloud has not told it., returned: success, sample: "9a:1c:…"}
actions:
  description: What was done, or in check mode would be done, as sentences.
  returned: success
  type: list
  elements: str
  sample: [register SSH key gpuops.llm.1f3a5c7e]
"""

from ..module_utils._access.ssh_keys import SshKeyResource
from ..module_utils._runner.cloud import CLOUD
from ..module_utils._runner.engine import run

SPEC = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "name": {"type": "str"},
    "id": {"type": "str"},
    "deployment": {"type": "str"},
    "public_key": {"type": "str", "no_log": True},  # until it proves to be no private key
}


def main() -> None:
    """Keep a key registered, or not."""
    rules = {"required_one_of": [("name", "id", "deployment")]}
    run(SPEC, SshKeyResource(), CLOUD, mutually_exclusive=[("name", "id")], **rules)


if __name__ == "__main__":
    main()
