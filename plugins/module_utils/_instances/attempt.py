# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An order that was accepted: what becomes of its instance when nothing comes of it (private)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from .._billing.affordability import OverBudgetError
from .._core.errors import GpuopsError, NotStartedError, OwnershipError
from .._lifecycle.instance_states import twins
from .._lifecycle.termination import terminate_one
from .._models.offer import Offer
from .._models.resources import Instance
from .._providers.base.client import Client
from .offer_queue import Walk
from .order import Order


@dataclass
class Attempt:
    """One try at an offer. ``mine`` says that its instance comes of this run's order."""

    client: Client
    order: Order
    walk: Walk
    offer: Offer
    instance_id: str
    mine: bool = True

    def __str__(self) -> str:
        return f"{self.order.name} ({self.instance_id}, {self.offer})"

    def note(self, outcome: str, detail: str) -> None:
        """Add a line to the trace of the walk."""
        self.walk.note(self.order.name, self.offer, outcome, detail, {"id": self.instance_id})

    def remove(self, *, stuck: bool = False, wanted: Callable[[], bool] | None = None) -> bool:
        """Terminate what was made in vain: its new disks go, kept ones come back detached.

        Returns False where it stays, since it was ``wanted`` before the cloud let it go.
        """
        row = Instance(self.instance_id, self.order.name, price=self.offer.price)
        how = replace(self.order.undo(stuck=stuck), wanted=wanted)
        return terminate_one(self.client, row, how, self.walk.ends)

    def yield_to_older(self, rows: list[Instance]) -> str:
        """Return the id of the instance that stays of this name; ours is terminated if not that.

        An older one that fails while ours cannot be terminated yet leaves the name to ours.
        """

        def same(rows: list[Instance]) -> list[str]:
            order = self.order
            return [row.id for row in twins(rows, order.deployment, order.name, order.replaces)]

        found = same(rows)
        if self.instance_id not in found[1:]:
            return self.instance_id
        gone = self.remove(wanted=lambda: same(self.client.instances())[:1] == [self.instance_id])
        return found[0] if gone else self.instance_id

    def give_up(self, error: GpuopsError) -> None:
        """Terminate what came of an order that failed, or that did not start in time."""
        late = isinstance(error, NotStartedError)
        self.note("not_started" if late else "failed", error.message)
        try:
            self.remove(stuck=late)
        except GpuopsError as problem:
            problem.message = (
                f"{error.message}. {self} could not be terminated, so nothing else is bought: "
                f"{problem.message}"
            )
            raise self.keep_id(problem) from None

    def take_back(self, error: OverBudgetError) -> GpuopsError:
        """Terminate what breaks a budget together with older purchases, and return the error."""
        try:
            self.remove()
        except GpuopsError as problem:
            error.message += f". {self} could not be terminated: {problem.message}"
            return self.keep_id(error)
        self.note("terminated", error.message)
        error.message += f". {self} was terminated again"
        error.details.update(instance_id=self.instance_id, instance_name=self.order.name)
        error.details.update(changed=True, terminated=True)
        return error

    def keep_id(self, error: GpuopsError) -> GpuopsError:
        """Add to an error which instance exists and what it costs, so that nobody pays unknowingly.

        One about ownership says so itself: nothing can be adopted then.
        """
        if isinstance(error, OwnershipError):
            return error
        error.details.update(instance_id=self.instance_id, instance_name=self.order.name)
        error.details.update(changed=self.mine)
        error.hint = (
            f"{error.hint} The instance {self} exists and costs money: "
            f"run the same again to adopt it, or terminate it with state=absent."
        ).strip()
        return error
