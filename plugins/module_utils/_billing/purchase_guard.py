# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard before each purchase, and after its order: what it would break, with all figures (private)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol, TypedDict

from .._core.errors import GpuopsError, InvalidError, NotFoundError
from .._core.numbers import UnreadableError
from .._core.times import read_time
from .._ledger.reconcile import Shown, gone_or_there
from .._lifecycle.retained_volumes import Kept
from .._models.balance import currencies
from .._models.offer import Offer
from .._models.ownership import Identity
from .._models.resources import Instance, Volume
from .._models.volumes import hourly
from .._providers.base.client import Client
from .._providers.base.currency import Purse
from .affordability import (
    Figures,
    Money,
    OverBudgetError,
    Purchase,
    broken_budgets,
    budgets_after,
    longest_lease,
    most_per_hour,
    verdict,
)
from .budget import Budget, GivenBudget, belongs, check_budget
from .pots import Pot, pots_of
from .running_costs import Live, living
from .spending_history import NoHistoryError, doubts, read_history

__all__ = ["Guard", "OverBudgetError", "check_limits", "guard_for"]


class _Disks(TypedDict, total=False):
    os_volume_gb: int
    data_volume_gb: int | None


class Want(_Disks):
    """The options of a purchase that say what it may cost, who pays, and what disks it makes."""

    deployment: str
    owner: str
    project: str | None
    budget: GivenBudget | None
    budget_policy: str
    max_lease_cost: float | None
    ledger: str | None


class Found(Protocol):
    """What a run has found: instances to be replaced, names without one, and their disks and lease."""

    old: dict[str, Instance]
    missing: list[str]
    kept: dict[str, Kept]
    lease: str | None


def check_limits(budget: GivenBudget | None, most: float | None) -> None:
    """Raise InvalidError for limits that make no sense, before any request."""
    check_budget(budget)
    if most is not None and not most > 0:
        raise InvalidError(f"max_lease_cost must be above zero (got {most:g})")


