# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking the cloud what can be bought now, with as few calls as possible (private)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from .._core.data import Data
from .._core.errors import InvalidError
from .._core.file_cache import shared
from .._core.private_files import open_private
from .._core.times import write_time
from .._hardware import gpus
from .._models.balance import currencies
from .._models.catalogue import InstanceType
from .._models.offer import MARKETS, Choice, ChoiceRow
from .._providers.base.client import Client
from .._providers.base.currency import Purse
from .._sizing.fit import Served
from .._sizing.llm import model_from
from .._sizing.vllm_profiles import demand_from
from .options import CapacityOptions, SelectionOptions
from .selection import Selection, Shelf, choose

# What a purchase orders unless it says otherwise, in GB: of a market it is a part of the price.
USUAL_DISK_GB = 100


class CapacityRow(ChoiceRow):
    """What can be bought now at one provider, as results show it; ``wanted`` in words."""

    wanted: str
    warnings: list[str]


def selection_from(params: SelectionOptions) -> Selection:
    """Return the selection of module options (doc fragment ``selection``)."""
    count = params.get("gpu_count")
    if count is not None and count < 1:
        raise InvalidError(f"gpu_count must be at least 1 (got {count})")
    served = served_from(params.get("model"))
    named = any(params.get(name) for name in ("tier", "gpus", "instance_type"))
    return Selection(
        tier=params.get("tier"),
        gpus=tuple(params.get("gpus") or ()),
        instance_type=params.get("instance_type"),
        gpu_count=count,
        min_gpu_count=params.get("min_gpu_count"),
        min_tier=params.get("min_tier"),
        confidential=bool(params.get("confidential")),
        min_vram_gb=params.get("min_vram_gb"),
        min_vram_gb_each=params.get("min_vram_gb_each"),
        min_vcpu=params.get("min_vcpu"),
        min_ram_gb=params.get("min_ram_gb"),
        locations=tuple(place.upper() for place in params.get("locations") or ()),
        market=params.get("market") or "on_demand",
        max_price_per_hour=params.get("max_price_per_hour"),
        # Any GPU will do for a model alone, so the best would be the dearest without a reason.
        objective=params.get("objective") or ("cheapest" if served and not named else "best"),
        exclude=tuple(params.get("exclude") or ()),
        image=params.get("image"),
        tiers=gpus.tiers_from(params.get("tiers")),
        served=served,
        disk_gb=params.get("os_volume_gb") or USUAL_DISK_GB,
        # Also of a model that could not be read, or that one instance alone does not serve.
        serving=bool(params.get("model")),
    )


def served_from(model: dict[str, Data] | None) -> Served | None:
    """Return the model that an instance must serve, None for one that could not be read."""
    if not model or "problem" in model:
        return None
    return Served(model_from(model), demand_from(model, "balanced", None))


Stocked = dict[str, list[str]]


def places_of(stocked: Stocked) -> dict[str, set[str]]:
    """Turn the types in stock by location into the locations of each type."""
    places: dict[str, set[str]] = {}
    for location, types in stocked.items():
        for name in types:
            places.setdefault(name, set()).add(location)
    return places


class Market:
    """The catalogue, read once, and the stock, read again with every look."""

    def __init__(
        self,
        client: Client,
        want: Selection,
        log: str | None = None,
        *,
        purse: Purse | None = None,
        mixed: bool = False,
    ) -> None:
        """Take what is wanted; ``mixed`` lets prices of another currency than the account's pass."""
        wish_of(want)  # a misspelt tier costs no request
        self._client, self._want, self._log = client, want, log
        self._purse = purse or Purse(client)
        # A ceiling is in the currency of the account, and compared with nothing else.
        self._mixed = mixed and want.max_price_per_hour is None
        self._catalogue: list[InstanceType] | None = None

    def look(self, max_age: float = 0) -> Choice:
        """Return what can be bought now.

        A stock answer that another waiting run got less than ``max_age`` seconds ago serves too.
        """
        return choose([self.shelf(max_age)], self._want)

    def shelf(self, max_age: float = 0) -> Shelf:
        """Return what is listed: one stock call per market, the first time the catalogue."""
        markets = MARKETS[self._want.market]
        calls: list[Callable[[], Stocked]] = [partial(self._stock, m, max_age) for m in markets]
        if self._catalogue is None or self._client.capabilities.is_market:
            self._catalogue, _problem, *rows = self._client.together(
                self._client.instance_types, self._purse.problem, *calls
            )
            self._settle_currency()
        else:
            rows = self._client.together(*calls)
        stock = {market: places_of(found) for market, found in zip(markets, rows, strict=True)}
        return Shelf(self._catalogue or [], stock)

    @property
    def currency(self) -> str | None:
        """The currency of the account, or the one of all prices where the account's is not known."""
        if self._purse.problem() is None:
            return self._purse.balance().currency
        told = currencies(self._catalogue or [])
        return told.pop() if len(told) == 1 else None

    def _settle_currency(self) -> None:
        """Get the prices in the currency of the account; what is in another is not taken."""
        if self._purse.problem() or self._catalogue is None:
            return
        self._catalogue = self._purse.listed(self._catalogue, self._client.instance_types)
        if not self._mixed:
            self._want = replace(self._want, currency=self._purse.balance().currency)

    @property
    def warnings(self) -> list[str]:
        """What to tell of the prices: nobody knows their currency where the balance is unknown."""
        problem = self._purse.problem()
        if problem is None:
            return []
        return [f"Prices may be in another currency than the account's: {problem.message}"]

    def _stock(self, market: str, max_age: float) -> Stocked:
        if not max_age:
            return self._ask(market)
        name = f"{self._client.account}-{market}-types"
        now = self._client.now().timestamp()
        found: Stocked = shared(name, now, max_age, partial(self._ask, market))
        return found

    def _ask(self, market: str) -> Stocked:
        found: Stocked = {}
        for row in self._client.availability(market):
            found.setdefault(row.location, []).extend(row.types)
        if self._log:
            observe(self._log, write_time(self._client.now()), market, found)
        return found


def capacity(client: Client, want: CapacityOptions) -> CapacityRow:
    """Return what can be bought now, for module options."""
    market = Market(client, selection_from(want), want["observation_log"])
    choice = market.look()
    return {**choice.as_result(), "wanted": choice.wanted, "warnings": market.warnings}


def observe(path: str, when: str, market: str, stocked: Stocked) -> None:
    """Append one line to the observation log: time, market, and the types in stock by location."""
    stock = {location: sorted(types) for location, types in stocked.items()}
    line = json.dumps({"time": when, "market": market, "stock": stock}) + "\n"
    try:
        file = Path(path).expanduser()
        file.parent.mkdir(parents=True, exist_ok=True)
        with open_private(file, "a") as log:
            log.write(line)
    except OSError as error:
        raise InvalidError(f"observation_log {path!r} cannot be written: {error}") from None


def wish_of(want: Selection) -> gpus.Wish:
    """Return what a selection's tier means: nothing in particular when there is none.

    Raises InvalidError for an unknown tier, one that is only the least included.
    """
    if want.min_tier:
        gpus.parse_tier(want.min_tier, want.tiers)
    return gpus.parse_tier(want.tier, want.tiers) if want.tier else gpus.Wish(())
