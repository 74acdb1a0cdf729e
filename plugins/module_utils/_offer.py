# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be bought: an offer, why one was not taken, and the answer made of both (private, pure)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import _gpus
from ._numbers import plain, shown
from ._purse import currency_of

ON_DEMAND, SPOT = "on_demand", "spot"
MARKETS = {
    "on_demand": (ON_DEMAND,),
    "spot": (SPOT,),
    "spot_first": (SPOT, ON_DEMAND),
    "any": (ON_DEMAND, SPOT),
}


@dataclass(frozen=True)
class Offer:
    """One thing that could be bought: prices per hour for the whole machine, memory in GB.

    ``problem`` says what of it cannot be read; nobody buys such an offer.
    """

    instance_type: str
    location: str | None
    market: str
    gpu_model: str
    gpu_count: int
    vram_gb: float
    vcpu: int
    ram_gb: float
    price_per_hour: float
    currency: str
    tier: str | None
    supported_os: tuple[str, ...] = ()
    image: str | None = None
    problem: str = ""

    @property
    def vram_gb_each(self) -> float:
        return self.vram_gb / self.gpu_count if self.gpu_count else 0.0

    @property
    def bandwidth_gb_s(self) -> float | None:
        """Memory bandwidth of all GPUs together, which bounds how fast a model generates."""
        each = _gpus.bandwidth_of(self.gpu_model, self.vram_gb_each)
        return each * self.gpu_count if each else None

    @property
    def value(self) -> float | None:
        """GB/s of memory bandwidth for one unit of the currency per hour."""
        bandwidth = self.bandwidth_gb_s
        return (
            round(bandwidth / self.price_per_hour, 1) if bandwidth and self.price_per_hour else None
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the offer as module results show it."""
        inner = ("supported_os", "problem")
        found = {key: value for key, value in vars(self).items() if key not in inner}
        found["vram_gb_each"] = round(self.vram_gb_each, 1)
        found["bandwidth_gb_s"] = self.bandwidth_gb_s
        found["value"] = self.value
        return found

    def __str__(self) -> str:
        where = self.location or "any location"
        return (
            f"{self.instance_type} in {where} {self.market.replace('_', '-')} "
            f"at {self.price_per_hour:g} {self.currency}/h"
        )


@dataclass(frozen=True)
class Rejection:
    """An offer that was not taken, with a reason for programs and a detail for people."""

    offer: Offer
    reason: str
    detail: str

    def as_dict(self) -> dict[str, Any]:
        return {**self.offer.as_dict(), "reason": self.reason, "detail": self.detail}


@dataclass(frozen=True)
class Choice:
    """The answer: offers ranked best first, everything else with its reason."""

    offers: tuple[Offer, ...]
    rejected: tuple[Rejection, ...]
    cheapest_free: Offer | None = None
    wanted: str = ""

    def as_result(self) -> dict[str, Any]:
        return {
            "offers": [offer.as_dict() for offer in self.offers],
            "rejected": [row.as_dict() for row in self.rejected],
            "cheapest_free": self.cheapest_free.as_dict() if self.cheapest_free else None,
        }

    def why_nothing(self) -> str:
        """Return in words why no offer is left, and what is free instead."""
        groups: dict[str, list[Rejection]] = {}
        for row in self.rejected:
            # Machines of another size were never meant, so they explain nothing.
            if row.reason not in ("gpu_count", "confidential"):
                groups.setdefault(row.reason, []).append(row)
        why = [_in_words(reason, rows) for reason, rows in groups.items()]
        text = f"Nothing to buy for {self.wanted}: {'; '.join(why) or 'no such machine exists'}."
        if self.cheapest_free:
            text += f" The cheapest GPU free now is {self.cheapest_free}."
        return text


def _in_words(reason: str, rows: list[Rejection]) -> str:
    named = ", ".join(f"{row.offer.instance_type} ({row.detail})" for row in rows[:3])
    if reason == "not_in_stock":
        named = ", ".join(dict.fromkeys(row.offer.instance_type for row in rows))
    more = f" and {len(rows) - 3} more" if len(rows) > 3 and reason != "not_in_stock" else ""
    return f"{reason.replace('_', ' ')}: {named}{more}"


class _Reader:
    """Reads the fields of one catalogue row, and notes what cannot be read."""

    def __init__(self, row: dict[str, Any]) -> None:
        self.row = row
        self.wrong: list[str] = []

    def number(self, value: Any, field: str) -> float:
        """Return a number that is not below zero; 0 for one that is missing, or unreadable."""
        found = 0.0 if value is None else plain(value)
        if found is None or found < 0:
            self.wrong.append(f"{field} {shown(value)} is no price or size")
            return 0.0
        return found

    def size(self, part: str, key: str) -> float:
        """Return a size from one of the parts that describe the hardware."""
        sizes = self.row.get(part)
        if sizes is not None and not isinstance(sizes, dict):
            self.wrong.append(f"{part} {shown(sizes)} cannot be read")
            return 0.0
        return self.number((sizes or {}).get(key), f"{part}.{key}")

    def currency(self) -> str:
        """Return the currency of the prices; the API's own default where it names none."""
        value = self.row.get("currency")
        found = "usd" if value in (None, "") else currency_of(value)
        if found is None:
            self.wrong.append(f"currency {shown(value)} is not a currency")
        return found or ""


def offer_from(row: dict[str, Any], market: str, tiers: tuple[_gpus.Tier, ...]) -> Offer:
    """Return the offer of one catalogue row, without a location yet."""
    read, name = _Reader(row), row.get("model")
    model = _gpus.model_of(row["instance_type"], name if isinstance(name, str) else None)
    count = int(read.size("gpu", "number_of_gpus"))
    vram = read.size("gpu_memory", "size_in_gigabytes")
    price = "spot_price" if market == SPOT else "price_per_hour"
    images = row.get("supported_os")
    return Offer(
        instance_type=row["instance_type"],
        location=None,
        market=market,
        gpu_model=model,
        gpu_count=count,
        vram_gb=vram,
        vcpu=int(read.size("cpu", "number_of_cores")),
        ram_gb=read.size("memory", "size_in_gigabytes"),
        price_per_hour=read.number(row.get(price), price),
        currency=read.currency(),
        tier=_gpus.tier_of(model, vram / count if count else 0, tiers),
        supported_os=tuple(one for one in images if isinstance(one, str))
        if isinstance(images, list)
        else (),
        problem=f"GET /instance-types: {'; '.join(read.wrong)}" if read.wrong else "",
    )
