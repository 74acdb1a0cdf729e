# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How instances, volumes and keys look in results and host variables (private, pure)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypedDict, cast

from ..._core.times import read_time, write_time
from ..._hardware import gpus
from ..._models.offer import Offer
from ..._models.resources import Instance, SshKey, Volume


class OwnershipRow(TypedDict):
    """Whose an instance is and until when, as results show it."""

    deployment: str | None
    owner: str | None
    managed: bool
    lease: str | None
    lease_end: str | None
    project: str | None
    protected: bool
    hours: str | None


class InstanceRow(OwnershipRow):
    """An instance as results show it; ``id`` is null of one that is only planned."""

    id: str | None
    name: str | None
    status: str | None
    ip: str | None
    instance_type: str | None
    gpu_model: str | None
    gpu_count: int
    compute_capability: str | None
    vram_gb: float | None
    vcpu: int | None
    ram_gb: float | None
    tier: str | None
    location: str | None
    market: str
    price_per_hour: float | None
    cost_per_hour_now: float
    contract: str | None
    image: str | None
    created_at: str | None
    os_volume_id: str | None
    volume_ids: list[str]
    ssh_key_ids: list[str]
    tags: dict[str, str]


def describe_instance(row: Instance, tiers: tuple[gpus.Tier, ...] = gpus.TIERS) -> InstanceRow:
    """Return an instance as results show it: every key always there, unknown values null.

    Memory in GB (``vram_gb`` of all GPUs together), price per hour for the whole instance.
    """
    count = row.gpu_count or 0
    model = gpus.model_of(row.instance_type, row.gpu_model) if row.instance_type else None
    each = (row.vram_gb or 0) / count if count else 0
    return {
        "id": row.id,
        # One that cannot be the name of a host was left out where the answer was read.
        "name": row.name or (row.ownership.name if row.ownership else None),
        "status": row.status,
        "ip": row.ip,
        "instance_type": row.instance_type,
        "gpu_model": model,
        "gpu_count": count,
        "compute_capability": gpus.compute_capability(model),
        "vram_gb": row.vram_gb,
        "vcpu": row.vcpu,
        "ram_gb": row.ram_gb,
        "tier": gpus.tier_of(model, each, tiers) if model else None,
        "location": row.location,
        "market": row.market,
        "price_per_hour": row.price.amount,
        "cost_per_hour_now": row.rate,
        "contract": row.contract.lower() or None,
        "image": row.image,
        "created_at": row.created_at,
        "os_volume_id": row.boot_volume_id,
        "volume_ids": list(row.volume_ids),
        "ssh_key_ids": list(row.ssh_key_ids),
        **describe_marks(row),
        "tags": dict(row.tag_values),
    }


def describe_marks(row: Instance | None) -> OwnershipRow:
    """Return whose an instance is and until when, all null for a foreign one."""
    marks = row.ownership if row else None
    end = marks.lease_end if marks else None
    return {
        "deployment": marks.deployment if marks else None,
        "owner": (marks.owner or None) if marks else None,
        "managed": marks is not None,
        "lease": marks.lease if marks else None,
        "lease_end": write_time(end) if end else None,
        "project": (marks.project or None) if marks else None,
        "protected": bool(marks and marks.protected),
        "hours": (marks.hours or None) if marks else None,
    }


class BoughtRow(TypedDict, total=False):
    """What is known of an instance in the words of an offer, with its id."""

    id: str | None
    instance_type: str
    location: str | None
    market: str
    gpu_model: str
    gpu_count: int
    vram_gb: float
    vcpu: int
    ram_gb: float
    price_per_hour: float
    tier: str | None
    image: str | None
    vram_gb_each: float


def describe_as_offer(row: Instance) -> BoughtRow:
    """Return what an instance is in the words of an offer, with its id."""
    found = describe_instance(row)
    keys = found.keys() & Offer.__dataclass_fields__.keys()
    each = round((found["vram_gb"] or 0) / (found["gpu_count"] or 1), 1)
    shown = {key: value for key, value in found.items() if key in keys}
    return cast(BoughtRow, {**shown, "vram_gb_each": each, "id": found["id"]})


def planned_instance(values: dict[str, Any]) -> InstanceRow:
    """Return a described instance of which only some values are known yet; the others are null."""
    blank = dict.fromkeys(describe_instance(Instance("")))
    none: dict[str, Any] = {"volume_ids": [], "ssh_key_ids": [], "tags": {}}
    return cast(InstanceRow, {**blank, **none, "managed": True, **values})


class VolumeRow(TypedDict):
    """A volume as results show it; ``id`` is null of one that is only planned."""

    id: str | None
    name: str | None
    size_gb: float | None
    type: str | None
    status: str | None
    location: str | None
    is_os_volume: bool
    instance_id: str | None
    price_per_hour: float
    created_at: str | None
    kept: bool
    tags: dict[str, str]


class ShownVolumeRow(VolumeRow):
    """A volume as its own modules show it."""

    deployment: str | None
    instance_ids: list[str]
    device: str | None
    mount_command: str | None
    price_per_month: float | None
    currency: str | None
    deleted_at: str | None
    trash_hours_left: float | None
    restore_charge: float | None


def describe_volume(row: Volume) -> VolumeRow:
    """Return a volume as results show it: size in GiB, price per hour."""
    return {
        "id": row.id or None,
        "name": row.name,
        "size_gb": row.size_gb,
        "type": row.type,
        "status": row.status,
        "location": row.location,
        "is_os_volume": row.is_boot,
        "instance_id": next(iter(row.holders), None),
        "price_per_hour": round(row.rate, 6),
        "created_at": row.created_at,
        "kept": row.is_kept,
        "tags": dict(row.tag_values),
    }


class SshKeyRow(TypedDict):
    """An SSH key as results show it."""

    id: str | None
    name: str | None
    public_key: str | None
    fingerprint: str | None


def describe_ssh_key(row: SshKey) -> SshKeyRow:
    """Return an SSH key as results show it."""
    return {
        "id": row.id or None,
        "name": row.name,
        "public_key": row.public_key,
        "fingerprint": row.fingerprint,
    }


def _is_memory(row: Volume) -> bool:
    """Tell whether a record is only the memory of a volume."""
    return bool(row.is_permanently_deleted) or row.status == "canceled"


def trash_hours_left(row: Volume, now: datetime) -> float | None:
    """Return for how many hours a volume can still be restored; null outside the trash."""
    since = read_time(row.deleted_at)
    if since is None or _is_memory(row):
        return None
    return round(max(row.trash_hours - (now - since).total_seconds() / 3600, 0), 1)


def restore_charge(row: Volume, now: datetime) -> float | None:
    """Return what a restore would charge for the time in the trash; null outside the trash."""
    since = read_time(row.deleted_at)
    if since is None or _is_memory(row):
        return None
    hours = max((now - since).total_seconds(), 0) / 3600
    return round(hours * row.price.or_nothing, 4)


def show_volume(row: Volume, now: datetime) -> ShownVolumeRow:
    """Return a volume as its own modules show it: every key always there, unknown values null."""
    month = row.price_per_month
    return {
        **describe_volume(row),
        "deployment": row.deployment,
        "instance_ids": list(row.holders),
        "device": row.device,
        "mount_command": row.mount_command,
        "price_per_month": None if month is None else round(month, 2),
        "currency": row.price.currency,
        "deleted_at": row.deleted_at,
        "trash_hours_left": trash_hours_left(row, now),
        "restore_charge": restore_charge(row, now),
    }
