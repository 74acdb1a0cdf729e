# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the key of an account comes from, and which address it may be sent to (private).

The vendor has no command line of its own; the file is the one that its users have for other tools.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ..._core.errors import NoCredentialsError
from ..base.addresses import check_base_url

KEY_VARIABLE, URL_VARIABLE = "LAMBDA_API_KEY", "LAMBDA_API_URL"
KEY_FILE = "~/.lambda_cloud/lambda_keys"
DEFAULT_BASE_URL = "https://cloud.lambda.ai/api/v1"
# What options there are beside the environment and the file. The secret of another cloud is none.
OPTIONS: dict[str, Any] = {
    "api_key": {"type": "str", "no_log": True},
    "base_url": {"type": "str"},
}


def _from_file() -> str:
    """Return the key of a line ``api_key = KEY``, empty where there is none."""
    try:
        text = Path(KEY_FILE).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
    pairs = (line.partition("=") for line in text.splitlines())
    found = {name.strip(): value.strip().strip("\"'") for name, _equals, value in pairs}
    return found.get("api_key", "")


def find_key(params: dict[str, Any]) -> tuple[str, str]:
    """Return address and key: by option, environment, file. Raises NoCredentialsError."""
    key = params.get("api_key") or os.environ.get(KEY_VARIABLE) or _from_file()
    if not key:
        raise NoCredentialsError(
            "No credentials for Lambda Cloud",
            hint=f"Looked at: the option api_key; the variable {KEY_VARIABLE}; "
            f"the line api_key of {KEY_FILE}.",
        )
    url = params.get("base_url") or os.environ.get(URL_VARIABLE) or DEFAULT_BASE_URL
    return check_base_url(url.rstrip("/")), key
