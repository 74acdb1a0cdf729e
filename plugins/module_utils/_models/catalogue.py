# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be bought, as an account lists it (private, pure)."""

from __future__ import annotations

from dataclasses import dataclass

from .price import NOT_TOLD, UNKNOWN, Price
from .terms import Terms


@dataclass(frozen=True)
class InstanceType:
    """A type of instance of the catalogue. Memory in GB, prices per hour; 0 where none is told.

    ``usual_image`` is the image that the roles like best, ``serving_image`` the one that vLLM needs, or
    on which its driver can be installed. ``problems`` say what of it cannot be read; nobody buys such a type.
    ``disk_price`` is what a GB of its disk costs an hour, where that comes on top; ``terms`` are those of
    a single offer of a market.
    """

    name: str
    model: str | None = None
    gpu_count: int = 0
    vram_gb: float = 0.0
    vcpu: int = 0
    ram_gb: float = 0.0
    on_demand: Price = NOT_TOLD
    spot: Price = NOT_TOLD
    currency: str | None = None
    images: tuple[str, ...] = ()
    usual_image: str | None = None
    serving_image: str | None = None
    problems: tuple[str, ...] = ()
    disk_price: float = 0.0
    terms: Terms | None = None

    def disk_per_hour(self, size_gb: float) -> float:
        """Return what a disk of a size in GB adds to the price of an hour."""
        return self.disk_price * size_gb


@dataclass(frozen=True)
class VolumeType:
    """A type of volume of the catalogue, with its price per month and GB."""

    name: str
    price: Price = UNKNOWN

    @property
    def currency(self) -> str | None:
        return self.price.currency


@dataclass(frozen=True)
class Stock:
    """The types that are in stock at a location."""

    location: str
    types: tuple[str, ...] = ()
