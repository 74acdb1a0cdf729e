# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the key of an account comes from, and which address it may be sent to (private).

The variables and the file are those of the vendor's own command.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ..._core.errors import NoCredentialsError
from ..base.addresses import check_base_url

KEY_VARIABLE, URL_VARIABLE = "VAST_API_KEY", "VAST_URL"
KEY_FILE = "vastai/vast_api_key"
DEFAULT_BASE_URL = "https://console.vast.ai"
# What options there are beside the environment and the file.
OPTIONS: dict[str, Any] = {
    "api_key": {"type": "str", "no_log": True},
    "base_url": {"type": "str"},
    "rents": {"type": "str", "choices": ["vm", "container"], "default": "vm"},
}


def _from_file() -> str:
    """Return what the file of the vendor's command holds, empty where there is none."""
    folder = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    try:
        text = (Path(folder).expanduser() / KEY_FILE).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
    return text.strip()


def find_key(params: dict[str, Any]) -> tuple[str, str]:
    """Return address and key: by option, environment, file. Raises NoCredentialsError."""
    key = params.get("api_key") or os.environ.get(KEY_VARIABLE) or _from_file()
    if not key:
        raise NoCredentialsError(
            "No credentials for Vast.ai",
            hint=f"Looked at: the option api_key; the variable {KEY_VARIABLE}; ~/.config/{KEY_FILE}.",
        )
    url = params.get("base_url") or os.environ.get(URL_VARIABLE) or DEFAULT_BASE_URL
    return check_base_url(url.rstrip("/")), key
