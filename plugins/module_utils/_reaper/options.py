# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a reaper, of one account or of several (private, pure)."""

from __future__ import annotations

from typing import Any, TypedDict

from .._billing.budget import GivenBudget
from .._core.argspecs import BUDGET_SPEC, LEDGER_SPEC
from .._core.data import Data

SPEC: dict[str, Any] = {
    **LEDGER_SPEC,
    **BUDGET_SPEC,
    "mode": {"type": "str", "choices": ["report", "stop", "delete"], "default": "report"},
    "grace": {"type": "str", "default": "15m"},
    "deployments": {"type": "list", "elements": "str"},
    "owner": {"type": "str"},
    "everything": {"type": "bool", "default": False},
    "os_volume": {"type": "str", "choices": ["trash", "delete", "keep"], "default": "trash"},
    "data_volumes": {"type": "str", "choices": ["trash", "delete", "keep"], "default": "trash"},
    "idle_reports": {"type": "list", "elements": "dict", "default": []},
    "idle_after": {"type": "str"},
    "orphan_age": {"type": "str", "default": "24h"},
    "trust_cloud_clock": {"type": "bool", "default": False},
    "note_round": {"type": "bool", "default": True},
    "config_dir": {"type": "path"},
    "wait_timeout": {"type": "float", "default": 900},
    "wait_interval": {"type": "float", "default": 5},
}


class _Providers(TypedDict, total=False):
    providers: list[str] | None


class ReapOptions(_Providers):
    """What is asked for: the scope, what is over, and how it ends; ``providers`` only of several."""

    mode: str
    deployments: list[str] | None
    owner: str | None
    everything: bool
    grace: str
    orphan_age: str
    idle_after: str | None
    idle_reports: list[Data] | None
    budget: GivenBudget | None
    ledger: str | None
    os_volume: str
    data_volumes: str
    trust_cloud_clock: bool
    note_round: bool
    config_dir: str | None
    wait_timeout: float
    wait_interval: float
