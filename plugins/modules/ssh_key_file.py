# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ssh_key_file
short_description: Return the public half of a private SSH key of the controller
version_added: 0.1.0
description:
  - Derives the public half by C(ssh-keygen -y), since a file beside the key may be missing, or belong to another one.
  - A key with a passphrase needs its public half beside it. A key that OpenSSH would not use is refused.
  - Runs in the process of the run on the controller, whatever host the task is for.
author:
  - gpuops.cloud contributors (@gpuops)
extends_documentation_fragment:
  - gpuops.cloud.attributes.changes_nothing
options:
  path:
    description: The private key.
    type: path
    required: true
  required:
    description: Whether a key that is not there is a failure. Otherwise its public half is empty.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
    description: Changes nothing.
"""

EXAMPLES = r"""
- name: Look at the key
  gpuops.cloud.ssh_key_file:
    path: ~/.ssh/id_ed25519
    required: true
  register: key
"""

RETURN = r"""
public_key:
  description: The public half, empty where there is no key.
  returned: success
  type: str
  sample: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDIhz2GK/XCUj4i6Q5yQJNL1MKMY0RxzPV2QrBqfHrDq
"""
