# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Choosing: join catalogue and stock, filter, rank (private, pure)."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from .._core.errors import InvalidError
from .._core.times import write_time
from .._hardware import gpus as _gpus
from .._models.catalogue import InstanceType
from .._models.offer import MARKETS, ON_DEMAND, Choice, Offer, Rejection, offer_from
from .._providers.base.shapes import is_uuid
from .._sizing.fit import Served
from .._sizing.gpu_memory import VLLM_VERSION, nominal, unsupported

# Names of images in a sentence.
_LISTED = 6


@dataclass(frozen=True)
class Selection:
    """What an instance must be able to do; every field unset means: no demand."""

    tier: str | None = None
    gpus: tuple[str, ...] = ()
    instance_type: str | None = None
    gpu_count: int | None = None
    min_gpu_count: int | None = None
    min_tier: str | None = None
    confidential: bool = False
    min_vram_gb: float | None = None
    min_vram_gb_each: float | None = None
    min_vcpu: int | None = None
    min_ram_gb: float | None = None
    locations: tuple[str, ...] = ()
    market: str = ON_DEMAND
    max_price_per_hour: float | None = None
    objective: str = "best"
    exclude: tuple[str, ...] = ()
    image: str | None = None
    lost: frozenset[tuple[str, str | None, str]] = frozenset()
    tiers: tuple[_gpus.Tier, ...] = _gpus.TIERS
    served: Served | None = None
    serving: bool = False
    currency: str | None = None
    disk_gb: float = 0.0
    until: datetime | None = None

    @property
    def named(self) -> bool:
        """Tell whether anything says which instances are meant."""
        return bool(self.tier or self.gpus or self.instance_type or self.served)


@dataclass(frozen=True)
class Shelf:
    """What a provider lists, and what of it is in stock: market to instance type to locations.

    ``provider`` is empty where one alone is asked.
    """

    catalogue: list[InstanceType]
    stock: dict[str, dict[str, set[str]]]
    provider: str = ""


@dataclass
class _Wish:
    """The selection, resolved against the tiers and the catalogue."""

    tiers: list[str] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    gpu_count: int | None = None
    text: str = ""

    def wants(self, offer: Offer) -> bool:
        if self.types:
            return offer.instance_type in self.types
        if self.models:
            return offer.gpu_model in self.models
        return offer.tier in self.tiers if self.tiers else offer.gpu_count > 0

    def rank(self, offer: Offer, tiers: tuple[_gpus.Tier, ...]) -> int:
        if self.models:
            return self.models.index(offer.gpu_model)
        names = [tier.name for tier in tiers]
        return names.index(offer.tier) if offer.tier in names else len(names)


def _resolve_tier(wish: _Wish, want: Selection, text: str) -> None:
    """Set the tiers and the GPU count that a tier expression means."""
    tier = _gpus.parse_tier(text, want.tiers)
    wish.tiers = list(tier.tiers)
    wish.text = text
    if want.min_tier:
        least = _gpus.parse_tier(want.min_tier, want.tiers).tiers[-1]
        names = [row.name for row in want.tiers]
        wish.tiers = [name for name in tier.tiers if names.index(name) <= names.index(least)]
        wish.text += f", not below {least}"
    if tier.gpu_count:
        wish.gpu_count = tier.gpu_count
    elif not want.gpu_count and not want.min_gpu_count and not tier.any_count:
        wish.gpu_count = 1  # a tier group means single instances unless a count says otherwise


def _resolve_models(want: Selection, catalogue: list[InstanceType]) -> list[str]:
    """Return the models that are meant; one that neither we nor the catalogue know is an error."""
    known = {model.key for model in _gpus.MODELS}
    known |= {_gpus.model_of(kind.name, kind.model) for kind in catalogue}
    for name in want.gpus:
        model = _gpus.model_named(name)
        if model not in known:
            near = difflib.get_close_matches(model, sorted(known), n=3, cutoff=0.4)
            raise InvalidError(
                f"Unknown GPU model {name!r}",
                hint=(f"Nearest: {', '.join(near)}. " if near else "")
                + f"Known: {', '.join(sorted(known - {'CPU'}))}.",
            )
    return [_gpus.model_named(name) for name in want.gpus]


