# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a change of leases, of one account or of several (private, pure)."""

from __future__ import annotations

from typing import Any, TypedDict

from .._billing.budget import GivenBudget
from .._core.argspecs import BUDGET_SPEC, LEDGER_SPEC

SPEC: dict[str, Any] = {
    **BUDGET_SPEC,
    **LEDGER_SPEC,
    "deployment": {"type": "str", "required": True},
    "name": {"type": "str"},
    "id": {"type": "str"},
    "extend": {"type": "str"},
    "lease": {"type": "str"},
    "done": {"type": "bool", "default": False},
    "lease_max": {"type": "str"},
    "lease_max_override": {"type": "bool", "default": False},
    "budget_policy": {"type": "str", "choices": ["refuse", "warn"], "default": "refuse"},
    "max_lease_cost": {"type": "float"},
    "protect": {"type": "bool"},
    "owner": {"type": "str"},
    "confirm": {"type": "bool", "default": False},
    "on_unconfirmed": {"type": "str", "choices": ["fail", "report"], "default": "fail"},
    "os_volume": {"type": "str", "choices": ["trash", "delete", "keep"], "default": "trash"},
    "data_volumes": {"type": "str", "choices": ["keep", "trash", "delete"]},
    "trust_cloud_clock": {"type": "bool", "default": False},
    "wait_timeout": {"type": "float", "default": 900},
    "wait_interval": {"type": "float", "default": 5},
}
EXCLUSIVE = [("name", "id"), ("extend", "lease")]


class LeaseOptions(TypedDict):
    """What is asked for."""

    budget: GivenBudget | None
    ledger: str | None
    deployment: str
    name: str | None
    id: str | None
    extend: str | None
    lease: str | None
    done: bool
    lease_max: str | None
    lease_max_override: bool
    budget_policy: str
    max_lease_cost: float | None
    protect: bool | None
    owner: str | None
    confirm: bool
    on_unconfirmed: str
    os_volume: str
    data_volumes: str | None
    trust_cloud_clock: bool
    wait_timeout: float
    wait_interval: float
