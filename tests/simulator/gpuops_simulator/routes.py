# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which call answers which path; everything under /v1."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import access, auth, instances, market, orders, volumes
from .errors import ApiError, forbidden
from .wire import Response

Handler = Callable[..., Response]


@dataclass(frozen=True)
class Route:
    """One call; `free` needs no token, `alias` is deprecated and can be switched off."""

    method: str
    pattern: re.Pattern[str]
    handler: Handler
    free: bool = False
    alias: bool = False


def _route(line: str, handler: Handler, **more: bool) -> Route:
    method, path = line.split()
    return Route(method, re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path)), handler, **more)


def _both(line: str, handler: Handler) -> list[Route]:
    alias = line.replace("/ssh-keys", "/sshkeys")
    return [_route(line, handler), _route(alias, handler, alias=True)]


ROUTES = [
    _route("POST /oauth2/token", auth.post_token, free=True),
    _route("GET /balance", market.get_balance),
    _route("GET /locations", market.list_locations),
    _route("GET /images", market.list_images),
    _route("GET /images/cluster", market.list_cluster_images),
    _route("GET /instance-types", market.list_types, free=True),
    _route("GET /instance-types/{name}", market.get_type, free=True),
    _route("GET /instances/types", market.list_types, alias=True),
    _route("GET /instance-availability", market.list_availability),
    _route("GET /instance-availability/{name}", market.get_availability),
    _route("GET /instances/availability/{name}", market.get_availability, alias=True),
    _route("GET /instances", instances.list_instances),
    _route("POST /instances", orders.post_instance),
    _route("PUT /instances", instances.put_instances),
    _route("POST /instances/action", instances.put_instances, alias=True),
    _route("GET /instances/{instance_id}", instances.get_instance),
    _route("POST /instances/{instance_id}/tags", instances.post_tag),
    _route("DELETE /instances/{instance_id}/tags/{tag_id}", instances.delete_tag),
    _route("GET /journal/compute/{instance_id}", instances.get_journal),
    _route("GET /volume-types", market.list_volume_types, free=True),
    _route("GET /volumes", volumes.list_volumes),
    _route("POST /volumes", volumes.post_volume),
    _route("PUT /volumes", volumes.put_volumes),
    _route("GET /volumes/trash", volumes.list_trash),
    _route("GET /volumes/{volume_id}", volumes.get_volume),
    _route("DELETE /volumes/{volume_id}", volumes.delete_volume),
    _route("POST /volumes/{volume_id}/tags", volumes.post_tag),
    _route("DELETE /volumes/{volume_id}/tags/{tag_id}", volumes.delete_tag),
    *_both("GET /ssh-keys", access.list_keys),
    *_both("POST /ssh-keys", access.post_key),
    *_both("DELETE /ssh-keys", access.delete_keys),
    *_both("GET /ssh-keys/{key_id}", access.get_key),
    *_both("DELETE /ssh-keys/{key_id}", access.delete_key),
    _route("GET /scripts", access.list_scripts),
    _route("POST /scripts", access.post_script),
    _route("DELETE /scripts", access.delete_scripts),
    _route("GET /scripts/{script_id}", access.get_script),
    _route("DELETE /scripts/{script_id}", access.delete_script),
]
NOT_IMITATED = re.compile(
    "/(clusters|cluster-types|cluster-availability|container-|job-deployments|long-term|secrets"
    "|file-secrets|serverless-|instance-groups|journal/volume|journal$|audit|openapi)"
)


def find(method: str, path: str, aliases: bool) -> tuple[Route | None, dict[str, Any]]:
    """Return the route of a path below /v1 and the values in it."""
    for route in ROUTES:
        if route.method == method and (aliases or not route.alias):
            match = route.pattern.fullmatch(path)
            if match:
                return route, match.groupdict()
    return None, {}


def refusal(path: str) -> ApiError:
    """Return why a path has no route: left out here, or not public at all."""
    if NOT_IMITATED.match(path):
        return ApiError(501, "not_imitated", "The simulator does not imitate this part of the API")
    return forbidden("Insufficient scope")
