# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A reaper of several accounts: each by its own clock and rules, one budget for all (private)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import partial
from typing import Any

from .._billing.budget import Budget, BudgetRow, check_budget
from .._billing.spending_history import read_history
from .._core.apply import collected
from .._core.errors import GpuopsError
from .._core.plan import Plan, Step
from .._core.resource import Resource
from .._providers.accounts import NO_CREDENTIALS, Accounts, Asked, nobody_answered
from .._providers.base.client import Client
from .._reaper.budget_limit import exceeded
from .._reaper.decision import Account, Judgement
from .._reaper.report import report
from .._reaper.resource import ReapNoun, hold, rules_of, told_of
from .._reaper.state import FoundReap
from .state import step_at

Row = dict[str, Any]
_ROWS = ("reaped", "unclear", "kept", "living")
_SUMS = (
    *("currency", "saved_per_hour", "burn_per_hour", "machines"),
    *("at", "clock_skew_seconds"),
)


@dataclass
class FoundReaps:
    """What was found and decided at each provider; ``silent`` are those that nobody could look at.

    ``whole`` is all of it as one account, where there is a budget.
    """

    accounts: Accounts
    at: dict[str, FoundReap]
    silent: list[Asked[FoundReap]]
    whole: FoundReap | None = None
    warnings: list[str] = field(default_factory=list)

    @property
    def failed(self) -> list[Asked[FoundReap]]:
        """The providers that should have answered, and did not."""
        return [one for one in self.silent if one.reason != NO_CREDENTIALS]


class SeveralReapNoun(Resource[Accounts, Row, FoundReaps, Row]):
    """Everything of a scope that has outlived its lease, or its instance, at several providers."""

    # -- find ----------------------------------------------------------------------------------

    def find(self, accounts: Accounts, want: Row) -> FoundReaps:
        rules_of(want, datetime.now(timezone.utc))  # what cannot be meant is asked of nobody
        budget = check_budget(want["budget"])
        asked = accounts.ask(partial(_look, {**want, "budget": None}))
        if all(one.error for one in asked):
            raise nobody_answered(asked)
        at = {one.provider: one.answer for one in asked if one.answer}
        found = FoundReaps(accounts, at, [one for one in asked if one.error])
        found.warnings = [
            str(one)
            for one in found.silent
            if one in found.failed or one.provider in (want["providers"] or [])
        ]
        if budget:
            _hold_all(found, budget, want)
        return found

    # -- plan ----------------------------------------------------------------------------------

    def plan(self, found: FoundReaps, want: Row) -> Plan:
        noun, before, after, steps = ReapNoun(), {}, {}, list[Step]()
        for provider, here in found.at.items():
            part = noun.plan(here, want)
            before[provider], after[provider] = part.before, part.after
            client = found.accounts.client(provider)
            steps += [step_at(client, step) for step in part.steps]
        return Plan(before, after, tuple(steps), parallel=True)

    def on_partial_failure(
        self,
        accounts: Accounts,
        found: FoundReaps,
        want: Row,
        done: list[str],
        errors: list[GpuopsError],
    ) -> list[str]:
        """Raise one error that names everything that failed, with the whole result."""
        told = _told(found)
        failed = [row for row in told["reaped"] if row["outcome"] == "failed"]
        rows = [f"{row['kind']} {row['name']}: {row['detail']}" for row in failed]
        named = "; ".join([*rows, *map(str, found.failed)])
        first = errors[0]
        first.message = f"{len(failed)} could not be terminated or deleted: {named}"
        first.hint = "Run the same command again; what is left continues to cost money."
        first.details = told
        raise collected(done, errors)

    def record(
        self, accounts: Accounts, found: FoundReaps, want: Row, *, applied: bool
    ) -> list[str]:
        noun = ReapNoun()
        return [
            text
            for provider, here in found.at.items()
            for text in noun.record(accounts.client(provider), here, want, applied=applied)
        ]

    # -- result --------------------------------------------------------------------------------

    def result(self, accounts: Accounts, found: FoundReaps, plan: Plan, *, applied: bool) -> Row:
        told = _told(found)
        if found.failed:
            named = "; ".join(map(str, found.failed))
            error = found.failed[0].error or nobody_answered(found.failed)
            error.message = f"Nobody could look what is over at all providers: {named}"
            error.hint = "What is over at the others was looked at. Run the same command again."
            error.details = {**told, "changed": plan.changed, "actions": plan.actions}
            raise error
        warnings = [text for here in found.at.values() for text in here.warnings]
        return {**told, "warnings": [*found.warnings, *warnings]}


def _look(want: Row, client: Client) -> FoundReap:
    return ReapNoun().find(client, want)


def _hold_all(found: FoundReaps, budget: Budget, want: Row) -> None:
    """Add what one budget over all accounts does not allow; two currencies are never added."""
    every = list(found.at.values())
    priced = [row for one in every for row in (*one.account.instances, *one.account.volumes)]
    named = {row.price.currency for row in priced if row.is_billed and row.price.currency}
    if len(named) > 1:
        found.warnings.append(
            f"The budget was not held in this round: prices are in {' and '.join(sorted(named))}, "
            "and two currencies are never added."
        )
        return
    account = Account(
        instances=[row for one in every for row in one.account.instances],
        volumes=[row for one in every for row in one.account.volumes],
        uses={key: use for one in every for key, use in one.account.uses.items()},
        providers=tuple(found.at),
    )
    judged = Judgement(
        over=[verdict for one in every for verdict in one.judgement.over],
        unclear=[verdict for one in every for verdict in one.judgement.unclear],
        living=[row for one in every for row in one.judgement.living],
    )
    known = len(judged.over)
    whole = found.whole = FoundReap(account, every[0].rules, judged, want)
    history = read_history(want["ledger"], budget, whole.rules.now)
    hold(whole, budget, history)
    found.warnings += [*history.warnings, *whole.warnings]
    homes = {row.id: one for one in every for row in one.account.instances}
    for verdict in judged.over[known:]:
        homes[verdict.row.id].judgement.over.append(verdict)


def _told(found: FoundReaps) -> Row:
    """Return the result: rows with their providers, and sums of each."""
    parts = {name: told_of(found.accounts.client(name), here) for name, here in found.at.items()}
    rows: Row = {
        key: [{"provider": name, **row} for name, part in parts.items() for row in part[key]]
        for key in _ROWS
    }
    sums: list[Row] = []
    for name in found.accounts.names:
        why = next((one for one in found.silent if one.provider == name), None)
        part = parts.get(name, {})
        detail = str(why.error) if why else ""
        sums.append(
            {
                "provider": name,
                **{key: part.get(key) for key in _SUMS},
                "reason": why.reason if why else None,
                "detail": detail,
            }
        )
    budgets = _budgets(found)
    over = exceeded(budgets)
    lines = [f"{name}: {line}" for name, part in parts.items() for line in part["lines"]]
    return {
        **rows,
        "providers": sums,
        "budgets": budgets,
        "lines": [*lines, *([f"After this {over}"] if over else []), *map(str, found.silent)],
    }


def _budgets(found: FoundReaps) -> list[BudgetRow]:
    """Return the state of each limit after this run."""
    whole = found.whole
    if whole is None:
        return []
    for here in found.at.values():
        whole.outcomes |= here.outcomes
    rows: list[BudgetRow] = report(whole, 0)["budgets"]
    return rows
