# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_firewall
short_description: Manage an nftables allow-list with automatic rollback
version_added: 0.1.0
description:
  - Runs on the host. Keeps a table of nftables called C(inet gpuops), which lets in SSH, what is named and what a network cannot do without,
    and drops the rest. Tables of others, such as those of Docker and podman, are never touched.
  - With O(state=trial) the rules are loaded, but not kept, and a timer of systemd is armed first that goes back to what was before.
    Only O(state=kept) disarms it and lets every boot load them, so call it over a B(new) connection. The role P(gpuops.cloud.firewall#role) does all of it.
  - What was open before stays connected. Containers' published ports are closed as well, unless O(open) names them.
author:
  - gpuops.cloud contributors (@gpuops)
options:
  state:
    description:
      - V(trial) loads the rules for a while, unless exactly they are kept already. V(kept) confirms those that are on trial.
      - V(part) opens what O(open) names for the sake of O(part), beside what the firewall itself opens, without a trial.
        Where no rules are kept, it is only remembered for the case that there will be some.
      - V(absent) removes the rules and all that loads them, so everything is open again. Parts are remembered.
    type: str
    choices: [trial, kept, part, absent]
    default: trial
  part:
    description: Name of whatever wants its ports to be open, such as a service; with an empty O(open) they are closed again.
    type: str
  ssh_ports:
    description: Ports that SSH listens on.
    type: list
    elements: str
    default: ["22"]
  ssh_sources:
    description: Addresses and networks that may reach SSH; none named, all may.
    type: list
    elements: str
    default: []
  open:
    description: What else may be reached.
    type: list
    elements: dict
    default: []
    suboptions:
      ports:
        description: Ports, and ranges such as V(8000-8010).
        type: list
        elements: str
        required: true
      protocol:
        description: Protocol of the ports.
        type: str
        choices: [tcp, udp]
        default: tcp
      sources:
        description: Addresses and networks that may reach the ports; none named, all may.
        type: list
        elements: str
        default: []
  peers:
    description: Addresses and networks that may reach everything, such as the other hosts of a cluster.
    type: list
    elements: str
    default: []
  interfaces:
    description: Interfaces on which everything may come in; a star at the end stands for any rest of the name.
    type: list
    elements: str
    default: ["docker*", "br-*", "podman*", "cni*", "virbr*"]
  ping:
    description: Whether the host answers to echo requests.
    type: bool
    default: true
  rollback:
    description: Seconds after which rules on trial are taken back.
    type: int
    default: 60
attributes:
  check_mode:
    support: full
    description: Lets C(nft) read the rules, says what would be done, and loads nothing.
  diff_mode:
    support: full
    description: Shows the change of the rules that every boot loads.
  idempotent:
    support: full
    description: Rules that are kept and loaded as they were are left alone.
"""

EXAMPLES = r"""
- name: Put rules on trial
  gpuops.cloud.host_firewall:
    open:
      - ports: [443]
      - ports: [9100]
        sources: [192.0.2.10]
  become: true
  register: trial

- name: Keep them, over a new connection
  gpuops.cloud.host_firewall:
    state: kept
    open:
      - ports: [443]
      - ports: [9100]
        sources: [192.0.2.10]
  become: true
  when: trial.pending

- name: Let a service be reached, whatever else is open
  gpuops.cloud.host_firewall:
    state: part
    part: gateway
    open:
      - ports: [443]
  become: true

- name: Open everything again
  gpuops.cloud.host_firewall:
    state: absent
  become: true
"""

RETURN = r"""
pending: {type: bool, description: Whether rules are on trial and want to be confirmed., returned: success, sample: true}
missing: {type: bool, description: "Whether nftables is not installed, so that nothing could be done.", returned: success, sample: false}
rollback: {type: int, description: Seconds after which rules on trial are taken back., returned: success, sample: 60}
actions: {type: list, elements: str, description: What was done or would be., returned: success, sample: ["load rules, and go back after 60 s"]}
"""

from typing import Any

from ..module_utils._host.firewall import Firewall
from ..module_utils._runner.engine import run
from ..module_utils._runner.on_host import HOST

TEXTS: dict[str, Any] = {"type": "list", "elements": "str"}
SOURCES: dict[str, Any] = {**TEXTS, "default": []}
DOOR: dict[str, Any] = {
    "ports": {**TEXTS, "required": True},
    "protocol": {"type": "str", "choices": ["tcp", "udp"], "default": "tcp"},
    "sources": SOURCES,
}
INSIDE = ["docker*", "br-*", "podman*", "cni*", "virbr*"]
SPEC: dict[str, Any] = {
    "state": {"type": "str", "choices": ["trial", "kept", "part", "absent"], "default": "trial"},
    "part": {"type": "str"},
    "ssh_ports": {**TEXTS, "default": ["22"]},
    "ssh_sources": SOURCES,
    "open": {"type": "list", "elements": "dict", "default": [], "options": DOOR},
    "peers": SOURCES,
    "interfaces": {**TEXTS, "default": INSIDE},
    "ping": {"type": "bool", "default": True},
    "rollback": {"type": "int", "default": 60},
}


def main() -> None:
    """Take one step."""
    run(SPEC, Firewall(), HOST, required_if=[("state", "part", ["part"])])


if __name__ == "__main__":
    main()
