# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change of leases at several providers knows before it plans (private)."""

from __future__ import annotations

from dataclasses import dataclass, field

from .._billing.affordability import Spend
from .._billing.budget import BudgetRow
from .._instances.lease import FoundLeases
from .._instances.lease_options import LeaseOptions
from .._ledger.reconcile import Shown
from .._models.resources import Instance
from .._providers.accounts import Accounts, Asked


class SeveralLeaseOptions(LeaseOptions):
    """What is asked for, and of whom."""

    providers: list[str] | None


class PlacedSpend(Spend):
    """What longer leases cost in one account."""

    provider: str


@dataclass
class FoundEverywhere:
    """What there is of a deployment at each provider that answered; ``silent`` are the others."""

    accounts: Accounts
    want: SeveralLeaseOptions
    at: dict[str, FoundLeases]
    silent: list[Asked[FoundLeases]]
    spend: list[PlacedSpend] = field(default_factory=list)
    budgets: list[BudgetRow] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def rows(self) -> list[Instance]:
        """All instances that are meant."""
        return [row for here in self.at.values() for row in here.rows]

    @property
    def shown(self) -> Shown:
        """Everything that the accounts show, as one."""
        every = self.at.values()
        return Shown(
            [row for here in every for row in here.every],
            [row for here in every for row in here.volumes],
            providers=tuple(self.at),
        )
