# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be bought: an offer, why one was not taken, and the answer made of both (private, pure)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict, cast

from .._hardware import gpus
from .catalogue import InstanceType
from .price import Price
from .terms import Terms, TermsRow

ON_DEMAND, SPOT = "on_demand", "spot"
MARKETS = {
    "on_demand": (ON_DEMAND,),
    "spot": (SPOT,),
    "spot_first": (SPOT, ON_DEMAND),
    "any": (ON_DEMAND, SPOT),
}


class _OfferRow(TypedDict):
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
    image: str | None
    vram_gb_each: float
    bandwidth_gb_s: float | None
    value: float | None
    saving_percent: float | None


class OfferRow(_OfferRow, total=False):
    """An offer as results show it; the last two only where several providers were asked."""

    provider: str
    terms: TermsRow | None


class RejectedRow(OfferRow):
    """An offer that was not taken, as results show it."""

    reason: str
    detail: str


class ChoiceRow(TypedDict):
    """The answer as results show it."""

    offers: list[OfferRow]
    rejected: list[RejectedRow]
    cheapest_free: OfferRow | None


@dataclass(frozen=True)
class Offer:
    """One thing that could be bought: prices per hour for the whole instance, memory in GB.

    ``problem`` says what of it cannot be read; nobody buys such an offer. ``provider`` is empty where
    one alone was asked.
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
    usual_image: str | None = None
    serving_image: str | None = None
    image: str | None = None
    problem: str = ""
    on_demand_price: float | None = None
    provider: str = ""
    terms: Terms | None = None

    @property
    def price(self) -> Price:
        """The price per hour of an instance of this offer."""
        return Price(self.price_per_hour, self.currency or None, problem="", is_told=True)

    @property
    def vram_gb_each(self) -> float:
        return self.vram_gb / self.gpu_count if self.gpu_count else 0.0

    @property
    def bandwidth_gb_s(self) -> float | None:
        """Memory bandwidth of all GPUs together, which bounds how fast a model generates."""
        each = gpus.bandwidth_of(self.gpu_model, self.vram_gb_each)
        return each * self.gpu_count if each else None

    @property
    def value(self) -> float | None:
        """GB/s of memory bandwidth for one unit of the currency per hour."""
        bandwidth = self.bandwidth_gb_s
        return (
            round(bandwidth / self.price_per_hour, 1) if bandwidth and self.price_per_hour else None
        )

    @property
    def saving_percent(self) -> float | None:
        """What a spot offer costs less than the same type on demand; none for any other."""
        if self.market != SPOT or not self.on_demand_price:
            return None
        return round(100 * (1 - self.price_per_hour / self.on_demand_price), 1)

    def as_dict(self) -> OfferRow:
        """Return the offer as module results show it."""
        images = ("supported_os", "usual_image", "serving_image")
        inner = (
            *images,
            "problem",
            "on_demand_price",
            *(() if self.provider else ("provider", "terms")),
        )
        found = {key: value for key, value in vars(self).items() if key not in inner}
        if self.provider:
            found["terms"] = self.terms.as_dict() if self.terms else None
        found["vram_gb_each"] = round(self.vram_gb_each, 1)
        found["bandwidth_gb_s"] = self.bandwidth_gb_s
        found["value"] = self.value
        found["saving_percent"] = self.saving_percent
        return cast(OfferRow, found)

    def __str__(self) -> str:
        where = self.location or "any location"
        whose = f" of {self.provider}" if self.provider else ""
        return (
            f"{self.instance_type}{whose} in {where} {self.market.replace('_', '-')} "
            f"at {self.price_per_hour:g} {self.currency}/h"
        )


@dataclass(frozen=True)
class Rejection:
    """An offer that was not taken, with a reason for programs and a detail for people."""

    offer: Offer
    reason: str
    detail: str

    def as_dict(self) -> RejectedRow:
        return {**self.offer.as_dict(), "reason": self.reason, "detail": self.detail}


@dataclass(frozen=True)
class Choice:
    """The answer: offers ranked best first, everything else with its reason."""

    offers: tuple[Offer, ...]
    rejected: tuple[Rejection, ...]
    cheapest_free: Offer | None = None
    wanted: str = ""

    def as_result(self) -> ChoiceRow:
        return {
            "offers": [offer.as_dict() for offer in self.offers],
            "rejected": [row.as_dict() for row in self.rejected],
            "cheapest_free": self.cheapest_free.as_dict() if self.cheapest_free else None,
        }

    def why_nothing(self) -> str:
        """Return in words why no offer is left, and what is free instead."""
        groups: dict[str, list[Rejection]] = {}
        for row in self.rejected:
            # Instances of another size were never meant, so they explain nothing.
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


def offer_from(
    kind: InstanceType,
    market: str,
    tiers: tuple[gpus.Tier, ...],
    provider: str = "",
    disk_gb: float = 0.0,
) -> Offer:
    """Return the offer of a type of the catalogue, without a location yet; with a disk where that is paid."""
    model = gpus.model_of(kind.name, kind.model)
    price = kind.spot if market == SPOT else kind.on_demand
    problems = [*kind.problems, *([price.problem] if price.amount is None else [])]
    each = kind.vram_gb / kind.gpu_count if kind.gpu_count else 0
    disk = kind.disk_per_hour(disk_gb)
    usual = kind.on_demand.amount
    return Offer(
        instance_type=kind.name,
        location=None,
        market=market,
        gpu_model=model,
        gpu_count=kind.gpu_count,
        vram_gb=kind.vram_gb,
        vcpu=kind.vcpu,
        ram_gb=kind.ram_gb,
        price_per_hour=price.or_nothing and round(price.or_nothing + disk, 6),
        # The API's own default where it names none.
        currency=kind.currency or ("" if kind.problems else "usd"),
        tier=gpus.tier_of(model, each, tiers),
        supported_os=kind.images,
        usual_image=kind.usual_image,
        serving_image=kind.serving_image,
        problem="; ".join(problems),
        on_demand_price=usual and round(usual + disk, 6),
        provider=provider,
        terms=kind.terms,
    )
