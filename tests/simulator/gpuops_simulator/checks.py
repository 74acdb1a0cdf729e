# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of request fields, and look-ups that refuse what is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import ApiError, invalid
from .model import Instance, Volume

if TYPE_CHECKING:
    from .cloud import Cloud

POLICIES = frozenset({"keep_detached", "move_to_trash", "delete_permanently"})


def text(body: dict[str, Any], name: str) -> str:
    """Return a required, non-empty string field."""
    value = body.get(name)
    if not isinstance(value, str) or not value.strip():
        raise invalid(f"{name} must be a non-empty string")
    return value


def number(body: dict[str, Any], name: str) -> int:
    """Return a required positive whole number field."""
    value = body.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise invalid(f"{name} must be a positive integer")
    return value


def names(body: dict[str, Any], name: str) -> list[str]:
    """Return a field that may be absent, null, one string or an array of strings."""
    value = body.get(name)
    value = [value] if isinstance(value, str) else value or []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise invalid(f"{name} must be a string or an array of strings")
    return value


def location(cloud: Cloud, body: dict[str, Any]) -> str:
    """Return a required location code that exists."""
    code = text(body, "location_code")
    if code not in cloud.catalogue.codes:
        raise invalid(f"Invalid location code: {code}")
    return code


def volume_wish(cloud: Cloud, raw: Any, kind: str | None = None) -> dict[str, Any]:
    """Return a checked `{name, size, type, on_spot_discontinue, tags}` of an order."""
    if not isinstance(raw, dict):
        raise invalid("volume must be an object")
    wish = {"name": text(raw, "name"), "size": number(raw, "size")}
    wish["type"] = kind or volume_type(cloud, raw)
    policy = raw.get("on_spot_discontinue")
    if policy is not None and policy not in POLICIES:
        raise invalid("Invalid on_spot_discontinue")
    return {**wish, "on_spot_discontinue": policy, "tags": raw.get("tags")}


def volume_type(cloud: Cloud, body: dict[str, Any]) -> str:
    """Return a required volume type that can still be ordered."""
    kind = text(body, "type")
    row = cloud.catalogue.volume_types.get(kind)
    if row is None:
        raise invalid(f"Invalid volume type: {kind}")
    if not row["orderable"]:
        raise invalid("HDD volumes are no longer available")
    return kind


def instance(cloud: Cloud, instance_id: str) -> Instance:
    """Return an instance by id."""
    found = cloud.account.instances.get(instance_id)
    if found is None:
        raise unknown(cloud, "Invalid instance id")
    return found


def volume(cloud: Cloud, volume_id: str) -> Volume:
    """Return a volume by id."""
    found = cloud.account.volumes.get(volume_id)
    if found is None:
        raise unknown(cloud, "Invalid volume id")
    return found


def unknown(cloud: Cloud, message: str) -> ApiError:
    """Return the refusal of an unknown id: 404, or 400 by a switch, as sources differ."""
    status = cloud.scenario.unknown_id_status
    return ApiError(status, "not_found" if status == 404 else "invalid_request", message)


def created(cloud: Cloud, status: int, new_id: str) -> tuple[int, str, str]:
    """Return status, body and content type of an answer that is a bare id (or a quoted one)."""
    if cloud.scenario.quoted_ids:
        return status, f'"{new_id}"', "application/json; charset=utf-8"
    return status, new_id, "text/html; charset=utf-8"
