# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ssh_tunnel
short_description: Manage SSH tunnels to ports of instances
version_added: 0.1.0
description:
  - Runs on the controller. Forwards a port of it to a port on the loopback address of an instance, by OpenSSH and the settings of a deployment.
  - Where the user has a systemd of their own (C(systemctl --user)), a unit keeps the tunnel and opens it again when the connection breaks. Elsewhere
    it is a process, which a second run begins anew when it has ended.
  - A tunnel that is open already is left as it is.
author:
  - gpuops.cloud contributors (@gpuops)
options:
  settings:
    description: SSH settings of the deployment, as bring-up writes them.
    type: path
    required: true
  state:
    description: V(present) has the tunnel open, V(absent) closed.
    type: str
    choices: [present, absent]
    default: present
  name:
    description:
      - Instance. The first one of the deployment by default.
      - With O(state=absent), all by default.
    type: str
  port:
    description: Port on the instance; V(8000) by default. With O(state=absent), all by default.
    type: int
  local_port:
    description:
      - Port on the controller.
      - By default the number of O(port), or the next one that is free. One that is named here and taken is refused.
    type: int
  address:
    description: Address on the controller. Any other than loopback lets others in who reach the controller.
    type: str
    default: 127.0.0.1
  timeout:
    description: Seconds until a tunnel that does not open is given up.
    type: float
    default: 30
attributes:
  check_mode:
    support: full
    description: Says what it would open and close.
  diff_mode:
    support: none
    description: Shows no difference.
  idempotent:
    support: full
    description: An open tunnel stays.
"""

EXAMPLES = r"""
- name: Reach the server
  gpuops.cloud.ssh_tunnel:
    settings: ~/.config/gpuops/llm/ssh_config
    port: 8000
"""

RETURN = r"""
actions:
  description: What was done, or would be.
  returned: success
  type: list
  elements: str
  sample: [open 127.0.0.1:8000 to port 8000 of llm]
tunnel:
  description: The tunnel that is open, with O(state=present).
  returned: success
  type: dict
  contains:
    name: {type: str, description: The instance., returned: always, sample: llm}
    port: {type: int, description: Port on the instance., returned: always, sample: 8000}
    address: {type: str, description: Address on the controller., returned: always, sample: 127.0.0.1}
    local_port: {type: int, description: Port on the controller., returned: always, sample: 8000}
    unit: {type: str, description: Unit of the user's systemd that keeps it; empty for a process., returned: always, sample: ""}
    pid: {type: int, description: Process that keeps it; 0 for a unit., returned: always, sample: 4711}
"""

from typing import Any

from ..module_utils._runner.engine import run
from ..module_utils._runner.on_host import THREADS
from ..module_utils._ssh.tunnel_resource import SshTunnel

SPEC: dict[str, Any] = {
    "settings": {"type": "path", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "name": {"type": "str"},
    "port": {"type": "int"},
    "local_port": {"type": "int"},
    "address": {"type": "str", "default": "127.0.0.1"},
    "timeout": {"type": "float", "default": 30.0},
}


def main() -> None:
    """Open or close."""
    run(SPEC, SshTunnel(), THREADS)


if __name__ == "__main__":
    main()
