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

from dataclasses import asdict, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._core.errors import GpuopsError, InvalidError
from ..module_utils._ssh.tunnel import Tunnel, Tunnels, free_port, names_in

SPEC: dict[str, Any] = {
    "settings": {"type": "path", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "name": {"type": "str"},
    "port": {"type": "int"},
    "local_port": {"type": "int"},
    "address": {"type": "str", "default": "127.0.0.1"},
    "timeout": {"type": "float", "default": 30.0},
}


def wanted(params: dict[str, Any]) -> Tunnel:
    """Return the tunnel that is asked for. Raises InvalidError for one that cannot be."""
    settings, known = params["settings"], names_in(Path(params["settings"]))
    if not known:
        raise InvalidError(
            f"{settings} lists no instance", hint="Bring up the deployment from this controller."
        )
    name = params["name"] or known[0]
    if name not in known:
        raise InvalidError(f"{settings} does not name {name}", hint=f"Known: {', '.join(known)}.")
    port = params["port"] or 8000
    for one in (port, params["local_port"] or port):
        if not 0 < one < 65536:
            raise InvalidError(f"port must be between 1 and 65535 (got {one})")
    try:
        address = str(ip_address(params["address"]))
    except ValueError:
        raise InvalidError(f"address {params['address']!r} is no IP address") from None
    return Tunnel(name, port, address, params["local_port"] or 0)


def open_one(params: dict[str, Any], check: bool) -> dict[str, Any]:
    """Have the tunnel open; what there is of it under another port or address is closed."""
    wish, tunnels, actions = wanted(params), Tunnels(Path(params["settings"])), []
    for have in tunnels.there():
        if (have.name, have.port) != (wish.name, wish.port):
            continue
        same = have.address == wish.address and wish.local_port in (0, have.local_port)
        if have.is_open and same:
            return {"changed": False, "actions": [], "tunnel": asdict(have)}
        actions += [f"close {have.address}:{have.local_port}"] if have.is_open else []
        if not check:
            tunnels.close(have)
    first = wish.local_port or wish.port
    found = free_port(wish.address, first)
    if wish.local_port and found != first:
        raise InvalidError(
            f"Port {first} of {wish.address} is in use or not permitted",
            hint=f"{found} is free; without local_port one is found.",
        )
    opened = replace(wish, local_port=found)
    actions.append(f"open {wish.address}:{found} to port {wish.port} of {wish.name}")
    if not check:
        opened = tunnels.open(opened, params["timeout"])
    return {"changed": True, "actions": actions, "tunnel": asdict(opened)}


def close_all(params: dict[str, Any], check: bool) -> dict[str, Any]:
    """Close the tunnels of a name and port, or all."""
    tunnels, actions = Tunnels(Path(params["settings"])), []
    for have in tunnels.there():
        meant = params["name"] in (None, have.name) and params["port"] in (None, have.port)
        if not meant:
            continue
        if have.is_open:
            actions.append(
                f"close {have.address}:{have.local_port} to port {have.port} of {have.name}"
            )
        if not check:
            tunnels.close(have)
    return {"changed": bool(actions), "actions": actions}


def main() -> None:
    """Open or close."""
    module = AnsibleModule(SPEC, supports_check_mode=True)
    way = open_one if module.params["state"] == "present" else close_all
    try:
        result = way(module.params, module.check_mode)
    except GpuopsError as error:
        module.fail_json(msg=str(error), error=error.as_result())
    module.exit_json(**result)


if __name__ == "__main__":
    main()
