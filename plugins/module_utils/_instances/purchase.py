# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Buying exactly once: walk the offers, look up unclear orders, settle races (private)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from .._billing.affordability import OverBudgetError
from .._core.errors import (
    FailedStateError,
    GpuopsError,
    NoCapacityError,
    NotStartedError,
    WaitTimeoutError,
)
from .._core.times import lease_until
from .._lifecycle.create_once import look_up
from .._lifecycle.instance_states import twins, wait_running
from .._lifecycle.settling import wait_detached
from .._lifecycle.tagging import lend_volume, set_tag
from .._models.label import REQUEST_DIGITS
from .._models.offer import Offer
from .._models.resources import Instance
from .._providers.base.client import Client
from .._providers.base.views import describe_as_offer
from .attempt import Attempt
from .offer_queue import Walk
from .order import Order
from .order_fallbacks import Fallbacks
from .ownership_check import Sent, confirm, find_made, refuse_strays


@dataclass(frozen=True)
class Counter:
    """Where an offer is ordered: the account, the order there, and the walk as that account sees it."""

    client: Client
    order: Order
    walk: Walk


def buy(name: str, location: str | None, walk: Walk, at: Callable[[Offer], Counter]) -> Instance:
    """Buy one instance, each offer ``at`` its own counter, and return it as the API shows it.

    Raises NoCapacityError when the walk is over, and any refusal that would hold everywhere.
    """
    while (offer := walk.next(name, location)) is not None:
        ends = offer.terms.ends if offer.terms else None
        try:
            here = at(offer)
            client, order, now = here.client, here.order, here.client.now()
            identity = order.identity(uuid.uuid4().hex[:REQUEST_DIGITS], now, ends)
            sent = Sent(order.for_offer(offer, identity), identity, now, offer.price)
            placed: str | None
            placed, mine = _place(client, order, sent, here.walk.fallbacks)
        except NoCapacityError as error:
            walk.note(name, offer, "refused", error.message)
            # Another run may have taken the last one.
            placed, mine = _of_another_run(client.instances(), order), False
        except GpuopsError as error:
            if not walk.leave(name, offer, error):
                raise
            continue
        if placed:
            with walk.ordered(name):
                found = _follow(Attempt(client, order, here.walk, offer, placed, mine), sent)
            if found:
                return found
        walk.refuse(offer)
    raise NoCapacityError(
        walk.why_nothing(location),
        hint="Widen the tier or the locations, take market=spot_first, or run again later.",
        details={**walk.choice.as_result(), "attempts": walk.attempts},
    )


def lend_volumes(client: Client, order: Order) -> None:
    """Give kept volumes a lease, as nobody has them while this waits for an offer, and await them."""
    for row in order.kept.volumes:
        lend_volume(client, row, lease_until(order.lease, client.now(), order.lease_max))
    if any(row.status != "detached" for row in order.kept.volumes):
        kept = [row.id for row in order.kept.volumes]
        wait_detached(client, kept, order.name, order.undo())


def _follow(at: Attempt, sent: Sent) -> Instance | None:
    """Return the instance of an order that was accepted; None when nothing comes of this offer."""
    try:
        rows = _read_back(at, sent)
        found = _settle(at, rows)
        at.mine = at.mine and found.id == at.instance_id
        if at.mine:
            _complete_tags(at.client, at.order, sent, found, at.walk)
    except OverBudgetError as error:
        raise at.take_back(error) from None
    except (FailedStateError, NotStartedError) as error:
        at.give_up(error)
        return None
    except GpuopsError as error:
        raise at.keep_id(error) from None
    if at.mine:
        at.note("taken", "bought")
    else:
        facts = describe_as_offer(found)
        detail = "another run had bought it first"
        at.walk.note(at.order.name, at.offer, "adopted", detail, facts)
    return found


def _read_back(at: Attempt, sent: Sent) -> list[Instance]:
    """Return the list with the instance that there is, and note its id, whatever the answer named."""
    if not at.mine:
        return at.client.instances()
    rows = confirm(at.client, at.order, sent, at.instance_id)
    at.instance_id = _named(rows, sent, at.instance_id, at.walk)
    return rows


