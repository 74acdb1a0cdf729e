# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ssh_settings
short_description: Write the SSH configuration of a deployment, and check that of the user
version_added: 0.1.0
description:
  - Writes the files of a deployment that differ from what they are to hold.
  - Asks OpenSSH itself (C(ssh -G)) what the settings of a user say of some names, with and without the line that includes those of this collection.
  - Connects to nothing, and changes nothing of the user's. Settings that cannot be looked at are no failure.
  - Runs in the process of the run on the controller, whatever host the task is for.
author:
  - gpuops.cloud contributors (@gpuops)
options:
  folder:
    description: Folder of the deployment; nobody else may look into it.
    type: path
    required: true
  files:
    description: What its files hold, by their names. Only their owner may read them.
    type: dict
    default: {}
  config:
    description: The user's settings.
    type: path
    default: ~/.ssh/config
  include:
    description: Pattern of the files to include.
    type: path
    required: true
  names:
    description: Names of instances.
    type: list
    elements: str
    required: true
attributes:
  check_mode:
    support: full
    description: Looks, and says whether it would write.
  diff_mode:
    support: full
    description: Shows the difference of the files.
  idempotent:
    support: full
    description: A second run writes nothing.
"""

EXAMPLES = r"""
- name: Keep the settings, and see whether ssh llm would work
  gpuops.cloud.ssh_settings:
    folder: ~/.config/gpuops/llm
    files:
      ssh_hosts: "{{ lookup('ansible.builtin.template', 'ssh_hosts.j2') }}"
    include: ~/.config/gpuops/*/ssh_hosts
    names: [llm]
"""

RETURN = r"""
line:
  description: The line that includes the files. It belongs above everything else, since of several settings OpenSSH takes the first.
  returned: success
  type: str
  sample: Include "/home/ada/.config/gpuops/*/ssh_hosts"
included:
  description: Whether the settings take all names from the files.
  returned: success
  type: bool
shadowed:
  description: Names for which the settings have an entry of their own, which the files go before.
  returned: success
  type: list
  elements: str
  sample: []
problem:
  description: Why the settings could not be looked at, empty where they could.
  returned: success
  type: str
  sample: ""
"""
