# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: datacrunch_ssh_key_info
short_description: Gather information about SSH keys
version_added: 0.1.0
description:
  - Returns the SSH keys of the account. Finding none is no failure.
author:
  - gpuops.cloud contributors (@gpuops)
extends_documentation_fragment:
  - gpuops.cloud.attributes.info
  - gpuops.cloud.auth
options:
  deployment:
    description:
      - Only keys of this deployment.
    type: str
  name:
    description:
      - Only keys of this name.
    type: str
seealso:
  - module: gpuops.cloud.datacrunch_ssh_key
"""

EXAMPLES = r"""
- name: List all keys
  gpuops.cloud.datacrunch_ssh_key_info:
"""

RETURN = r"""
ssh_keys:
  description: Keys, newest as the cloud lists them.
  returned: success
  type: list
  elements: dict
  contains:
    id: {type: str, description: Id; null in check mode before it exists., returned: success, sample: 7a1f0f5e-2b1c-4b57-8a8e-6a7c2f1f0001}
    name: {type: str, description: Name., returned: success, sample: gpuops.llm.1f3a5c7e}
    public_key: {type: str, description: Public key., returned: success, sample: ssh-ed25519 AAAA…}
    fingerprint: {type: str, description: MD5 fingerprint; null when the cloud has not told it., returned: success, sample: "9a:1c:…"}
"""

from ..module_utils._access.ssh_keys import list_keys
from ..module_utils._runner.cloud import CLOUD
from ..module_utils._runner.engine import run_info


def main() -> None:
    """List keys."""
    run_info({name: {"type": "str"} for name in ("deployment", "name")}, list_keys, CLOUD)


if __name__ == "__main__":
    main()
