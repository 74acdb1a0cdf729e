# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What time does to an account: statuses move on, bills fall due, the trash is emptied."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from . import billing, disks
from .model import ENDED, Instance, Volume

if TYPE_CHECKING:
    from .cloud import Cloud

Due = tuple[float, Callable[[], None]]
NEVER = float("inf")


def settle(cloud: Cloud) -> None:
    """Bring the account up to the present, one event at a time."""
    now = cloud.now()
    while True:
        at, apply = min(_events(cloud), key=lambda due: due[0], default=(NEVER, None))
        cloud.moment = min(at, now)
        broke = billing.charge(cloud.account, cloud.moment)
        if broke is not None:
            cloud.moment = broke
            _end_everything(cloud)
        elif apply is None or at > now:
            return
        else:
            apply()


def _events(cloud: Cloud) -> Iterator[Due]:
    """Yield what will happen by itself; most things just stay as they are."""
    for instance in cloud.account.instances.values():
        if instance.plan or instance.status == "discontinued":
            yield _instance_event(cloud, instance)
    for volume in cloud.account.volumes.values():
        if volume.plan or disks.in_trash(volume):
            yield _volume_event(cloud, volume)


def _instance_event(cloud: Cloud, instance: Instance) -> Due:
    if instance.ended_at is not None and instance.status == "discontinued":
        forget_at = instance.ended_at + cloud.scenario.remember_seconds
        return forget_at, lambda: cloud.account.instances.__delitem__(instance.id)
    if not instance.plan:
        return NEVER, lambda: None
    at, status = instance.plan[0]
    if status == "running" and cloud.hosts.real:
        if instance.host == "failed":
            at, status = instance.host_at, "installation_failed"
        else:
            at = max(at, instance.host_at) if instance.host == "up" else NEVER
    return at, lambda: _step(cloud, instance, status)


def _step(cloud: Cloud, instance: Instance, status: str) -> None:
    instance.plan = instance.plan[1:] if status != "installation_failed" else []
    enter(cloud, instance, status)


def _volume_event(cloud: Cloud, volume: Volume) -> Due:
    if volume.plan:
        at, status = volume.plan[0]

        def move() -> None:
            volume.plan = volume.plan[1:]
            disks.enter(cloud, volume, status, at)

        return at, move
    return (volume.deleted_at or 0.0) + disks.TRASH_SECONDS, lambda: disks.purge(volume)


def enter(cloud: Cloud, instance: Instance, status: str) -> None:
    """Give an instance a status with all that follows from it, at the account's present moment."""
    instance.status = status
    if status == "provisioning":
        for volume in _own_volumes(cloud, instance):
            volume.status, volume.plan = "attached", []
    elif status == "running":
        instance.disks_shown = True
        instance.ip = instance.ip or cloud.next_address()
    elif status in ENDED:
        _end(cloud, instance)


def _own_volumes(cloud: Cloud, instance: Instance) -> list[Volume]:
    return [cloud.account.volumes[i] for i in instance.volume_ids]


def _end(cloud: Cloud, instance: Instance) -> None:
    nothing_came_of_it = instance.status == "no_capacity"
    billing.close_meter(cloud.account, instance.id, cloud.moment, refund_all=nothing_came_of_it)
    cloud.give_back_stock(instance)
    cloud.hosts.remove(instance.id)
    instance.ended_at = cloud.moment
    if nothing_came_of_it:
        for volume in _own_volumes(cloud, instance):
            _undo_volume(cloud, volume, instance)
    elif instance.status != "discontinued":
        instance.disks_shown = True


def _undo_volume(cloud: Cloud, volume: Volume, instance: Instance) -> None:
    if volume.ordered_with == instance.id:
        billing.close_meter(cloud.account, volume.id, cloud.moment, refund_all=True)
        disks.throw_away(cloud, volume, cloud.moment, permanent=True)
    else:
        disks.release(cloud, volume, cloud.moment)


def discontinue(
    cloud: Cloud, instance: Instance, doomed: list[str], permanent: bool = False
) -> None:
    """Begin to remove an instance; the volumes in `doomed` go with it, the others are detached."""
    scenario, now = cloud.scenario, cloud.moment
    billing.close_meter(cloud.account, instance.id, now)
    gone = now + scenario.delete_time()
    for volume in _own_volumes(cloud, instance):
        if volume.id in doomed:
            disks.throw_away(cloud, volume, gone + scenario.volume_time(), permanent)
        elif scenario.dialect.ended_disks == "released" or volume.is_os_volume:
            only = instance.id if disks.shared(cloud, volume) else None
            disks.release(cloud, volume, gone + scenario.volume_time(), only)
    cloud.hosts.remove(instance.id)
    instance.status = "deleting"
    instance.end_reason = instance.end_reason or "by_user"
    instance.plan = [[gone, "discontinued"]]


def evict(cloud: Cloud, instance: Instance) -> None:
    """Take a spot instance away without warning; each volume follows its own policy."""
    instance.end_reason = "evicted_by_on_demand"
    instance.holds_stock = False  # somebody else has the instance now
    lag = cloud.moment + cloud.scenario.volume_time()
    for volume in _own_volumes(cloud, instance):
        if volume.on_spot_discontinue == "keep_detached":
            disks.release(cloud, volume, lag)
        else:
            permanent = volume.on_spot_discontinue == "delete_permanently"
            disks.throw_away(cloud, volume, lag, permanent)
    instance.plan = []
    enter(cloud, instance, "discontinued")


def _end_everything(cloud: Cloud) -> None:
    """Act on an empty balance: instances are discontinued, volumes go to the trash."""
    for instance in cloud.account.instances.values():
        if instance.status != "discontinued":
            instance.end_reason = "insufficient_funds"
            instance.plan = []
            enter(cloud, instance, "discontinued")
    for volume in cloud.account.volumes.values():
        if volume.deleted_at is None:
            disks.throw_away(cloud, volume, cloud.moment, permanent=volume.permanent)