def _resolve(want: Selection, catalogue: list[InstanceType]) -> _Wish:
    wish = _Wish(gpu_count=want.gpu_count)
    if want.instance_type:
        known = [kind.name for kind in catalogue]
        wish.types = [name for name in known if name.upper() == want.instance_type.upper()]
        if not wish.types:
            near = difflib.get_close_matches(want.instance_type.upper(), known, n=3, cutoff=0.4)
            raise InvalidError(
                f"Unknown instance type {want.instance_type!r}",
                hint=f"Nearest: {', '.join(near or known[:3])}. Known: {', '.join(sorted(known))}.",
            )
        wish.text = wish.types[0]
        return wish
    if want.gpus:
        wish.models = _resolve_models(want, catalogue)
        wish.text = " or ".join(wish.models)
    if want.tier:
        _resolve_tier(wish, want, want.tier)
    if wish.gpu_count:
        wish.text += f" with {wish.gpu_count} GPU{'s' if wish.gpu_count > 1 else ''}"
    return wish


def _other_kind(offer: Offer, want: Selection, wish: _Wish) -> tuple[str, str] | None:
    """Return reason and detail when an instance is of a kind that was not meant."""
    if wish.gpu_count and offer.gpu_count != wish.gpu_count and not wish.types:
        return "gpu_count", f"{offer.gpu_count} GPUs, wanted {wish.gpu_count}"
    if _gpus.is_confidential(offer.instance_type) != want.confidential and not wish.types:
        kind = "not a confidential type" if want.confidential else "a confidential type"
        return "confidential", f"{kind}, and confidential is {str(want.confidential).lower()}"
    named = {name.upper() for name in want.exclude} | set(map(_gpus.model_named, want.exclude))
    if {offer.instance_type.upper(), offer.gpu_model} & named:
        return "excluded", "named in exclude"
    return None


def _too_small(offer: Offer, want: Selection) -> tuple[str, str] | None:
    """Return reason and detail when the instance does not serve the model that is meant."""
    if want.served:
        return want.served.refusal(offer.gpu_model, offer.vram_gb_each, offer.gpu_count)
    # Nobody could read the model, or it is not to be asked for; that vLLM runs there is to be known.
    why = unsupported(nominal(offer.gpu_model, offer.vram_gb_each)) if want.serving else None
    return ("gpu_unsupported", why) if why else None


def _unfit(offer: Offer, want: Selection, wish: _Wish) -> tuple[str, str] | None:
    """Return reason and detail when the instance itself does not fit, wherever it stands."""
    other = _other_kind(offer, want, wish) or _too_small(offer, want)
    if other:
        return other
    lacks = (
        ("too_few_gpus", "GPUs", offer.gpu_count, want.min_gpu_count),
        ("too_little_vram", "GB of GPU memory", offer.vram_gb, want.min_vram_gb),
        ("too_little_vram", "GB of memory a GPU", offer.vram_gb_each, want.min_vram_gb_each),
        ("too_few_vcpu", "vCPUs", offer.vcpu, want.min_vcpu),
        ("too_little_ram", "GB of memory", offer.ram_gb, want.min_ram_gb),
    )
    for reason, unit, have, least in lacks:
        if least is not None and have < least:
            return reason, f"{have:g} {unit}, wanted {least:g}"
    price, ceiling = offer.price_per_hour, want.max_price_per_hour
    if price <= 0:
        return "no_price", "the cloud names no price"
    if want.currency and offer.currency != want.currency:
        whose = "the list is" if offer.provider else "the account pays"
        return "other_currency", f"priced in {offer.currency}, and {whose} in {want.currency}"
    if ceiling is not None and price > ceiling:
        return "too_expensive", f"{price:g} per hour, the ceiling is {ceiling:g}"
    if offer.image is None:
        return "no_fitting_image", _unbootable(offer, want)
    return _too_short(offer, want)


def _too_short(offer: Offer, want: Selection) -> tuple[str, str] | None:
    """Return reason and detail when the contract behind an offer ends before the lease."""
    ends = offer.terms.ends if offer.terms else None
    if not (want.until and ends and ends < want.until):
        return None
    return "contract_ends", f"its provider stops it at {write_time(ends)}, before the lease ends"


def image_of(offer: Offer, wanted: str | None, serving: bool) -> str | None:
    """Return the image to order, None when none fits.

    A named image must be listed; an image or volume id cannot be checked and is taken as it is.
    """
    if wanted:
        return wanted if wanted in offer.supported_os or is_uuid(wanted) else None
    return offer.serving_image if serving else offer.usual_image


def _unbootable(offer: Offer, want: Selection) -> str:
    """Return why a type boots nothing that is of use."""
    if want.image:
        return f"does not boot {want.image}, and an image of your own is named by its id"
    if not want.serving or not offer.usual_image:
        return "does not boot an image of the usual kinds"
    listed, more = offer.supported_os[:_LISTED], len(offer.supported_os) - _LISTED
    return (
        f"vLLM {VLLM_VERSION} needs a driver for CUDA 13, and this boots "
        f"{', '.join(listed)}{f' and {more} more' if more > 0 else ''}: none brings that driver, or "
        "lets the role cuda install it; name an image that does"
    )


