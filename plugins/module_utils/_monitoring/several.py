# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One text file of metrics for the accounts at several providers (private)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TypedDict, cast

from .._billing import running_costs
from .._billing.budget import check_budget
from .._billing.pots import pots_of, rows_of_pots
from .._billing.spending_history import read_history
from .._core.errors import GpuopsError, InvalidError
from .._ledger.reconcile import Shown, gone_or_there
from .._providers.accounts import NO_CREDENTIALS, Accounts, Asked, nobody_answered
from .._providers.base.client import Client
from .._providers.base.request_log import Call, take_log
from .families import (
    Account,
    Budget,
    Reap,
    Reaped,
    api_families,
    budget_families,
    machine_families,
    money_families,
    names_of,
    reaper_families,
)
from .resource import Found, TextFile, Want, mode_of, path_of
from .textfile import Family, of_provider, together


class ReapedThere(Reaped):
    """Something that the reaper has ended at a provider, or could not end there."""

    provider: str


class UnclearThere(TypedDict):
    """Something whose tags the reaper could not read."""

    provider: str
    name: str


class LookedAt(TypedDict):
    """Whether a provider was looked at, and why not where it was not."""

    provider: str
    reason: str | None


class Reaps(TypedDict, total=False):
    """The result of a run of the reaper over several providers, as far as it is counted."""

    failed: bool
    reaped: list[ReapedThere] | None
    unclear: list[UnclearThere] | None
    providers: list[LookedAt]


class WantSeveral(TypedDict):
    """What the options say beside those of one account."""

    providers: list[str] | None
    reap: Reaps | None


@dataclass(frozen=True)
class Seen:
    """What one provider told, and its time then."""

    account: Account
    now: datetime


class SeveralMetrics(TextFile[Accounts]):
    """The resource of the module: the accounts as they stand, and the file that tells of them."""

    def find(self, accounts: Accounts, want: Want) -> Found:
        """Ask every account; one that does not answer is a figure, too."""
        several = cast(WantSeveral, want)
        found = Found(path_of(want["dest"]), mode_of(want["mode"]))
        budget = check_budget(want["budget"])
        check_reap(several["reap"])
        asked = _meant(accounts.ask(_look), several["providers"] or [])
        found.error = _error_of(asked)
        seen = {one.provider: one.answer for one in asked if one.answer}
        families = _told(seen)
        if budget and not found.error:
            families += _budgets(found, want, seen)
        names = tuple(one.provider for one in asked)
        calls = _calls(accounts, names)
        for name in names:
            now = seen[name].now if name in seen else datetime.now(timezone.utc)
            up = api_families(calls[name], up=name in seen)
            reaped = reaper_families(now, reap_at(name, several["reap"]))
            families += of_provider(name, [*up, *reaped])
        found.families = [_written(seen), *together(families)]
        return found


def _look(client: Client) -> Seen:
    parts = client.together(
        client.balance, client.instances, client.volumes, client.ended_instances
    )
    return Seen(Account(*parts), client.now())


def _meant(asked: list[Asked[Seen]], named: list[str]) -> list[Asked[Seen]]:
    """Return the providers that there is something to tell of: those without credentials only by name."""
    found = [one for one in asked if one.reason != NO_CREDENTIALS or one.provider in named]
    if not found:
        raise nobody_answered(asked)
    return found


def _error_of(asked: list[Asked[Seen]]) -> GpuopsError | None:
    """Return the error that names every provider without an answer."""
    failed = [one for one in asked if one.error]
    if len(failed) == len(asked):
        return nobody_answered(failed)
    for one in failed:
        error = one.error or nobody_answered(failed)
        error.message = f"Not every provider answered: {'; '.join(map(str, failed))}"
        error.hint = "The figures tell of the others. Run the same again."
        return error
    return None


def _told(seen: dict[str, Seen]) -> list[Family]:
    """Return what each account has told; what was bought again at another one is not missed."""
    every = {name: names_of(one.account.instances) for name, one in seen.items()}
    families: list[Family] = []
    for name, one in seen.items():
        others = frozenset().union(*(rows for other, rows in every.items() if other != name))
        machines = machine_families(one.now, one.account, others)
        families += of_provider(name, [*money_families(one.now, one.account), *machines])
    return families


def _budgets(found: Found, want: Want, seen: dict[str, Seen]) -> list[Family]:
    """Return how much is used of one budget over all accounts; two currencies are never added."""
    named = {one.account.balance.currency for one in seen.values()}
    if len(named) > 1:
        found.warnings.append(
            f"Nothing is told of the budget: accounts are in {' and '.join(sorted(named))}, "
            "and two currencies are never added."
        )
        return []
    now = next(iter(seen.values())).now
    budget = check_budget(want["budget"])
    history = read_history(want["ledger"], budget, now)
    found.warnings += history.warnings
    instances = [row for one in seen.values() for row in one.account.instances]
    volumes = [row for one in seen.values() for row in one.account.volumes]
    known = gone_or_there(history.known, Shown(instances, volumes, providers=tuple(seen)), now)
    things = running_costs.living(instances, volumes, now, *named)
    return budget_families(cast(list[Budget], rows_of_pots(pots_of(budget, things, known, now))))


def _calls(accounts: Accounts, names: tuple[str, ...]) -> dict[str, list[Call]]:
    """Return the requests by provider: those of the log of the run, or of this process."""
    logged = take_log()
    if logged is None:
        return {name: accounts.calls(name) for name in names}
    return {name: [one for one in logged if one.provider == name] for name in names}


def _written(seen: dict[str, Seen]) -> Family:
    written = Family("gpuops_metrics_timestamp_seconds", "When these figures were written.")
    now = next((one.now for one in seen.values()), datetime.now(timezone.utc))
    written.add(now.timestamp())
    return written


def check_reap(reap: Reaps | None) -> None:
    """Raise InvalidError for the result of another module than the reaper of several providers."""
    if reap and not reap.get("failed") and "providers" not in reap:
        raise InvalidError(
            "reap is no result of gpu_reap: it does not say what came of which provider",
            hint="Register the result of gpuops.cloud.gpu_reap, and hand that over.",
        )


def reap_at(name: str, reap: Reaps | None) -> Reap | None:
    """Return what a run of the reaper did at one provider; None where it did not look there."""
    if reap is None:
        return None
    looked = {row["provider"]: row["reason"] for row in reap.get("providers") or []}
    if not looked:  # it failed before it had looked anywhere
        return {"failed": True}
    if name not in looked:
        return None
    rows = [row for row in reap.get("reaped") or [] if row["provider"] == name]
    unclear = [row["name"] for row in reap.get("unclear") or [] if row["provider"] == name]
    failed = bool(looked[name]) or any(row["outcome"] == "failed" for row in rows)
    return {"failed": failed, "reaped": cast(list[Reaped], rows), "unclear": unclear}
