# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a volume: whose it is, where it is attached, what it costs (private, pure)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from .._core.times import read_time
from .catalogue import VolumeType
from .ownership import part_name
from .price import Price
from .resources import Volume
from .views import describe_volume

TRASH_H = 96
HOURS_PER_MONTH = 730


def _is_memory(row: Volume) -> bool:
    """Tell whether a record is only the memory of a volume."""
    return bool(row.is_permanently_deleted) or row.status == "canceled"


def names_of(name: str, deployment: str | None) -> tuple[str, str]:
    """Return the names under which a volume counts as the wanted one, the one to give first."""
    if not deployment:
        return name, name
    prefix = part_name(deployment) + "."
    return prefix + name.removeprefix(prefix), name


def is_meant(row: Volume, name: str | None, deployment: str | None) -> bool:
    """Tell whether a volume bears the name, within its deployment."""
    if deployment and row.deployment != deployment:
        return False
    return name is None or row.name in names_of(name, deployment)


def grown(row: Volume, size_gb: int) -> Volume:
    """Return a volume of another size in GiB, with what it costs then."""
    factor = size_gb / row.size_gb if row.size_gb else 1
    month = None if row.price_per_month is None else round(row.price_per_month * factor, 2)
    hour = replace(row.price, amount=row.price.or_nothing * factor)
    return replace(row, size_gb=size_gb, price_per_month=month, price=hour)


def trash_hours_left(row: Volume, now: datetime) -> float | None:
    """Return for how many hours a volume can still be restored; null outside the trash."""
    since = read_time(row.deleted_at)
    if since is None or _is_memory(row):
        return None
    return round(max(TRASH_H - (now - since).total_seconds() / 3600, 0), 1)


def restore_charge(row: Volume, now: datetime) -> float | None:
    """Return what a restore would charge for the time in the trash; null outside the trash."""
    since = read_time(row.deleted_at)
    if since is None or _is_memory(row):
        return None
    hours = max((now - since).total_seconds(), 0) / 3600
    return round(hours * row.price.or_nothing, 4)


def device(row: Volume) -> str | None:
    """Return the path of the block device in an instance; null for a shared file system."""
    digits = row.id.replace("-", "")
    return f"/dev/disk/by-id/virtio-{digits[-12:]}" if digits and not row.is_shared else None


def show_volume(row: Volume, now: datetime) -> dict[str, Any]:
    """Return a volume as its own modules show it: every key always there, unknown values null."""
    month = row.price_per_month
    return {
        **describe_volume(row),
        "deployment": row.deployment,
        "instance_ids": list(row.holders),
        "device": device(row),
        "mount_command": row.mount_command,
        "price_per_month": None if month is None else round(month, 2),
        "currency": row.price.currency,
        "deleted_at": row.deleted_at,
        "trash_hours_left": trash_hours_left(row, now),
        "restore_charge": restore_charge(row, now),
    }


def planned_volume(name: str, size_gb: int, location: str, kind: VolumeType) -> Volume:
    """Return a volume that does not exist yet as the API would show it."""
    hour = hourly(kind, size_gb)
    return Volume(
        "",
        name=name,
        status="detached",
        type=kind.name,
        location=location,
        size_gb=size_gb,
        price=Price(hour, kind.currency, problem=""),
        price_per_month=round(hour * HOURS_PER_MONTH, 2),
    )


def hourly(kind: VolumeType, size_gb: float) -> float:
    """Return the price per hour of a new volume. Raises UnreadableError for one that is no number."""
    return kind.price.known() * size_gb / HOURS_PER_MONTH
