# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is left on the accounts at several providers, and what burns at each (private)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TypedDict

from .._ledger import rounds
from .._ledger.rounds import Round, Told
from .._models.rates import runway_hours
from .._providers.accounts import Accounts, Asked, nobody_answered
from .._providers.base.client import Client
from . import running_costs

NOT_TOLD = "not_told"


class Want(TypedDict):
    """The options of the module that are no login."""

    config_dir: str | None
    ledger: str | None


class AccountRow(TypedDict):
    """One account in words of the result; ``reason`` and ``detail`` say why figures are missing."""

    provider: str
    amount: float | None
    currency: str | None
    burn_per_hour: float | None
    runway_hours: float | None
    instances: int | None
    volumes: int | None
    reason: str | None
    detail: str


class Burn(TypedDict):
    """What burns in one currency."""

    currency: str | None
    per_hour: float


class Result(TypedDict):
    """What the module tells."""

    accounts: list[AccountRow]
    burns: list[Burn]
    reapers: list[Told]
    asked: list[str]
    warnings: list[str]


@dataclass(frozen=True)
class _Account:
    """One account and the reapers that look at it, which stand in a list of their own."""

    provider: str
    amount: float | None = None
    currency: str | None = None
    burn_per_hour: float | None = None
    runway_hours: float | None = None
    instances: int | None = None
    volumes: int | None = None
    reason: str | None = None
    detail: str = ""
    reapers: tuple[Round, ...] = ()

    def as_result(self) -> AccountRow:
        """Return it as the module tells it."""
        return {
            "provider": self.provider,
            "amount": self.amount,
            "currency": self.currency,
            "burn_per_hour": self.burn_per_hour,
            "runway_hours": self.runway_hours,
            "instances": self.instances,
            "volumes": self.volumes,
            "reason": self.reason,
            "detail": self.detail,
        }


def balances(accounts: Accounts, want: Want) -> Result:
    """Return what is left and what burns at each provider; figures of two currencies are never added."""
    asked = accounts.ask(partial(_account, want))
    rows = [_row(one) for one in asked]
    if all(one.error for one in asked):
        error = nobody_answered(asked)
        error.details["accounts"] = [row.as_result() for row in rows]
        raise error
    told = [row for row in rows if row.currency]
    burns = {row.currency: 0.0 for row in told}
    for row in told:
        burns[row.currency] += row.burn_per_hour or 0.0
    return {
        "accounts": [row.as_result() for row in rows],
        "burns": [{"currency": key, "per_hour": round(burn, 4)} for key, burn in burns.items()],
        "reapers": [
            {"provider": row.provider, **one.as_result()} for row in rows for one in row.reapers
        ],
        "asked": [one.provider for one in asked if not one.error],
        "warnings": [str(one) for one in asked if one.reason == "no_answer"],
    }


def _account(want: Want, client: Client) -> _Account:
    money, instances, volumes = client.together(client.balance, client.instances, client.volumes)
    things = running_costs.living(instances, volumes, client.now(), money.currency)
    sums = running_costs.sums(things, client.now())
    reapers = rounds.seen(want["config_dir"], want["ledger"], client.account, client.now())
    word = f"{client.name} does not say what is left on an account"
    return _Account(
        client.name,
        money.told,
        money.currency,
        sums["burn_per_hour"],
        runway_hours(money.amount, sums["burn_per_hour"]),
        sums["machines"],
        sums["volumes"],
        reason=NOT_TOLD if money.told is None else None,
        detail=word if money.told is None else "",
        reapers=tuple(reapers),
    )


def _row(asked: Asked[_Account]) -> _Account:
    return asked.answer or _Account(
        asked.provider, reason=asked.reason, detail=str(asked.error).rstrip(".")
    )
