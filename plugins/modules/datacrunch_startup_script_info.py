# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: datacrunch_startup_script_info
short_description: Gather information about startup scripts
version_added: 0.1.0
description:
  - Returns the startup scripts of the account with their texts. Finding none is no failure.
author:
  - gpuops.cloud contributors (@gpuops)
extends_documentation_fragment:
  - gpuops.cloud.attributes.info
  - gpuops.cloud.auth
options:
  deployment:
    description:
      - Only scripts of this deployment.
    type: str
  name:
    description:
      - Only the script of this name, as the cloud shows it or, with O(deployment), within the deployment.
    type: str
  id:
    description:
      - Only the script of this id.
    type: str
seealso:
  - module: gpuops.cloud.datacrunch_startup_script
"""

EXAMPLES = r"""
- name: List all startup scripts
  gpuops.cloud.datacrunch_startup_script_info:
"""

RETURN = r"""
startup_scripts:
  description: Scripts, oldest first.
  returned: success
  type: list
  elements: dict
  contains:
    id: {type: str, description: Id., returned: success, sample: 2f3e4d5c-6b7a-4899-8a1b-2c3d4e5f6071}
    name: {type: str, description: Name in the cloud., returned: success, sample: gpuops.llm.startup}
    deployment: {type: str, description: Deployment by the name; null without one., returned: success, sample: llm}
    content: {type: str, description: Text of the script., returned: success, sample: "#!/bin/sh\napt-get update\n"}
    created_at:
      description: When it was registered, in UTC.
      returned: success
      type: str
      sample: "2026-11-22T08:00:00.000Z"
"""

from ..module_utils._access.startup_scripts import list_startup_scripts
from ..module_utils._runner.cloud import CLOUD
from ..module_utils._runner.engine import run_info


def main() -> None:
    """List scripts."""
    names = ("deployment", "name", "id")
    run_info({name: {"type": "str"} for name in names}, list_startup_scripts, CLOUD)


if __name__ == "__main__":
    main()
