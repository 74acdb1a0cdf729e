# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hard limit: instances that end because a budget is used up (private, pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .._billing.budget import EXCEEDED, BudgetRow, belongs, worst
from .._billing.pots import Pot
from .._core.periods import words_of
from .._core.times import write_time
from .._models.resources import Instance
from .decision import BUDGET, Account, Judgement, Verdict

_PERIODS = {"hour": "per hour", "day": "this day", "month": "this month", "total": "in total"}


def paid_from(pot: Pot, verdict: Verdict) -> bool:
    """Tell whether something counts for a budget: the account's, its owner's or its project's."""
    row = verdict.row
    marks = row.ownership if isinstance(row, Instance) else None
    project = marks.project if marks else row.tagged_project
    return belongs({"owner": verdict.owner, "project": project or None}, pot.of)


def exceeded(rows: list[BudgetRow]) -> str:
    """Return in words which budget is used up, an empty text while all hold."""
    over = (row for row in rows if row["state"] == EXCEEDED)
    texts = [
        f"{row['used']:g} of {row['limit']:g} {_PERIODS[row['period']]}{words_of(row['owner'], row['project'])}"
        for row in over
    ]
    return f"the budget is used up: {', '.join(texts)}" if texts else ""


def judge_budget(
    found: Judgement, account: Account, pot: Pot, saved: Callable[[list[Verdict]], float]
) -> None:
    """Add instances to what is over until a budget holds: idle ones first, the dearest first.

    ``saved`` tells what the end of some things saves per hour. What was spent is spent, so a limit
    for longer than an hour that is used up terminates all instances in scope that are paid from it.
    """
    over = [one for one in found.over if not one.protected and paid_from(pot, one)]
    less = saved(over)
    for verdict in _candidates(found, account, exceeded(pot.rows(less))):
        if worst(pot.rows(less)) != EXCEEDED:
            return
        if not paid_from(pot, verdict):
            continue
        found.over.append(verdict)
        less += saved([verdict])


def _candidates(found: Judgement, account: Account, why: str) -> Iterator[Verdict]:
    """Yield the instances in scope that live and may be ended, in their order."""
    named = {verdict.row.id for verdict in [*found.over, *found.unclear]}

    def rank(row: Instance) -> tuple[bool, float, str]:
        use = account.uses.get(row.id)
        return not (use and use.idle_since), -row.rate, row.id

    for row in sorted(found.living, key=rank):
        marks = row.ownership
        if row.id in named or marks is None or marks.protected or row.is_bound:
            continue
        idle = ", and nobody uses it" if not rank(row)[0] else ""
        end = marks.lease_end
        yield Verdict(
            row,
            marks.deployment,
            marks.owner,
            why + idle,
            BUDGET,
            write_time(end) if end else None,
        )
