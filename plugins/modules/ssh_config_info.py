# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ssh_config_info
short_description: Check whether the user's SSH configuration knows instance names
version_added: 0.1.0
description:
  - Asks OpenSSH itself (C(ssh -G)) what the settings of a user say of some names, with and without the line that includes those of this collection.
  - Changes nothing, and connects to nothing. Settings that cannot be looked at are no failure.
author:
  - gpuops.cloud contributors (@gpuops)
options:
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
    description: Looks in check mode too.
  diff_mode:
    support: N/A
    description: Changes nothing.
  idempotent:
    support: full
    description: Changes nothing.
"""

EXAMPLES = r"""
- name: See whether ssh llm would work
  gpuops.cloud.ssh_config_info:
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

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._core.errors import InvalidError
from ..module_utils._ssh.names import Names, include_line, look

SPEC = {
    "config": {"type": "path", "default": "~/.ssh/config"},
    "include": {"type": "path", "required": True},
    "names": {"type": "list", "elements": "str", "required": True},
}


def main() -> None:
    """Look, and tell."""
    module = AnsibleModule(SPEC, supports_check_mode=True)
    config, pattern, names = (module.params[name] for name in ("config", "include", "names"))
    problem = ""
    try:
        found = look(Path(config), pattern, names)
    except (InvalidError, OSError) as error:
        found, problem = Names(), f"{config}: {error}"
    module.exit_json(
        changed=False,
        line=include_line(pattern),
        included=set(found.included) == set(names),
        shadowed=list(found.shadowed),
        problem=problem,
    )


if __name__ == "__main__":
    main()
