# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose an instance is and until when it may live, written on the instance itself (private, pure).

The identity is written as tags, and what finds it again as one compact string in ``description``:
some accounts refuse tags, and an answer that silently drops them would leave an instance that nobody
can call theirs. Tags win where both exist, because only they can change later.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, TypedDict

from .._core.errors import InvalidError
from .._core.times import read_time
from .label import Label, begun, is_short, read_label, stands_for, write_label

_PREFIX = "gpuops-"
_KEYS = ("deployment", "name", "owner", "lease", "request")
# Users need room for tags of their own: a resource bears ten.
MOST_TAGS = 7
MORE_TAG = "gpuops-more"
LONGEST_VALUE = 127
DEPLOYMENT_TAG = "gpuops-deployment"
OWNER_TAG = "gpuops-owner"
PROJECT_TAG = "gpuops-project"
REQUEST_TAG = "gpuops-request"
LEASE_TAG = "gpuops-lease"
# A tag cannot be changed in place. While a lease is being rewritten the new one stands here, and wins.
NEXT_LEASE_TAG = "gpuops-next-lease"
PROTECT_TAG = "gpuops-protect"
# On instances of the first release: the one that this was bought to replace.
REPLACES_TAG = "gpuops-replaces"
# A job has a deployment of its own, which ends with it.
_JOB_PREFIX = "job-"
# A further mark: that the termination of an instance is ours.
ENDED_TAG = "gpuops-ended"
# On a volume: retained on purpose. Where tags are refused the end of its name says so.
KEEP_TAG = "gpuops-keep"
KEEP_SUFFIX = ".keep"
_YES = "yes"
_NOT_PROTECTED = ("", "no", "false")
_NAME = re.compile(r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")
_OWNER = re.compile(r"^[A-Za-z0-9._@+-]{1,63}\Z")
# The first release wrote the identity so, and every purchase with a request of 32 digits.
_MARKER = re.compile(
    r"\[gpuops d=(?P<deployment>\S+) n=(?P<name>\S+) o=(?P<owner>\S+) l=(?P<lease>\S+) r=(?P<request>\S+)\]"
)
_HALF_MARKER = re.compile(r"\[gpuops d=(\S+)")
# Behind the first, so that who knows only that one can read it still.
_MORE = re.compile(r"\[gpuops\+(?P<words>(?: [pxh]=\S+)+)\]")
_REGISTERED = re.compile(r"\.(\d{8}t\d{4}z)\Z")


@dataclass(frozen=True)
class Identity:
    """The tags of one instance. ``lease`` is an ISO 8601 time in UTC, or ``none``.

    ``hours`` is a schedule outside which the instance is not wanted. ``replaces`` is how the id of
    the instance begins that this one was bought for. Both and ``project`` may be empty; ``owner`` is
    where no tags say it.
    """

    deployment: str
    name: str
    owner: str
    lease: str
    request: str
    project: str = ""
    protected: bool = False
    hours: str = ""
    replaces: str = ""

    def tags(self) -> list[dict[str, str]]:
        """Return the ownership as tags of an order: six at most, so that a new lease has room."""
        found = {
            "deployment": self.deployment,
            "name": f"{self.name}.{self.request}",
            "owner": self.owner,
            "lease": self.lease,
            "more": self.more(),
            "protect": _YES if self.protected else "",
        }
        return [{"key": _PREFIX + key, "value": value} for key, value in found.items() if value]

    def more(self) -> str:
        """Return what need not be there and never changes, as the value of one tag."""
        more = {"p": self.project, "h": self.hours.replace(" ", "|"), "r": self.replaces}
        return " ".join(f"{key}={value}" for key, value in more.items() if value)

    def label(self) -> str:
        """Return the ownership string."""
        return write_label(self.deployment, self.name, self.lease_end, self.request)

    @property
    def is_short(self) -> bool:
        """Tell whether the ownership string cannot hold deployment and name whole."""
        return f"gpo.{self.deployment}.{self.name}." not in self.label()

    @property
    def lease_end(self) -> datetime | None:
        """Return the end of the lease, or None without one or when it cannot be read."""
        return read_time(self.lease)


def deployment_of_job(name: str) -> str:
    """Return the deployment of a job."""
    return f"{_JOB_PREFIX}{name}"


def job_of_deployment(deployment: str | None) -> str | None:
    """Return the job that a deployment is of, none for one that is of no job."""
    is_of_job = deployment is not None and deployment.startswith(_JOB_PREFIX)
    return deployment[len(_JOB_PREFIX) :] if deployment and is_of_job else None


def check_name(value: str, option: str) -> str:
    """Return the value when it can be a host name and a tag, else raise InvalidError."""
    if not _NAME.match(value or ""):
        raise InvalidError(
            f"{option} must be 1 to 63 lower-case letters, digits and inner hyphens (got {value!r})",
            hint="It becomes a host name and a tag.",
        )
    return value


def check_owner(value: str) -> str:
    """Return the value when it can be a tag, else raise InvalidError."""
    if not _OWNER.match(value or ""):
        raise InvalidError(f"owner may hold letters, digits and ._@+- only (got {value!r})")
    return value


def check_project(value: str) -> str:
    """Return the value when it can be a tag, else raise InvalidError."""
    if not _OWNER.match(value or ""):
        raise InvalidError(f"project may hold letters, digits and ._@+- only (got {value!r})")
    return value


def read_identity(tags: dict[str, str], text: str) -> Identity | None:
    """Return the ownership that tags and description of an instance show, or None for a foreign one.

    An instance whose ownership is incomplete or malformed is foreign: nothing of ours may touch it.
    """
    found = _of_tags(tags)
    label = None if found else read_label(text)
    if label:
        found = _of_label(label, tags)
    elif not found:
        found = _of_marker(text, tags)
    if not found or not (_NAME.match(found.deployment) and _NAME.match(found.name)):
        return None
    return found if _OWNER.match(found.owner) or (label and not found.owner) else None


def _of_tags(tags: dict[str, str]) -> Identity | None:
    """Return what tags say that are complete."""
    found = {key: tags.get(_PREFIX + key, "") for key in _KEYS}
    name, dot, request = found["name"].partition(".")
    if dot:  # the first release had a tag for each
        found.update(name=name, request=request)
    found["lease"] = tags.get(NEXT_LEASE_TAG) or found["lease"]
    return Identity(**found, **_more_of(tags)) if all(found.values()) else None


def _of_label(label: Label, tags: dict[str, str]) -> Identity | None:
    """Return what the ownership string says; tags that are there complete it, and may not differ."""
    name = tags.get(_PREFIX + "name", "").partition(".")[0]
    whole = []
    for part, tag in ((label.deployment, tags.get(_PREFIX + "deployment")), (label.name, name)):
        if (tag and not stands_for(part, tag)) or (is_short(part) and not tag):
            return None
        whole.append(tag or part)
    lease = tags.get(NEXT_LEASE_TAG) or tags.get(LEASE_TAG) or label.lease
    owner = tags.get(_PREFIX + "owner", "")
    return Identity(whole[0], whole[1], owner, lease, label.request, **_more_of(tags))


def _of_marker(text: str, tags: dict[str, str]) -> Identity | None:
    """Return what the description of the first release says: the last one, behind any text of others."""
    matches = list(_MARKER.finditer(text))
    if not matches:
        return None
    more = _MORE.match(text[matches[-1].end() :].lstrip())
    words = _words(more["words"]) if more else {}
    found: dict[str, Any] = matches[-1].groupdict()
    return Identity(**found, **_more_of(tags, words))


def _words(text: str) -> dict[str, str]:
    return dict(word.split("=", 1) for word in text.split() if "=" in word)


class _More(TypedDict):
    """The optional fields of an identity."""

    project: str
    hours: str
    replaces: str
    protected: bool


def _more_of(tags: dict[str, str], marker: dict[str, str] | None = None) -> _More:
    """Return the optional fields: by their own tags, the common one, or the old description."""
    common, marker = _words(tags.get(MORE_TAG, "")), marker or {}
    protect = tags.get(PROTECT_TAG) or marker.get("x") or ""
    hours = common.get("h") or marker.get("h") or ""
    return {
        "project": tags.get(_PREFIX + "project") or common.get("p") or marker.get("p") or "",
        "hours": tags.get(_PREFIX + "hours") or hours.replace("|", " "),
        "replaces": tags.get(REPLACES_TAG) or common.get("r") or "",
        "protected": protect.lower() not in _NOT_PROTECTED,
    }


def has_marks(tags: dict[str, str], text: str) -> bool:
    """Tell whether anything looks like tags of ours, complete or not."""
    tagged = any(key.startswith(_PREFIX) for key in tags)
    return tagged or "[gpuops" in text or begun(text) is not None


def half_marks(tags: dict[str, str], text: str) -> set[str]:
    """Return the deployments that complete or incomplete tags name."""
    found = {tags.get(_PREFIX + "deployment"), begun(text)}
    return {name for name in {*found, *_HALF_MARKER.findall(text)} if name}


def part_name(deployment: str, *parts: str) -> str:
    """Return the name of something that belongs to a deployment: dots cannot occur in its parts."""
    return ".".join(("gpuops", deployment, *parts))


def registered_name(name: str, now: datetime) -> str:
    """Return a name with the time of registration, for what bears no time of its own."""
    return f"{name}.{now.astimezone(timezone.utc):%Y%m%dt%H%Mz}"


def plain_name(name: str) -> str:
    """Return a name without the time of registration."""
    return _REGISTERED.sub("", name)


def registered_at(name: str) -> datetime | None:
    """Return when something was registered, by its name."""
    match = _REGISTERED.search(name)
    try:
        return datetime.strptime(match[1][:-1] + "+0000", "%Y%m%dt%H%M%z") if match else None
    except ValueError:
        return None


def part_tags(deployment: str, **more: str) -> list[dict[str, str]]:
    """Return the ownership of a part of a deployment, such as a volume, as tags of an order."""
    return [
        {"key": _PREFIX + key, "value": value}
        for key, value in {"deployment": deployment, **more}.items()
        if value
    ]


def is_kept(tags: dict[str, str], name: str) -> bool:
    """Tell whether a volume is retained on purpose: by its mark, or where tags are refused by its name.

    Then one of its own, made by nobody's order, is kept as well: its name has one part less.
    """
    if tags.get(KEEP_TAG) == _YES or name.endswith(KEEP_SUFFIX):
        return True
    unmarked = not any(key.startswith(_PREFIX) for key in tags)
    return unmarked and name.startswith(_PREFIX[:-1] + ".") and name.count(".") == 2


def owning_deployment(tags: dict[str, str], name: str) -> str | None:
    """Return the deployment that a part belongs to, by tag or by name, or None."""
    tagged = tags.get(DEPLOYMENT_TAG)
    if tagged:
        return tagged
    parts = name.split(".")
    return parts[1] if len(parts) > 2 and parts[0] == "gpuops" and parts[1] else None
