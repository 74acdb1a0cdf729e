# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options under which a trial buys, extends and terminates (private, pure).

They are those of the modules that do so; a test compares them with the modules.
"""

from __future__ import annotations

from typing import TypedDict

from .._billing.budget import GivenBudget
from .._catalog.options import SelectionOptions
from .._instances.lease_options import LeaseOptions
from .._instances.options import InstanceOptions
from .._providers.base.options import ON_EVICTION
from .._volumes.options import VolumeOptions

PREFIX = "verify-account"
# Characters of a description: more than any limit that is known.
TRIED = 101
# The smallest that the cloud is known to take; a data volume shows what outlives an instance.
_OS_GB, _DATA_GB = 50, 50
# Longer than a billing step and short enough for the reaper, should nothing else terminate it.
LEASE, EXTENSION = "20m", "5m"
_TEXT = "verify_account looks how long a description of an instance may be, and this is one of them"
_SELECTION: SelectionOptions = {
    "tier": None,
    "gpus": None,
    "gpu_count": None,
    "min_gpu_count": None,
    "min_tier": None,
    "confidential": False,
    "min_vram_gb": None,
    "min_vram_gb_each": None,
    "min_vcpu": None,
    "min_ram_gb": None,
    "market": "on_demand",
    "objective": "cheapest",
    "exclude": None,
    "model": None,
    "image": None,
    "tiers": None,
}


class Want(TypedDict):
    """The options of the module."""

    budget: GivenBudget | None
    ledger: str | None
    spend: bool
    deployment: str
    max_price_per_hour: float | None
    locations: list[str] | None
    ssh_keys: list[str] | None
    owner: str | None
    project: str | None
    wait_timeout: float
    wait_interval: float


class _Said(TypedDict):
    budget: GivenBudget | None
    ledger: str | None
    owner: str
    project: str | None
    max_price_per_hour: float | None
    locations: list[str] | None
    ssh_keys: list[str] | None
    wait_timeout: float
    wait_interval: float


def _said(want: Want) -> _Said:
    """Return what a user says once for the whole trial; an owner that is left out is completed later."""
    return {
        "budget": want["budget"],
        "ledger": want["ledger"],
        "owner": want["owner"] or "",
        "project": want["project"],
        "max_price_per_hour": want["max_price_per_hour"],
        "locations": want["locations"],
        "ssh_keys": want["ssh_keys"],
        "wait_timeout": want["wait_timeout"],
        "wait_interval": want["wait_interval"],
    }


def purchase_of(want: Want, instance_type: str) -> InstanceOptions:
    """Return the options that buy one instance of a type, not waited for.

    Its description is to be longer than any limit; the order falls back to the ownership string.
    """
    name = want["deployment"]
    room = TRIED - _label_length(name) - 1
    return {
        **_SELECTION,
        **_said(want),
        "instance_type": instance_type,
        "wait": False,
        "state": "present",
        "deployment": name,
        "name": name,
        "id": None,
        "count": 1,
        "min_count": None,
        "keep_short_fleet": False,
        "replace": False,
        "lease": LEASE,
        "lease_max": None,
        "lease_max_override": False,
        "protect": False,
        "hours": None,
        "confirm": True,
        "on_unconfirmed": "fail",
        "budget_policy": "refuse",
        "max_lease_cost": None,
        "os_volume_gb": _OS_GB,
        "data_volume_gb": _DATA_GB,
        ON_EVICTION: "trash",
        "startup_script_id": None,
        "description": _TEXT[:room],
        "description_limit": TRIED,
        "start_timeout": want["wait_timeout"],
        "capacity_timeout": 120.0,
        "wait_for_capacity": 0.0,
        "capacity_interval": 30.0,
        "observation_log": None,
        "os_volume": "delete",
        "data_volumes": None,
    }


def _label_length(name: str) -> int:
    return len(f"gpo.{name}.{name}.12345.12345678")


def end_of(want: Want) -> InstanceOptions:
    """Return the options that end the instance and leave its data volume."""
    return {**purchase_of(want, ""), "instance_type": None, "state": "absent", "name": None}


def extension_of(want: Want) -> LeaseOptions:
    """Return the options that extend the lease a little."""
    return {
        "budget": want["budget"],
        "ledger": want["ledger"],
        "owner": want["owner"],
        "deployment": want["deployment"],
        "wait_timeout": want["wait_timeout"],
        "wait_interval": want["wait_interval"],
        "name": None,
        "id": None,
        "extend": EXTENSION,
        "lease": None,
        "done": False,
        "lease_max": None,
        "lease_max_override": False,
        "budget_policy": "refuse",
        "max_lease_cost": None,
        "protect": None,
        "confirm": False,
        "on_unconfirmed": "fail",
        "os_volume": "delete",
        "data_volumes": None,
        "trust_cloud_clock": False,
    }


def removal_of(want: Want, volume_id: str, policy: str, *, wait: bool) -> VolumeOptions:
    """Return the options that remove a volume."""
    return {
        "ledger": want["ledger"],
        "deployment": want["deployment"],
        "wait_timeout": want["wait_timeout"],
        "wait_interval": want["wait_interval"],
        "state": "absent",
        "name": None,
        "id": volume_id,
        "size_gb": None,
        "type": None,
        "location": None,
        "instance": None,
        "attached": None,
        "power_cycle": False,
        "policy": policy,
        "restore": False,
        "foreign": False,
        "wait": wait,
    }
