# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose a machine is and until when it may live, written on the machine itself (private, pure).

The identity is written as tags, and as one compact marker in ``description``: some accounts refuse
tags, and an answer that silently drops them would leave a machine that nobody can call theirs.
Tags win where both exist, because only they can change later.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from ._errors import InvalidError

NO_LEASE = "none"
# The shortest lease; the cloud takes the money of ten minutes anyway.
LEAST = timedelta(minutes=1)
_PREFIX = "gpuops-"
_KEYS = ("deployment", "name", "owner", "lease", "request")
LEASE_TAG = "gpuops-lease"
# A tag cannot be changed in place. While a lease is being rewritten the new one stands here, and wins.
NEXT_LEASE_TAG = "gpuops-next-lease"
PROTECT_TAG = "gpuops-protect"
# On a volume: kept on purpose. Where tags are refused the end of its name says so.
KEEP_TAG = "gpuops-keep"
KEEP_SUFFIX = ".keep"
_YES = "yes"
_NOT_PROTECTED = ("", "no", "false")
_NAME = re.compile(r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")
_OWNER = re.compile(r"^[A-Za-z0-9._@+-]{1,63}\Z")
_MARKER = re.compile(
    r"\[gpuops d=(?P<deployment>\S+) n=(?P<name>\S+) o=(?P<owner>\S+) l=(?P<lease>\S+) r=(?P<request>\S+)\]"
)
# Behind the first, so that who knows only that one can read it still.
_MORE = re.compile(r"\[gpuops\+(?P<words>(?: [pxh]=\S+)+)\]")
_REGISTERED = re.compile(r"\.(\d{8}t\d{4}z)\Z")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True)
class Identity:
    """The marks of one machine. ``lease`` is an ISO 8601 time in UTC, or ``none``.

    ``hours`` is a schedule outside which the machine is not wanted, both it and ``project`` may be
    empty.
    """

    deployment: str
    name: str
    owner: str
    lease: str
    request: str
    project: str = ""
    protected: bool = False
    hours: str = ""

    def tags(self) -> list[dict[str, str]]:
        """Return the marks as tags of an order."""
        found = {key: getattr(self, key) for key in _KEYS}
        protect = _YES if self.protected else ""
        more = {"project": self.project, "protect": protect, "hours": self.hours}
        found.update((key, value) for key, value in more.items() if value)
        return [{"key": _PREFIX + key, "value": value} for key, value in found.items()]

    def marker(self) -> str:
        """Return the marks as one line for ``description``."""
        protect = _YES if self.protected else ""
        more = {"p": self.project, "x": protect, "h": self.hours.replace(" ", "|")}
        words = [f"{key}={value}" for key, value in more.items() if value]
        return (
            f"[gpuops d={self.deployment} n={self.name} o={self.owner} "
            f"l={self.lease} r={self.request}]"
        ) + (f" [gpuops+ {' '.join(words)}]" if words else "")

    @property
    def lease_end(self) -> datetime | None:
        """Return the end of the lease, or None without one or when it cannot be read."""
        return read_time(self.lease)


def check_name(value: str, option: str) -> str:
    """Return the value when it can be a host name and a tag, else raise InvalidError."""
    if not _NAME.match(value or ""):
        raise InvalidError(
            f"{option} {value!r} is not usable: 1 to 63 lower-case letters, digits and inner hyphens",
            hint="It becomes a host name and a tag.",
        )
    return value


def check_owner(value: str) -> str:
    """Return the value when it can be a tag, else raise InvalidError."""
    if not _OWNER.match(value or ""):
        raise InvalidError(f"owner {value!r} is not usable: letters, digits and ._@+- only")
    return value


