# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses to which a secret may be sent (private, pure)."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from ..._core.errors import InvalidError


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_base_url(url: str) -> str:
    """Return an address to which a secret may be sent. Raises InvalidError for any other.

    That is one with TLS, or one that never leaves the controller.
    """
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    if "@" in parts.netloc:  # not told: it may hold a password
        raise InvalidError("base_url must not hold a user name or a password")
    sound = re.fullmatch(r"[\x21-\x7e]+", url) and not parts.query and not parts.fragment
    if parts.scheme not in ("http", "https") or not host or not sound:
        raise InvalidError(f"base_url {url!r} is not an http or https address")
    if parts.scheme == "http" and not _is_loopback(host):
        raise InvalidError(
            f"base_url {url!r} would send the client secret in the clear",
            hint="Use https; http is only for a loopback address.",
        )
    return url
