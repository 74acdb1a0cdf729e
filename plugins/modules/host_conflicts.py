# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_conflicts
short_description: Fail if files, units or ports belong to something else
version_added: 0.1.0
description:
  - Runs on the host and changes nothing. Fails where a file that is about to be written is there already and was made by somebody else,
    or where another program listens on a port that a server is about to take, and says which program that is.
  - A file is one of this collection when it bears the mark of Ansible or of the collection.
author:
  - gpuops.cloud contributors (@gpuops)
options:
  files:
    description:
      - Files that are about to be written.
      - Of a unit of systemd in C(/etc/systemd/system), a package's unit of the same name is in the way as well, since it would be hidden.
    type: list
    elements: path
    default: []
  ports:
    description: TCP ports that are about to be taken.
    type: list
    elements: dict
    default: []
    suboptions:
      port:
        description: The port.
        type: int
        required: true
      address:
        description: Address on which the server listens; empty for all of them.
        type: str
        default: ""
  units:
    description: Units whose processes may hold the ports, because they are those that are about to be started again.
    type: list
    elements: str
    default: []
  programs:
    description:
      - Programs of supervisord whose processes may hold the ports, as O(units) on a host without systemd.
    type: list
    elements: str
    default: []
  systemd:
    description:
      - Fail where the host has no systemd, as a container that is rented as such has none, and say this as what else can be done than to take a
        whole instance. Without a text nobody asks for systemd.
    type: str
    default: ""
  marks:
    description:
      - Further marks that files of this collection may bear, as where C(ansible_managed) has been changed.
        Of a mark with placeholders for file, host or time, what stands before the first of them counts.
    type: list
    elements: str
    default: []
  hint:
    description: What can be done about it, for the end of the message.
    type: str
    default: ""
attributes:
  check_mode:
    support: full
    description: It only looks.
  diff_mode:
    support: N/A
    description: It only looks.
  idempotent:
    support: full
    description: It only looks.
"""

EXAMPLES = r"""
- name: Stop where the server would take something from somebody else
  gpuops.cloud.host_conflicts:
    files: [/etc/systemd/system/vllm.service]
    ports:
      - port: 8000
        address: 127.0.0.1
    units: [vllm.service]
    hint: Choose another port with vllm_port.
  become: true
"""

RETURN = r"""
conflicts:
  description: What is in the way, a sentence for each.
  returned: always
  type: list
  elements: str
  sample: ["port 8000 is taken by python3 (pid 4711, web.service)"]
"""

from typing import Any

from ..module_utils._host.conflicts import nothing_in_the_way
from ..module_utils._runner.engine import run_info
from ..module_utils._runner.on_host import HOST

PORT: dict[str, Any] = {
    "port": {"type": "int", "required": True},
    "address": {"type": "str", "default": ""},
}
SPEC: dict[str, Any] = {
    "files": {"type": "list", "elements": "path", "default": []},
    "ports": {"type": "list", "elements": "dict", "default": [], "options": PORT},
    "units": {"type": "list", "elements": "str", "default": []},
    "programs": {"type": "list", "elements": "str", "default": []},
    "systemd": {"type": "str", "default": ""},
    "marks": {"type": "list", "elements": "str", "default": []},
    "hint": {"type": "str", "default": ""},
}


def main() -> None:
    """Look, and fail for all that is in the way."""
    run_info(SPEC, nothing_in_the_way, HOST)


if __name__ == "__main__":
    main()
