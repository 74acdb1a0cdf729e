# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes: list, create, the actions of PUT /volumes, the trash."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import billing, checks, disks, quotas, tags
from .errors import ApiError, forbidden, invalid, refused
from .model import Instance, Volume
from .views import trash_view, volume_view
from .wire import Request, Response

if TYPE_CHECKING:
    from .cloud import Cloud

Action = Callable[["Cloud", Volume, dict[str, Any]], None]


def list_volumes(cloud: Cloud, request: Request) -> Response:
    """Answer GET /volumes; what is deleted is in the trash and not here."""
    status = request.one("status")
    rows = [
        volume_view(cloud, v)
        for v in cloud.account.volumes.values()
        if v.deleted_at is None
        and status in {None, v.status}
        and tags.has_tags(v.tags, request.query.get("tag", []))
    ]
    return Response(200, rows)


def list_trash(cloud: Cloud, request: Request) -> Response:
    """Answer GET /volumes/trash."""
    rows = [trash_view(cloud, v) for v in cloud.account.volumes.values() if disks.in_trash(v)]
    return Response(200, rows)


def get_volume(cloud: Cloud, request: Request, volume_id: str) -> Response:
    """Answer GET /volumes/{id}; one that was deleted still answers, as `deleted`."""
    volume = checks.volume(cloud, volume_id)
    view = volume_view if volume.deleted_at is None else trash_view
    return Response(200, view(cloud, volume))


def post_volume(cloud: Cloud, request: Request) -> Response:
    """Answer POST /volumes with the bare id of the new volume."""
    body = request.body()
    wish = checks.volume_wish(cloud, body)
    location = checks.location(cloud, body)
    targets = _targets(cloud, body)
    if any(instance.location != location for instance in targets):
        raise invalid("Instance is in another location")
    quotas.check_volumes(cloud, 1, wish["size"])
    volume = disks.make(cloud, wish, location)
    volume.plan = [[cloud.moment + cloud.scenario.volume_time(), "detached"]]
    _attach_all(cloud, volume, targets)
    return Response(*checks.created(cloud, 202, volume.id))


def _targets(cloud: Cloud, body: dict[str, Any]) -> list[Instance]:
    ids = checks.names(body, "instance_ids") or checks.names(body, "instance_id")
    found = [checks.instance(cloud, instance_id) for instance_id in ids]
    if any(instance.status != "offline" for instance in found):
        raise forbidden("Instance must be shut down")
    return found


def _attach_all(cloud: Cloud, volume: Volume, targets: list[Instance]) -> None:
    if len(targets) > 1 and not disks.shared(cloud, volume):
        raise invalid("Only shared volumes can be attached to several instances")
    for instance in targets:
        disks.attach(cloud, volume, instance)


def post_tag(cloud: Cloud, request: Request, volume_id: str) -> Response:
    """Answer POST /volumes/{id}/tags."""
    return tags.link(cloud, checks.volume(cloud, volume_id), request)


def delete_tag(cloud: Cloud, request: Request, volume_id: str, tag_id: str) -> Response:
    """Answer DELETE /volumes/{id}/tags/{tag}."""
    return tags.unlink(cloud, checks.volume(cloud, volume_id), tag_id)


def delete_volume(cloud: Cloud, request: Request, volume_id: str) -> Response:
    """Answer DELETE /volumes/{id}; deleting what is deleted is no error."""
    volume = checks.volume(cloud, volume_id)
    body = request.body()
    if volume.deleted_at is not None and not (disks.in_trash(volume) and body.get("is_permanent")):
        return Response(204)
    _delete(cloud, volume, body)
    return Response(202)


def put_volumes(cloud: Cloud, request: Request) -> Response:
    """Answer PUT /volumes; the first volume that does not allow the action ends the request."""
    body = request.body()
    name, ids = checks.text(body, "action"), checks.names(body, "id")
    if not ids:
        raise invalid("id must be a string or an array of strings")
    chosen = [checks.volume(cloud, volume_id) for volume_id in ids]
    if name == "clone":
        return _clone_all(cloud, chosen, body)
    action = ACTIONS.get(name)
    if action is None:
        raise invalid(f"Invalid action: {name}")
    try:
        for volume in chosen:
            action(cloud, volume, body)
    except ApiError as error:
        return _refusal(cloud, error, name, ids[0])
    return Response(202)


def _refusal(cloud: Cloud, error: ApiError, name: str, volume_id: str) -> Response:
    """Return the answer to an action that the state forbids, as this account gives it."""
    status = cloud.scenario.dialect.refusal_code
    if status != 207 or error.code != "forbidden_action":
        raise refused(error, status)
    row = {"volumeId": volume_id, "action": name, "status": "error"}
    return Response(207, [{**row, "error": error.message, "statusCode": error.status}])


