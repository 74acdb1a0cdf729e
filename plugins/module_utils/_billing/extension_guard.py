# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard before a lease becomes longer: what a purchase of that lease would be refused for (private)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .._core.errors import GpuopsError
from .._core.times import read_time
from .._ledger.reconcile import Shown, gone_or_there
from .._models.balance import Balance
from .._models.resources import Instance, Volume
from .._providers.base.client import Client
from .affordability import (
    Money,
    OverBudgetError,
    Purchase,
    broken_budgets,
    budgets_after,
    longest_lease,
    verdict,
)
from .budget import belongs, check_budget
from .pots import Pot, pots_of
from .running_costs import Live, living
from .spending_history import History, NoHistoryError, doubts, read_history

Row = dict[str, Any]


@dataclass
class Extension:
    """What a run asks about the money before it makes leases longer; ``figures`` are for the result."""

    client: Client
    want: Row
    figures: Row | None = None
    warnings: list[str] = field(default_factory=list)
    _money: Balance | GpuopsError | None = None
    _history: History = field(default_factory=History)

    @property
    def questions(self) -> list[Callable[[], None]]:
        """What to ask in the round in which the instances are listed; none where no lease is given."""
        if not (self.want["extend"] or self.want["lease"]):
            return []
        return [self._ask_balance, self._ask_history]

    def _ask_balance(self) -> None:
        try:
            self._money = self.client.balance()
        except GpuopsError as error:
            self._money = error

    def _ask_history(self) -> None:
        budget = check_budget(self.want["budget"])
        self._history = read_history(self.want["ledger"], budget, self.client.now())

    def check(
        self,
        rows: list[Instance],
        volumes: list[Volume],
        leases: dict[str, str],
        all_rows: list[Instance],
    ) -> None:
        """Refuse, or warn of, leases by id that last longer than those on the instances.

        Raises OverBudgetError, NoHistoryError, and what the question about the balance raised.
        """
        longer = [row for row in rows if row.id in leases and _is_longer(row, leases[row.id])]
        if not longer:
            return
        warns = self.want["budget_policy"] == "warn"
        try:
            self._check(longer, volumes, leases, all_rows)
        except GpuopsError as error:
            if not warns:
                raise
            self.warnings.append(f"{error.message}. It is done anyway (budget_policy=warn).")

    def _check(
        self,
        longer: list[Instance],
        volumes: list[Volume],
        leases: dict[str, str],
        all_rows: list[Instance],
    ) -> None:
        if isinstance(self._money, GpuopsError):
            raise self._money
        if self._money is None:
            raise AssertionError("the balance is asked for together with the instances")
        now = self.client.now()
        problem, note = doubts(self._history, all_rows, now)
        if problem:
            raise NoHistoryError(problem)
        self.warnings += [note] if note else []
        ids = {row.id for row in longer}
        with_them = {row.id for row in volumes if ids & set(row.holders)} | ids
        every = living(all_rows, volumes, now, self._money.currency)
        mine = [one for one in every if one.id in with_them]
        others = tuple(one for one in every if one.id not in with_them)
        ends = [read_time(leases[one]) for one in ids]
        end = None if None in ends else max(one for one in ends if one)
        names = tuple(sorted(str(row.name) for row in longer))
        most = self.want["max_lease_cost"]
        money = Money(self._money.amount, self._money.currency, now, others, (), most)
        buy = Purchase(names, sum(one.rate for one in mine), end)
        past = gone_or_there(
            self._history.known, Shown(all_rows, volumes, providers=(self.client.name,)), now
        )
        pots = pots_of(check_budget(self.want["budget"]), others, past, now)
        self._judge(money, buy, _budgets(money, buy, pots, mine))

    def _judge(self, money: Money, buy: Purchase, budgets: list[Row]) -> None:
        found = verdict(money, buy)
        found["budgets"] = budgets
        found["broken"] += broken_budgets(budgets, money.currency)
        self.figures = found
        if not found["broken"]:
            return
        lease = longest_lease(money, buy.rate)
        fits = f"By balance and cost lease={lease} would fit. " if lease else ""
        raise OverBudgetError(
            f"{', '.join(buy.names)} would cost too much with this lease: {'; '.join(found['broken'])}",
            hint=f"{fits}Extend by less, top up the account, raise the limit, or set "
            "budget_policy=warn.",
            details={"spend": found},
        )


def _budgets(money: Money, buy: Purchase, pots: tuple[Pot, ...], mine: list[Live]) -> list[Row]:
    """Return the state of each limit that the instances are paid from, by the ends of the leases."""
    rows: list[Row] = []
    for pot in pots:
        paid = [one for one in mine if belongs(one.groups, pot.of)]
        if paid:
            part = Money(money.balance, money.currency, money.now, money.living, (pot,))
            rate = sum(one.rate for one in paid)
            rows += budgets_after(part, Purchase(buy.names, rate, buy.lease_end))
    return rows


def _is_longer(row: Instance, lease: str) -> bool:
    """Tell whether a lease lasts longer than that of an instance; one that nobody can read does."""
    marks = row.ownership
    if marks and marks.lease == lease:
        return False
    old: datetime | None = marks.lease_end if marks else None
    new = read_time(lease)
    if old is None:  # none lasts longest
        return bool(marks and marks.lease.lower() != "none")
    return new is None or new > old
