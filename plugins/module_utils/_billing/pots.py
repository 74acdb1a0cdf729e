# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pots: each budget of an account, of an owner or of a project, and what counts for it (private, pure)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from .._core.periods import end_of
from .._ledger.history import Thing, spent
from .budget import Budget, BudgetRow, belongs, budget_rows, scopes
from .running_costs import Live, burn

PERIODS = ("day", "month", "total")


@dataclass(frozen=True)
class Pot:
    """Limits, whose they are (``of`` is empty for the account), what lives and what was spent."""

    budget: Budget = field(default_factory=Budget)
    living: tuple[Live, ...] = ()
    spent: dict[str, float] = field(default_factory=dict)
    of: dict[str, str] = field(default_factory=dict)

    @property
    def burn(self) -> float:
        """The price per hour of what lives."""
        return burn(self.living)

    def rows(self, saved: float = 0.0) -> list[BudgetRow]:
        """Return the state of each limit once so much less burns per hour."""
        return budget_rows(self.budget, self.burn - saved, self.spent, self.of)

    def base(self, period: str, now: datetime, lease_end: datetime | None) -> float:
        """Return what a period costs without a purchase: spent, and still to come by leases.

        What has no lease counts for the total as long as the purchase lives.
        """
        end = end_of(period, now)
        ahead = sum(
            one.ahead(now, end or (None if one.lease_end else lease_end)) for one in self.living
        )
        return self.spent.get(period, 0.0) + ahead


def pots_of(
    budget: Budget, living: Sequence[Live], past: Iterable[Thing], now: datetime
) -> tuple[Pot, ...]:
    """Return a pot for everything that is limited."""
    things = list(past)
    return tuple(
        Pot(
            part,
            tuple(one for one in living if belongs(one.groups, of)),
            spent([thing for thing in things if belongs(thing.groups, of)], now),
            of,
        )
        for of, part in scopes(budget)
    )


def rows_of_pots(pots: Iterable[Pot]) -> list[BudgetRow]:
    """Return the state of each limit of some pots."""
    return [row for pot in pots for row in pot.rows()]
