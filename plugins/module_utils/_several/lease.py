# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Leases of a deployment's instances at whichever providers they are; all is checked before any write (private)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TypedDict

from .._billing.budget import BudgetRow
from .._core.apply import collected
from .._core.clock import skew_warnings
from .._core.errors import GpuopsError, NeedsConfirmationError, NotFoundError, UnavailableError
from .._core.nearest import nearest
from .._core.plan import Plan, Step
from .._core.resource import Resource
from .._instances.lease import (
    LeaseResource,
    asked_for,
    check_wish,
    give_leases,
    look,
    refuse_foreign,
)
from .._instances.other_deployments import was_booked
from .._lifecycle.confirmation import refuse_unconfirmed
from .._lifecycle.settings import owner_of
from .._lifecycle.termination import bill_of
from .._providers.accounts import Accounts, nobody_answered
from .lease_money import check_money
from .lease_state import FoundEverywhere, PlacedSpend, SeveralLeaseOptions
from .state import AccountRow, PlacedBillRow, PlacedRow, placed, placed_row, step_at
from .where import doubtful, name_of, refuse_doubles, unproven


class SeveralLeaseResult(TypedDict):
    """What the module tells of leases."""

    instances: list[PlacedRow]
    bill: list[PlacedBillRow]
    spend: list[PlacedSpend]
    budgets: list[BudgetRow]
    accounts: list[dict[str, str | int | None]]
    warnings: list[str]


class SeveralLeaseResource(
    Resource[Accounts, SeveralLeaseOptions, FoundEverywhere, SeveralLeaseResult]
):
    """The lease of one instance, or of all instances of a deployment, wherever they are."""

    # -- find ----------------------------------------------------------------------------------

    def find(self, accounts: Accounts, want: SeveralLeaseOptions) -> FoundEverywhere:
        check_wish(want)
        # What holds for all accounts together is looked at once for all of them.
        alone = want.copy()
        alone["budget"] = alone["max_lease_cost"] = None
        asked = accounts.ask(lambda client: look(client, alone))
        if all(one.error for one in asked):
            raise nobody_answered(asked)
        at = {one.provider: one.answer for one in asked if one.answer}
        found = FoundEverywhere(accounts, want, at, [one for one in asked if one.error])
        for here in at.values():
            refuse_foreign(here.every, want)
        if want["done"]:
            _refuse_unconfirmed(found)
            return found
        if not found.rows:
            raise _nowhere(found)
        refuse_doubles({provider: here.rows for provider, here in at.items()})
        for provider, here in at.items():
            with _naming(provider):
                give_leases(accounts.client(provider), here, want)
        check_money(found)
        return found

    # -- plan ----------------------------------------------------------------------------------

    def plan(self, found: FoundEverywhere, want: SeveralLeaseOptions) -> Plan:
        before: list[PlacedRow] = []
        after: list[PlacedRow] = []
        steps: list[Step] = []
        for provider, here in found.at.items():
            client, part = found.accounts.client(provider), LeaseResource().plan(here, want)
            known = {row.id: row for row in here.rows}
            for rows, shown in ((before, part.before), (after, part.after)):
                rows += [placed_row(row, client, known[row["id"]]) for row in shown["instances"]]
            steps += [step_at(client, step) for step in part.steps]
        return Plan({"instances": before}, {"instances": after}, tuple(steps), parallel=True)

    def on_partial_failure(
        self,
        accounts: Accounts,
        found: FoundEverywhere,
        want: SeveralLeaseOptions,
        done: list[str],
        errors: list[GpuopsError],
    ) -> list[str]:
        """Raise one error that tells every other, and what was not looked at."""
        lost = _unproven(found)
        error = collected(done, [*errors, *([lost] if lost else [])])
        error.details["bill"] = _bill(found)
        raise error

    def record(
        self,
        accounts: Accounts,
        found: FoundEverywhere,
        want: SeveralLeaseOptions,
        *,
        applied: bool,
    ) -> list[str]:
        resource = LeaseResource()
        return [
            text
            for provider, here in found.at.items()
            for text in resource.record(accounts.client(provider), here, want, applied=applied)
        ]

    # -- result --------------------------------------------------------------------------------

    def result(
        self, accounts: Accounts, found: FoundEverywhere, plan: Plan, *, applied: bool
    ) -> SeveralLeaseResult:
        shown = plan.after["instances"]
        if applied and shown:
            shown = [
                placed(accounts.client(provider), here.changed.get(row.id, row))
                for provider, here in found.at.items()
                for row in here.rows
            ]
        lost = _unproven(found)
        if lost:
            told = {"bill": _bill(found), "changed": plan.changed, "actions": plan.actions}
            lost.details.update(told)
            raise lost
        return {
            "instances": shown,
            "bill": _bill(found),
            "spend": found.spend,
            "budgets": found.budgets,
            "accounts": [asdict(row) for row in _accounts(found)],
            "warnings": list(_warnings(found)),
        }


