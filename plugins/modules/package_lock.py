# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: package_lock
short_description: Wait for the lock of the package manager
version_added: 0.1.0
description:
  - Runs on a Debian-family host, before M(ansible.builtin.apt). Waits until no other run of the package manager holds its locks, as unattended upgrades do for
    minutes, and fails with the name of the program that still does.
  - The module for packages waits too, but in some releases not for every lock, and does not always say who holds it.
author:
  - gpuops.cloud contributors (@gpuops)
options:
  timeout:
    description: Seconds to wait.
    type: float
    default: 600
attributes:
  check_mode:
    support: full
    description: It waits for nobody, since nothing will be installed.
  diff_mode:
    support: N/A
    description: It changes nothing.
  idempotent:
    support: full
    description: It changes nothing.
"""

EXAMPLES = r"""
- name: Wait for the lock of the package manager
  gpuops.cloud.package_lock:
    timeout: 900
  become: true
"""

RETURN = r"""
seconds: {type: float, description: How long it took., returned: always, sample: 41.0}
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._host.package_lock import wait_until_free

SPEC: dict[str, Any] = {"timeout": {"type": "float", "default": 600.0}}


def main() -> None:
    """Wait, and name who would not let go."""
    module = AnsibleModule(SPEC, supports_check_mode=True)
    if module.check_mode:
        module.exit_json(changed=False, seconds=0.0)
    try:
        holder, seconds = wait_until_free(module.params["timeout"])
    except OSError as error:
        module.fail_json(msg=f"The package lock cannot be looked at: {error}")
    seconds = round(seconds, 1)
    if holder:
        words = f"{holder} for more than {seconds:g} s. Wait until it has ended, and run this again"
        module.fail_json(msg=words, seconds=seconds)
    module.exit_json(changed=False, seconds=seconds)


if __name__ == "__main__":
    main()
