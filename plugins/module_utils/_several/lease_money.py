# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What longer leases at several providers cost: a balance each, and one budget for all (private)."""

from __future__ import annotations

import math
from itertools import chain

from .._billing.affordability import Figures, Spend
from .._billing.budget import check_budget
from .._billing.extension_guard import Limits, Longer, figures_of, known_past, refuse_broken
from .._billing.running_costs import living
from .._billing.spending_history import read_history
from .._core.errors import GpuopsError, UnavailableError
from .._core.numbers import UnreadableError
from .._instances.lease import FoundLeases
from .._models.balance import Balance
from .._providers.accounts import NO_CREDENTIALS
from .lease_state import FoundEverywhere


def check_money(found: FoundEverywhere) -> None:
    """Refuse, or warn of, longer leases: by the balance of each account, then by what bounds all of them."""
    parts: dict[str, Longer] = {}
    for provider, here in found.at.items():
        try:
            part = here.money.check(here.rows, here.volumes, here.leases, here.every)
        except GpuopsError as error:
            error.message = f"{provider}: {error.message}"
            _tell(found, error)
            raise
        if part:
            parts[provider] = part
    _tell(found)
    want = found.want
    warns, budget = want["budget_policy"] == "warn", check_budget(want["budget"])
    limits = Limits(budget, want["max_lease_cost"], want["ledger"], warns)
    if parts and (budget or limits.most is not None):
        with limits.warning(found.warnings):
            _check_together(found, parts, limits)


def _alone(figures: Figures) -> Spend:
    """Return the figures of an account without those that are of all accounts."""
    return {
        "machines": figures["machines"],
        "price_per_hour": figures["price_per_hour"],
        "lease_hours": figures["lease_hours"],
        "lease_cost": figures["lease_cost"],
        "balance": figures["balance"],
        "currency": figures["currency"],
        "burn_per_hour": figures["burn_per_hour"],
        "burn_after_per_hour": figures["burn_after_per_hour"],
        "runway_hours": figures["runway_hours"],
        "broken": figures["broken"],
    }


def _tell(found: FoundEverywhere, error: GpuopsError | None = None) -> None:
    """Note the figures of each account, for the result and for an error."""
    found.spend = [
        {"provider": name, **_alone(here.money.figures)}
        for name, here in found.at.items()
        if here.money.figures
    ]
    if error and error.details:
        error.details["spend"] = found.spend


def _check_together(found: FoundEverywhere, parts: dict[str, Longer], limits: Limits) -> None:
    """Raise what forbids all longer leases together; two currencies are never added."""
    lost = [one for one in found.silent if one.reason != NO_CREDENTIALS]
    if limits.budget and lost:
        raise UnavailableError(
            f"Nobody knows what costs at {'; '.join(map(str, lost))}, and budget holds for all providers. "
            "No lease was changed",
            hint="Run the same again when it answers, or set budget_policy=warn.",
        )
    beside = [here for name, here in found.at.items() if name not in parts and limits.budget]
    part = _joined([*parts.values()], beside)
    history = read_history(limits.ledger, limits.budget, part.now)
    found.warnings += known_past(history, found.shown, part.now)
    figures = figures_of(part, limits, history, found.shown)
    found.budgets = figures["budgets"]
    try:
        refuse_broken(part, limits.most, figures)
    except GpuopsError as error:
        error.details = {"spend": found.spend, "budgets": found.budgets}
        raise


def _joined(every: list[Longer], beside: list[FoundLeases]) -> Longer:
    """Return all longer leases as those of one account, whose balance nobody asks for.

    ``beside`` are accounts at which none becomes longer, and what is there costs all the same.
    """
    units = {part.balance.currency for part in every}
    if len(units) > 1:
        raise UnreadableError(
            f"The accounts pay in {' and '.join(sorted(units))}, and two currencies are never added",
            hint="Change the leases of one provider at a time, with providers.",
        )
    (unit,), now = units, every[0].now
    there = [living(here.every, here.volumes, now, unit) for here in beside]
    ends = [part.lease_end for part in every]
    return Longer(
        tuple(chain.from_iterable(part.names for part in every)),
        None if None in ends else max(end for end in ends if end),
        tuple(chain.from_iterable(part.mine for part in every)),
        tuple(chain(*(part.others for part in every), *there)),
        Balance(math.inf, unit),
        now,
    )