@contextmanager
def _naming(provider: str) -> Iterator[None]:
    """Let an error say at which provider it is."""
    try:
        yield
    except GpuopsError as error:
        error.message = f"{provider}: {error.message}"
        raise


def _refuse_unconfirmed(found: FoundEverywhere) -> None:
    """Raise NeedsConfirmationError for what is not terminated without being asked for, at all providers."""
    living = [row for row in found.rows if row.is_alive]
    homes = {row.id: name for name, here in found.at.items() for row in here.rows}
    try:
        refuse_unconfirmed(living, owner_of(found.want["owner"]), found.want["confirm"])
    except NeedsConfirmationError as error:
        rows = error.details["unconfirmed"]
        error.details["unconfirmed"] = [{"provider": homes[row["id"]], **row} for row in rows]
        raise


def _nowhere(found: FoundEverywhere) -> GpuopsError:
    """Return why no instance is there whose lease could be changed, and what to do."""
    want = found.want
    what = f"Deployment {want['deployment']!r} has no {asked_for(want)}"
    doubts = doubtful(found.silent, want["deployment"], want["ledger"])
    if doubts:
        return UnavailableError(
            f"{what} where somebody answered ({', '.join(found.at)}), and it may be where nobody does: "
            f"{'; '.join(map(str, doubts))}. Nothing was changed",
            hint="Run the same again when it answers, or leave that provider out of providers where nothing "
            "of this deployment can be there.",
        )
    return NotFoundError(f"{what} at {', '.join(found.at)}", hint=_what_there_is(found))


def _what_there_is(found: FoundEverywhere) -> str:
    """Return what may have been meant instead."""
    deployment = found.want["deployment"]
    every = [row for here in found.at.values() for row in here.every if row.is_alive]
    mine = sorted({name_of(row) for row in every if row.of(deployment)})
    if mine:
        return f"Its instances are {', '.join(mine)}."
    return f"{_near(found)}gpu_instance_info lists what exists."


def _near(found: FoundEverywhere) -> str:
    """Return which deployments there are that have a name near this one, nothing for none."""
    every = [row for here in found.at.values() for row in here.every if row.is_alive]
    names = nearest(found.want["deployment"], {row.deployment for row in every if row.deployment})
    return f"There is {' and '.join(names)}. " if names else ""


def _unproven(found: FoundEverywhere) -> GpuopsError | None:
    """Return why nobody can say that nothing of the deployment is left, None where nobody asks."""
    want = found.want
    return unproven(found.silent, want["deployment"], want["ledger"]) if want["done"] else None


def _bill(found: FoundEverywhere) -> list[PlacedBillRow]:
    return [
        {"provider": provider, **row}
        for provider, here in found.at.items()
        for row in bill_of(here.ends)
    ]


def _accounts(found: FoundEverywhere) -> Iterator[AccountRow]:
    """Yield a row for each provider, in the order of the option."""
    silent = {one.provider: AccountRow.silent(one) for one in found.silent}
    for name in found.accounts.names:
        here = found.at.get(name)
        if here:
            yield AccountRow.of(found.accounts.client(name), len(here.rows))
        else:
            yield silent[name]


def _warnings(found: FoundEverywhere) -> Iterator[str]:
    want = found.want
    doubts = doubtful(found.silent, want["deployment"], want["ledger"])
    for one in found.silent:
        if one in doubts or one.provider in (want["providers"] or []):
            yield f"{one}. What there may be of deployment {want['deployment']!r} there was not changed."
    near = _near(found) if want["done"] and not found.rows else ""
    if near and not was_booked(want["deployment"], want["ledger"]):
        yield f"Nothing of deployment {want['deployment']!r} is known to anybody. {near}".rstrip()
    for name, here in found.at.items():
        skew = skew_warnings(found.accounts.client(name).clock_skew())
        yield from (f"{name}: {text}" for text in (*skew, *here.money.warnings))
    yield from found.warnings
