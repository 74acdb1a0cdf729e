# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an order of TensorDock says (private, pure)."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from ..._core.errors import InvalidError
from ..._models.orders import InstanceOrder
from ..._models.resources import SshKey
from .capabilities import CAPABILITIES
from .names import name_for, sized

# Type and body of a public key: what stands behind is a comment of somebody's, and stays here.
_KEY = re.compile(
    r"((?:ssh|ecdsa|sk-ssh|sk-ecdsa)-[a-z0-9@.-]{1,60} [A-Za-z0-9+/]{16,8192}={0,3})(?:\s|\Z)"
)


def order_body(order: InstanceOrder, keys: list[SshKey], now: datetime) -> dict[str, Any]:
    """Return the body of an order. Raises InvalidError for what would buy an instance nobody can reach."""
    lines = [_line(key) for key in keys]
    if not lines:
        raise InvalidError(
            "An instance of TensorDock is ordered with an SSH key only",
            hint="Register one, and name it in ssh_keys.",
        )
    size = sized(order.instance_type, order.location)
    attributes = {
        "name": name_for(order.description, now),
        "type": "virtualmachine",
        "image": order.image,
        "location_id": order.location.lower(),
        "resources": {
            "vcpu_count": size.vcpu,
            "ram_gb": size.ram_gb,
            "storage_gb": order.boot_disk.size_gb
            if order.boot_disk
            else CAPABILITIES.least_boot_gb,
            "gpus": {size.gpu: {"count": size.count}},
        },
        # A forwarded port is another one than asked for, or none: only an own address is reached.
        "useDedicatedIp": True,
        "ssh_key": lines[0],
        "cloud_init": {"runcmd": _let_in(lines)},
    }
    return {"data": {"type": "virtualmachine", "attributes": attributes}}


def _let_in(lines: list[str]) -> list[str]:
    """Return what the instance does at its first boot: ``ssh_key`` is demanded, and not installed."""
    quoted = " ".join(f"'{line}'" for line in lines)
    return [
        "install -d -m 700 /root/.ssh",
        f"printf '%s\\n' {quoted} > /root/.ssh/authorized_keys",
        "chmod 600 /root/.ssh/authorized_keys",
    ]


def _line(key: SshKey) -> str:
    found = _KEY.match(key.public_key or "")
    if not found:
        raise InvalidError(f"The SSH key {key.name} ({key.id}) of TensorDock is no public key")
    return found[1]
