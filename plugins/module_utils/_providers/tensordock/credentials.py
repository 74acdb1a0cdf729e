# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the token of an account comes from, and which address it may be sent to (private)."""

from __future__ import annotations

import os
from typing import Any

from ..._core.errors import NoCredentialsError
from ..base.addresses import check_base_url

# The API of before took a pair of both. Who still has the pair: the token is what the header bears.
KEY_VARIABLES = ("TENSORDOCK_API_TOKEN", "TENSORDOCK_API_KEY")
URL_VARIABLE = "TENSORDOCK_API_URL"
DEFAULT_BASE_URL = "https://dashboard.tensordock.com/api/v2"
# What options there are beside the environment. The secret of another cloud is none.
OPTIONS: dict[str, Any] = {
    "api_key": {"type": "str", "no_log": True},
    "base_url": {"type": "str"},
}


def find_key(params: dict[str, Any]) -> tuple[str, str]:
    """Return address and token: by option, then environment. Raises NoCredentialsError."""
    told = (params.get("api_key"), *(os.environ.get(name) for name in KEY_VARIABLES))
    key = next((one for one in told if one), "")
    if not key:
        raise NoCredentialsError(
            "No credentials for TensorDock",
            hint="Looked at: the option api_key; the variables TENSORDOCK_API_KEY and "
            "TENSORDOCK_API_TOKEN.",
        )
    url = params.get("base_url") or os.environ.get(URL_VARIABLE) or DEFAULT_BASE_URL
    return check_base_url(url.rstrip("/")), key
