# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard before each purchase: what it would break, with all figures (private)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ._affordable import Money, Purchase, longest_lease, most_per_hour, verdict
from ._books import spent
from ._budget import check_budget
from ._client import Client
from ._costs import living
from ._errors import GpuopsError, InvalidError
from ._kept import Kept
from ._lease import read_identity, read_time
from ._money import past_events
from ._offer import Offer
from ._sync import Shown, gone_or_there
from ._volume_facts import hourly


class OverBudgetError(GpuopsError):
    """A purchase would break a budget, cost too much, or outlast the balance."""

    code = "over_budget"


def check_limits(want: dict[str, Any]) -> None:
    """Raise InvalidError for limits that make no sense, before any request."""
    check_budget(want["budget"])
    most = want["max_lease_cost"]
    if most is not None and not most > 0:
        raise InvalidError(f"max_lease_cost {most:g} is not usable: above zero")


@dataclass
class Guard:
    """What stands before the purchase of some machines of a deployment, named by ``missing``.

    ``old`` are ids of machines that end once they are replaced, so that their cost does not count.
    """

    client: Client
    want: dict[str, Any]
    missing: list[str]
    lease_end: datetime | None
    kept: dict[str, Kept] = field(default_factory=dict)
    old: frozenset[str] = frozenset()
    figures: dict[str, Any] | None = None
    warnings: list[str] = field(default_factory=list)
    _money: Money | None = None
    _disk_price: float = 0.0

    def look(self, instances: list[dict[str, Any]] | None = None) -> None:
        """Read balance, prices of disks, what costs, and what was spent; all at the same time.

        Where an excess is only a warning, so is a balance that cannot be read.
        """
        client, budget = self.client, check_budget(self.want["budget"])
        try:
            money, types, volumes, rows, (events, warnings) = client.together(
                client.balance,
                client.volume_types,
                client.volumes,
                lambda: client.instances() if instances is None else instances,
                lambda: past_events(self.want["ledger"], budget, client.now()),
            )
        except GpuopsError as error:
            if self.want["budget_policy"] != "warn":
                raise
            self.warnings = [f"Bought without a look at the money: {error}"]
            return
        now = client.now()
        things = gone_or_there(events, Shown(rows, volumes), now) if budget else []
        self.warnings = warnings
        self._disk_price = next((hourly(row, 1) for row in types if row["type"] == "NVMe"), 0.0)
        self._money = Money(
            balance=float(money["amount"]),
            currency=money.get("currency") or "",
            now=now,
            living=tuple(one for one in living(rows, volumes, now) if one.id not in self.old),
            spent=spent(things, now),
            budget=budget,
            max_lease_cost=self.want["max_lease_cost"],
        )

    def _disks(self, name: str) -> float:
        """Return what the new disks of a machine cost per hour."""
        kept, want = self.kept.get(name, Kept()), self.want
        size = 0 if kept.os_volume else want["os_volume_gb"]
        size += 0 if kept.data_volume else want["data_volume_gb"] or 0
        return float(size) * self._disk_price

    def check(self, offers: dict[str, Offer]) -> None:
        """Refuse, or warn of, the purchase of these offers, by the names of the machines."""
        if self._money is None or not offers:
            return
        rate = sum(offer.price_per_hour + self._disks(name) for name, offer in offers.items())
        buy = Purchase(tuple(offers), rate, self.lease_end)
        most = self.ceiling()
        found = {**verdict(self._money, buy), "max_price_per_hour": most}
        self.figures = found
        if not found["broken"]:
            return
        text = f"{', '.join(offers)} would cost too much: {'; '.join(found['broken'])}"
        if self.want["budget_policy"] == "warn":
            self.warnings.append(f"{text}. It is bought nevertheless, by budget_policy=warn.")
            return
        details = {"spend": found}
        raise OverBudgetError(text, hint=self._way_out(found, rate), details=details)

    def _way_out(self, found: dict[str, Any], rate: float) -> str:
        """Return in words what would fit."""
        ways = []
        if found["max_price_per_hour"]:
            ways.append(f"max_price_per_hour={found['max_price_per_hour']:g}")
        in_time = all(row["state"] != "exceeded" for row in found["budgets"])
        if self._money and in_time:
            minutes = math.floor(longest_lease(self._money, rate).total_seconds() / 60)
            whole = f"{minutes // 60}h" if minutes >= 60 else f"{minutes}m"
            ways += [f"lease={whole}"] if minutes else []
        fits = f"It would fit with {' or '.join(ways)}. " if ways else ""
        return f"{fits}Or top up the account, raise the limit, or set budget_policy=warn."

    def ceiling(self) -> float | None:
        """Return the highest price per hour of one machine at which nothing breaks.

        None where nothing limits it, or an excess is only a warning.
        """
        if self._money is None or not self.missing:
            return None
        disks = sum(map(self._disks, self.missing))
        most = (most_per_hour(self._money, self.lease_end) - disks) / len(self.missing)
        return None if math.isinf(most) else max(math.floor(most * 1e4) / 1e4, 0.0)

    def limit(self) -> float | None:
        """Return the price per hour above which no offer is taken, None without such a limit."""
        return None if self.want["budget_policy"] == "warn" else self.ceiling()

    def look_again(self) -> float | None:
        """Return the limit by what is known now: much may happen while stock is awaited."""
        rows = self.client.instances()
        there = {
            marks.name for row in rows if (marks := self._ours(row)) and row["id"] not in self.old
        }
        self.missing = [name for name in self.missing if name not in there]
        self.look(rows)
        return self.limit()

    def _ours(self, row: dict[str, Any]) -> Any:
        marks = read_identity(row)
        return marks if marks and marks.deployment == self.want["deployment"] else None


def guard_for(client: Client, found: Any, want: dict[str, Any]) -> Guard:
    """Return the guard of what a run has found to be missing."""
    old = frozenset(row["id"] for row in found.old.values())
    return Guard(client, want, list(found.missing), read_time(found.lease), found.kept, old)
