# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of instances, of one account or of several (private, pure)."""

from __future__ import annotations

from .._billing.budget import GivenBudget
from .._catalog.options import SelectionOptions
from .._providers.base.options import EvictionOptions


class _MoreOptions(EvictionOptions, total=False):
    data_volume_gb: int | None
    description_limit: int


class InstanceOptions(SelectionOptions, _MoreOptions):
    """What is asked for; sizes of disks in GiB, times in seconds.

    ``owner`` and ``name`` may be left out, and are completed before anything is asked. Only a trial of
    an account has a ``description_limit``.
    """

    state: str
    deployment: str
    name: str | None
    id: str | None
    owner: str
    project: str | None
    count: int
    min_count: int | None
    keep_short_fleet: bool
    replace: bool
    lease: str
    lease_max: str | None
    lease_max_override: bool
    protect: bool
    hours: str | None
    confirm: bool
    on_unconfirmed: str
    budget: GivenBudget | None
    budget_policy: str
    max_lease_cost: float | None
    ledger: str | None
    os_volume: str
    data_volumes: str | None
    ssh_keys: list[str] | None
    startup_script_id: str | None
    description: str | None
    observation_log: str | None
    wait: bool
    wait_timeout: float
    wait_interval: float
    start_timeout: float
    capacity_timeout: float
    wait_for_capacity: float
    capacity_interval: float
