# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What form ids, names of hosts and addresses have (private, pure)."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

# What stands in paths, in the settings of SSH and in names of devices.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\Z")
_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?\Z")


def is_id(value: Any) -> bool:
    """Tell whether a value can be the id of something."""
    return isinstance(value, str) and bool(_ID.match(value))


def is_uuid(text: str) -> bool:
    """Tell whether a text is an id beyond doubt, and no name: a UUID."""
    return bool(_UUID.match(text))


def is_host_name(value: Any) -> bool:
    """Tell whether a value is a name of a host: no blank, no line break, no dash in front."""
    return isinstance(value, str) and bool(_HOST_NAME.match(value))


def is_address(value: Any) -> bool:
    """Tell whether a value is an IP address, and nothing but one."""
    try:
        return isinstance(value, str) and "%" not in value and bool(ipaddress.ip_address(value))
    except ValueError:
        return False