def _named(rows: list[Instance], sent: Sent, answered: str, walk: Walk) -> str:
    """Return the id of the instance that comes of an order, whatever id its answer named."""
    made = find_made(rows, sent)
    found = made.id if made else answered
    if found != answered:
        walk.fallbacks.tell(
            f"The order of {sent.identity.name} was answered with the id {answered}, which is not "
            f"of this order; {found} is, and the other one is left alone."
        )
    return found


def _complete_tags(client: Client, order: Order, sent: Sent, found: Instance, walk: Walk) -> None:
    """Tag disks that could not be tagged with the order, and tell what the instance does not show."""
    tell = walk.fallbacks.tell
    seen = found.ownership is not None and walk.fallbacks.shape.tags < 2
    lost = sent.lost(found) if seen else []
    if lost:
        tell(f"The account does not show {', '.join(lost)} of {order.name} ({found.id}).")
    if not walk.fallbacks.disks_untagged:
        return
    try:
        for volume in client.volumes():
            part = order.part_of(volume)
            if part and found.id in volume.holders:
                for tag in order.disk_tags(part, sent.identity):
                    set_tag(client, "volumes", volume.id, tag["key"], tag["value"])
    except GpuopsError as error:
        tell(f"The disks of {order.name} could not be tagged: {error.message}")


def _place(client: Client, order: Order, sent: Sent, fallbacks: Fallbacks) -> tuple[str, bool]:
    """Send the order; return the id of the instance, and whether it came of this order.

    An unclear answer is looked up before anything else. Where the order was not taken, and another
    run has bought an instance of this name meanwhile, that one is returned and no second is ordered.
    """

    def look() -> str | None:
        made = find_made(client.instances(), sent)
        return made.id if made else None

    for last in (False, True):
        try:
            return fallbacks.send(client, sent.order), True
        except GpuopsError as error:
            if not error.unclear:
                raise
            found = look_up(client, look, error, "instance")
            if found:
                return found, True
            rows = client.instances()
            other = _of_another_run(rows, order)
            if other:
                return other, False
            refuse_strays(client, rows, sent, error)
            if last:
                error.hint = (
                    "Twice the order got no clear answer and no instance of it appeared. "
                    "Run again: one that appears later is found by its tags and adopted."
                )
                raise
    raise AssertionError("not reached")


def _of_another_run(rows: list[Instance], order: Order) -> str | None:
    """Return the id of the instance of this name that stays, or None when there is none."""
    same = twins(rows, order.deployment, order.name, order.replaces)
    return same[0].id if same else None


def _settle(at: Attempt, rows: list[Instance]) -> Instance:
    """Apply the race rule to a list of instances, then wait until the one that stays runs.

    What stays of this order is checked against the budgets at once, and again when it runs: a list
    may lag. An instance of another run is looked at by its own run.
    """
    order, stays = at.order, at.yield_to_older(rows)
    mine = at.mine and stays == at.instance_id
    check = at.walk.bought if mine else _no_check
    check(stays)
    if not order.wait:
        return _row_of(stays, rows) or Instance(stays, order.name)
    found = _started(at.client, order, stays, mine, _row_of(stays, rows))
    if mine:
        stays = at.yield_to_older(at.client.instances())
        if stays != at.instance_id:
            return _started(at.client, order, stays, False)
    check(stays)
    return found


def _row_of(instance_id: str, rows: list[Instance]) -> Instance | None:
    return next((row for row in rows if row.id == instance_id), None)


def _started(
    client: Client, order: Order, instance_id: str, mine: bool, known: Instance | None = None
) -> Instance:
    """Return an instance once it runs; ``known`` is what was seen of it just now.

    Raises NotStartedError when one of this order does not within the time that it has for it.
    """
    timeout = min(order.timeout, order.start_timeout) if mine else order.timeout
    try:
        return wait_running(client, instance_id, order.name, timeout, order.interval, known)
    except WaitTimeoutError as error:
        if mine and order.start_timeout <= order.timeout:
            raise NotStartedError(error.message) from None
        raise


def _no_check(_instance_id: str) -> None:
    """Let an instance of another run be."""