def _places(
    offer: Offer, want: Selection, wish: _Wish, stock: set[str]
) -> Iterable[Offer | Rejection]:
    """Yield the offer at every location where it is in stock, or one rejection when nowhere."""
    unfit = _unfit(offer, want, wish)
    if unfit:
        yield Rejection(offer, *unfit)
        return
    if not stock:
        yield Rejection(offer, "not_in_stock", "not in stock at any location")
    for location in sorted(stock):
        here = replace(offer, location=location)
        if want.locations and location not in want.locations:
            detail = f"in stock in {location}, wanted {', '.join(want.locations)}"
            yield Rejection(here, "other_location", detail)
        elif location in {name.upper() for name in want.exclude}:
            yield Rejection(here, "excluded", "named in exclude")
        else:
            yield here


def _is_comparable(offer: Offer, want: Selection) -> bool:
    """Tell whether the price of an offer with GPUs can be compared with others."""
    known = offer.gpu_count and offer.price_per_hour > 0 and not offer.problem
    return bool(known) and want.currency in (None, offer.currency)


def _judged(
    offer: Offer, want: Selection, wish: _Wish, places: set[str]
) -> Iterable[Offer | Rejection]:
    """Yield what comes of a catalogue row: offers, rejections, nothing where it was not meant."""
    if offer.problem:
        # Without its sizes nobody can tell whether it was meant.
        if wish.wants(offer) or not (offer.gpu_count and offer.vram_gb):
            yield Rejection(offer, "unreadable", offer.problem)
        return
    if wish.tiers and not offer.tier and offer.gpu_count:
        detail = f"no tier knows the model {offer.gpu_model}"
        yield Rejection(offer, "unknown_model", detail)
    if wish.wants(offer):
        offer = replace(offer, image=image_of(offer, want.image, want.serving))
        yield from _places(offer, want, wish, places)


def _listed(shelves: list[Shelf], want: Selection) -> Iterable[tuple[Offer, set[str]]]:
    """Yield what is listed, for each market that is meant, with the locations where it is free."""
    for shelf in shelves:
        for row in shelf.catalogue:
            for market in MARKETS[want.market]:
                offer = offer_from(row, market, want.tiers, shelf.provider, want.disk_gb)
                yield offer, shelf.stock.get(market, {}).get(offer.instance_type, set())


def choose(shelves: list[Shelf], want: Selection) -> Choice:
    """Rank what can be bought now, and give the reason for everything else that was meant.

    Raises InvalidError for a tier or market that is unknown, and for a type or model that no shelf has.
    """
    wish = _resolve(want, [row for shelf in shelves for row in shelf.catalogue])
    found: list[Offer | Rejection] = []
    free: list[Offer] = []
    for offer, places in _listed(shelves, want):
        if _is_comparable(offer, want):
            free += [replace(offer, location=place) for place in places]
        found += _judged(offer, want, wish, places)
    offers = [one for one in found if isinstance(one, Offer)]
    rejected = [one for one in found if isinstance(one, Rejection)]
    offers.sort(key=lambda offer: _rank(offer, want, wish))
    rejected.sort(key=lambda row: _rank(row.offer, want, wish))
    cheapest = min(free, key=lambda o: (o.price_per_hour, o.instance_type), default=None)
    wanted = wish.text or "any GPU"
    if want.served:
        wanted += f" for {want.served.model.name}"
    return Choice(tuple(offers), tuple(rejected), cheapest, wanted)


def _rank(offer: Offer, want: Selection, wish: _Wish) -> tuple[float | str, ...]:
    """Sort key, best first: tier (or price), market, location, price, then the larger instance.

    A place where an instance was lost comes last, since whoever took it may still want it.
    """
    lost = (offer.instance_type, offer.location, offer.market) in want.lost
    tier = wish.rank(offer, want.tiers)
    market = MARKETS[want.market].index(offer.market) if want.market == "spot_first" else 0
    places = [*want.locations]
    place = places.index(offer.location) if offer.location in places else len(places)
    size = (-offer.vram_gb, -offer.ram_gb, -offer.vcpu, offer.instance_type, offer.location or "~")
    if want.objective == "value":
        return (lost, -(offer.value or 0), tier, market, place, offer.price_per_hour, *size)
    if want.objective == "cheapest":
        return (lost, offer.price_per_hour, tier, market, place, *size)
    return (lost, tier, market, place, offer.price_per_hour, *size)
