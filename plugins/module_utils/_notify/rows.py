# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What other modules and the ledger tell, as far as somebody may hear of it (private, pure)."""

from __future__ import annotations

from typing import TypedDict


class Row(TypedDict, total=False):
    """An instance, a volume or a round's deed, in a result or in the ledger: none has all of it."""

    id: str
    name: str | None
    kind: str
    deployment: str | None
    owner: str | None
    project: str | None
    price_per_hour: float | None
    lease_end: str | None
    created_at: str | None
    protected: bool
    gpu_model: str | None
    gpu_count: int | None
    instance_type: str | None
    market: str | None
    location: str | None
    # Of the reaper.
    outcome: str
    reason: str
    detail: str | None
    # Of the ledger.
    event: str
    at: str
    thing_id: str
    source: str | None


class Budget(TypedDict, total=False):
    """How much of a budget is used, and whose it is where it is not the account's."""

    owner: str | None
    project: str | None
    period: str
    limit: float
    used: float
    share_percent: float
    state: str


class Member(TypedDict, total=False):
    """An instance of a fleet, and what became of it in this run."""

    id: str
    outcome: str


class Spend(TypedDict, total=False):
    """What a purchase costs."""

    currency: str | None


class Purchase(TypedDict, total=False):
    """The result of a module that buys instances."""

    fleet: list[Member] | None
    instances: list[Row] | None
    spend: Spend | None


class Reap(TypedDict, total=False):
    """The result of a round of the reaper."""

    at: str | None
    currency: str | None
    living: list[Row] | None
    reaped: list[Row] | None
    budgets: list[Budget] | None
