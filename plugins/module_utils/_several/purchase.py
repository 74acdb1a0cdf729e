# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Buying one instance at whichever of several providers sells it first by rank, and once (private)."""

from __future__ import annotations

from .._core.errors import ConflictError, GpuopsError
from .._instances.plan import buy_sentence, note_failure, note_purchase, order_of
from .._instances.purchase import Counter, buy, lend_volumes
from .._ledger import store
from .._lifecycle.instance_states import twins
from .._lifecycle.termination import terminate_one
from .._models.offer import Offer
from .._models.resources import Instance
from .._providers.accounts import Accounts
from .._providers.base.client import Client
from .keys import register_keys
from .market import place_at
from .state import Everywhere
from .walk import Tour


def purchase(found: Everywhere, name: str, accounts: Accounts) -> str:
    """Buy an instance, note where and what became of it, and return that as a sentence."""
    tour, want = found.walk, found.want
    if not isinstance(tour, Tour):
        raise AssertionError("a purchase is planned only after a look at the markets")

    def counter(offer: Offer) -> Counter:
        desk = found.desks[offer.provider]
        found.homes[name] = offer.provider
        register_keys(desk, want["deployment"])
        return Counter(desk.client, order_of(desk.found, name, want), tour.seen_from(desk))

    store.begin(want["ledger"])
    try:
        if name in tour.pinned:
            desk = found.desks[tour.pinned[name]]
            lend_volumes(desk.client, order_of(desk.found, name, want))
        row = buy(name, place_at(found, name), tour, counter)
        taken = note_purchase(found, name, tour, row)
        if taken["outcome"] != "adopted":
            _yield_elsewhere(found, name, row)
    except GpuopsError as error:
        note_failure(found, name, error)
        raise
    home = found.homes[name]
    if taken["outcome"] == "adopted":
        return f"{home}: adopt {name}, which another run has bought ({row.id})"
    return f"{home}: {buy_sentence(order_of(found.desks[home].found, name, want), taken)}"


def _yield_elsewhere(found: Everywhere, name: str, row: Instance) -> None:
    """Terminate an instance of this run where another run has bought that name first at another provider.

    Every run decides alike, so of two that buy at the same moment one stays. Raises ConflictError.
    """
    home, accounts, want = found.homes[name], found.accounts, found.want
    others = tuple(provider for provider in found.at if provider != home)
    if not others:
        return
    older: list[str] = []
    for one in accounts.ask(_listed, others):
        if one.error:
            found.notes.append(f"Nobody could look again whether {name} is at {one}.")
        same = twins(one.answer or [], want["deployment"], name)
        older += [f"{twin.id} at {one.provider}" for twin in same if _is_older(twin, row)]
    if not older:
        return
    desk = found.desks[home]
    undo = order_of(desk.found, name, want).undo()
    message = f"Another run has bought {name} first ({', '.join(older)})"
    details = {"instance_id": row.id, "instance_name": name, "changed": True}
    try:
        terminate_one(desk.client, row, undo, desk.found.ends)
    except GpuopsError as error:
        error.message = (
            f"{message}, and {row.id} at {home} could not be terminated: {error.message}"
        )
        error.details.update(details)
        raise
    found.bought.discard(row.id)
    raise ConflictError(
        f"{message}; {row.id}, which this run has bought at {home}, was terminated again",
        hint="Run the same again: what there is then is kept.",
        details={**details, "terminated": True},
    )


def _is_older(one: Instance, other: Instance) -> bool:
    """Tell whether an instance is older; of two that were made at the same time the smaller id is."""
    if one.born is None or other.born is None:
        return one.born is None  # what has no age was there before
    return (one.born, one.id) < (other.born, other.id)


def _listed(client: Client) -> list[Instance]:
    return client.instances()
