# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was spent before, as far as a budget needs it; and whether that can be relied on (private)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .._core.errors import GpuopsError
from .._core.periods import begin_of
from .._ledger import store
from .._ledger.event import Event
from .._ledger.url import url_of
from .._models.resources import Instance
from .._providers.names import module_of
from .budget import Budget, needs_past

# A purchase is written down when it is over: until then the ledger knows nothing of its instance.
_BOOKED_AFTER = timedelta(hours=1)
_HINT = (
    f"{module_of('ledger')} writes down what the cloud still shows. Or name the ledger that holds the "
    "history, with the option ledger or GPUOPS_LEDGER; or set budget_policy=warn, which counts only "
    "what exists now."
)


class NoHistoryError(GpuopsError):
    """A budget limits a day, a month or the total, and nobody can tell what was spent in it."""

    code = "no_history"
    default_hint = _HINT


@dataclass(frozen=True)
class History:
    """The events that a budget needs. ``events`` is None where there is no ledger at all.

    ``limits`` are the limits that need them, ``problem`` says why they could not be read.
    """

    url: str | None = None
    limits: list[str] = field(default_factory=list)
    events: list[Event] | None = None
    problem: str = ""

    @property
    def known(self) -> list[Event]:
        """The events, none where there is no ledger."""
        return self.events or []

    @property
    def warnings(self) -> list[str]:
        """What to tell those who go on without the past."""
        return (
            [f"{self.problem} Only what exists now counts for the budget."] if self.problem else []
        )


def read_history(option: str | None, budget: Budget, now: datetime) -> History:
    """Return what a budget needs of the ledger; what is wrong with that is in it."""
    limits = needs_past(budget)
    if not limits:
        return History()
    url = url_of(option)
    # The clock of the controller may be a little wrong, and nothing else is known yet.
    month = begin_of("month", now - timedelta(days=2))
    since = None if any(limit.endswith(".total") for limit in limits) else month
    try:
        return History(url, limits, store.history(option, since))
    except store.LedgerError as error:
        return History(url, limits, None, str(error))


def doubts(history: History, instances: list[Instance], now: datetime) -> tuple[str, str]:
    """Return why a limit must not be judged by a history, and what to warn of; empty texts for none.

    Without a ledger nothing was spent, as long as no instance of ours says otherwise.
    """
    if not history.limits:
        return "", ""
    why = f"{history.limits[0]} limits what may be spent"
    if history.problem:
        return f"{why}, and what was spent cannot be read: {history.problem}", ""
    if history.url is None:
        return f"{why}, and ledger=none keeps no history of it", ""
    ours = [row for row in instances if _is_ours(row)]
    if history.events is None:
        if not ours:
            return (
                "",
                f"There is no ledger yet, so {history.limits[0]} counts only what exists now.",
            )
        return f"{why}, and there is no ledger although {_names(ours)} exists", ""
    known = {event["thing_id"] for event in history.known}
    old = [row for row in ours if _is_old(row, now)]
    if old and not any(row.id in known for row in old):
        return f"{why}, and the ledger knows nothing of {_names(old)}: it is another one", ""
    return "", ""


def _is_ours(row: Instance) -> bool:
    return row.is_billed and row.ownership is not None


def _is_old(row: Instance, now: datetime) -> bool:
    return row.born is not None and now - row.born > _BOOKED_AFTER


def _names(rows: list[Instance]) -> str:
    named = [f"{row.name} ({row.id})" for row in rows]
    more = f" and {len(named) - 2} more" if len(named) > 2 else ""
    return f"{', '.join(named[:2])}{more}"
