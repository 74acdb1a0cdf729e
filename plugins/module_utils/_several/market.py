# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be bought at several providers, each with its own account and all from one budget (private)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from .._billing.affordability import OverBudgetError
from .._billing.purchase_guard import guard_for
from .._catalog.selection import Selection
from .._catalog.several import LeftOut, Markets
from .._catalog.stock import Market, selection_from
from .._core.errors import (
    AuthError,
    ForbiddenError,
    InvalidError,
    NoCapacityError,
    NoFundsError,
    NotFoundError,
    QuotaError,
    UnavailableError,
)
from .._core.times import lease_until, read_time
from .._instances.offer_queue import Patience
from .._instances.order_check import check_orderable
from .._instances.order_fallbacks import Fallbacks
from .._instances.prepare import look_at_what_was_kept, what_to_give
from .._ledger.reconcile import Shown
from .._lifecycle.retained_volumes import Kept, place_of
from .._models.offer import Offer
from .._providers.accounts import Accounts, Asked
from .._providers.base.client import Client
from .._providers.base.currency import Purse
from .keys import new_keys, registered_ids
from .options import in_groups
from .state import Desk, Everywhere
from .walk import Tour

# What one provider lacks or refuses leaves the others as they are.
_OF_ONE_PROVIDER = (
    *(AuthError, ForbiddenError, InvalidError, NoFundsError),
    *(NotFoundError, QuotaError, UnavailableError),
)


class Outside:
    """What the other accounts show, whose costs count for the budget of each."""

    def __init__(self, accounts: Accounts, providers: list[str]) -> None:
        self._accounts, self._providers = accounts, providers
        self._to_ask = set(providers)
        self._lock = threading.Lock()
        self._first: dict[str, Shown] = {}

    def of(self, provider: str) -> Shown:
        """Return what all but one show: for the first question of each, what one look at all has shown.

        Raises the error of a provider that does not answer: a budget holds for all or for none.
        """
        with self._lock:
            if provider in self._to_ask:
                self._to_ask.remove(provider)
                seen = self._first = self._first or self._look(self._providers)
            else:
                seen = self._look([name for name in self._providers if name != provider])
        rows = [shown for name, shown in seen.items() if name != provider]
        return Shown(
            [row for shown in rows for row in shown.instances],
            [row for shown in rows for row in shown.volumes],
            providers=tuple(name for name in seen if name != provider),
        )

    def _look(self, providers: list[str]) -> dict[str, Shown]:
        asked = self._accounts.ask(_shown, tuple(providers)) if providers else []
        for one in asked:
            if one.error:
                raise one.error
        return {one.provider: one.answer for one in asked if one.answer}


def _shown(client: Client) -> Shown:
    return Shown(*client.together(client.instances, client.volumes))


def look_at_the_markets(found: Everywhere) -> None:
    """Add desks and walk to what was found, or the reason of each provider that has none.

    Raises NoCapacityError, OverBudgetError, and InvalidError when nothing says what to buy.
    """
    accounts, want = found.accounts, found.want
    selection = selection_from(want)
    if not selection.named:
        raise InvalidError(
            f"There is no instance {', '.join(found.missing)} yet, and nothing says what to buy",
            hint=what_to_give(want["model"]),
        )
    outside = Outside(accounts, list(found.at))
    asked = accounts.ask(_opener(found, selection, outside), tuple(found.at))
    _sort(found, asked)
    markets = {name: desk.market for name, desk in found.desks.items()}
    shelves = [desk.shelf for desk in found.desks.values()]
    lost = frozenset(place_of(row) for desk in found.desks.values() for row in desk.found.lost)
    selection = replace(selection, lost=lost, until=read_time(found.lease))
    market = Markets(accounts, selection, markets, shelves)
    choice = found.choice = market.look()
    if not choice.offers and not want["wait_for_capacity"]:
        raise NoCapacityError(
            choice.why_nothing(),
            hint="Widen the tier, the locations or the price, name more providers, let it wait with "
            "waiting.for_capacity, or run the same again later: stock changes by the minute.",
            details={**choice.as_result()},
        )
    times = (want["capacity_timeout"], want["wait_for_capacity"], want["capacity_interval"])
    clock = next(iter(found.desks.values())).client.clock
    tour = Tour(choice, market, clock, Patience(*times), desks=found.desks)
    tour.homes, tour.left_out = found.homes, found.left_out
    tour.look_again = tour.look_at_limits
    tour.pinned = _pinned(found)
    found.walk = tour
    _check_money(found, tour)


