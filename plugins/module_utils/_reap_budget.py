# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hard limit: machines that end because a budget is used up (private, pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ._budget import EXCEEDED, budget_rows, worst
from ._lease import read_identity, write_time
from ._spend import instance_rate
from ._verdicts import BUDGET, Account, Judgement, Row, Verdict

_PERIODS = {"hour": "per hour", "day": "this day", "month": "this month", "total": "in total"}


@dataclass(frozen=True)
class Spent:
    """A budget, what the whole account burns per hour, and what it has cost by period."""

    budget: dict[str, Any] = field(default_factory=dict)
    burn: float = 0.0
    spent: dict[str, float] = field(default_factory=dict)

    def rows(self, saved: float = 0.0) -> list[Row]:
        """Return the states of the budget once so much less burns per hour."""
        return budget_rows(self.budget, self.burn - saved, self.spent)


def exceeded(rows: list[Row]) -> str:
    """Return in words which budget is used up, an empty text while all hold."""
    over = (row for row in rows if row["state"] == EXCEEDED)
    texts = [f"{row['used']:g} of {row['limit']:g} {_PERIODS[row['period']]}" for row in over]
    return f"the budget is used up: {', '.join(texts)}" if texts else ""


def judge_budget(
    found: Judgement, account: Account, money: Spent, saved: Callable[[list[Verdict]], float]
) -> None:
    """Add machines to what is over until the budget holds: idle ones first, the dearest first.

    ``saved`` tells what the end of some things saves per hour. What was spent is spent, so a limit
    for longer than an hour that is used up ends all machines in scope.
    """
    less = saved([verdict for verdict in found.over if not verdict.protected])
    for verdict in _candidates(found, account, exceeded(money.rows(less))):
        if worst(money.rows(less)) != EXCEEDED:
            return
        found.over.append(verdict)
        less += saved([verdict])


def _candidates(found: Judgement, account: Account, why: str) -> Iterator[Verdict]:
    """Yield the machines in scope that live and may be ended, in their order."""
    named = {verdict.row["id"] for verdict in [*found.over, *found.unclear]}

    def rank(row: Row) -> tuple[bool, float, str]:
        use = account.uses.get(row["id"])
        return not (use and use.idle_since), -instance_rate(row), row["id"]

    for row in sorted(found.living, key=rank):
        marks = read_identity(row)
        if row["id"] in named or marks is None or marks.protected:
            continue
        idle = ", and nobody uses it" if not rank(row)[0] else ""
        end = marks.lease_end
        yield Verdict(
            "instance",
            row,
            marks.deployment,
            marks.owner,
            why + idle,
            BUDGET,
            write_time(end) if end else None,
        )
