# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a purchase fits: its lease's cost, the budget, and how long the balance lasts (private, pure)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict

from .._core.errors import GpuopsError
from .._core.periods import end_of, words_of
from .._models.rates import runway_hours
from .budget import EXCEEDED, THRESHOLDS, BudgetRow, budget_rows, limit_of
from .pots import PERIODS, Pot
from .running_costs import Live, burn

# Figures that differ by less are equal; the cloud's own are not more exact.
_EQUAL = 1e-9


class OverBudgetError(GpuopsError):
    """A purchase would break a budget, cost too much, or outlast the balance."""

    code = "over_budget"


@dataclass(frozen=True)
class Money:
    """What there is before a purchase: balance, what lives, limits and what was spent of them."""

    balance: float
    currency: str
    now: datetime
    living: tuple[Live, ...] = ()
    pots: tuple[Pot, ...] = ()
    max_lease_cost: float | None = None

    @property
    def burn(self) -> float:
        return burn(self.living)

    def hours_in(self, period: str, lease_end: datetime | None) -> float | None:
        """Return how long a purchase costs within a period, None when that has no end."""
        ends = [end for end in (end_of(period, self.now), lease_end) if end]
        return hours(self.now, min(ends)) if ends else None


def hours(begin: datetime, end: datetime) -> float:
    """Return the hours between two times, none when they are in the wrong order."""
    return max((end - begin).total_seconds(), 0) / 3600


@dataclass(frozen=True)
class Purchase:
    """What is to be bought: names, price per hour of all together, and the end of the lease."""

    names: tuple[str, ...]
    rate: float
    lease_end: datetime | None


class Spend(TypedDict):
    """The figures of a purchase, or of longer leases, that are of one account alone."""

    machines: int
    price_per_hour: float
    lease_hours: float | None
    lease_cost: float | None
    balance: float | None
    currency: str
    burn_per_hour: float
    burn_after_per_hour: float
    runway_hours: float | None
    broken: list[str]


class _Figures(Spend):
    max_lease_cost: float | None
    budgets: list[BudgetRow]


class Figures(_Figures, total=False):
    """All figures of a purchase, or of longer leases.

    ``max_price_per_hour`` is up to which price one instance would fit, which only a purchase asks.
    """

    max_price_per_hour: float | None


def verdict(money: Money, buy: Purchase) -> Figures:
    """Return all figures of a purchase; ``broken`` says in words what does not hold."""
    lease = hours(money.now, buy.lease_end) if buy.lease_end else None
    after = money.burn + buy.rate
    budgets = budgets_after(money, buy)
    return {
        "machines": len(buy.names),
        "price_per_hour": round(buy.rate, 4),
        "lease_hours": None if lease is None else round(lease, 3),
        "lease_cost": None if lease is None else round(lease * buy.rate, 4),
        "max_lease_cost": money.max_lease_cost,
        "balance": round(money.balance, 4) if math.isfinite(money.balance) else None,
        "currency": money.currency,
        "burn_per_hour": round(money.burn, 4),
        "burn_after_per_hour": round(after, 4),
        "runway_hours": runway_hours(money.balance, after),
        "budgets": budgets,
        "broken": list(_broken(budgets, money, buy, lease)),
    }


def budgets_after(money: Money, buy: Purchase) -> list[BudgetRow]:
    """Return the state of each limit once something is bought, by the ends of the leases."""
    rows: list[BudgetRow] = []
    for pot in money.pots:
        # Without an end there is no total; any limit on it is broken.
        used = {
            period: math.inf
            if length is None
            else pot.base(period, money.now, buy.lease_end) + buy.rate * length
            for period in PERIODS
            for length in [money.hours_in(period, buy.lease_end)]
        }
        rows += budget_rows(pot.budget, pot.burn + buy.rate, used, pot.of)
    return [_finite(row) for row in rows]


def _finite(row: BudgetRow) -> BudgetRow:
    endless = row["used"] is not None and math.isinf(row["used"])
    return {**row, "used": None, "share_percent": None} if endless else row


