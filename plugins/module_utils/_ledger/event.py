# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a row of the ledger holds (private, pure)."""

from __future__ import annotations

from typing import TypedDict


class _Told(TypedDict):
    at: str
    event: str
    kind: str
    thing_id: str
    name: str | None
    deployment: str | None
    owner: str | None
    project: str | None
    gpu_model: str | None
    gpu_count: int | None
    instance_type: str | None
    market: str | None
    location: str | None
    price_per_hour: float
    lease_end: str | None
    started: str
    source: str
    cost: float | None
    estimated: bool


class Event(_Told, total=False):
    """Something that happened to an instance or volume; who wrote it is known once it was read.

    ``provider`` is missing in a ledger of an earlier release; ``seen`` is when its thing was last noticed.
    """

    mark: str
    account: str | None
    provider: str | None
    seen: str | None
