# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One ranked list of what several clouds offer (private)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from .._core.errors import InvalidError
from .._models.offer import Offer
from .._providers.accounts import Accounts, nobody_answered
from .._providers.base.client import Client
from .selection import Selection, Shelf, choose
from .stock import Market, selection_from, wish_of


@dataclass(frozen=True)
class _Silent:
    """A provider that told nothing, with a reason for programs and a detail for people."""

    provider: str
    reason: str
    detail: str

    def as_row(self) -> dict[str, Any]:
        """Return it as a row among rejected offers: all that an offer has is null."""
        blank = dict.fromkeys(Offer("", None, "", "", 0, 0, 0, 0, 0, "", None).as_dict())
        return {**blank, **vars(self)}

    def __str__(self) -> str:
        return f"{self.provider}: {self.detail.rstrip('.')}"


@dataclass(frozen=True)
class _Listed:
    """What one provider lists, and in which currency its account pays."""

    shelf: Shelf
    currency: str | None
    warnings: list[str]


def offers(accounts: Accounts, params: dict[str, Any]) -> dict[str, Any]:
    """Return what can be bought now at any of the providers, for module options."""
    want = selection_from(params)
    wish_of(want)  # a misspelt tier costs no request
    asked = accounts.ask(partial(_list, want))
    silent = [_Silent(one.provider, one.reason, str(one.error)) for one in asked if one.reason]
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
