# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the ledger is, and what of that must not be told (private)."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

VARIABLE = "GPUOPS_LEDGER"
OFF = "none"
SQLITE = "sqlite:///"


def url_of(option: str | None) -> str | None:
    """Return the URL of the ledger: option, environment, default path; None when it is off."""
    url = option or os.environ.get(VARIABLE)
    if url:
        return None if url.strip().lower() == OFF else url.strip()
    return file_url("ledger.sqlite3")


def file_url(name: str) -> str:
    """Return the URL of a database of ours in the home of this user."""
    home = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return f"sqlite:///{Path(home).expanduser() / 'gpuops' / name}"


def files_of(url: str | None) -> list[Path]:
    """Return the files in which SQLite keeps a ledger, and those beside it while it writes."""
    if not (url or "").startswith(SQLITE):
        return []
    name = str(url).removeprefix(SQLITE).partition("?")[0]
    return [Path(name + suffix) for suffix in ("", "-journal", "-wal", "-shm")] if name else []


def passwords_in(url: str) -> set[str]:
    """Return the passwords of a URL, as they are written and as they are meant."""
    try:
        parts = urlsplit(url)
        found = {parts.password or "", *parse_qs(parts.query).get("password", ())}
    except ValueError:
        return {url}  # nobody knows where one begins
    return {text for one in found if one for text in (one, unquote(one))}
