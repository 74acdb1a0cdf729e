# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ownership string: whose an instance is, in one word that fits everywhere (private, pure).

``gpo.<deployment>.<name>.<lease>.<request>``, at most 60 characters: the shortest limit that any
account is known to set. The lease is the minutes since 1970 in base 36, or ``none``; the request
comes last and is never cut. Parts that are too long are shortened to their beginning and a hash,
with a hyphen behind it, which no name ends in; tags hold them whole then.
"""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass
from datetime import datetime, timezone

from .._core.times import NO_LEASE

LIMIT = 60
REQUEST_DIGITS = 8
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_HASH = 8
# It begins the description; a cut or foreign one is none.
_LABEL = re.compile(
    r"^gpo\.(?P<deployment>[a-z0-9-]{1,63})\.(?P<name>[a-z0-9-]{1,63})"
    r"\.(?P<lease>none|[0-9a-z]{5,8})\.(?P<request>[0-9a-f]{8})(?=\s|\Z)"
)
_BEGUN = re.compile(r"^gpo\.(?:(?P<deployment>[a-z0-9-]{1,63})\.)?")
# What nobody else may write into a description, that of the first release included.
_OURS = re.compile(r"\bgpo\.|\[gpuops", re.IGNORECASE)


@dataclass(frozen=True)
class Label:
    """What an ownership string says; ``lease`` is an ISO 8601 time in UTC or ``none``."""

    deployment: str
    name: str
    lease: str
    request: str


def write_label(deployment: str, name: str, lease: datetime | None, request: str) -> str:
    """Return the ownership string; a lease is rounded up to a whole minute."""
    end = _minutes(lease)
    room = LIMIT - len(f"gpo....{end}.{request}") + 1
    if len(deployment) + len(name) > room:
        half = room // 2
        deployment = _shortened(deployment, max(half, room - len(name)))
        name = _shortened(name, max(half, room - len(deployment)))
    return f"gpo.{deployment}.{name}.{end}.{request}"


def read_label(description: str | None) -> Label | None:
    """Return what the ownership string at the beginning of a description says, or None."""
    found = _LABEL.match(description or "")
    if not found:
        return None
    lease = _time(found["lease"])
    return Label(found["deployment"], found["name"], lease, found["request"]) if lease else None


def is_short(part: str) -> bool:
    """Tell whether a part of an ownership string is shortened."""
    return part.endswith("-")


def stands_for(part: str, whole: str) -> bool:
    """Tell whether a part of an ownership string, shortened or not, means this name."""
    return part == (_shortened(whole, len(part)) if is_short(part) else whole)


def begun(description: str | None) -> str | None:
    """Return the deployment of an ownership string, whole or cut, empty where it is cut before that.

    None where none begins.
    """
    found = _BEGUN.match(description or "")
    return (found["deployment"] or "") if found else None


def imitates(text: str) -> bool:
    """Tell whether a text of somebody else holds what looks like an ownership string, old or new."""
    return bool(_OURS.search(text))


def _shortened(part: str, room: int) -> str:
    if len(part) <= room and not is_short(part):
        return part
    digest = hashlib.sha256(part.encode()).hexdigest()[:_HASH]
    return f"{part[: room - _HASH - 2]}-{digest}-"


def _minutes(lease: datetime | None) -> str:
    if lease is None:
        return NO_LEASE
    number, digits = math.ceil(lease.timestamp() / 60), ""
    while number > 0:
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return digits.rjust(5, "0")


def _time(text: str) -> str | None:
    if text == NO_LEASE:
        return NO_LEASE
    try:
        when = datetime.fromtimestamp(int(text, 36) * 60, timezone.utc)
    except (ValueError, OverflowError, OSError):
        return None
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
