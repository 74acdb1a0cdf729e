# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that say what may be bought (private, pure)."""

from __future__ import annotations

from typing import TypedDict

from .._core.data import Data
from .._hardware.gpus import OwnTier


class SelectionOptions(TypedDict, total=False):
    """What may be asked of an offer (doc fragment ``selection``); sizes in GB, prices per hour."""

    tier: str | None
    gpus: list[str] | None
    instance_type: str | None
    gpu_count: int | None
    min_gpu_count: int | None
    min_tier: str | None
    confidential: bool
    min_vram_gb: float | None
    min_vram_gb_each: float | None
    min_vcpu: int | None
    min_ram_gb: float | None
    locations: list[str] | None
    market: str
    max_price_per_hour: float | None
    objective: str | None
    exclude: list[str] | None
    model: dict[str, Data] | None
    image: str | None
    tiers: list[OwnTier] | None
    os_volume_gb: int


class CapacityOptions(SelectionOptions):
    """What a look at one account's market is asked for; ``observation_log`` is a file."""

    observation_log: str | None
