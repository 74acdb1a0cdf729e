# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a volume: whose it is, where it is attached, what it costs (private, pure)."""

from __future__ import annotations

from dataclasses import replace

from .catalogue import VolumeType
from .ownership import part_name
from .price import Price
from .resources import Volume

HOURS_PER_MONTH = 730


def names_of(name: str, deployment: str | None) -> tuple[str, str]:
    """Return the names under which a volume counts as the wanted one, the one to give first."""
    if not deployment:
        return name, name
    prefix = part_name(deployment) + "."
    return prefix + name.removeprefix(prefix), name


def is_meant(row: Volume, name: str | None, deployment: str | None) -> bool:
    """Tell whether a volume bears the name, within its deployment."""
    if deployment and row.deployment != deployment:
        return False
    return name is None or row.name in names_of(name, deployment)


def grown(row: Volume, size_gb: int) -> Volume:
    """Return a volume of another size in GiB, with what it costs then."""
    factor = size_gb / row.size_gb if row.size_gb else 1
    month = None if row.price_per_month is None else round(row.price_per_month * factor, 2)
    hour = replace(row.price, amount=row.price.or_nothing * factor)
    return replace(row, size_gb=size_gb, price_per_month=month, price=hour)


def planned_volume(name: str, size_gb: int, location: str, kind: VolumeType) -> Volume:
    """Return a volume that does not exist yet as the API would show it."""
    hour = hourly(kind, size_gb)
    return Volume(
        "",
        name=name,
        status="detached",
        type=kind.name,
        location=location,
        size_gb=size_gb,
        price=Price(hour, kind.currency, problem=""),
        price_per_month=round(hour * HOURS_PER_MONTH, 2),
    )


def hourly(kind: VolumeType, size_gb: float) -> float:
    """Return the price per hour of a new volume. Raises UnreadableError for one that is no number."""
    return kind.price.known() * size_gb / HOURS_PER_MONTH
