# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Buying exactly once: walk the offers, look up unclear orders, settle races (private)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from ._affordable import OverBudgetError
from ._client import Client
from ._describe import describe_as_offer
from ._errors import (
    FailedStateError,
    GpuopsError,
    NoCapacityError,
    NotStartedError,
    OwnershipError,
    WaitTimeoutError,
)
from ._fallbacks import Fallbacks
from ._label import REQUEST_DIGITS
from ._lease import lease_until
from ._machine import twins, wait_running
from ._marking import lend_volume, set_tag
from ._offer import Offer
from ._once import look_up
from ._order import Order
from ._ownership import Sent, confirm, find_made
from ._settling import wait_detached
from ._statuses import holders
from ._terminate import terminate_one
from ._walk import Walk


def buy(client: Client, order: Order, walk: Walk) -> dict[str, Any]:
    """Buy one machine and return it as the API shows it.

    Raises NoCapacityError when the walk is over, and any refusal that would hold everywhere.
    """
    for row in order.kept.volumes:  # nobody has them while this waits for an offer
        lend_volume(client, row, lease_until(order.lease, client.now(), order.lease_max))
    if any(row["status"] != "detached" for row in order.kept.volumes):
        kept = [row["id"] for row in order.kept.volumes]
        wait_detached(client, kept, order.name, order.undo())
    while (offer := walk.next(order.name, order.location)) is not None:
        found = _try(client, order, walk, offer)
        if found:
            return found
        walk.refuse(offer)
    raise NoCapacityError(
        walk.why_nothing(order.location),
        hint="Widen the tier or the locations, take market=spot_first, or run again later.",
        details={**walk.choice.as_result(), "attempts": walk.attempts},
    )


def _try(client: Client, order: Order, walk: Walk, offer: Offer) -> dict[str, Any] | None:
    """Order one offer; return the machine, or None when nothing comes of this offer."""
    now = client.now()
    identity = order.identity(uuid.uuid4().hex[:REQUEST_DIGITS], now)
    sent = Sent(order.body(offer, identity), identity, now, offer.price_per_hour)
    try:
        instance_id, mine = _place(client, order, sent, walk.fallbacks)
    except NoCapacityError as error:
        walk.note(order.name, offer, "refused", error.message)
        other = _of_another_run(client, order)  # which may have taken the last one
        if not other:
            return None
        instance_id, mine = other, False
    with walk.ordered(order.name):
        return _follow(client, order, walk, sent, offer, instance_id, mine)


def _follow(
    client: Client,
    order: Order,
    walk: Walk,
    sent: Sent,
    offer: Offer,
    instance_id: str,
    mine: bool,
) -> dict[str, Any] | None:
    """Return the instance of an order that was accepted; None when nothing comes of this offer."""
    try:
        instance_id, rows = _read_back(client, order, sent, instance_id, walk if mine else None)
        check = walk.bought if mine else _no_check
        found = _settle(client, order, walk, instance_id, offer, rows, check)
        mine = mine and found["id"] == instance_id
        if mine:
            _complete_tags(client, order, sent, found, walk)
    except OverBudgetError as error:
        raise _take_back(client, order, walk, offer, error, instance_id) from None
    except (FailedStateError, NotStartedError) as error:
        _give_up(client, order, walk, offer, error, instance_id)
        return None
    except GpuopsError as error:
        raise _keep_id(error, order, offer, instance_id, mine) from None
    if mine:
        walk.note(order.name, offer, "taken", "bought", id=instance_id)
    else:
        detail = "another run had bought it first"
        walk.note(order.name, offer, "adopted", detail, **describe_as_offer(found))
    return found


def _read_back(
    client: Client, order: Order, sent: Sent, instance_id: str, walk: Walk | None
) -> tuple[str, list[dict[str, Any]]]:
    """Return which machine there is, and the list with it; without a walk it is another run's."""
    if walk is None:
        return instance_id, client.instances()
    rows = confirm(client, order, sent, instance_id)
    return _named(rows, sent, instance_id, walk), rows


def _named(rows: list[dict[str, Any]], sent: Sent, answered: str, walk: Walk) -> str:
    """Return the id of the machine that comes of an order, whatever id its answer named."""
    made = find_made(rows, sent)
    found = str(made["id"]) if made else answered
    if found != answered:
        walk.fallbacks.tell(
            f"The order of {sent.identity.name} was answered with the id {answered}, which is not "
            f"of this order; {found} is, and the other one is left alone."
        )
    return found


def _complete_tags(
    client: Client, order: Order, sent: Sent, found: dict[str, Any], walk: Walk
) -> None:
    """Tag disks that could not be tagged with the order, and tell what the machine does not show."""
    tell = walk.fallbacks.tell
    lost = sent.lost(found) if found.get("status") and walk.fallbacks.shape.tags < 2 else []
    if lost:
        tell(f"The account does not show {', '.join(lost)} of {order.name} ({found['id']}).")
    if not walk.fallbacks.disks_untagged:
        return
    try:
        for volume in client.volumes():
            part = order.part_of(volume)
            if part and found["id"] in holders(volume):
                for tag in order.disk_tags(part, sent.identity):
                    set_tag(client, "volumes", volume["id"], tag["key"], tag["value"])
    except GpuopsError as error:
        tell(f"The disks of {order.name} could not be tagged: {error.message}")