def check_project(value: str) -> str:
    """Return the value when it can be a tag, else raise InvalidError."""
    if not _OWNER.match(value or ""):
        raise InvalidError(f"project {value!r} is not usable: letters, digits and ._@+- only")
    return value


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
    """Return a time as whole seconds in UTC, the form that marks and results use."""
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
    """Read ``30m``, ``12h``, ``2d``, an ISO 8601 time, or ``none``; return what the marks carry.

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
    """Raise InvalidError for a lease that is over before anybody can use the machine."""
    if end - now < LEAST:
        raise InvalidError(
            f"{what} is over within a minute ({write_time(end)})",
            hint="At least a minute; done=true of datacrunch_lease ends a machine now.",
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
            hint="Ask for a shorter lease, and extend it later if the machine is still needed. One "
            "that is set once, by GPUOPS_LEASE_MAX or settings.ini, gives way to lease_max_override.",
        )


def tag_values(item: dict[str, Any]) -> dict[str, str]:
    """Return the tags of an instance or a volume as a dictionary."""
    return {tag["key"]: tag.get("value") or "" for tag in item.get("tags") or [] if tag.get("key")}


def read_identity(instance: dict[str, Any]) -> Identity | None:
    """Return the marks of an instance, or None for a foreign machine.

    A machine whose marks are incomplete or malformed is foreign: nothing of ours may touch it.
    """
    tags = tag_values(instance)
    found: dict[str, str] = {key: tags.get(_PREFIX + key, "") for key in _KEYS}
    found["lease"] = tags.get(NEXT_LEASE_TAG) or found["lease"]
    more = {key: tags.get(_PREFIX + key, "") for key in ("project", "protect", "hours")}
    if not all(found.values()):
        text = instance.get("description") or ""
        match = _MARKER.search(text)
        if not match:
            return None
        found, more = match.groupdict(), _more_of(text, more)
    protected = more.pop("protect").lower() not in _NOT_PROTECTED
    identity = Identity(**found, **more, protected=protected)
    sound = _NAME.match(identity.deployment) and _NAME.match(identity.name)
    return identity if sound and _OWNER.match(identity.owner) else None


def _more_of(description: str, tags: dict[str, str]) -> dict[str, str]:
    """Return the marks that need not be there; single tags of them count beside the marker."""
    match = _MORE.search(description)
    words = dict(word.split("=", 1) for word in match["words"].split()) if match else {}
    found = {"project": words.get("p"), "protect": words.get("x")}
    hours = words.get("h", "").replace("|", " ")
    return {key: tags[key] or {**found, "hours": hours}[key] or "" for key in tags}


def has_marks(instance: dict[str, Any]) -> bool:
    """Tell whether a machine bears anything that looks like marks of ours, complete or not."""
    tagged = any(key.startswith(_PREFIX) for key in tag_values(instance))
    return tagged or "[gpuops" in (instance.get("description") or "")


def part_name(deployment: str, *parts: str) -> str:
    """Return the name of something that belongs to a deployment: dots cannot occur in its parts."""
    return ".".join(("gpuops", deployment, *parts))


def registered_name(name: str, now: datetime) -> str:
    """Return a name with the time of registration, for what bears no time of its own."""
    return f"{name}.{now.astimezone(timezone.utc):%Y%m%dt%H%Mz}"


def plain_name(name: str) -> str:
    """Return a name without the time of registration."""
    return _REGISTERED.sub("", name)


def registered_at(item: dict[str, Any]) -> datetime | None:
    """Return when something was registered, by its name."""
    match = _REGISTERED.search(str(item.get("name")))
    try:
        return datetime.strptime(match[1][:-1] + "+0000", "%Y%m%dt%H%M%z") if match else None
    except ValueError:
        return None


def part_tags(deployment: str, **more: str) -> list[dict[str, str]]:
    """Return the marks of a part of a deployment, such as a volume, as tags of an order."""
    return [
        {"key": _PREFIX + key, "value": value}
        for key, value in {"deployment": deployment, **more}.items()
        if value
    ]


def is_kept(volume: dict[str, Any]) -> bool:
    """Tell whether a volume is kept on purpose: by its mark, or where tags are refused by its name.

    Then one of its own, made by nobody's order, is kept as well: its name has one part less.
    """
    tags = tag_values(volume)
    name = str(volume.get("name") or "")
    if tags.get(KEEP_TAG) == _YES or name.endswith(KEEP_SUFFIX):
        return True
    unmarked = not any(key.startswith(_PREFIX) for key in tags)
    return unmarked and name.startswith(_PREFIX[:-1] + ".") and name.count(".") == 2


def part_request(item: dict[str, Any]) -> str | None:
    """Return the request id that an order wrote on a part, or None."""
    return tag_values(item).get(_PREFIX + "request") or None


def owning_deployment(item: dict[str, Any]) -> str | None:
    """Return the deployment whose marks a part bears, by tag or by name, or None."""
    tagged = tag_values(item).get(_PREFIX + "deployment")
    if tagged:
        return tagged
    parts = str(item.get("name") or "").split(".")
    return parts[1] if len(parts) > 2 and parts[0] == "gpuops" and parts[1] else None


def belongs_to(item: dict[str, Any], deployment: str) -> bool:
    """Tell whether a volume or key bears the marks of a deployment, by tag or by name."""
    return owning_deployment(item) == deployment
