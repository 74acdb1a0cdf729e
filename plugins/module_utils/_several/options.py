# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of gpu_instance, of which many stand in groups, as the engine takes them (private, pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypedDict, cast

from .._core.argspecs import BUDGET_SPEC, LEDGER_SPEC, SELECTION_SPEC
from .._core.data import Data
from .._core.errors import GpuopsError
from .._instances.options import InstanceOptions
from .._providers.base.options import ON_EVICTION

_POLICIES = ["trash", "delete", "keep"]
# Of each group: its option, and what the engine calls that.
_VOLUMES = {
    "os_gb": "os_volume_gb",
    "data_gb": "data_volume_gb",
    "on_eviction": ON_EVICTION,
    "os": "os_volume",
    "data": "data_volumes",
}
_WAITING = {
    "until_running": "wait",
    "timeout": "wait_timeout",
    "interval": "wait_interval",
    "start_timeout": "start_timeout",
    "capacity_timeout": "capacity_timeout",
    "for_capacity": "wait_for_capacity",
    "capacity_interval": "capacity_interval",
}
_BUDGET = {"policy": "budget_policy", "max_lease_cost": "max_lease_cost"}
# What one cloud alone is asked for.
_NEVER = {"id": None, "replace": False, "description": None, "observation_log": None}


class SeveralOptions(InstanceOptions):
    """What is asked for in the words of the engine, and of whom."""

    providers: list[str] | None


class GroupedOptions(TypedDict):
    """What is asked for as the module takes it: of the rest, the engine has the same names."""

    offer: dict[str, Data]
    budget: dict[str, Data]
    volumes: dict[str, Data]
    waiting: dict[str, Data]


def _group(**options: Data) -> dict[str, Data]:
    return {"type": "dict", "apply_defaults": True, "options": options}


SPEC: dict[str, Any] = {
    **LEDGER_SPEC,
    "state": {
        "type": "str",
        "choices": ["present", "running", "stopped", "absent"],
        "default": "present",
    },
    "deployment": {"type": "str", "required": True},
    "name": {"type": "str"},
    "count": {"type": "int", "default": 1},
    "min_count": {"type": "int"},
    "keep_short_fleet": {"type": "bool", "default": False},
    "owner": {"type": "str"},
    "project": {"type": "str"},
    "lease": {"type": "str", "default": "12h"},
    "lease_max": {"type": "str"},
    "lease_max_override": {"type": "bool", "default": False},
    "protect": {"type": "bool", "default": False},
    "hours": {"type": "str"},
    "confirm": {"type": "bool", "default": False},
    "on_unconfirmed": {"type": "str", "choices": ["fail", "report"], "default": "fail"},
    "ssh_keys": {"type": "list", "elements": "str", "no_log": False},
    "startup_script_id": {"type": "str"},
    "offer": _group(**SELECTION_SPEC),
    "budget": _group(
        **BUDGET_SPEC["budget"]["options"],
        policy={"type": "str", "choices": ["refuse", "warn"], "default": "refuse"},
        max_lease_cost={"type": "float"},
    ),
    "volumes": _group(
        os_gb={"type": "int", "default": 100},
        data_gb={"type": "int"},
        on_eviction={"type": "str", "choices": _POLICIES, "default": "trash"},
        os={"type": "str", "choices": _POLICIES, "default": "trash"},
        data={"type": "str", "choices": ["keep", "trash", "delete"]},
    ),
    "waiting": _group(
        until_running={"type": "bool", "default": True},
        timeout={"type": "float", "default": 900},
        interval={"type": "float", "default": 5},
        start_timeout={"type": "float", "default": 900},
        capacity_timeout={"type": "float", "default": 600},
        for_capacity={"type": "float", "default": 0},
        capacity_interval={"type": "float", "default": 30},
    ),
}


def grouped(options: dict[str, Data]) -> dict[str, Data]:
    """Return options of the engine, such as the variables of playbooks are, as they stand here."""
    offer = {name: name for name in SELECTION_SPEC}
    groups = {"offer": offer, "budget": _BUDGET, "volumes": _VOLUMES, "waiting": _WAITING}
    plain = (*SPEC, "providers")
    found = {name: options[name] for name in plain if name in options and name not in groups}
    for group, names in groups.items():
        part = {ours: options[engine] for ours, engine in names.items() if engine in options}
        limits = options.get("budget") if group == "budget" else None
        part = {**limits, **part} if isinstance(limits, dict) else part
        found |= {group: part} if part else {}
    return found


def flat(params: GroupedOptions) -> SeveralOptions:
    """Return the options as the engine for one cloud takes them."""
    found: dict[str, object] = {**_NEVER, **params, **params["offer"]}
    groups = (
        ("volumes", _VOLUMES, params["volumes"]),
        ("waiting", _WAITING, params["waiting"]),
        ("budget", _BUDGET, params["budget"]),
    )
    for group, names, given in groups:
        found |= {name: given[key] for key, name in names.items()}
        found[group] = {key: value for key, value in given.items() if key not in names}
    return cast(SeveralOptions, found)


_GROUPS = {
    **{engine: f"volumes.{ours}" for ours, engine in _VOLUMES.items() if ours != engine},
    **{engine: f"waiting.{ours}" for ours, engine in _WAITING.items() if "_" in engine},
    "budget_policy": "budget.policy",
    "max_lease_cost": "budget.max_lease_cost",
    "max_price_per_hour": "offer.max_price_per_hour",
}
_NAMES = re.compile(rf"(?<![\w.])(?:{'|'.join(_GROUPS)})\b")


def in_groups(text: str) -> str:
    """Return a sentence of the engine with the names that its options have here."""
    return _NAMES.sub(lambda found: _GROUPS[found[0]], text)


@contextmanager
def saying_groups() -> Iterator[None]:
    """Let errors name options as they are called here."""
    try:
        yield
    except GpuopsError as error:
        error.message, error.hint = in_groups(error.message), in_groups(error.hint)
        raise
