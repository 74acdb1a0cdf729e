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
from ._ending import end_instance, wait_detached
from ._errors import (
    FailedStateError,
    GpuopsError,
    InvalidError,
    NoCapacityError,
    NotFoundError,
)
from ._lease import Identity, lease_until, read_identity
from ._machine import twins, wait_running
from ._marking import lend_volume
from ._offer import Offer
from ._once import look_up
from ._order import Order, without_tags
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
    while (offer := walk.next(order.location)) is not None:
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
    identity = order.identity(uuid.uuid4().hex, client.now())
    try:
        instance_id, mine = _place(client, order, order.body(offer, identity), identity)
    except NoCapacityError as error:
        walk.note(order.name, offer, "refused", error.message)
        other = _of_another_run(client, order)  # which may have taken the last one
        if not other:
            return None
        instance_id, mine = other, False
    try:
        check = walk.bought if mine else _no_check
        found = _settle(client, order, instance_id, check)
    except OverBudgetError as error:
        raise _take_back(client, order, walk, offer, error, instance_id) from None
    except FailedStateError as error:
        walk.note(order.name, offer, "failed", error.message, id=instance_id)
        _remove_dead(client, order, instance_id)
        return None
    except GpuopsError as error:
        raise _keep_id(error, order, offer, instance_id, mine) from None
    if mine and found["id"] == instance_id:
        walk.note(order.name, offer, "taken", "bought", id=instance_id)
    else:
        detail = "another run had bought it first"
        walk.note(order.name, offer, "adopted", detail, **describe_as_offer(found))
    return found


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
        _remove_dead(client, order, instance_id)
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
    """Add to an error which machine exists and what it costs, so that nobody pays unknowingly."""
    error.details.update(instance_id=instance_id, instance_name=order.name, changed=mine)
    error.hint = (
        f"{error.hint} The machine {order.name} ({instance_id}, {offer}) exists and costs money: "
        f"run the same again to adopt it, or end it with state=absent."
    ).strip()
    return error


def _place(
    client: Client, order: Order, body: dict[str, Any], identity: Identity
) -> tuple[str, bool]:
    """Send the order; return the id of the machine, and whether it came of this order.

    An unclear answer is looked up before anything else. Where the order was not taken, and another
    run has bought a machine of this name meanwhile, that one is returned and no second is ordered.
    """

    def look() -> str | None:
        return next((row["id"] for row in client.instances() if _comes_of(row, identity)), None)

    for last in (False, True):
        try:
            return _post(client, body), True
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


def _comes_of(row: dict[str, Any], identity: Identity) -> bool:
    marks = read_identity(row)
    return marks is not None and marks.request == identity.request


def _of_another_run(client: Client, order: Order) -> str | None:
    """Return the id of the machine of this name that stays, or None when there is none."""
    same = twins(client.instances(), order.deployment, order.name, order.replaces)
    return str(same[0]["id"]) if same else None


def _post(client: Client, body: dict[str, Any]) -> str:
    try:
        return client.create("/instances", body)
    except InvalidError as error:
        # Nothing was made by a 400. Where tags are refused the marker in description serves.
        if "tags" not in body or "tag" not in error.message.lower():
            raise
        return client.create("/instances", without_tags(body))


def _late(client: Client, instance_id: str) -> dict[str, Any]:
    try:
        return client.instance(instance_id)
    except NotFoundError:
        return {"id": instance_id}


def _settle(
    client: Client, order: Order, instance_id: str, check: Callable[[str], None]
) -> dict[str, Any]:
    """Apply the race rule, then wait until the machine runs.

    What stays of this order goes through ``check`` at once, and again when it runs: a list may lag.
    """
    rows = client.instances()
    if rows and all(row["id"] != instance_id for row in rows):
        rows = [*rows, _late(client, instance_id)]  # a list may lag behind an order
    same = twins(rows, order.deployment, order.name, order.replaces)
    stays = same[0]["id"] if same else instance_id
    if stays != instance_id and any(row["id"] == instance_id for row in same):
        _remove_dead(client, order, instance_id)
        instance_id = stays
        check = _no_check
    check(instance_id)
    if not order.wait:
        return next((r for r in same if r["id"] == instance_id), {"id": instance_id})
    found = wait_running(client, instance_id, order.name, order.timeout, order.interval)
    check(instance_id)
    return found


def _no_check(_instance_id: str) -> None:
    """Let an instance of another run be: its own run looks at the budgets."""


def _remove_dead(client: Client, order: Order, instance_id: str) -> None:
    """End an order that failed or lost a race: its new disks go, kept ones come back detached."""
    end_instance(client, {"id": instance_id, "hostname": order.name}, order.undo())
