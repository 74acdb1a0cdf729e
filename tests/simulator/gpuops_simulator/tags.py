# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags: checked, given one id per key and value, linked to instances and volumes, searched for."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from .errors import ApiError, invalid, missing
from .model import Account, Instance, Tags, Volume
from .wire import Request, Response

if TYPE_CHECKING:
    from .cloud import Cloud

MOST = 10


def tags_from(account: Account, raw: Any, supported: bool) -> Tags:
    """Return the tags of an order, or raise the API's 400."""
    if raw is None:
        return []
    if not supported:
        raise invalid("property tags should not exist")
    if not isinstance(raw, list):
        raise invalid("tags must be an array")
    tags = [_tag(account, item) for item in raw]
    if len(tags) > MOST:
        raise invalid(f"tags must contain no more than {MOST} elements")
    if len({tag["key"] for tag in tags}) < len(tags):
        raise invalid("tags must have unique keys")
    return tags


def _tag(account: Account, raw: Any) -> dict[str, str]:
    if not isinstance(raw, dict) or not isinstance(raw.get("key"), str):
        raise invalid("tag key must be a string")
    key, value = raw["key"].lower(), raw.get("value") or ""
    if not 1 <= len(key) <= 63:
        raise invalid("tag key must be 1 to 63 characters")
    if not isinstance(value, str) or len(value) > 127:
        raise invalid("tag value must be a string of at most 127 characters")
    name = f"{key}={value}"
    tag_id = account.tag_ids.setdefault(name, f"tag_{secrets.token_hex(8)}")
    return {"id": tag_id, "key": key, "value": value}


def has_tags(tags: Tags, wanted: list[str]) -> bool:
    """Return whether every `key` or `key=value` that was asked for is there."""
    pairs = {f"{tag['key']}={tag['value']}" for tag in tags}
    keys = {tag["key"] for tag in tags}
    return all(want.lower() in keys or _pair(want) in pairs for want in wanted)


def _pair(want: str) -> str:
    key, _unused, value = want.partition("=")
    return f"{key.lower()}={value}"


def link(cloud: Cloud, thing: Instance | Volume, request: Request) -> Response:
    """Answer POST …/tags."""
    _check_supported(cloud)
    tag = _tag(cloud.account, request.body())
    same = [other for other in thing.tags if other["key"] == tag["key"]]
    habit = cloud.scenario.dialect.tag_conflict
    if any(habit == "key" or other["value"] == tag["value"] for other in same):
        raise ApiError(409, "conflict", "Tag is already linked to this resource")
    if len(thing.tags) >= MOST:
        raise invalid(f"A resource can have at most {MOST} tags")
    thing.tags.append(tag)
    return Response(201, tag)


def unlink(cloud: Cloud, thing: Instance | Volume, tag_id: str) -> Response:
    """Answer DELETE …/tags/{id}, by id or by key."""
    _check_supported(cloud)
    habit = cloud.scenario.dialect.untag
    names = {"id": ("id",), "key": ("key",), "both": ("id", "key")}[habit]
    left = [tag for tag in thing.tags if tag_id not in [tag[name] for name in names]]
    if len(left) == len(thing.tags):
        raise missing("Tag not found")
    thing.tags = left
    return Response(204)


def _check_supported(cloud: Cloud) -> None:
    if not cloud.scenario.tags_supported:
        raise ApiError(403, "forbidden_action", "Insufficient scope")
