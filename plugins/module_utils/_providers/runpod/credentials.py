# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the key of an account comes from, and which address it may be sent to (private)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ..._core.errors import NoCredentialsError
from ..base.addresses import check_base_url

KEY_VARIABLE, URL_VARIABLE = "RUNPOD_API_KEY", "RUNPOD_API_BASE_URL"
KEY_FILE = "~/.runpod/config.toml"
VERSION = "/v2"
DEFAULT_BASE_URL = f"https://api.runpod.io{VERSION}"
SECURE, COMMUNITY = "secure", "community"
# What options there are beside the environment and the file. The secret of another cloud is none.
OPTIONS: dict[str, Any] = {
    "api_key": {"type": "str", "no_log": True},
    "base_url": {"type": "str"},
    "cloud": {"type": "str", "choices": [SECURE, COMMUNITY]},
}


def _from_file() -> str:
    """Return the key of the vendor's clients, empty where there is none.

    The command writes ``apikey`` above all tables, the Python package ``api_key`` into ``[default]``.
    """
    try:
        text = Path(KEY_FILE).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
    found, table = {}, ""
    for line in map(str.strip, text.splitlines()):
        name, equals, value = line.partition("=")
        if line.startswith("["):
            table = line.strip("[] ").strip("\"'")
        elif equals:
            found[table, name.strip().strip("\"'").lower()] = _text(value)
    return found.get(("", "apikey")) or found.get(("default", "api_key")) or ""


def _text(value: str) -> str:
    """Return a text as TOML writes it, without its quotes and without a comment behind it."""
    value = value.strip()
    quote = value[:1] if value[:1] in ("'", '"') else ""
    return value[1:].partition(quote)[0] if quote else ""


def find_key(params: dict[str, Any]) -> tuple[str, str]:
    """Return address and key: by option, environment, file. Raises NoCredentialsError.

    The vendor's clients take an address without the version, so it may be left out.
    """
    key = params.get("api_key") or os.environ.get(KEY_VARIABLE) or _from_file()
    if not key:
        raise NoCredentialsError(
            "No credentials for RunPod",
            hint=f"Looked at: the option api_key; the variable {KEY_VARIABLE}; "
            f"apikey, or api_key of [default], in {KEY_FILE}.",
        )
    url = params.get("base_url") or os.environ.get(URL_VARIABLE) or DEFAULT_BASE_URL
    url = url.rstrip("/").removesuffix(VERSION) + VERSION
    return check_base_url(url), key