def _clone_all(cloud: Cloud, chosen: list[Volume], body: dict[str, Any]) -> Response:
    clones = [_clone(cloud, volume, body) for volume in chosen]
    if cloud.scenario.clone_answer == "object":
        return Response(202, {"id": clones[0]})
    return Response(202, clones)


def _attach(cloud: Cloud, volume: Volume, body: dict[str, Any]) -> None:
    targets = _targets(cloud, body)
    if not targets:
        raise invalid("instance_id must be a string")
    if volume.status != "detached" and not disks.shared(cloud, volume):
        raise forbidden("Volume must be detached")
    if any(instance.location != volume.location for instance in targets):
        raise invalid("Instance is in another location")
    _attach_all(cloud, volume, targets)


def _detach(cloud: Cloud, volume: Volume, body: dict[str, Any]) -> None:
    if not volume.instance_ids:
        raise forbidden("Volume is not attached")
    known = [cloud.account.instances.get(i) for i in volume.instance_ids]
    chosen = checks.names(body, "instance_id")
    holders = [i for i in known if i and (not chosen or i.id in chosen)]
    if any(instance.status not in {"offline", "discontinued"} for instance in holders):
        raise forbidden("Instance must be shut down")
    if volume.is_os_volume and any(instance.status == "offline" for instance in holders):
        raise forbidden("Can't detach the OS volume")
    only = chosen[0] if chosen and len(volume.instance_ids) > 1 else None
    disks.release(cloud, volume, cloud.moment + cloud.scenario.volume_time(), only)


def _delete(cloud: Cloud, volume: Volume, body: dict[str, Any]) -> None:
    permanent = body.get("is_permanent") is True
    if disks.in_trash(volume) and permanent:
        disks.purge(volume)
        return
    if volume.deleted_at is not None or volume.status == "deleting":
        return
    if volume.instance_ids:
        raise forbidden("Can't delete an attached volume")
    lag = cloud.scenario.volume_time()
    disks.throw_away(cloud, volume, cloud.moment + lag, permanent)


def _restore(cloud: Cloud, volume: Volume, body: dict[str, Any]) -> None:
    if not disks.in_trash(volume):
        raise forbidden("Volume is not in the trash")
    disks.restore(cloud, volume)


def _rename(cloud: Cloud, volume: Volume, body: dict[str, Any]) -> None:
    volume.name = checks.text(body, "name")


def _resize(cloud: Cloud, volume: Volume, body: dict[str, Any]) -> None:
    size = checks.number(body, "size")
    checks.volume_type(cloud, {"type": volume.type})
    if size <= volume.size:
        raise invalid("New size must be bigger than the current size")
    if volume.deleted_at is not None:
        raise forbidden("Can't resize a deleted volume")
    quotas.check_volumes(cloud, 0, size - volume.size)
    volume.size = size
    price = disks.hourly(cloud, volume)
    billing.reprice_meter(cloud.account, volume.id, price, cloud.moment)


def _clone(cloud: Cloud, volume: Volume, body: dict[str, Any]) -> str:
    holders = [checks.instance(cloud, i) for i in volume.instance_ids]
    if volume.deleted_at is not None or any(i.status != "offline" for i in holders):
        raise forbidden("Volume must be detached or its instance shut down")
    quotas.check_volumes(cloud, 1, volume.size)
    wish = {"name": body.get("name") or f"{volume.name}-clone", "size": volume.size}
    kind = checks.volume_type(cloud, {"type": body.get("type") or volume.type})
    where = checks.location(cloud, {"location_code": body.get("location_code") or volume.location})
    clone = disks.make(cloud, {**wish, "type": kind}, where, is_os_volume=volume.is_os_volume)
    clone.ssh_key_ids, clone.authorized_keys = volume.ssh_key_ids, volume.authorized_keys
    clone.status = "cloning"
    clone.plan = [[cloud.moment + cloud.scenario.volume_time(), "detached"]]
    return clone.id


def _cancel(cloud: Cloud, volume: Volume, body: dict[str, Any]) -> None:
    if volume.status != "cloning":
        raise ApiError(403, "forbidden_action", "Volume is not being cloned")
    disks.throw_away(cloud, volume, cloud.moment, permanent=True)


ACTIONS: dict[str, Action] = {
    "attach": _attach,
    "detach": _detach,
    "delete": _delete,
    "restore": _restore,
    "rename": _rename,
    "resize": _resize,
    "cancel": _cancel,
}
