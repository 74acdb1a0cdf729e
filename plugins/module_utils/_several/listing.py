# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instances at several providers as one list (private)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from .._core.times import write_time
from .._instances.resource import Listed, listed, meant
from .._models.resources import Instance
from .._providers.accounts import Accounts, Asked, nobody_answered
from .._providers.base.client import Client
from .state import placed
from .where import silent_warnings


@dataclass(frozen=True)
class _Account:
    """One provider in words of the result; ``reason`` and ``detail`` say why it told nothing."""

    provider: str
    instances: int | None = None
    now: str | None = None
    clock_skew_seconds: int | None = None
    reason: str | None = None
    detail: str = ""


@dataclass(frozen=True)
class _Seen:
    """What one provider shows, and the time there."""

    client: Client
    found: Listed
    now: str


def instances_of_all(accounts: Accounts, params: dict[str, Any]) -> dict[str, Any]:
    """Return the instances at all providers, or those of a deployment. Raises where none answers."""
    deployment = params["deployment"]
    asked = accounts.ask(partial(_seen, deployment, params["evicted"]))
    rows = [_row(one, deployment) for one in asked]
    if all(one.error for one in asked):
        error = nobody_answered(asked)
        error.details["accounts"] = [asdict(row) for row in rows]
        raise error
    seen = [one.answer for one in asked if one.answer]
    living = {_whose(row) for one in seen for row in one.found.there if row.ownership}
    there = [(one.client, row) for one in seen for row in meant(one.found.there, deployment)]
    lost = [
        (one.client, row)
        for one in seen
        for row in meant(one.found.lost, deployment)
        if _whose(row) not in living  # it may have been bought again at another provider
    ]
    return {
        "instances": _told(there),
        "evicted": _told(lost),
        "accounts": [asdict(row) for row in rows],
        "asked": [one.client.name for one in seen],
        "now": seen[0].now,
        "warnings": silent_warnings([one for one in asked if one.error], params["providers"]),
    }


def _seen(deployment: str | None, with_lost: bool, client: Client) -> _Seen:
    found = listed(client, deployment, with_lost=with_lost)
    return _Seen(client, found, write_time(client.now()))


def _row(asked: Asked[_Seen], deployment: str | None) -> _Account:
    seen = asked.answer
    if seen is None:
        return _Account(asked.provider, reason=asked.reason, detail=str(asked.error).rstrip("."))
    number = len(meant(seen.found.there, deployment))
    return _Account(asked.provider, number, seen.now, seen.client.clock_skew())


def _whose(row: Instance) -> tuple[str, str] | None:
    return (row.ownership.deployment, row.ownership.name) if row.ownership else None


def _told(rows: list[tuple[Client, Instance]]) -> list[dict[str, Any]]:
    """Return described instances, by name and provider."""
    found = [placed(client, row) for client, row in rows]
    return sorted(found, key=lambda row: (row["name"] or "", row["provider"], row["id"]))
