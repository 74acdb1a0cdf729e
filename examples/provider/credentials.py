# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the key of an account comes from, and which address it may be sent to (private)."""

from __future__ import annotations

import os
from typing import Any

from ..._core.errors import NoCredentialsError
from ..base.addresses import check_base_url

# The vendor's own names: users have them set already.
KEY_VARIABLE, URL_VARIABLE = "NAME_API_KEY", "NAME_API_URL"
DEFAULT_BASE_URL = "https://api.example.com/v1"
# What options there are beside the environment. The secret of another cloud is none.
OPTIONS: dict[str, Any] = {
    "api_key": {"type": "str", "no_log": True},
    "base_url": {"type": "str"},
}


def find_key(params: dict[str, Any]) -> tuple[str, str]:
    """Return address and key: by option, then environment. Raises NoCredentialsError."""
    key = params.get("api_key") or os.environ.get(KEY_VARIABLE) or ""
    if not key:
        raise NoCredentialsError(
            "No credentials for the cloud",
            hint=f"Looked at: the option api_key; the variable {KEY_VARIABLE}.",
        )
    url = params.get("base_url") or os.environ.get(URL_VARIABLE) or DEFAULT_BASE_URL
    return check_base_url(url.rstrip("/")), key
