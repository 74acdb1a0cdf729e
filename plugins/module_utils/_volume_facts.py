# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a volume: whose it is, where it is attached, what it costs (private, pure)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ._describe import describe_volume
from ._lease import belongs_to, owning_deployment, part_name, read_time
from ._numbers import plain, price
from ._statuses import holders

TRASH_H = 96
HOURS_PER_MONTH = 730
# In these a volume is on its way to another status; new statuses count as settled.
MOVING = frozenset(
    {"ordered", "creating", "attaching", "detaching", "cloning", "restoring", "canceling"}
)


def is_shared(row: dict[str, Any]) -> bool:
    """Tell whether a volume is a shared file system, which many machines can hold at a time."""
    return "shared" in str(row.get("type")).lower()


def is_gone_for_good(row: dict[str, Any]) -> bool:
    """Tell whether a record is only the memory of a volume."""
    return bool(row.get("is_permanently_deleted")) or row.get("status") == "canceled"


def names_of(name: str, deployment: str | None) -> tuple[str, str]:
    """Return the names under which a volume counts as the wanted one, the one to give first."""
    if not deployment:
        return name, name
    prefix = part_name(deployment) + "."
    return prefix + name.removeprefix(prefix), name


def is_meant(row: dict[str, Any], name: str | None, deployment: str | None) -> bool:
    """Tell whether a volume bears the name, within its deployment."""
    if deployment and not belongs_to(row, deployment):
        return False
    return name is None or row.get("name") in names_of(name, deployment)


def monthly(row: dict[str, Any], size_gb: int | None = None) -> float | None:
    """Return the price per month, optionally with another size in GB; null when not told."""
    cost = plain(row.get("monthly_price"))
    if cost is None:
        return None
    factor = size_gb / row["size"] if size_gb and row.get("size") else 1
    return round(cost * factor, 2)


def trash_hours_left(row: dict[str, Any], now: datetime) -> float | None:
    """Return for how many hours a volume can still be restored; null outside the trash."""
    since = read_time(row.get("deleted_at"))
    if since is None or is_gone_for_good(row):
        return None
    return round(max(TRASH_H - (now - since).total_seconds() / 3600, 0), 1)


def restore_charge(row: dict[str, Any], now: datetime) -> float | None:
    """Return what a restore would charge for the time in the trash; null outside the trash."""
    since = read_time(row.get("deleted_at"))
    if since is None or is_gone_for_good(row):
        return None
    hours = max((now - since).total_seconds(), 0) / 3600
    return round(hours * (plain(row.get("base_hourly_cost")) or 0.0), 4)


def device(row: dict[str, Any]) -> str | None:
    """Return the path of the block device in a machine; null for a shared file system."""
    digits = str(row.get("id") or "").replace("-", "")
    return f"/dev/disk/by-id/virtio-{digits[-12:]}" if digits and not is_shared(row) else None


def show_volume(row: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Return a volume as its own modules show it: every key always there, unknown values null."""
    return {
        **describe_volume(row),
        "deployment": owning_deployment(row),
        "instance_ids": holders(row),
        "device": device(row),
        "mount_command": row.get("mount_command"),
        "price_per_month": monthly(row),
        "currency": row.get("currency"),
        "deleted_at": row.get("deleted_at"),
        "trash_hours_left": trash_hours_left(row, now),
        "restore_charge": restore_charge(row, now),
    }


def planned_row(values: dict[str, Any], kind: dict[str, Any]) -> dict[str, Any]:
    """Return a volume that does not exist yet as the API would show it.

    ``kind`` is a row of the volume types.
    """
    hour = hourly(kind, values["size"])
    return {
        **values,
        "status": "detached",
        "monthly_price": round(hour * HOURS_PER_MONTH, 2),
        "base_hourly_cost": hour,
        "currency": kind["price"].get("currency"),
    }


def hourly(kind: dict[str, Any], size_gb: float) -> float:
    """Return the price per hour of a new volume; ``kind`` is a row of the volume types.

    Raises UnreadableError for a price that is no number.
    """
    what = f"GET /volume-types: price_per_month_per_gb of {kind['type']}"
    prices = kind.get("price")
    month = price(prices.get("price_per_month_per_gb") if isinstance(prices, dict) else None, what)
    return month * size_gb / HOURS_PER_MONTH
