# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard before a lease becomes longer: what a purchase of that lease would be refused for (private)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from .._core.errors import GpuopsError
from .._core.times import read_time
from .._ledger.reconcile import Shown, gone_or_there
from .._models.balance import Balance
from .._models.resources import Instance, Volume
from .._providers.base.client import Client
from .affordability import (
    Figures,
    Money,
    OverBudgetError,
    Purchase,
    broken_budgets,
    budgets_after,
    longest_lease,
    verdict,
)
from .budget import Budget, BudgetRow, belongs
from .pots import Pot, pots_of
from .running_costs import Live, living
from .spending_history import History, NoHistoryError, doubts, read_history


@dataclass(frozen=True)
class Limits:
    """What bounds the money: a budget, the cost until leases end; and whether an excess only warns."""

    budget: Budget
    most: float | None
    ledger: str | None
    warns: bool

    @contextmanager
    def warning(self, warnings: list[str]) -> Iterator[None]:
        """Turn an error into a warning where an excess is only one."""
        try:
            yield
        except GpuopsError as error:
            if not self.warns:
                raise
            warnings.append(f"{error.message}. It is done anyway (budget_policy=warn).")


@dataclass(frozen=True)
class Longer:
    """Leases that become longer: what is paid for with them, what else costs, and what pays it."""

    names: tuple[str, ...]
    lease_end: datetime | None
    mine: tuple[Live, ...]
    others: tuple[Live, ...]
    balance: Balance
    now: datetime


@dataclass
class Extension:
    """What a run asks about the money before it makes leases longer; ``figures`` are for the result.

    ``asked`` says whether a lease is given at all.
    """

    client: Client
    limits: Limits
    asked: bool
    figures: Figures | None = None
    warnings: list[str] = field(default_factory=list)
    _money: Balance | GpuopsError | None = None
    _history: History = field(default_factory=History)

    @property
    def questions(self) -> list[Callable[[], None]]:
        """What to ask in the round in which the instances are listed; none where no lease is given."""
        return [self._ask_balance, self._ask_history] if self.asked else []

    def _ask_balance(self) -> None:
        try:
            self._money = self.client.balance()
        except GpuopsError as error:
            self._money = error

    def _ask_history(self) -> None:
        limits = self.limits
        self._history = read_history(limits.ledger, limits.budget, self.client.now())

    def check(
        self,
        rows: list[Instance],
        volumes: list[Volume],
        leases: dict[str, str],
        all_rows: list[Instance],
    ) -> Longer | None:
        """Refuse, or warn of, leases by id that last longer than those on the instances.

        Returns what becomes longer. Raises OverBudgetError, NoHistoryError, and what the question about the
        balance raised.
        """
        longer = [row for row in rows if row.id in leases and _is_longer(row, leases[row.id])]
        if not longer:
            return None
        part = None
        with self.limits.warning(self.warnings):
            part = self._longer(longer, volumes, leases, all_rows)
            shown = Shown(all_rows, volumes, providers=(self.client.name,))
            self.warnings += known_past(self._history, shown, part.now)
            self.figures = figures_of(part, self.limits, self._history, shown)
            refuse_broken(part, self.limits.most, self.figures)
        return part

    def _longer(
        self,
        longer: list[Instance],
        volumes: list[Volume],
        leases: dict[str, str],
        all_rows: list[Instance],
    ) -> Longer:
        if isinstance(self._money, GpuopsError):
            raise self._money
        if self._money is None:
            raise AssertionError("the balance is asked for together with the instances")
        now = self.client.now()
        ids = {row.id for row in longer}
        with_them = {row.id for row in volumes if ids & set(row.holders)} | ids
        every = living(all_rows, volumes, now, self._money.currency)
        ends = [read_time(leases[one]) for one in ids]
        return Longer(
            tuple(sorted(str(row.name) for row in longer)),
            None if None in ends else max(one for one in ends if one),
            tuple(one for one in every if one.id in with_them),
            tuple(one for one in every if one.id not in with_them),
            self._money,
            now,
        )


def known_past(history: History, shown: Shown, now: datetime) -> list[str]:
    """Return what to warn of the history of what was spent. Raises NoHistoryError where it is not known."""
    problem, note = doubts(history, shown.instances, now)
    if problem:
        raise NoHistoryError(problem)
    return [note] if note else []


def figures_of(part: Longer, limits: Limits, history: History, shown: Shown) -> Figures:
    """Return all figures of longer leases; ``broken`` says in words what does not hold."""
    money, buy = _purchase(part, limits.most)
    past = gone_or_there(history.known, shown, part.now)
    pots = pots_of(limits.budget, part.others, past, part.now)
    found = verdict(money, buy)
    found["budgets"] = _budgets(money, buy, pots, part.mine)
    found["broken"] += broken_budgets(found["budgets"], money.currency)
    return found


def refuse_broken(part: Longer, most: float | None, figures: Figures) -> None:
    """Raise OverBudgetError with all figures where something does not hold."""
    if not figures["broken"]:
        return
    money, buy = _purchase(part, most)
    lease = longest_lease(money, buy.rate)
    fits = f"By balance and cost lease={lease} would fit. " if lease else ""
    raise OverBudgetError(
        f"{', '.join(buy.names)} would cost too much with this lease: {'; '.join(figures['broken'])}",
        hint=f"{fits}Extend by less, top up the account, raise the limit, or set budget_policy=warn.",
        details={"spend": figures},
    )


def _purchase(part: Longer, most: float | None) -> tuple[Money, Purchase]:
    """Return longer leases as a purchase of them, and the money for it."""
    balance = part.balance
    money = Money(balance.amount, balance.currency, part.now, part.others, (), most)
    return money, Purchase(part.names, sum(one.rate for one in part.mine), part.lease_end)


def _budgets(
    money: Money, buy: Purchase, pots: tuple[Pot, ...], mine: tuple[Live, ...]
) -> list[BudgetRow]:
    """Return the state of each limit that the instances are paid from, by the ends of the leases."""
    rows: list[BudgetRow] = []
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
