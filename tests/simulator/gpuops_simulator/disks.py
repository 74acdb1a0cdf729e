# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to volumes: made, attached, released, thrown away, brought back, purged."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from . import billing
from .model import Instance, Meter, Volume

if TYPE_CHECKING:
    from .cloud import Cloud

TRASH_SECONDS = 96 * 3600.0


def make(cloud: Cloud, wish: dict[str, Any], location: str, **more: Any) -> Volume:
    """Create a volume from an order's wish and start to bill it; it is `ordered` for a moment."""
    now = cloud.moment
    volume = Volume(
        id=str(uuid.uuid4()),
        name=wish["name"],
        size=wish["size"],
        type=wish.get("type", "NVMe"),
        location=location,
        created_at=now,
        on_spot_discontinue=wish.get("on_spot_discontinue") or "keep_detached",
        tags=cloud.tags_from(wish.get("tags")),
        **more,
    )
    billing.open_meter(cloud.account, meter_for(cloud, volume, now))
    cloud.account.volumes[volume.id] = volume
    return volume


def meter_for(cloud: Cloud, volume: Volume, now: float) -> Meter:
    """Return a fresh meter with the price of this volume."""
    return Meter(volume.id, "volume", volume.name, hourly(cloud, volume), now, now)


def hourly(cloud: Cloud, volume: Volume) -> Decimal:
    """Return the price per hour in USD."""
    return cloud.catalogue.volume_price(volume.type, volume.size)[1]


def attach(cloud: Cloud, volume: Volume, instance: Instance, at: float | None = None) -> None:
    """Attach a volume; it is `attaching` until the lag is over."""
    if instance.id not in volume.instance_ids:
        volume.instance_ids.append(instance.id)
    if volume.id not in instance.volume_ids:
        instance.volume_ids.append(volume.id)
    disks = [i for i in instance.volume_ids if i != instance.os_volume_id]
    letter = "a" if volume.is_os_volume else chr(ord("b") + disks.index(volume.id) % 25)
    volume.target = None if shared(cloud, volume) else f"vd{letter}"
    volume.status = "attaching"
    due = cloud.moment + cloud.scenario.volume_time() if at is None else at
    volume.plan = sorted([*_leaving(volume, but=instance.id), [due, "attached"]])


def shared(cloud: Cloud, volume: Volume) -> bool:
    """Return whether this is a shared filesystem."""
    return bool(cloud.catalogue.volume_types[volume.type]["shared"])


def release(cloud: Cloud, volume: Volume, at: float, instance_id: str | None = None) -> None:
    """Detach a volume, from one instance or from all; it keeps its instance until time `at`.

    A shared filesystem may be on its way from several instances at the same time.
    """
    volume.status = "detaching"
    if instance_id is None:
        volume.plan = [[at, "detached"]]
    else:
        leaving = _leaving(volume, but=instance_id)
        volume.plan = sorted([*leaving, [at, f"detached:{instance_id}"]])


def _leaving(volume: Volume, but: str) -> list[list[Any]]:
    """Return what is still to come of a shared filesystem that other instances give up."""
    steps = [step for step in volume.plan if step[1].startswith("detached:")]
    return [step for step in steps if step[1] != f"detached:{but}"]


def throw_away(cloud: Cloud, volume: Volume, at: float, permanent: bool) -> None:
    """Delete a volume: billing stops now; at time `at` it is in the trash, or gone for good."""
    billing.close_meter(cloud.account, volume.id, cloud.moment)
    if cloud.scenario.dialect.trash == "immediate":
        at = cloud.moment
    volume.status = "deleting"
    volume.permanent = permanent
    volume.plan = [[at, "deleted"]]


def enter(cloud: Cloud, volume: Volume, status: str, at: float) -> None:
    """Take up a status whose time has come."""
    status, _unused, only = status.partition(":")
    if status in {"detached", "deleted"}:
        for instance_id in [only] if only else list(volume.instance_ids):
            _forget(cloud, volume, instance_id)
    if status == "detached" and volume.instance_ids:
        status = "detaching" if volume.plan else "attached"
    if status == "deleted":
        volume.deleted_at = at
    volume.status = status


def _forget(cloud: Cloud, volume: Volume, instance_id: str) -> None:
    if instance_id in volume.instance_ids:
        volume.instance_ids.remove(instance_id)
    volume.target = None
    instance = cloud.account.instances.get(instance_id)
    if instance:
        instance.volume_ids = [i for i in instance.volume_ids if i != volume.id]


def in_trash(volume: Volume) -> bool:
    """Return whether a volume lies in the trash."""
    return volume.deleted_at is not None and not volume.permanent


def purge(volume: Volume) -> None:
    """Take a volume out of the trash for good."""
    volume.permanent = True


def restore(cloud: Cloud, volume: Volume) -> None:
    """Bring a volume back from the trash; its trash time is charged in full."""
    now = cloud.moment
    billing.reopen_meter(cloud.account, volume.id, now)
    volume.deleted_at = None
    volume.status = "restoring"
    volume.plan = [[now + cloud.scenario.volume_time(), "detached"]]
