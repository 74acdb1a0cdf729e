# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the instances of a deployment are, and what must be known before another is bought (private)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from .._access.key_check import refuse_locked_out
from .._core.errors import ConflictError, GpuopsError, UnavailableError
from .._instances.resource import InstanceResource
from .._instances.state import Found
from .._ledger import store
from .._ledger.history import Thing, things_of
from .._models.resources import Instance
from .._providers import registry
from .._providers.accounts import NO_ANSWER, NO_CREDENTIALS, Accounts, Asked, nobody_answered
from .._providers.base.client import Client
from .state import Everywhere

T = TypeVar("T")


def look(accounts: Accounts, found: Everywhere, deployment: str) -> None:
    """Add what there is at each provider. Raises where none answers."""
    asked = accounts.ask(_listed)
    if all(one.error for one in asked):
        raise nobody_answered(asked)
    found.silent = [one for one in asked if one.error]
    for one in asked:
        if one.answer is None:
            continue
        here = Found(list(found.names), found.tiers, rows=one.answer)
        InstanceResource.find_by_marks(one.answer, here, deployment)
        here.missing = []
        found.at[one.provider] = here
        found.have += here.have
        found.surplus += here.surplus
        found.dead += here.dead
        found.homes |= dict.fromkeys(map(name_of, here.have), one.provider)
    if not found.names:  # the whole deployment, which only state=absent means
        found.names = sorted({name for here in found.at.values() for name in here.names})
    found.missing = [name for name in found.names if name not in found.homes]


def _listed(client: Client) -> list[Instance]:
    return client.instances()


def name_of(row: Instance) -> str:
    """Return the name by which a deployment knows an instance."""
    return row.ownership.name if row.ownership else str(row.name)


def refuse_doubles(there: dict[str, list[Instance]]) -> None:
    """Raise ConflictError where instances of one name are at two providers: nobody can say which stays."""
    places: dict[str, dict[str, str]] = {}
    for provider, here in there.items():
        for row in here:
            text = f"{row.id} at {provider}, {row.rate:g} {row.price.currency or ''}".rstrip()
            places.setdefault(name_of(row), {}).setdefault(provider, f"{text} per hour")
    doubles = {name: rows.values() for name, rows in places.items() if len(rows) > 1}
    if not doubles:
        return
    named = "; ".join(f"{name}: {' and '.join(rows)}" for name, rows in doubles.items())
    raise ConflictError(
        f"The same name is at two providers: {named}. Nothing was changed",
        hint="Terminate the one that is not wanted: state=absent with providers naming its "
        "provider alone. Without that, state=absent terminates both.",
    )


def refuse_locked_out_anywhere(found: Everywhere, keys: list[str]) -> None:
    """Raise InvalidError for an instance that no SSH key of these opens."""
    for provider, here in found.at.items():
        refuse_locked_out(client_of(found, provider), here.have, keys)


def client_of(found: Everywhere, provider: str) -> Client:
    """Return the client of a provider that has answered."""
    return found.accounts.client(provider)


def refuse_unknown(
    found: Everywhere, names: Iterable[str], deployment: str, ledger: str | None
) -> None:
    """Raise UnavailableError where an instance that seems to be missing may be at a silent provider."""
    silent = [one for one in found.silent if one.reason == NO_ANSWER]
    if silent:
        raise UnavailableError(
            f"{', '.join(names)} may exist where nobody answers: {'; '.join(map(str, silent))}. "
            "Nothing is bought, since it could be a second one",
            hint="Run the same again, or leave that provider out of providers where nothing of "
            "this deployment can be there.",
        )
    for one in found.silent:
        there = remembered(ledger, one.provider, deployment)
        if there:
            raise UnavailableError(
                f"{one}. By the ledger {_things(there)} of deployment {deployment!r} is there and "
                "has no end. Nothing is bought, since it could be a second one",
                hint="Give the credentials, or leave that provider out of providers.",
            )


def _things(rows: list[Thing]) -> str:
    return ", ".join(f"{thing.facts['name']} ({thing.id})" for thing in rows)


def remembered(ledger: str | None, provider: str, deployment: str) -> list[Thing]:
    """Return what a ledger holds of a deployment at a provider that has no end; none without a ledger."""
    try:
        things = things_of(store.read(ledger))
    except store.LedgerError:
        return []
    mine = [one for one in things if one.facts["deployment"] == deployment]
    # What was written before there was more than one provider is of the first.
    return [
        one for one in mine if one.until is None and (one.provider or registry.DEFAULT) == provider
    ]


def doubtful(silent: list[Asked[T]], deployment: str, ledger: str | None) -> list[Asked[T]]:
    """Return the providers at which something of a deployment may be that nobody could look at."""
    return [
        one
        for one in silent
        if one.reason != NO_CREDENTIALS or remembered(ledger, one.provider, deployment)
    ]


def unproven(silent: list[Asked[T]], deployment: str, ledger: str | None) -> GpuopsError | None:
    """Return why nobody can say that nothing of a deployment is left, None where it is proven."""
    doubts = doubtful(silent, deployment, ledger)
    if not doubts:
        return None
    return UnavailableError(
        f"Not everything of deployment {deployment!r} is proven gone: {'; '.join(map(str, doubts))}",
        hint="What there may be goes on to cost money. Run the same again when it answers.",
    )


def silent_warnings(silent: list[Asked[T]], named: list[str] | None) -> list[str]:
    """Return a warning for each provider that nobody could look at; one without credentials only where named."""
    return [
        str(one) for one in silent if one.reason != NO_CREDENTIALS or one.provider in (named or [])
    ]
