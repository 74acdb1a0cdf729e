# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What RunPod takes for storage: in no answer, so as its price list had it in August 2026 (private, pure).

Prices in USD per GB and month. Of the faster network volumes no price is published.
"""

from __future__ import annotations

from dataclasses import replace

from ..._models.catalogue import VolumeType
from ..._models.price import NOT_TOLD, Price
from ..._models.volumes import HOURS_PER_MONTH

CURRENCY = "usd"
STANDARD = "STANDARD"
# While a pod runs; stopped, its container disk costs nothing and its own volume twice as much.
DISK, STOPPED_VOLUME = 0.10, 0.20
# Of a network volume: for the first TB, and for what is beyond.
_FIRST_GB, _FIRST, _BEYOND = 1000, 0.07, 0.05

VOLUME_TYPES = (
    VolumeType(STANDARD, Price(_FIRST, CURRENCY, f"the price of {STANDARD}", "", True)),
    VolumeType("HIGH_PERFORMANCE", replace(NOT_TOLD, currency=CURRENCY)),
)


def volume_price_per_month(kind: str | None, size_gb: float) -> float | None:
    """Return what a network volume costs per month, None where no price is published."""
    if kind != STANDARD:
        return None
    return _FIRST * min(size_gb, _FIRST_GB) + _BEYOND * max(size_gb - _FIRST_GB, 0)


def volume_price(kind: str | None, size_gb: float) -> Price:
    """Return what a network volume costs per hour."""
    month = volume_price_per_month(kind, size_gb)
    if month is None:
        return NOT_TOLD
    return Price(month / HOURS_PER_MONTH, CURRENCY, f"the price of {size_gb:g} GB", "", True)


def storage_per_hour(disk_gb: float, volume_gb: float, *, stopped: bool) -> float:
    """Return what the disks of a pod cost per hour beside its GPUs."""
    month = STOPPED_VOLUME * volume_gb if stopped else DISK * (disk_gb + volume_gb)
    return month / HOURS_PER_MONTH


def with_storage(compute: Price, storage: float, *, runs: bool) -> Price:
    """Return the price of a pod with its disks; a running one for nothing cannot be believed.

    Whether the disks are in what a pod tells of its cost is not known: they are added, which is at
    most some cents too much.
    """
    if compute.amount is None:
        return compute
    if runs and not compute.amount:
        problem = f"{compute.what} is zero, and the pod runs"
        return Price(None, CURRENCY, compute.what, problem, compute.is_told)
    return replace(compute, amount=compute.amount + storage, currency=CURRENCY)