def _give_up(
    client: Client,
    order: Order,
    walk: Walk,
    offer: Offer,
    error: GpuopsError,
    instance_id: str,
) -> None:
    """Terminate what came of an order that failed, or that did not start in time."""
    outcome = "not_started" if isinstance(error, NotStartedError) else "failed"
    walk.note(order.name, offer, outcome, error.message, id=instance_id)
    try:
        _remove(client, order, walk, instance_id, offer, stuck=outcome == "not_started")
    except GpuopsError as problem:
        named = f"{order.name} ({instance_id}, {offer})"
        problem.message = (
            f"{error.message}. {named} could not be terminated, so nothing else is bought: "
            f"{problem.message}"
        )
        raise _keep_id(problem, order, offer, instance_id, True) from None


def _take_back(
    client: Client,
    order: Order,
    walk: Walk,
    offer: Offer,
    error: OverBudgetError,
    instance_id: str,
) -> GpuopsError:
    """Terminate what breaks a budget together with older purchases, and return the error."""
    named = f"{order.name} ({instance_id}, {offer})"
    try:
        _remove(client, order, walk, instance_id, offer)
    except GpuopsError as problem:
        error.message += f". {named} could not be terminated: {problem.message}"
        return _keep_id(error, order, offer, instance_id, True)
    walk.note(order.name, offer, "terminated", error.message, id=instance_id)
    error.message += f". {named} was terminated again"
    error.details.update(instance_id=instance_id, instance_name=order.name)
    error.details.update(changed=True, terminated=True)
    return error


def _keep_id(
    error: GpuopsError, order: Order, offer: Offer, instance_id: str, mine: bool
) -> GpuopsError:
    """Add to an error which machine exists and what it costs, so that nobody pays unknowingly.

    One about ownership says so itself: nothing can be adopted then.
    """
    if isinstance(error, OwnershipError):
        return error
    error.details.update(instance_id=instance_id, instance_name=order.name, changed=mine)
    error.hint = (
        f"{error.hint} The machine {order.name} ({instance_id}, {offer}) exists and costs money: "
        f"run the same again to adopt it, or end it with state=absent."
    ).strip()
    return error


def _place(client: Client, order: Order, sent: Sent, fallbacks: Fallbacks) -> tuple[str, bool]:
    """Send the order; return the id of the machine, and whether it came of this order.

    An unclear answer is looked up before anything else. Where the order was not taken, and another
    run has bought a machine of this name meanwhile, that one is returned and no second is ordered.
    """

    def look() -> str | None:
        made = find_made(client.instances(), sent)
        return str(made["id"]) if made else None

    for last in (False, True):
        try:
            return fallbacks.send(client, sent.body), True
        except GpuopsError as error:
            if not error.unclear:
                raise
            found = look_up(client, look, error, "machine")
            if found:
                return found, True
            other = _of_another_run(client, order)
            if other:
                return other, False
            if last:
                error.hint = (
                    "Twice the order got no clear answer and no machine of it appeared. "
                    "Run again: one that appears later is found by its marks and adopted."
                )
                raise
    raise AssertionError("not reached")


def _of_another_run(client: Client, order: Order) -> str | None:
    """Return the id of the machine of this name that stays, or None when there is none."""
    same = twins(client.instances(), order.deployment, order.name, order.replaces)
    return str(same[0]["id"]) if same else None


def _settle(
    client: Client,
    order: Order,
    walk: Walk,
    instance_id: str,
    offer: Offer,
    rows: list[dict[str, Any]],
    check: Callable[[str], None],
) -> dict[str, Any]:
    """Apply the race rule to a list of machines, then wait until the one that stays runs.

    What stays of this order goes through ``check`` at once, and again when it runs: a list may lag.
    """
    same = twins(rows, order.deployment, order.name, order.replaces)
    stays = same[0]["id"] if same else instance_id
    if stays != instance_id and any(row["id"] == instance_id for row in same):
        _remove(client, order, walk, instance_id, offer)
        instance_id = stays
        check = _no_check
    check(instance_id)
    if not order.wait:
        return next((r for r in same if r["id"] == instance_id), {"id": instance_id})
    found = _started(client, order, instance_id, check is not _no_check)
    check(instance_id)
    return found


def _started(client: Client, order: Order, instance_id: str, mine: bool) -> dict[str, Any]:
    """Return an instance once it runs.

    Raises NotStartedError when one of this order does not within the time that it has for it.
    """
    timeout = min(order.timeout, order.start_timeout) if mine else order.timeout
    try:
        return wait_running(client, instance_id, order.name, timeout, order.interval)
    except WaitTimeoutError as error:
        if mine and order.start_timeout <= order.timeout:
            raise NotStartedError(error.message) from None
        raise


def _no_check(_instance_id: str) -> None:
    """Let an instance of another run be: its own run looks at the budgets."""


def _remove(
    client: Client,
    order: Order,
    walk: Walk,
    instance_id: str,
    offer: Offer,
    *,
    stuck: bool = False,
) -> None:
    """Terminate what an order made in vain: its new disks go, kept ones come back detached."""
    row = {"id": instance_id, "hostname": order.name, "price_per_hour": offer.price_per_hour}
    terminate_one(client, row, order.undo(stuck=stuck), walk.ends)
