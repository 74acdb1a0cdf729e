# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From orders to what the API wants to be sent (private, pure)."""

from __future__ import annotations

from typing import Any

from ..._models.offer import SPOT
from ..._models.orders import Disposal, InstanceOrder, NewDisk, VolumeOrder
from ..._models.resources import Tag
from .capabilities import CAPABILITIES

# What the API calls the policies for disks of a spot instance that is taken away.
_ON_EVICTION = {"trash": "move_to_trash", "delete": "delete_permanently", "keep": "keep_detached"}
Body = dict[str, Any]


def instance_body(order: InstanceOrder) -> Body:
    """Return the body of the order of an instance."""
    found: Body = {
        "instance_type": order.instance_type,
        "image": order.image,
        "hostname": order.name,
        "location_code": order.location,
        "ssh_key_ids": list(order.ssh_key_ids),
        "startup_script_id": order.startup_script_id,
        "is_spot": order.market == SPOT,
        **_tags(order.tags),
    }
    if order.description:
        found["description"] = order.description
    if order.boot_disk:
        found["os_volume"] = _disk(order.boot_disk)
    if order.data_disk:
        found["volumes"] = [{**_disk(order.data_disk), "type": CAPABILITIES.volume_type}]
    if order.volume_ids:
        found["existing_volumes"] = list(order.volume_ids)
    return found


def volume_body(order: VolumeOrder) -> Body:
    """Return the body of the order of a volume."""
    return {
        "type": order.type,
        "name": order.name,
        "size": order.size_gb,
        "location_code": order.location,
        **_tags(order.tags),
    }


def disposal_body(disposal: Disposal) -> Body:
    """Return what to say about volumes with the delete of an instance.

    Without a list the API takes the volume that it boots from alone.
    """
    found: Body = {"delete_permanently": True} if disposal.for_good else {}
    if disposal.volume_ids is not None:
        found["volume_ids"] = list(disposal.volume_ids)
    return found


def _disk(disk: NewDisk) -> Body:
    """Return a new disk. What becomes of it at an eviction is refused without spot.

    Left out, an instance that is taken away leaves a disk that bills on.
    """
    policy = _ON_EVICTION.get(disk.on_eviction)
    said = {"on_spot_discontinue": policy} if policy else {}
    return {"name": disk.name, "size": disk.size_gb, **_tags(disk.tags), **said}


def _tags(tags: tuple[Tag, ...]) -> Body:
    return {"tags": [{"key": tag.key, "value": tag.value} for tag in tags]} if tags else {}
