# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances: list, show, tags, and the actions of PUT /instances."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import checks, lifecycle, tags
from .clock import iso
from .errors import ApiError, forbidden, invalid, refused
from .model import BUILDING, ENDED, Instance
from .views import instance_view
from .wire import Request, Response

if TYPE_CHECKING:
    from .cloud import Cloud

STATUSES = frozenset(BUILDING | ENDED | {"running", "offline", "deleting", "notfound", "unknown"})
Action = Callable[["Cloud", Instance, dict[str, Any]], bool]


def list_instances(cloud: Cloud, request: Request) -> Response:
    """Answer GET /instances; without `status`, all that are not gone."""
    status, wanted = request.one("status"), request.one("computeId")
    if status is not None and status not in STATUSES:
        raise invalid("status must be one of the known values")
    supported = cloud.scenario.tags_supported
    lag = cloud.scenario.dialect.list_lag_seconds
    rows = [
        instance_view(cloud, i)
        for i in cloud.account.instances.values()
        if (i.status == status if status else i.status != "discontinued")
        and wanted in {None, i.id}
        and cloud.moment - i.created_at >= lag
        and (not supported or tags.has_tags(i.tags, request.query.get("tag", [])))
    ]
    return Response(200, rows)


def get_instance(cloud: Cloud, request: Request, instance_id: str) -> Response:
    """Answer GET /instances/{id}."""
    instance = checks.instance(cloud, instance_id)
    instance.looks += 1
    if instance.looks <= cloud.scenario.dialect.unknown_looks:
        raise checks.unknown(cloud, "Invalid instance id")
    return Response(200, instance_view(cloud, instance))


def get_journal(cloud: Cloud, request: Request, instance_id: str) -> Response:
    """Answer GET /journal/compute/{id}; known of it are only the words of a reason."""
    if not cloud.scenario.journal:
        raise forbidden("Insufficient scope")
    instance = checks.instance(cloud, instance_id)
    events: list[dict[str, Any]] = [{"event": "created", "created_at": iso(instance.created_at)}]
    if instance.ended_at is not None:
        told = {"delete_reason": instance.end_reason}
        events.append({"event": "deleted", "created_at": iso(instance.ended_at), "details": told})
    return Response(200, events)


def post_tag(cloud: Cloud, request: Request, instance_id: str) -> Response:
    """Answer POST /instances/{id}/tags."""
    return tags.link(cloud, checks.instance(cloud, instance_id), request)


def delete_tag(cloud: Cloud, request: Request, instance_id: str, tag_id: str) -> Response:
    """Answer DELETE /instances/{id}/tags/{tag}."""
    return tags.unlink(cloud, checks.instance(cloud, instance_id), tag_id)


def put_instances(cloud: Cloud, request: Request) -> Response:
    """Answer PUT /instances: one id fails as a whole, several ids answer one by one."""
    body = request.body()
    name, ids = checks.text(body, "action"), checks.names(body, "id")
    if not ids:
        raise invalid("id must be a string or an array of strings")
    action = ACTIONS.get(name)
    if action is None:
        raise invalid(f"Invalid action: {name}")
    if len(ids) == 1:
        return _one(cloud, action, name, ids[0], body)
    results = [_attempt(cloud, action, name, instance_id, body) for instance_id in ids]
    failed = any(result["status"] == "error" for result in results)
    return Response(207 if failed else 202, results)


def _one(
    cloud: Cloud, action: Action, name: str, instance_id: str, body: dict[str, Any]
) -> Response:
    status = cloud.scenario.dialect.refusal_code
    try:
        changed = action(cloud, checks.instance(cloud, instance_id), body)
    except ApiError as error:
        if status == 207 and error.code == "forbidden_action":
            return Response(207, [_failure(instance_id, name, error)])
        raise refused(error, status) from None
    return Response(202, [_success(instance_id, name)]) if changed else Response(204)


def _attempt(
    cloud: Cloud, action: Action, name: str, instance_id: str, body: dict[str, Any]
) -> dict[str, Any]:
    try:
        action(cloud, checks.instance(cloud, instance_id), body)
    except ApiError as error:
        return _failure(instance_id, name, error)
    return _success(instance_id, name)


def _failure(instance_id: str, name: str, error: ApiError) -> dict[str, Any]:
    result = {"instanceId": instance_id, "action": name, "status": "error"}
    return {**result, "error": error.message, "statusCode": error.status}


def _success(instance_id: str, name: str) -> dict[str, Any]:
    return {"instanceId": instance_id, "action": name, "status": "success"}


def _start(cloud: Cloud, instance: Instance, body: dict[str, Any]) -> bool:
    if instance.status == "running":
        return False
    if instance.status != "offline":
        raise forbidden(f"Can't start a {instance.status} instance")
    if not instance.plan:
        instance.plan = [[cloud.moment + cloud.scenario.volume_time(), "running"]]
        cloud.hosts.boot(instance)
    return True


def _shutdown(cloud: Cloud, instance: Instance, body: dict[str, Any]) -> bool:
    if instance.status == "offline" and not instance.plan:
        return False
    if instance.status not in {"running", "offline"}:
        raise forbidden(f"Can't shutdown a {instance.status} instance")
    instance.plan = []
    lifecycle.enter(cloud, instance, "offline")
    cloud.hosts.stop(instance)
    return True


def _discontinue(cloud: Cloud, instance: Instance, body: dict[str, Any]) -> bool:
    if cloud.scenario.dialect.first_delete == "404" and not instance.delete_seen:
        instance.delete_seen = True
        raise checks.unknown(cloud, "Invalid instance id")
    if instance.status in BUILDING:
        raise forbidden("Can't discontinue a provisioning instance")
    return _remove(cloud, instance, body)


def _remove(cloud: Cloud, instance: Instance, body: dict[str, Any]) -> bool:
    if instance.status == "discontinued":
        raise forbidden("Can't discontinue a discontinued instance")
    if instance.status == "deleting":
        return False
    doomed = [instance.os_volume_id] if instance.os_volume_id else []
    if body.get("volume_ids") is not None:
        doomed = checks.names(body, "volume_ids")
        if not set(doomed) <= set(instance.volume_ids):
            raise invalid("Invalid volume id")
    permanent = body.get("delete_permanently") is True
    lifecycle.discontinue(cloud, instance, doomed, permanent)
    return True


def _hibernate(cloud: Cloud, instance: Instance, body: dict[str, Any]) -> bool:
    if instance.status != "offline":
        raise forbidden("Instance must be shut down to hibernate")
    lifecycle.discontinue(cloud, instance, doomed=[])
    return True


ACTIONS: dict[str, Action] = {
    "boot": _start,
    "start": _start,
    "shutdown": _shutdown,
    "force_shutdown": _shutdown,
    "delete": _discontinue,
    "discontinue": _discontinue,
    "delete_stuck": _remove,
    "hibernate": _hibernate,
}
