# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ssh_ready
short_description: Wait on the controller until hosts are reachable over SSH and booted
version_added: 0.1.0
description:
  - Logs in to every host of the play with OpenSSH, all at the same time, until the login works, the first boot has finished and the package lock is free.
    One connection asks all three.
  - Runs once on the controller for all hosts, without a Python on them, and says now and then what it waits for.
  - Which key, which known hosts file and which host key is accepted comes from the connection variables of each host,
    such as C(ansible_ssh_common_args) and C(ansible_ssh_private_key_file).
  - A host key that is not the pinned one stops the wait for this host at once.
  - Never fails; RV(hosts) tells for each host whether it is ready, so that one dead host does not hide the others.
author:
  - gpuops.cloud contributors (@gpuops)
extends_documentation_fragment:
  - gpuops.cloud.attributes.changes_nothing
options:
  timeout:
    description: Seconds until a host is given up.
    type: float
    default: 600
  interval:
    description: Seconds between two attempts for a host.
    type: float
    default: 3
  first_boot:
    description: Whether to wait until cloud-init, where the host has it, has finished.
    type: bool
    default: true
  package_lock:
    description: Whether to wait until no process holds the lock of dpkg or apt.
    type: bool
    default: true
attributes:
  check_mode:
    support: full
    description: Does nothing in check mode, since the hosts may not exist yet.
"""

EXAMPLES = r"""
- name: Wait for all hosts of the play
  gpuops.cloud.ssh_ready:
    timeout: 300
  register: ready
"""

RETURN = r"""
hosts:
  description: Result by host.
  returned: success
  type: dict
  sample: {llm: {ready: true, seconds: 4.1, attempts: 2, last_seen: ready, problem: ""}}
"""
