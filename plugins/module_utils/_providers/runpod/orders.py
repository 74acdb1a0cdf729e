# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What RunPod is asked to make (private, pure). It refuses every field that it does not know."""

from __future__ import annotations

from typing import Any

from ..._core.errors import InvalidError
from ..._models.orders import InstanceOrder, NewDisk, VolumeOrder
from ..._models.ownership import KEEP_SUFFIX, is_kept
from ..._models.resources import Tag
from .hardware import cuda_of, gpu_of
from .keys import key_id
from .parsing import PUBLIC_KEY, variable

# Where a network volume is seen in a pod.
MOUNT_PATH = "/workspace"
_SSH = "22/tcp"


def check_order(order: InstanceOrder) -> None:
    """Raise InvalidError for an order that nobody could log in to, or of no type of ours."""
    if gpu_of(order.instance_type) is None:
        raise InvalidError(f"instance_type {order.instance_type!r} is none of RunPod's")
    if not order.ssh_key_ids:
        raise InvalidError(
            "ssh_keys: a pod of RunPod takes its public keys with its order alone, and none is given",
            hint="Name a key of the account, or give the public key itself.",
        )
    for key in order.ssh_key_ids:
        if key_id(key) != key:
            raise InvalidError(f"ssh_keys: {key!r} is no public key")


def pod_body(order: InstanceOrder, cloud: str, volume_id: str | None) -> dict[str, Any]:
    """Return the body of an order. Its keys go along, so that the account's own are not asked for."""
    gpu_id, count = gpu_of(order.instance_type) or ("", 0)
    cuda = cuda_of(order.image)
    tags = {variable(tag.key): tag.value for tag in order.tags}
    body: dict[str, Any] = {
        "name": order.description or order.name,
        "image": order.image,
        "cloud": cloud.upper(),
        "dataCenterIds": [order.location],
        "gpu": {"id": gpu_id, "count": count, **({"minCudaVersion": cuda} if cuda else {})},
        "ports": [_SSH],
        "env": {PUBLIC_KEY: "\n".join(order.ssh_key_ids), **tags},
        "startSsh": True,
    }
    if order.boot_disk:
        body["disk"] = order.boot_disk.size_gb
    if volume_id:
        body["mounts"] = {"network": [{"volumeId": volume_id, "path": MOUNT_PATH}]}
    return body


def volume_of(disk: NewDisk, location: str, kind: str) -> VolumeOrder:
    """Return the network volume that a new data disk is; its name alone says that it is retained."""
    return VolumeOrder(_name(disk.name, disk.tags), kind, disk.size_gb, location)


def volume_body(order: VolumeOrder) -> dict[str, Any]:
    """Return the body of an order of a network volume."""
    return {
        "name": _name(order.name, order.tags),
        "size": order.size_gb,
        "dataCenter": order.location,
        "type": order.type,
    }


def _name(name: str, tags: tuple[Tag, ...]) -> str:
    kept = is_kept({tag.key: tag.value for tag in tags}, name)
    suffix = "" if not kept or is_kept({}, name) else KEEP_SUFFIX
    return name + suffix
