# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an instance that was ordered shows that it is ours, and what follows if not (private).

An id in the answer to an order is believed only when the instance bears the request of that order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from .._core.errors import GpuopsError, NotFoundError, OwnershipError, UnavailableError
from .._lifecycle.create_once import LOOKS_S
from .._lifecycle.termination import terminate_one
from .._models.orders import InstanceOrder
from .._models.ownership import Identity
from .._models.price import Price
from .._models.resources import Instance
from .._providers.base.client import Client
from .account_findings import note_lost_ownership
from .order import Order

# The cloud writes whole seconds.
_ROUNDING = timedelta(seconds=2)


@dataclass(frozen=True)
class Sent:
    """An order that was sent: what was asked, whose it makes the instance, and the cloud's time before it."""

    order: InstanceOrder
    identity: Identity
    at: datetime
    price: Price

    def made(self, row: Instance) -> bool:
        """Tell whether an instance shows that it comes of this order."""
        marks, mine = row.ownership, self.identity
        return marks is not None and (marks.deployment, marks.name, marks.request) == (
            mine.deployment,
            mine.name,
            mine.request,
        )

    def surely_made(self, row: Instance) -> bool:
        """Tell whether an instance is ours beyond doubt although its ownership did not hold.

        It is younger than the order, is what was ordered, and nothing on it says otherwise.
        """
        born, order = row.born, self.order
        sent = {tag.key: tag.value for tag in order.tags}
        return (
            born is not None
            and born >= self.at - _ROUNDING
            and row.name == order.name
            and row.instance_type == order.instance_type
            and row.location == order.location
            and set(row.ssh_key_ids) == set(order.ssh_key_ids)
            and order.description.startswith(row.description)
            and row.tag_values.items() <= sent.items()
        )

    def lost(self, row: Instance) -> list[str]:
        """Return what was ordered on an instance of ours and is not shown."""
        marks = row.ownership
        wanted = ("owner", "project", "hours", "protected")
        return [key for key in wanted if getattr(self.identity, key) != getattr(marks, key, None)]


def find_made(rows: Iterable[Instance], sent: Sent) -> Instance | None:
    """Return the instance among these that shows that it comes of an order."""
    return next((row for row in rows if sent.made(row)), None)


def confirm(client: Client, order: Order, sent: Sent, instance_id: str) -> list[Instance]:
    """Return the list of instances in which the one of an order is, with its ownership.

    Raises OwnershipError when it does not hold: an instance that is ours beyond doubt is terminated
    first, any other is left alone. Either is named, and the account is remembered.
    """
    seen: Instance | None = None
    rows: list[Instance] = []
    for number, pause in enumerate(LOOKS_S):
        if number:
            client.clock.sleep(pause)
        rows = client.instances()
        if find_made(rows, sent):
            return rows
        single = _by_id(client, instance_id)
        if single and sent.made(single):
            return [*(row for row in rows if row.id != instance_id), single]
        seen = single or next((row for row in rows if row.id == instance_id), seen)
    if seen is None:
        raise GpuopsError(
            f"The order of {order.name} was accepted as {instance_id}, but no instance of it appears",
            hint="Look in the console before anything else is bought.",
        )
    raise _not_ours(client, order, sent, seen)


def refuse_strays(
    client: Client, listed: Iterable[Instance], sent: Sent, problem: GpuopsError
) -> None:
    """Raise OwnershipError where an order without a clear answer may have made what shows no ownership.

    No answer named its id, so it may be somebody else's: it is left alone, and no order is repeated.
    """
    rows = [row for row in listed if sent.surely_made(row) and not sent.made(row)]
    if not rows:
        return
    texts = ", ".join(_named(row, sent) for row in rows)
    kept = note_lost_ownership(client, texts)
    raise OwnershipError(
        f"{problem.message}, and {texts} may have come of it, which does not show that it is ours, "
        "and may be somebody else's: it is left alone",
        hint="Look in the console whose it is, and terminate it there if it is yours. Nothing more is "
        f"bought in this account until {kept} is deleted.",
        details={
            "instance_id": rows[0].id,
            "instance_name": sent.identity.name,
            "changed": True,
            "left_alone": True,
        },
    )


def _price(row: Instance, sent: Sent) -> Price:
    return row.price if row.price.is_told else sent.price


def _named(row: Instance, sent: Sent) -> str:
    return f"{row.name} ({row.id}, {_price(row, sent).or_nothing} per hour)"


def _by_id(client: Client, instance_id: str) -> Instance | None:
    try:
        return client.instance(instance_id)
    except (NotFoundError, UnavailableError):
        return None


def _not_ours(client: Client, order: Order, sent: Sent, row: Instance) -> OwnershipError:
    """Terminate an instance that is surely ours, and return the error that says what happened."""
    text = _named(row, sent)
    kept = note_lost_ownership(client, text)
    details = {"instance_id": row.id, "instance_name": order.name, "changed": True}
    hint = f"Nothing more is bought in this account until {kept} is deleted."
    if not sent.surely_made(row):
        return OwnershipError(
            f"The order of {order.name} was answered with {text}, which does not show that it is "
            "ours, and may be somebody else's: it is left alone",
            hint=f"Look in the console whose it is, and whether an instance of this order runs. {hint}",
            details={**details, "left_alone": True},
        )
    message = (
        f"The account does not show whose {text} is, which was just ordered: nothing could find it "
        "again"
    )
    try:
        known = Instance(row.id, order.name, price=_price(row, sent))
        terminate_one(client, known, order.undo(), [])
    except GpuopsError as error:
        return OwnershipError(
            f"{message}. It could not be terminated and costs money: {error.message}",
            hint=f"Terminate it in the console. {hint}",
            details=details,
        )
    return OwnershipError(f"{message}, so it is terminated", hint=hint, details=details)
