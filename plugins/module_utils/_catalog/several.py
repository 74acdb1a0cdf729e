# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One ranked list of what several clouds offer (private)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TypedDict, cast

from .._core.errors import InvalidError
from .._models.offer import Choice, Offer, OfferRow, RejectedRow
from .._providers.accounts import Accounts, nobody_answered
from .._providers.base.client import Client
from .options import SelectionOptions
from .selection import Selection, Shelf, choose
from .stock import Market, selection_from, wish_of


class LeftOutRow(TypedDict):
    """A provider without any offer among the rejected ones: every other key of an offer is null."""

    provider: str
    reason: str
    detail: str


class OffersRow(TypedDict):
    """What can be bought now at several providers, as results show it."""

    offers: list[OfferRow]
    rejected: list[RejectedRow | LeftOutRow]
    cheapest_free: OfferRow | None
    wanted: str
    currency: str | None
    asked: list[str]
    warnings: list[str]


@dataclass(frozen=True)
class LeftOut:
    """A provider without any offer, with a reason for programs and a detail for people."""

    provider: str
    reason: str
    detail: str

    def as_row(self) -> LeftOutRow:
        """Return it as a row among rejected offers: all that an offer has is null."""
        blank = dict.fromkeys(Offer("", None, "", "", 0, 0, 0, 0, 0, "", None).as_dict())
        return cast(LeftOutRow, {**blank, **vars(self)})

    def __str__(self) -> str:
        return f"{self.provider}: {self.detail.rstrip('.')}"


@dataclass(frozen=True)
class _Listed:
    """What one provider lists, and in which currency its account pays."""

    shelf: Shelf
    currency: str | None
    warnings: list[str]


class Markets:
    """The markets of several providers as one, in which each look asks all of them."""

    def __init__(
        self, accounts: Accounts, want: Selection, markets: dict[str, Market], shelves: list[Shelf]
    ) -> None:
        """Take the first look of each; the list is in the currency of the first that tells one."""
        self._accounts, self._markets, self._shelves = accounts, markets, shelves
        told = (market.currency for market in markets.values())
        self.currency = next((one for one in told if one), None)
        self._want = replace(want, currency=self.currency)
        self._fresh = True

    def look(self, max_age: float = 0) -> Choice:
        """Return what can be bought now; one that does not answer has nothing, unless none does."""
        if not self._fresh:
            asked = self._accounts.ask(partial(self._shelf, max_age), tuple(self._markets))
            if all(one.error for one in asked):
                raise nobody_answered(asked)
            self._shelves = [one.answer for one in asked if one.answer]
        self._fresh = False
        return choose(self._shelves, self._want)

    def _shelf(self, max_age: float, client: Client) -> Shelf:
        return replace(self._markets[client.name].shelf(max_age), provider=client.name)


def offers(accounts: Accounts, params: SelectionOptions) -> OffersRow:
    """Return what can be bought now at any of the providers, for module options."""
    want = selection_from(params)
    wish_of(want)  # a misspelt tier costs no request
    asked = accounts.ask(partial(_list, want))
    silent = [LeftOut(one.provider, one.reason, str(one.error)) for one in asked if one.reason]
    rows = [one.as_row() for one in silent]
    told = [one.answer for one in asked if one.answer]
    if not told:
        error = nobody_answered(asked)
        error.details["rejected"] = rows
        raise error
    # Two currencies are never compared: the provider that was named first says which one it is.
    currency = next((one.currency for one in told if one.currency), None)
    try:
        choice = choose([one.shelf for one in told], replace(want, currency=currency))
    except InvalidError as error:
        error.details["rejected"] = rows
        error.hint = " ".join(
            [error.hint, *(f"Nothing is known of {one}." for one in silent)]
        ).strip()
        raise
    free = choice.cheapest_free
    return {
        "offers": [offer.as_dict() for offer in choice.offers],
        "rejected": [*rows, *(one.as_dict() for one in choice.rejected)],
        "cheapest_free": free.as_dict() if free else None,
        "wanted": choice.wanted,
        "currency": currency,
        "asked": [one.shelf.provider for one in told],
        "warnings": [text for one in told for text in one.warnings],
    }


def _list(want: Selection, client: Client) -> _Listed:
    market = Market(client, want)
    shelf = replace(market.shelf(), provider=client.name)
    warnings = [f"{client.name}: {text}" for text in market.warnings]
    return _Listed(shelf, market.currency, warnings)
