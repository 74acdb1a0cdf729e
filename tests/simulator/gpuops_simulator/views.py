# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How things look from outside, field by field as the API documents them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .clock import iso
from .disks import shared
from .model import BUILDING, Instance, Volume

if TYPE_CHECKING:
    from .cloud import Cloud

USER_ID = "5109d0d4-cf20-4afe-8c6a-000000000001"
STRANGER = {"note": "clients must ignore fields that they do not know"}
View = dict[str, Any]


def instance_view(cloud: Cloud, instance: Instance) -> View:
    """Return an instance as GET /instances shows it; disks appear when it is built."""
    row = cloud.catalogue.types.get(instance.instance_type)
    vram = row["vram_gb"] if row else 0
    shown = instance.disks_shown and instance.status not in BUILDING
    view = {
        "id": instance.id,
        "hostname": instance.hostname,
        "description": cloud.scenario.dialect.shown(instance.description),
        "instance_type": instance.instance_type,
        "location": instance.location,
        "created_at": iso(instance.created_at),
        "created_by_user_id": USER_ID,
        "status": instance.status,
        "ip": instance.ip if shown else None,
        **(cloud.catalogue.hardware(instance.instance_type) if row else {}),
        "gpu_memory": {
            "description": f"{vram}GB GPU RAM" if vram else "",
            "size_in_gigabytes": vram,
        },
        "storage": {"description": "dynamic"},
        "price_per_hour": float(instance.price_per_hour),
        "is_spot": instance.is_spot,
        "image": instance.image,
        "os_name": instance.os_name,
        "startup_script_id": instance.startup_script_id,
        "ssh_key_ids": instance.ssh_key_ids,
        "os_volume_id": instance.os_volume_id if shown else None,
        "volume_ids": instance.volume_ids if shown else [],
        "jupyter_token": "",
        "contract": instance.contract,
        "pricing": "FIXED_PRICE",
        "tags": instance.tags,
    }
    if cloud.scenario.dialect.volume_ids == "missing":
        del view["volume_ids"]
    return _dressed(cloud, view)


def volume_view(cloud: Cloud, volume: Volume) -> View:
    """Return a volume as GET /volumes shows it."""
    view = _volume_core(cloud, volume)
    view["long_term"] = None
    view["instances"] = [_volume_instance(cloud, i) for i in volume.instance_ids]
    if shared(cloud, volume):
        export = f"nfs.{volume.location.lower()}.datacrunch.io:/{volume.name}-{volume.id[:8]}"
        mount = f"/mnt/{volume.name}"
        view |= {
            "pseudo_path": f"/{volume.name}-{volume.id[:8]}",
            "create_directory_command": f"mkdir -p {mount}",
            "mount_command": f"mount -t nfs -o nconnect=16 {export} {mount}",
            "filesystem_to_fstab_command": f"echo '{export} {mount} nfs nconnect=16 0 0'"
            " >> /etc/fstab",
        }
    return _dressed(cloud, view)


def trash_view(cloud: Cloud, volume: Volume) -> View:
    """Return a deleted volume as GET /volumes/trash shows it."""
    view = _volume_core(cloud, volume)
    view["instances"] = []
    view["deleted_at"] = iso(volume.deleted_at or 0.0)
    view["is_permanently_deleted"] = volume.permanent
    return _dressed(cloud, view)


def _volume_core(cloud: Cloud, volume: Volume) -> View:
    month, hour = cloud.catalogue.volume_price(volume.type, volume.size)
    return {
        "id": volume.id,
        "name": volume.name,
        "size": volume.size,
        "type": volume.type,
        "status": volume.status,
        "location": volume.location,
        "created_at": iso(volume.created_at),
        "created_by_user_id": USER_ID,
        "is_os_volume": volume.is_os_volume,
        "instance_id": volume.instance_ids[0] if volume.instance_ids else None,
        "target": volume.target,
        "ssh_key_ids": volume.ssh_key_ids,
        "contract": "PAY_AS_YOU_GO",
        "base_hourly_cost": float(hour),
        "monthly_price": float(month),
        "currency": cloud.catalogue.currency,
        "tags": volume.tags,
    }


def _volume_instance(cloud: Cloud, instance_id: str) -> View:
    instance = cloud.account.instances.get(instance_id)
    if instance is None:
        return {"id": instance_id}
    return {
        "id": instance.id,
        "hostname": instance.hostname,
        "ip": instance.ip,
        "instance_type": instance.instance_type,
        "status": instance.status,
        "os_volume_id": instance.os_volume_id,
        "auto_rental_extension": None,
    }


def _dressed(cloud: Cloud, view: View) -> View:
    if cloud.scenario.extra_fields:
        view["field_of_tomorrow"] = STRANGER
    if not (cloud.scenario.tags_supported and cloud.scenario.dialect.answer_tags):
        del view["tags"]
    return view
