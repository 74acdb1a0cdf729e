# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: datacrunch_startup_script
short_description: Manage startup scripts
version_added: 0.1.0
description:
  - Keeps a script registered in the account, which an instance can run when it starts for the first time, or removes it.
  - B(The text is readable through the API to everyone with credentials of the account.) A text that holds the client secret,
    the value of an environment variable such as E(HF_TOKEN), or what looks like a private key or an access token, is refused.
  - The cloud cannot change a script. When the text differs, the new one is registered and then the old one removed, so its id changes.
    Instances that were ordered with the old one have run it already.
author:
  - gpuops.cloud contributors (@gpuops)
extends_documentation_fragment:
  - gpuops.cloud.attributes
  - gpuops.cloud.auth
options:
  state:
    description:
      - Whether the script is registered.
      - V(absent) with O(deployment) alone removes every script of the deployment.
    type: str
    choices: [present, absent]
    default: present
  deployment:
    description:
      - Deployment that the script belongs to. In the cloud it is then called C(gpuops.DEPLOYMENT.NAME), by which it is removed with the deployment.
    type: str
  name:
    description:
      - Name within O(deployment), V(startup) without it. Without O(deployment), the whole name as the cloud shows it.
    type: str
  id:
    description:
      - Id of a registered script, instead of O(name).
    type: str
  content:
    description:
      - Text of the script. A new one needs it.
      - It is kept out of logs, and shown in results and differences only after it was found to hold no secret.
    type: str
seealso:
  - module: gpuops.cloud.datacrunch_startup_script_info
  - module: gpuops.cloud.datacrunch_instance
"""

EXAMPLES = r"""
- name: Keep a startup script for a deployment
  gpuops.cloud.datacrunch_startup_script:
    deployment: llm
    content: |
      #!/bin/sh
      systemctl disable --now unattended-upgrades
  register: script

- name: Keep another one under a name of its own
  gpuops.cloud.datacrunch_startup_script:
    deployment: llm
    name: scratch-disk
    content: |
      #!/bin/sh
      mkdir -p /mnt/scratch

- name: Buy an instance that runs it
  gpuops.cloud.datacrunch_instance:
    deployment: llm
    tier: h100_or_less
    startup_script_id: "{{ script.startup_script.id }}"

- name: Remove every script of a deployment
  gpuops.cloud.datacrunch_startup_script:
    deployment: llm
    state: absent
"""

RETURN = r"""
startup_script:
  description: The script; null when it is absent.
  returned: success
  type: dict
  contains:
    id: {type: str, description: Id; null in check mode before it exists., returned: success, sample: 2f3e4d5c-6b7a-4899-8a1b-2c3d4e5f6071}
    name: {type: str, description: Name in the cloud., returned: success, sample: gpuops.llm.startup}
    deployment: {type: str, description: Deployment by the name; null without one., returned: success, sample: llm}
    content: {type: str, description: Text of the script., returned: success, sample: "#!/bin/sh\napt-get update\n"}
    created_at:
      description: When it was registered, in UTC; null in the run that registers it.
      returned: success
      type: str
      sample: "2026-11-22T08:00:00.000Z"
notice:
  description: Who can read the text, which is a warning too when it was registered; null when the script is absent.
  returned: success
  type: str
  sample: The text of a startup script is readable through the API to everyone with credentials of the account.
actions:
  description: What was done, or in check mode would be done, as sentences.
  returned: success
  type: list
  elements: str
  sample: [register startup script gpuops.llm.startup]
"""

from ..module_utils._access.startup_scripts import StartupScriptResource
from ..module_utils._runner.cloud import CLOUD
from ..module_utils._runner.engine import run

SPEC = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "deployment": {"type": "str"},
    "name": {"type": "str"},
    "id": {"type": "str"},
    "content": {"type": "str", "no_log": True},
}


def main() -> None:
    """Keep a script registered, or not."""
    rules = {"required_one_of": [("name", "id", "deployment")]}
    run(SPEC, StartupScriptResource(), CLOUD, mutually_exclusive=[("name", "id")], **rules)


if __name__ == "__main__":
    main()
