# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Quotas of a project, with the messages that an order over the limit gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import invalid
from .model import ENDED, Instance, Volume

if TYPE_CHECKING:
    from .cloud import Cloud


def check_machine(cloud: Cloud, instance_type: str, is_spot: bool) -> None:
    """Refuse an order whose GPUs or vCPUs would exceed the quota."""
    types = cloud.catalogue.types
    row = types[instance_type]
    alive = [i for i in cloud.account.instances.values() if _alive(cloud, i)]
    same = [types[i.instance_type] for i in alive if i.is_spot == is_spot]
    gpus = "spot_gpus" if is_spot else "gpus"
    if sum(r["gpus"] for r in same) + row["gpus"] > cloud.scenario.quota(gpus):
        raise invalid("Spot GPU limit exceeded" if is_spot else "GPU limit exceeded")
    if sum(types[i.instance_type]["vcpus"] for i in alive) + row["vcpus"] > cloud.scenario.quota(
        "vcpus"
    ):
        raise invalid("vCPU limit exceeded")


def _alive(cloud: Cloud, instance: Instance) -> bool:
    return instance.status not in ENDED and instance.instance_type in cloud.catalogue.types


def check_volumes(cloud: Cloud, count: int, size: int) -> None:
    """Refuse new volumes over the quota; what lies in the trash still counts."""
    held = [v for v in cloud.account.volumes.values() if _held(v)]
    if len(held) + count > cloud.scenario.quota("volumes"):
        raise invalid("Volume limit exceeded")
    if sum(v.size for v in held) + size > cloud.scenario.quota("storage_gb"):
        raise invalid("Storage limit exceeded")


def _held(volume: Volume) -> bool:
    return volume.deleted_at is None or not volume.permanent


def check_scripts(cloud: Cloud) -> None:
    """Refuse one startup script too many."""
    if len(cloud.account.scripts) >= cloud.scenario.quota("scripts"):
        raise invalid("Startup script limit exceeded")
