# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A reaper of several accounts: each by its own clock and rules, one budget for all (private)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import partial
from typing import TypedDict

from .._billing.budget import Budget, BudgetRow, check_budget
from .._billing.spending_history import read_history
from .._core.apply import collected
from .._core.errors import GpuopsError
from .._core.plan import Plan, Step
from .._core.resource import Resource
from .._providers.accounts import NO_CREDENTIALS, Accounts, Asked, nobody_answered
from .._providers.base.client import Client
from .._reaper.budget_limit import exceeded
from .._reaper.decision import Account, Judgement, ReapedRow
from .._reaper.options import ReapOptions
from .._reaper.report import LivingRow, report
from .._reaper.resource import ReapResource, ReapResult, hold, rules_of, told_of
from .._reaper.state import FoundReap
from .state import step_at


class PlacedReapedRow(ReapedRow):
    """One resource, what became of it, and where."""

    provider: str


class PlacedLivingRow(LivingRow):
    """An instance that lives on, and where."""

    provider: str


class SumsRow(TypedDict):
    """The sums of one provider; null where nobody could look, with the reason and detail of that."""

    provider: str
    currency: str | None
    saved_per_hour: float | None
    burn_per_hour: float | None
    machines: int | None
    at: str | None
    clock_skew_seconds: int | None
    reason: str | None
    detail: str


class _Told(TypedDict):
    reaped: list[PlacedReapedRow]
    unclear: list[PlacedReapedRow]
    kept: list[PlacedReapedRow]
    living: list[PlacedLivingRow]
    providers: list[SumsRow]
    budgets: list[BudgetRow]
    lines: list[str]


class SeveralReapResult(_Told):
    """What the module tells of all accounts; ``lines`` tell all of it to people."""

    warnings: list[str]


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


class SeveralReapResource(Resource[Accounts, ReapOptions, FoundReaps, SeveralReapResult]):
    """Everything of a scope that has outlived its lease, or its instance, at several providers."""

    # -- find ----------------------------------------------------------------------------------

    def find(self, accounts: Accounts, want: ReapOptions) -> FoundReaps:
        rules_of(want, datetime.now(timezone.utc))  # what cannot be meant is asked of nobody
        budget = check_budget(want["budget"])
        each: ReapOptions = {**want, "budget": None}
        asked = accounts.ask(partial(_look, each))
        if all(one.error for one in asked):
            raise nobody_answered(asked)
        at = {one.provider: one.answer for one in asked if one.answer}
        found = FoundReaps(accounts, at, [one for one in asked if one.error])
        found.warnings = [
            str(one)
            for one in found.silent
            if one in found.failed or one.provider in (want.get("providers") or [])
        ]
        if budget:
            _hold_all(found, budget, want)
        return found

    # -- plan ----------------------------------------------------------------------------------

    def plan(self, found: FoundReaps, want: ReapOptions) -> Plan:
        resource, before, after, steps = ReapResource(), {}, {}, list[Step]()
        for provider, here in found.at.items():
            part = resource.plan(here, want)
            before[provider], after[provider] = part.before, part.after
            client = found.accounts.client(provider)
            steps += [step_at(client, step) for step in part.steps]
        return Plan(before, after, tuple(steps), parallel=True)

    def on_partial_failure(
        self,
        accounts: Accounts,
        found: FoundReaps,
        want: ReapOptions,
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
        first.details = {**told}
        raise collected(done, errors)

    def record(
        self, accounts: Accounts, found: FoundReaps, want: ReapOptions, *, applied: bool
    ) -> list[str]:
        resource = ReapResource()
        return [
            text
            for provider, here in found.at.items()
            for text in resource.record(accounts.client(provider), here, want, applied=applied)
        ]

    # -- result --------------------------------------------------------------------------------

    def result(
        self, accounts: Accounts, found: FoundReaps, plan: Plan, *, applied: bool
    ) -> SeveralReapResult:
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


def _look(want: ReapOptions, client: Client) -> FoundReap:
    return ReapResource().find(client, want)


def _hold_all(found: FoundReaps, budget: Budget, want: ReapOptions) -> None:
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


def _told(found: FoundReaps) -> _Told:
    """Return the result: rows with their providers, and sums of each."""
    parts = {name: told_of(found.accounts.client(name), here) for name, here in found.at.items()}
    told = parts.items()
    budgets = _budgets(found)
    over = exceeded(budgets)
    lines = [f"{name}: {line}" for name, part in told for line in part["lines"]]
    return {
        "reaped": [{"provider": name, **row} for name, part in told for row in part["reaped"]],
        "unclear": [{"provider": name, **row} for name, part in told for row in part["unclear"]],
        "kept": [{"provider": name, **row} for name, part in told for row in part["kept"]],
        "living": [{"provider": name, **row} for name, part in told for row in part["living"]],
        "providers": [_sums(found, name, parts.get(name)) for name in found.accounts.names],
        "budgets": budgets,
        "lines": [*lines, *([f"After this {over}"] if over else []), *map(str, found.silent)],
    }


def _sums(found: FoundReaps, name: str, part: ReapResult | None) -> SumsRow:
    why = next((one for one in found.silent if one.provider == name), None)
    return {
        "provider": name,
        "currency": part["currency"] if part else None,
        "saved_per_hour": part["saved_per_hour"] if part else None,
        "burn_per_hour": part["burn_per_hour"] if part else None,
        "machines": part["machines"] if part else None,
        "at": part["at"] if part else None,
        "clock_skew_seconds": part["clock_skew_seconds"] if part else None,
        "reason": why.reason if why else None,
        "detail": str(why.error) if why else "",
    }


def _budgets(found: FoundReaps) -> list[BudgetRow]:
    """Return the state of each limit after this run."""
    whole = found.whole
    if whole is None:
        return []
    for here in found.at.values():
        whole.outcomes |= here.outcomes
    return report(whole, 0)["budgets"]
