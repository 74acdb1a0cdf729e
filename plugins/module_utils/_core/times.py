# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times and durations as tags and options write them, and leases made of both (private, pure)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from .errors import InvalidError

# Of a lease that never ends.
NO_LEASE = "none"
# The shortest lease; the cloud takes the money of ten minutes anyway.
LEAST = timedelta(minutes=1)

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def read_time(text: str | None) -> datetime | None:
    """Return an ISO 8601 time as an aware datetime in UTC, or None when it is not one."""
    try:
        found = datetime.fromisoformat((text or "").strip().replace("Z", "+00:00"))
        if found.tzinfo is None:
            found = found.replace(tzinfo=timezone.utc)
        return found.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None


def write_time(when: datetime) -> str:
    """Return a time as whole seconds in UTC, the form that tags and results use."""
    return when.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_duration(text: str, option: str) -> timedelta:
    """Return ``30m``, ``12h`` or ``2d`` as a duration. Raises InvalidError that names the option."""
    found = _duration(str(text))
    if found is None:
        raise InvalidError(f"{option} {text!r} is not a duration", hint="Write 30m, 12h or 2d.")
    return found


def _duration(text: str) -> timedelta | None:
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([smhdw])", text.strip().lower())
    try:
        return timedelta(**{_UNITS[match[2]]: float(match[1])}) if match else None
    except OverflowError:
        return None


def lease_until(text: str, now: datetime, most: str | None = None) -> str:
    """Read ``30m``, ``12h``, ``2d``, an ISO 8601 time, or ``none``; return what the tags carry.

    ``most`` is the longest lease that is allowed, as a duration from now.
    """
    value = text.strip()
    if value.lower() == NO_LEASE:
        check_lease_max(None, now, most)
        return NO_LEASE
    length = _duration(value)
    try:
        end = now + length if length is not None else read_time(value)
    except OverflowError:
        end = None
    if end is None:
        raise InvalidError(
            f"lease {text!r} is not a duration or a time",
            hint="Write 30m, 12h, 2d, a time such as 2026-12-31T18:00:00Z, or none.",
        )
    if end <= now:
        raise InvalidError(f"lease {text!r} ends in the past ({write_time(end)})")
    check_lease_min(end, now, f"lease {text!r}")
    check_lease_max(end, now, most)
    return write_time(end)


def check_lease_min(end: datetime, now: datetime, what: str) -> None:
    """Raise InvalidError for a lease that is over before anybody can use the instance."""
    if end - now < LEAST:
        raise InvalidError(
            f"{what} is over within a minute ({write_time(end)})",
            hint="At least a minute; done=true terminates an instance now.",
        )


def check_lease_max(end: datetime | None, now: datetime, most: str | None) -> None:
    """Raise InvalidError for a lease that ends later than ``most`` from now, or never."""
    if most is None:
        return
    longest = read_duration(most, "lease_max")
    if end is None or end - now > longest:
        asked = "No lease at all" if end is None else f"A lease until {write_time(end)}"
        raise InvalidError(
            f"{asked} is asked for, and lease_max allows {most} from now",
            hint="Ask for a shorter lease, and extend it later if the instance is still needed. One "
            "that is set once, by GPUOPS_LEASE_MAX or settings.ini, gives way to lease_max_override.",
        )