def _opener(found: Everywhere, selection: Selection, outside: Outside) -> Callable[[Client], Desk]:
    """Return what makes a provider ready for purchases of what is missing, by one round of reads."""
    want = found.want

    keys = want["ssh_keys"] or []

    def open_desk(client: Client) -> Desk:
        _refuse_surprise(client, want["providers"])
        mine = replace(found.at[client.name], missing=list(found.missing), kept={})
        mine.lease = lease_until(want["lease"], client.now(), want["lease_max"])
        look_at_what_was_kept(client, mine, want)
        check_orderable(client, mine, want)
        purse, wished = Purse(client), replace(selection, until=read_time(mine.lease))
        mixed = want["budget_policy"] == "warn"
        market = Market(client, wished, purse=purse, mixed=mixed)
        guard = mine.guard = guard_for(client, mine, want, purse)
        guard.elsewhere = partial(outside.of, client.name)
        shelf, mine.ssh_key_ids, _seen = client.together(
            market.shelf, lambda: registered_ids(client, keys), lambda: guard.look(mine.rows)
        )
        shelf = replace(shelf, provider=client.name)
        new = new_keys(client, keys)
        return Desk(client, mine, market, shelf, guard, Fallbacks.of(client), new)

    return open_desk


def _refuse_surprise(client: Client, named: list[str] | None) -> None:
    """Raise InvalidError for a provider of containers that nobody has named: most roles need more."""
    if client.capabilities.rents == "container" and client.name not in (named or []):
        raise InvalidError(
            f"{client.name} rents out containers, without systemd and drivers of their own, and is "
            "taken only where providers names it"
        )


def _sort(found: Everywhere, asked: list[Asked[Desk]]) -> None:
    """Keep the desks, and why others have none; raises what holds for all."""
    for one in asked:
        if one.error and not isinstance(one.error, _OF_ONE_PROVIDER):
            raise one.error
        if one.error:
            code = one.reason if isinstance(one.error, UnavailableError) else one.error.code
            found.left_out.append(LeftOut(one.provider, str(code), in_groups(one.error.message)))
    found.desks = {one.provider: one.answer for one in asked if one.answer}
    if not found.desks:
        first = next(one.error for one in asked if one.error)
        others = [str(one) for one in found.left_out if one.detail != first.message]
        first.hint = ". ".join([first.hint.rstrip("."), *others]).strip(". ")
        raise first
    found.lease = next(iter(found.desks.values())).found.lease


def _pinned(found: Everywhere) -> dict[str, str]:
    """Return at which provider instances must stand, since retained volumes of theirs lie there."""
    pinned: dict[str, str] = {}
    for name in found.missing:
        homes = [
            provider
            for provider, desk in found.desks.items()
            if desk.found.kept.get(name, Kept()).volumes
        ]
        if len(homes) > 1:
            raise InvalidError(
                f"Retained volumes of {name} lie at {' and '.join(homes)}",
                hint="Name the one provider that is meant in providers, or remove the others.",
            )
        if homes:
            pinned[name] = homes[0]
    return pinned


def place_at(found: Everywhere, name: str) -> str | None:
    """Return the location at which an instance must stand, None where that is open."""
    tour = found.walk
    desk = found.desks.get(tour.pinned.get(name, "")) if isinstance(tour, Tour) else None
    return desk.found.kept.get(name, Kept()).location if desk else None


def best_of(found: Everywhere, name: str) -> Offer | None:
    """Return the best offer for an instance."""
    return found.walk.best(place_at(found, name), name) if found.walk else None


def _check_money(found: Everywhere, tour: Tour) -> None:
    """Refuse what would cost too much; an account that alone has too little is left out."""
    while True:
        best = {name: offer for name in found.missing if (offer := best_of(found, name))}
        if not best:
            break
        provider = next(iter(best.values())).provider
        guard = found.desks[provider].guard
        try:
            guard.check(best)
            found.guard = guard
            break
        except OverBudgetError as error:
            short = guard.lacks_balance_alone(best)
            error.details["spend"]["provider"] = provider
            if not short or not tour.close(provider, error):
                raise
    tour.limits = {provider: desk.guard.limit() for provider, desk in found.desks.items()}