@dataclass
class Guard:
    """What stands before the purchase of some instances of a deployment, named by ``missing``.

    ``old`` are ids of instances that end once they are replaced, so that their cost does not count.
    ``elsewhere`` tells what other accounts show whose costs count for the same budget.
    """

    client: Client
    want: Want
    missing: list[str]
    lease_end: datetime | None
    purse: Purse
    kept: dict[str, Kept] = field(default_factory=dict)
    old: frozenset[str] = frozenset()
    elsewhere: Callable[[], Shown] = lambda: Shown([], [])
    figures: Figures | None = None
    warnings: list[str] = field(default_factory=list)
    _money: Money | None = None
    _disk_price: float = 0.0

    @property
    def warns(self) -> bool:
        """Whether an excess is only a warning."""
        return bool(self.want["budget_policy"] == "warn")

    def look(self, instances: list[Instance] | None = None) -> None:
        """Read balance, prices of disks, what costs, and what was spent; all at the same time.

        Where an excess is only a warning, so is a balance that cannot be read.
        """
        self.warnings = []
        try:
            self._look(instances)
        except GpuopsError as error:
            if not self.warns:
                raise
            self.warnings.append(f"Budget check skipped: {error}")

    def _look(self, instances: list[Instance] | None) -> None:
        client, budget = self.client, check_budget(self.want["budget"])
        money, types, volumes, rows, history, others = client.together(
            self.purse.balance,
            client.volume_types,
            client.volumes,
            lambda: client.instances() if instances is None else instances,
            lambda: read_history(self.want["ledger"], budget, client.now()),
            lambda: self.elsewhere() if budget else Shown([], []),
        )
        now = client.now()
        every = self._every(rows, volumes, others)
        self._doubt(*doubts(history, every.instances, now))
        types = self.purse.listed(types, client.volume_types)
        strange = currencies(types) - {money.currency}
        if strange:
            raise UnreadableError(
                f"GET /volume-types: prices are in {', '.join(sorted(strange))}, and the account "
                f"pays in {money.currency}"
            )
        usual = client.capabilities.volume_type
        disk = next((kind for kind in types if kind.name == usual), None)
        if usual and disk is None and any(self._new_gb(name) for name in self.missing):
            raise UnreadableError(f"GET /volume-types: there is no price of {usual}")
        self._disk_price = hourly(disk, 1) if disk else 0.0
        things = [one for one in living(rows, volumes, now, money.currency) if self._counts(one)]
        there = living(others.instances, others.volumes, now, money.currency)
        past = gone_or_there(history.known, every, now) if budget else []
        pots = self._mine(pots_of(budget, [*things, *there], past, now))
        most = self.want["max_lease_cost"]
        self._money = Money(money.amount, money.currency, now, tuple(things), pots, most)

    def _every(self, rows: list[Instance], volumes: list[Volume], others: Shown) -> Shown:
        """Return what this account and the others show, as one."""
        providers = (self.client.name, *others.providers)
        instances = [*rows, *others.instances]
        return Shown(instances, [*volumes, *others.volumes], providers=providers)

    def _doubt(self, problem: str, note: str) -> None:
        """Refuse, or warn, where what was spent is not known."""
        if problem and not self.warns:
            raise NoHistoryError(problem)
        self.warnings += [text for text in (problem, note) if text]

    def _counts(self, one: Live) -> bool:
        return one.id not in self.old

    def _mine(self, pots: tuple[Pot, ...]) -> tuple[Pot, ...]:
        """Return the pots that a purchase is paid from: the account's, its owner's, its project's."""
        whose = {"owner": self.want["owner"], "project": self.want["project"] or None}
        return tuple(pot for pot in pots if belongs(whose, pot.of))

    def _new_gb(self, name: str) -> float:
        """Return the size of the new disks of an instance in GiB."""
        kept, want = self.kept.get(name, Kept()), self.want
        size = 0 if kept.os_volume else want["os_volume_gb"]
        return float(size + (0 if kept.data_volume else want["data_volume_gb"] or 0))

    def _disks(self, name: str) -> float:
        """Return what the new disks of an instance cost per hour."""
        return self._new_gb(name) * self._disk_price

    def check(self, offers: dict[str, Offer]) -> None:
        """Refuse, or warn of, the purchase of these offers, by the names of the instances."""
        if self._money is None or not offers:
            return
        unit = self._money.currency
        strange = {offer.currency for offer in offers.values()} - {unit}
        if strange:  # else such offers are not taken in the first place
            text = f"prices are in {', '.join(sorted(strange))}, and the account pays in {unit}"
            self.warnings.append(f"Nothing compares the cost with the money: {text}.")
            return
        rate = sum(offer.price_per_hour + self._disks(name) for name, offer in offers.items())
        buy = Purchase(tuple(offers), rate, self.lease_end)
        most = self.ceiling()
        found: Figures = {**verdict(self._money, buy), "max_price_per_hour": most}
        self.figures = found
        if not found["broken"]:
            return
        text = f"{', '.join(offers)} would cost too much: {'; '.join(found['broken'])}"
        if self.warns:
            self.warnings.append(f"{text}. It is bought anyway (budget_policy=warn).")
            return
        details = {"spend": found}
        raise OverBudgetError(text, hint=self._way_out(found, rate), details=details)

    def lacks_balance_alone(self, offers: dict[str, Offer]) -> bool:
        """Tell whether these offers would be bought if more money were left on the account."""
        if self._money is None:
            return False
        rate = sum(offer.price_per_hour + self._disks(name) for name, offer in offers.items())
        rich = replace(self._money, balance=math.inf)
        return not verdict(rich, Purchase(tuple(offers), rate, self.lease_end))["broken"]

    def _way_out(self, found: Figures, rate: float) -> str:
        """Return in words what would fit."""
        ways = []
        if found["max_price_per_hour"]:
            ways.append(f"max_price_per_hour={found['max_price_per_hour']:g}")
        in_time = all(row["state"] != "exceeded" for row in found["budgets"])
        if self._money and in_time:
            lease = longest_lease(self._money, rate)
            ways += [f"lease={lease}"] if lease else []
        fits = f"It would fit with {' or '.join(ways)}. " if ways else ""
        return f"{fits}Or top up the account, raise the limit, or set budget_policy=warn."

    def ceiling(self) -> float | None:
        """Return the highest price per hour of one instance at which nothing breaks.

        None where nothing limits it, or an excess is only a warning.
        """
        if self._money is None or not self.missing:
            return None
        disks = sum(map(self._disks, self.missing))
        most = (most_per_hour(self._money, self.lease_end) - disks) / len(self.missing)
        return None if math.isinf(most) else max(math.floor(most * 1e4) / 1e4, 0.0)

    def limit(self) -> float | None:
        """Return the price per hour above which no offer is taken, None without such a limit."""
        return None if self.warns else self.ceiling()

    def look_again(self) -> float | None:
        """Return the limit by what is known now: much may happen while stock is awaited."""
        self.purse.look_again()
        rows = self.client.instances()
        there = {
            marks.name for row in rows if (marks := self._ours(row)) and row.id not in self.old
        }
        self.missing = [name for name in self.missing if name not in there]
        self.look(rows)
        return self.limit()

    def _ours(self, row: Instance) -> Identity | None:
        return row.ownership if row.of(self.want["deployment"]) else None

    # -- after the order -----------------------------------------------------------------------

    def check_bought(self, instance_id: str) -> None:
        """Look at the budgets again once an instance was ordered. Raises OverBudgetError.

        Others may have bought at the same moment. Where all that is as old as this instance or older
        holds, it stays; so of those that break a budget together the youngest go, and every run
        decides alike about its own instance.
        """
        budget = check_budget(self.want["budget"])
        if not budget:
            return
        try:
            broken = self._broken_by(instance_id, budget)
        except GpuopsError as error:
            self.warnings.append(f"The budget was not looked at again after the order: {error}")
            return
        if not broken:
            return
        text = f"others have bought at the same time, and together it is too much: {broken}"
        if self.warns:
            told = f"{instance_id} stays by budget_policy=warn: {text}."
            known = list(broken_budgets(self.figures["budgets"] if self.figures else [], ""))
            self.warnings += [] if known or told in self.warnings else [told]
            return
        hint = "Run again when something has ended, raise the limit, or set budget_policy=warn."
        raise OverBudgetError(text[0].upper() + text[1:], hint=hint)

    def _broken_by(self, instance_id: str, budget: Budget) -> str:
        """Return in words what an instance breaks together with all that is older."""
        client, option = self.client, self.want["ledger"]
        rows, volumes, history, there = client.together(
            client.instances,
            client.volumes,
            lambda: read_history(option, budget, client.now()),
            self.elsewhere,
        )
        every = self._every(rows, volumes, there)
        rows, volumes = every.instances, every.volumes
        mine = next((row for row in rows if row.id == instance_id), None)
        if mine is None:  # a list may lag behind an order
            try:
                mine = client.instance(instance_id)
            except NotFoundError:
                return ""
            rows.append(mine)
        younger = {row.id for row in rows if row.age_key > mine.age_key}
        holder = {row.id: set(row.holders) for row in volumes}
        now = client.now()
        own, others = [], []
        for one in living(rows, volumes, now):
            whose = holder.get(one.id) or {one.id}
            if instance_id in whose:
                own.append(one)
            elif not whose <= younger and self._counts(one):
                others.append(one)
        past = gone_or_there(history.known, every, now)
        pots = self._mine(pots_of(budget, others, past, now))
        unit = self._money.currency if self._money else ""
        rate = sum(one.rate for one in own)
        after = budgets_after(
            Money(0, unit, now, tuple(others), pots), Purchase(("",), rate, self.lease_end)
        )
        return "; ".join(broken_budgets(after, unit))


def guard_for(client: Client, found: Found, want: Want, purse: Purse) -> Guard:
    """Return the guard of what a run has found to be missing."""
    old = frozenset(row.id for row in found.old.values())
    lease = read_time(found.lease)
    return Guard(client, want, list(found.missing), lease, purse, found.kept, old)