def _broken(
    budgets: list[BudgetRow], money: Money, buy: Purchase, lease: float | None
) -> Iterator[str]:
    unit = money.currency
    most, after = money.max_lease_cost, money.burn + buy.rate
    if most is not None and lease is None:
        yield f"there is no lease, so nothing keeps its cost below max_lease_cost ({most:g} {unit})"
    elif most is not None and lease is not None and buy.rate * lease > most * (1 + _EQUAL):
        yield (
            f"the lease of {lease:.1f} h at {buy.rate:.4g} {unit}/h costs {buy.rate * lease:.2f} "
            f"{unit}, more than max_lease_cost ({most:g} {unit})"
        )
    if lease is not None and money.balance < after * lease * (1 - _EQUAL):
        yield (
            f"the balance of {money.balance:.2f} {unit} lasts {money.balance / after:.1f} h at "
            f"{after:.4g} {unit}/h ({money.burn:.4g} now and {buy.rate:.4g} more), and the lease "
            f"is {lease:.1f} h"
        )
    yield from broken_budgets(budgets, unit)


def broken_budgets(rows: list[BudgetRow], unit: str) -> Iterator[str]:
    """Yield in words which limits do not hold."""
    for row in rows:
        if row["state"] == EXCEEDED:
            yield _over(row, unit)


def _over(row: BudgetRow, unit: str) -> str:
    limit = f"the budget{words_of(row['owner'], row['project'])} of {row['limit']:g} {unit}"
    if row["used"] is None:
        return f"there is no lease, so nothing keeps its cost below {limit} in total"
    if row["period"] == "hour":
        return f"{row['used']:.4g} {unit}/h would burn, and {limit} per hour allows no more"
    which = {"day": "this day", "month": "this month", "total": "in total"}[row["period"]]
    return (
        f"{which} it would be {row['used']:.2f} {unit} by the ends of the leases, "
        f"{row['share_percent']:g} % of {limit}"
    )


def most_per_hour(money: Money, lease_end: datetime | None) -> float:
    """Return up to which price per hour, all together, a purchase breaks nothing; 0 for none."""
    lease = hours(money.now, lease_end) if lease_end else None
    found = [math.inf]
    if lease:
        found.append(money.balance / lease - money.burn)
    if money.max_lease_cost is not None:
        found.append(money.max_lease_cost / lease if lease else 0.0)
    for pot in money.pots:
        found += _most_of_pot(money, pot, lease_end)
    return max(min(found), 0.0)


def _most_of_pot(money: Money, pot: Pot, lease_end: datetime | None) -> Iterator[float]:
    """Yield up to which price per hour each limit of a pot holds."""
    step = (pot.budget.thresholds or THRESHOLDS)[-1] / 100
    for period in ("hour", *PERIODS):
        limit = limit_of(pot.budget, period)
        if limit is None:
            continue
        # At its last threshold a budget counts as exceeded already.
        limit = limit * step * (1 - 1e-6)
        if period == "hour":
            yield limit - pot.burn
            continue
        length = money.hours_in(period, lease_end)
        left = limit - pot.base(period, money.now, lease_end)
        yield left / length if length and left > 0 else 0.0


def longest_lease(money: Money, rate: float) -> str:
    """Return the longest lease at a price that balance and ``max_lease_cost`` allow, such as 42h.

    Rounded down, to hours or below one to minutes; empty for less than a minute.
    """
    known = math.isfinite(money.balance) and money.burn + rate > 0
    found = [money.balance / (money.burn + rate)] if known else []
    if money.max_lease_cost is not None and rate > 0:
        found.append(money.max_lease_cost / rate)
    lease = timedelta(hours=max(min(found), 0)) if found else timedelta(0)
    minutes = math.floor(lease.total_seconds() / 60)
    if minutes >= 60:
        return f"{minutes // 60}h"
    return f"{minutes}m" if minutes else ""
