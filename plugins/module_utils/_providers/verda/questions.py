# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an account is asked, and which fields the API documents for each answer (private, pure)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from ..base.questions import OTHER_CURRENCY, Fields, Question
from ..base.row import Row
from .parsing import (
    balance_of,
    instance_from,
    instance_type_from,
    script_from,
    ssh_key_from,
    stock_from,
    trashed_from,
    volume_from,
    volume_type_from,
)

# Whose values are the user's own. The others are alike for every account.
_PRIVATE = ("/balance", "/instances", "/volumes", "/volumes/trash", "/ssh-keys", "/scripts")
# How this collection reads them.
_READERS: dict[str, Callable[[Row], Any]] = {
    "/balance": balance_of,
    "/instances": instance_from,
    "/instance-types": instance_type_from,
    "/instance-availability": stock_from,
    "/volumes": volume_from,
    "/volumes/trash": trashed_from,
    "/volume-types": volume_type_from,
    "/ssh-keys": ssh_key_from,
    "/scripts": script_from,
}
_HARDWARE = (
    "cpu.number_of_cores gpu.number_of_gpus gpu_memory.size_in_gigabytes memory.size_in_gigabytes "
    "price_per_hour"
)
# Path -> fields that are numbers, or text that is one.
_NUMBERS = {
    "/balance": ("amount",),
    "/instances": tuple(_HARDWARE.split()),
    "/instance-types": (*_HARDWARE.split(), "spot_price"),
    "/volumes": ("size", "base_hourly_cost", "monthly_price"),
    "/volume-types": ("price.price_per_month_per_gb", "price.cps_per_gb"),
}
_VOLUME = (
    "id name size type status location created_at is_os_volume instance_id target ssh_key_ids "
    "contract base_hourly_cost monthly_price currency tags"
)
# Path -> the fields that are documented, and are always there.
_DOCUMENTED = {
    "/balance": "amount currency",
    "/instances": "id hostname description instance_type location created_at status ip cpu gpu memory "
    "gpu_memory storage price_per_hour is_spot image os_name startup_script_id ssh_key_ids "
    "os_volume_id volume_ids contract pricing tags",
    "/instance-types": "id instance_type name model description cpu gpu gpu_memory memory storage "
    "price_per_hour spot_price currency supported_os",
    "/instance-availability": "location_code availabilities",
    "/volumes": f"{_VOLUME} instances",
    "/volumes/trash": f"{_VOLUME} deleted_at is_permanently_deleted",
    "/volume-types": "type price",
    "/ssh-keys": "id name key fingerprint",
    "/scripts": "id name script",
}
# Path -> fields that are documented, and may be missing.
_OPTIONAL = {
    "/instances": "created_by_user_id jupyter_token",
    "/instance-types": "best_for deploy_warning display_name dynamic_price manufacturer "
    "max_dynamic_price p2p serverless_price serverless_spot_price",
    "/volumes": "created_by_user_id long_term pseudo_path create_directory_command mount_command "
    "filesystem_to_fstab_command deleted_at is_permanently_deleted",
    "/volumes/trash": "created_by_user_id long_term instances pseudo_path create_directory_command "
    "mount_command filesystem_to_fstab_command",
    "/volume-types": "is_shared_fs burst_bandwidth continuous_bandwidth internal_network_speed iops "
    "throughput_gbps",
    "/ssh-keys": "created_at created_by_user_id",
    "/scripts": "created_at created_by_user_id",
}


def fields_of(path: str) -> Fields:
    """Return the fields of the rows that a path answers with."""
    documented, optional = _DOCUMENTED.get(path, ""), _OPTIONAL.get(path, "")
    return Fields(_NUMBERS.get(path, ()), tuple(documented.split()), tuple(optional.split()))


def _ask(name: str, path: str, **params: Any) -> Question:
    return Question(
        name,
        path,
        params,
        reader=_READERS[path],
        is_private=path in _PRIVATE,
        is_one=path == "/balance",
        fields=fields_of(path),
    )


def questions() -> tuple[Question, ...]:
    """Return the questions of a round; the last one is about an id that nobody has."""
    return (
        _ask("balance", "/balance"),
        _ask("instances", "/instances"),
        _ask("ended_instances", "/instances", status="discontinued"),
        _ask("instance_types", "/instance-types"),
        _ask("instance_types_asked", "/instance-types", currency=OTHER_CURRENCY),
        _ask("stock", "/instance-availability", is_spot="false"),
        _ask("spot_stock", "/instance-availability", is_spot="true"),
        _ask("volumes", "/volumes"),
        _ask("trash", "/volumes/trash"),
        _ask("volume_types", "/volume-types"),
        _ask("volume_types_asked", "/volume-types", currency=OTHER_CURRENCY),
        _ask("ssh_keys", "/ssh-keys"),
        _ask("scripts", "/scripts", page=1, pageSize=100),
        Question("unknown_id", "/instances/{id}", path_params={"id": str(uuid.uuid4())}),
    )
