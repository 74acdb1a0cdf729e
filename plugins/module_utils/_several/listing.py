# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instances at several providers as one list (private)."""

from __future__ import annotations

from dataclasses import asdict
from typing import TypedDict

from .._instances.resource import Listed, listed, meant
from .._models.resources import Instance
from .._providers.accounts import Accounts, Asked, nobody_answered
from .._providers.base.client import Client
from .state import AccountRow, PlacedRow, placed
from .where import silent_warnings


class ListOptions(TypedDict):
    """The options of the module that are not about how an account is reached."""

    deployment: str | None
    evicted: bool
    providers: list[str] | None


class InstancesOfAll(TypedDict):
    """Instances and those that were taken away, and which accounts told of them."""

    instances: list[PlacedRow]
    evicted: list[PlacedRow]
    accounts: list[dict[str, str | int | None]]
    asked: list[str]
    now: str
    warnings: list[str]


def instances_of_all(accounts: Accounts, params: ListOptions) -> InstancesOfAll:
    """Return the instances at all providers, or those of a deployment. Raises where none answers."""
    deployment = params["deployment"]
    asked = accounts.ask(lambda client: listed(client, deployment, with_lost=params["evicted"]))
    rows = [_row(accounts, one, deployment) for one in asked]
    if all(one.error for one in asked):
        error = nobody_answered(asked)
        error.details["accounts"] = [asdict(row) for row in rows]
        raise error
    seen = [(accounts.client(one.provider), one.answer) for one in asked if one.answer]
    living = {_whose(row) for _client, found in seen for row in found.there if row.ownership}
    there = [(client, row) for client, found in seen for row in meant(found.there, deployment)]
    lost = [
        (client, row)
        for client, found in seen
        for row in meant(found.lost, deployment)
        if _whose(row) not in living  # it may have been bought again at another provider
    ]
    return {
        "instances": _told(there),
        "evicted": _told(lost),
        "accounts": [asdict(row) for row in rows],
        "asked": [client.name for client, _found in seen],
        "now": next(row.now for row in rows if row.now),
        "warnings": silent_warnings([one for one in asked if one.error], params["providers"]),
    }


def _row(accounts: Accounts, asked: Asked[Listed], deployment: str | None) -> AccountRow:
    if asked.answer is None:
        return AccountRow.silent(asked)
    number = len(meant(asked.answer.there, deployment))
    return AccountRow.of(accounts.client(asked.provider), number)


def _whose(row: Instance) -> tuple[str, str] | None:
    return (row.ownership.deployment, row.ownership.name) if row.ownership else None


def _told(rows: list[tuple[Client, Instance]]) -> list[PlacedRow]:
    """Return described instances, by name and provider."""
    found = [placed(client, row) for client, row in rows]
    return sorted(found, key=_by_name)


def _by_name(row: PlacedRow) -> tuple[str, str, str]:
    return row["name"] or "", row["provider"] or "", row["id"] or ""
