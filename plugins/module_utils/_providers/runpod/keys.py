# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Public keys: an order takes them as they are, so their ids are what they say (private, pure).

The list of the account's keys is read and never written: its PUT replaces all of them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

from ..._models.resources import SshKey

_KEY = re.compile(
    r"(?P<kind>(?:ssh|ecdsa|sk)-[A-Za-z0-9@.-]+)[ \t]+(?P<key>[A-Za-z0-9+/]+={0,2})"
    r"(?:[ \t]+(?P<comment>[^\r\n]*))?"
)
# What bears it as a name counts as a part of a deployment, which is removed with it.
_PART = "gpuops."


def key_id(text: str) -> str | None:
    """Return a public key without its comment, None for what is none."""
    found = _KEY.fullmatch(text.strip())
    return f"{found['kind']} {found['key']}" if found else None


def key_ids(text: str | None) -> tuple[str, ...]:
    """Return the keys of several lines; those that cannot be read open nothing that we know."""
    found = (key_id(line) for line in (text or "").splitlines())
    return tuple(dict.fromkeys(one for one in found if one))


def key_from(text: str) -> SshKey | None:
    """Return a key of the account, by its comment as its name; None for what cannot be read."""
    found = _KEY.fullmatch(text.strip())
    if not found:
        return None
    printed = _fingerprint(found["key"])
    named = (found["comment"] or "").strip()
    return SshKey(
        id=f"{found['kind']} {found['key']}",
        name=named if named and not named.startswith(_PART) else printed,
        public_key=text.strip(),
        fingerprint=printed,
    )


def _fingerprint(key: str) -> str | None:
    try:
        raw = base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        return None
    digest = base64.b64encode(hashlib.sha256(raw).digest()).decode()
    return f"SHA256:{digest.rstrip('=')}"
