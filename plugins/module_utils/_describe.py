# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How instances, volumes and keys look in results and host variables (private, pure)."""

from __future__ import annotations

from typing import Any

from . import _gpus
from ._lease import is_kept, read_identity, tag_values, write_time
from ._numbers import plain
from ._offer import Offer
from ._spend import instance_rate, volume_rate


def _size(row: dict[str, Any], part: str, key: str = "size_in_gigabytes") -> Any:
    """Return a size as the API shows it, None for one that is missing or no number."""
    sizes = row.get(part)
    value = sizes.get(key) if isinstance(sizes, dict) else None
    found = plain(value)
    return None if found is None else value if isinstance(value, (int, float)) else found


def describe_instance(
    row: dict[str, Any], tiers: tuple[_gpus.Tier, ...] = _gpus.TIERS
) -> dict[str, Any]:
    """Return an instance as results show it: every key always there, unknown values null.

    Memory in GB (``vram_gb`` of all GPUs together), price per hour for the whole machine.
    """
    count = int(_size(row, "gpu", "number_of_gpus") or 0)
    vram = _size(row, "gpu_memory")
    model = _gpus.model_of(row["instance_type"]) if row.get("instance_type") else None
    marks = read_identity(row)
    each = (vram or 0) / count if count else 0
    return {
        "id": row.get("id"),
        # One that cannot be the name of a host was left out where the answer was read.
        "name": row.get("hostname") or (marks.name if marks else None),
        "status": row.get("status"),
        "ip": row.get("ip") or None,
        "instance_type": row.get("instance_type"),
        "gpu_model": model,
        "gpu_count": count,
        "compute_capability": _gpus.compute_capability(model),
        "vram_gb": vram,
        "vcpu": _size(row, "cpu", "number_of_cores"),
        "ram_gb": _size(row, "memory"),
        "tier": _gpus.tier_of(model, each, tiers) if model else None,
        "location": row.get("location"),
        "market": "spot" if row.get("is_spot") else "on_demand",
        "price_per_hour": plain(row.get("price_per_hour")),
        "cost_per_hour_now": instance_rate(row),
        "image": row.get("image"),
        "created_at": row.get("created_at"),
        "os_volume_id": row.get("os_volume_id"),
        "volume_ids": row.get("volume_ids") or [],
        "ssh_key_ids": row.get("ssh_key_ids") or [],
        **describe_marks(row),
        "tags": tag_values(row),
    }


def describe_marks(row: dict[str, Any]) -> dict[str, Any]:
    """Return whose a machine is and until when, all null for a foreign one."""
    marks = read_identity(row)
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


def describe_as_offer(row: dict[str, Any]) -> dict[str, Any]:
    """Return what a machine is in the words of an offer, with its id."""
    found = describe_instance(row)
    keys = found.keys() & Offer.__dataclass_fields__.keys()
    each = round((found["vram_gb"] or 0) / (found["gpu_count"] or 1), 1)
    return {**{key: found[key] for key in keys}, "vram_gb_each": each, "id": found["id"]}


def planned_instance(values: dict[str, Any]) -> dict[str, Any]:
    """Return a described instance of which only some values are known yet."""
    blank = dict.fromkeys(describe_instance({}))
    return {**blank, "volume_ids": [], "ssh_key_ids": [], "tags": {}, "managed": True, **values}


def describe_volume(row: dict[str, Any]) -> dict[str, Any]:
    """Return a volume as results show it: size in GiB, price per hour."""
    return {
        "id": row.get("id"),
        "name": row.get("name"),
        "size_gb": row.get("size"),
        "type": row.get("type"),
        "status": row.get("status"),
        "location": row.get("location"),
        "is_os_volume": bool(row.get("is_os_volume")),
        "instance_id": row.get("instance_id"),
        "price_per_hour": round(volume_rate(row), 6),
        "created_at": row.get("created_at"),
        "kept": is_kept(row),
        "tags": tag_values(row),
    }


def describe_ssh_key(row: dict[str, Any]) -> dict[str, Any]:
    """Return an SSH key as results show it."""
    return {
        "id": row.get("id"),
        "name": row.get("name"),
        "public_key": row.get("key"),
        "fingerprint": row.get("fingerprint"),
    }
