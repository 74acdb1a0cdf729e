# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: settled
short_description: See by one look whether a deployment is as wanted already
version_added: 0.1.0
description:
  - Reads balance, instances, volumes and SSH keys of the account at the same time, each once, and says whether M(gpuops.cloud.datacrunch_ssh_key)
    and M(gpuops.cloud.datacrunch_instance) have anything to do.
  - Runs in the process of the run on the controller, so that a second run of a playbook waits for one answer instead of three modules.
  - It only asks. Whatever a module would do, refuse or ask about is left to that module.
author:
  - gpuops.cloud contributors (@gpuops)
requirements:
  - datacrunch or requests, on the controller
extends_documentation_fragment:
  - gpuops.cloud.attributes.changes_nothing
options:
  auth:
    description: Credentials, as the modules of the cloud take them; the environment and credential files count here, too.
    type: dict
    default: {}
  balance:
    description: Options of M(gpuops.cloud.datacrunch_balance).
    type: dict
    default: {}
  public_key:
    description: Public key that the instances were ordered with; without it nothing is settled.
    type: str
  defaults:
    description: Options that count where O(instance) does not name them.
    type: dict
    default: {}
  instance:
    description: Options of M(gpuops.cloud.datacrunch_instance), but O(ignore:ssh_keys), which is the key.
    type: dict
    required: true
attributes:
  check_mode:
    support: full
    description: It only asks.
"""

EXAMPLES = r"""
- name: See whether there is anything to do
  gpuops.cloud.settled:
    auth: "{{ lookup('gpuops.cloud.credentials') }}"
    public_key: "{{ lookup('ansible.builtin.file', '~/.ssh/id_ed25519.pub') }}"
    instance:
      deployment: llm
      state: running
      tier: h100_or_less
  register: account
"""

RETURN = r"""
settled:
  description: Whether key and instances are as wanted, so that neither module would change anything.
  returned: success
  type: bool
  sample: true
balance:
  description: What M(gpuops.cloud.datacrunch_balance) returns.
  returned: success
  type: dict
  sample: {amount: 480.2, currency: usd, burn_per_hour: 2.19}
instance:
  description: What M(gpuops.cloud.datacrunch_instance) returns; null where it has something to do.
  returned: success
  type: dict
  sample: {changed: false, instances: [{name: llm, status: running}]}
"""
