# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where client id and secret come from: options, environment, credential files (private)."""

from __future__ import annotations

import configparser
import os
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from ..._core.errors import NoCredentialsError
from ..base.addresses import check_base_url

DEFAULT_BASE_URL = "https://api.verda.com/v1"
# What options there are beside the environment and the files, where several accounts are meant.
OPTIONS: dict[str, Any] = {
    "client_id": {"type": "str"},
    "client_secret": {"type": "str", "no_log": True},
    "base_url": {"type": "str"},
    "profile": {"type": "str"},
}
_FAMILIES = ("DATACRUNCH", "VERDA")
_FILES = ("~/.datacrunch/credentials", "~/.verda/credentials")
_KEYS = {
    "client_id": ("client_id", "datacrunch_client_id", "verda_client_id"),
    "client_secret": (
        "client_secret",
        "datacrunch_client_secret",
        "verda_client_secret",
        "datacrunch_api_key",
        "api_key",
    ),
    "base_url": ("base_url", "datacrunch_base_url", "verda_base_url"),
}


@dataclass(frozen=True)
class Credentials:
    """What a client needs to log in; the secret never shows in a repr."""

    client_id: str
    client_secret: str = field(repr=False)
    base_url: str = DEFAULT_BASE_URL


def _from_environment(key: str) -> str | None:
    names = (f"{family}_{key.upper()}" for family in _FAMILIES)
    return next((os.environ[name] for name in names if os.environ.get(name)), None)


def _pair_of(family: str) -> dict[str, str]:
    names = ("client_id", "client_secret")
    return {name: os.environ.get(f"{family}_{name.upper()}", "") for name in names}


def _paths() -> list[Path]:
    named = os.environ.get("DATACRUNCH_CREDENTIALS_FILE") or os.environ.get(
        "VERDA_SHARED_CREDENTIALS_FILE"
    )
    return [Path(name).expanduser() for name in ([named] if named else _FILES)]


def _section(parser: configparser.ConfigParser, profile: str | None) -> dict[str, str] | None:
    """Return the profile's section; without a name ``default``, or the only one there is."""
    if profile and parser.has_section(profile):
        return dict(parser[profile])
    if profile and profile.lower() != "default":
        return None
    for name in parser.sections():
        if name.lower() == "default" or len(parser.sections()) == 1:
            return dict(parser[name])
    return dict(parser.defaults()) or None


def _from_file(path: Path, profile: str | None) -> dict[str, str]:
    parser = configparser.ConfigParser(default_section="DEFAULT", interpolation=None)
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except (OSError, configparser.Error, UnicodeDecodeError):
        return {}
    row = _section(parser, profile) or {}
    found = {key: next((row[n] for n in names if row.get(n)), "") for key, names in _KEYS.items()}
    return {key: value for key, value in found.items() if value}


def _searched(profile: str | None) -> str:
    variables = ", ".join(f"{f}_CLIENT_ID and {f}_CLIENT_SECRET" for f in _FAMILIES)
    where = f"the variables {variables}; section [default] of"
    if profile:  # it beats the variables
        where = f"profile {profile!r} of"
    files = ", ".join(f"{path} ({_lacks(path, profile)})" for path in _paths())
    return f"Looked at: the options client_id and client_secret; {where} {files}."


def _lacks(path: Path, profile: str | None) -> str:
    """Return why a file gives no credentials."""
    if not path.exists():
        return "no such file"
    have = _from_file(path, profile)
    missing = [key for key in ("client_id", "client_secret") if key not in have]
    return "no usable entry" if len(missing) > 1 else f"has no {missing[0]}"


def find_credentials(params: dict[str, Any]) -> Credentials:
    """Return the first complete pair of id and secret, with the address that belongs to it.

    Order: options, environment (``DATACRUNCH_*`` before ``VERDA_*``), credential files; a named
    ``profile`` takes the place of the environment. Raises NoCredentialsError that names every place looked at.
    """
    profile = params.get("profile") or _from_environment("profile")
    given = {key: params.get(key) or "" for key in _KEYS}
    families = () if profile else _FAMILIES
    files = (_from_file(path, profile) for path in _paths())  # read only if it comes to them
    for source in chain([given], map(_pair_of, families), files):
        if source.get("client_id") and source.get("client_secret"):
            # The secret of a named profile goes to the address beside it and to no other.
            urls = [source.get("base_url"), _from_environment("base_url")]
            url = given["base_url"] or next(filter(None, urls if profile else urls[::-1]), "")
            url = check_base_url((url or DEFAULT_BASE_URL).rstrip("/"))
            return Credentials(source["client_id"], source["client_secret"], url)
    raise NoCredentialsError("No credentials for the cloud", hint=_searched(profile))
