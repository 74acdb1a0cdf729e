# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run over several clouds knows, and what its steps add (private)."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from typing import TypedDict, TypeVar

from .._billing.purchase_guard import Guard
from .._catalog.selection import Shelf
from .._catalog.several import LeftOut
from .._catalog.stock import Market
from .._core.plan import Step
from .._core.times import write_time
from .._hardware import gpus
from .._instances.order_fallbacks import Fallbacks
from .._instances.state import Found
from .._models.rates import BillRow
from .._models.resources import Instance
from .._providers.accounts import Accounts, Asked
from .._providers.base.client import Client
from .._providers.base.views import InstanceRow, describe_instance
from .options import SeveralOptions

T = TypeVar("T")


@dataclass(frozen=True)
class AccountRow:
    """One provider in words of a result; ``reason`` and ``detail`` say why it told nothing."""

    provider: str
    instances: int | None = None
    now: str | None = None
    clock_skew_seconds: int | None = None
    reason: str | None = None
    detail: str = ""

    @classmethod
    def silent(cls, asked: Asked[T]) -> AccountRow:
        """Return the row of a provider that told nothing."""
        return cls(asked.provider, reason=asked.reason, detail=str(asked.error).rstrip("."))

    @classmethod
    def of(cls, client: Client, instances: int) -> AccountRow:
        """Return the row of a provider that answered."""
        return cls(client.name, instances, write_time(client.now()), client.clock_skew())


@dataclass
class Desk:
    """What stands ready for purchases at one provider. ``new_keys`` are to be registered before."""

    client: Client
    found: Found
    market: Market
    shelf: Shelf
    guard: Guard
    fallbacks: Fallbacks
    new_keys: tuple[str, ...] = ()
    registering: threading.Lock = field(default_factory=threading.Lock)


@dataclass(kw_only=True)
class Everywhere(Found):
    """Instances at several providers: ``at`` holds what there is at each that has answered.

    ``silent`` are those that have not, ``homes`` the providers of instances by their names, and
    ``left_out`` the providers at which nothing is bought. ``removals`` take away keys and scripts.
    """

    want: SeveralOptions
    accounts: Accounts
    at: dict[str, Found] = field(default_factory=dict)
    silent: list[Asked[list[Instance]]] = field(default_factory=list)
    desks: dict[str, Desk] = field(default_factory=dict)
    homes: dict[str, str] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)
    removals: list[Step] = field(default_factory=list)

    def bought_at(self, provider: str) -> Found:
        """Return what this run has bought at one provider, as if that were the only one."""
        names = {name for name, home in self.homes.items() if home == provider}
        rows = {name: row for name, row in self.outcomes.items() if name in names}
        there = self.at[provider]
        desk = self.desks.get(provider)
        kept = desk.found.kept if desk else {}
        return replace(there, outcomes=rows, bought=self.bought, changed=self.changed, kept=kept)


class SshRow(TypedDict):
    """What is rented, and how it is reached."""

    rents: str | None
    ssh_user: str | None
    ssh_host: str | None
    ssh_port: int | None


class PlacedRow(InstanceRow, SshRow):
    """An instance at a provider as results show it; null is what is not known before the purchase."""

    provider: str | None


class PlacedBillRow(BillRow):
    """One line of a bill, and of whom."""

    provider: str


def where_ssh(row: Instance | None, client: Client) -> SshRow:
    """Return what is rented, and by which user, address and port it is reached, null while nobody knows."""
    has = client.capabilities
    ssh = has.ssh
    host = (row.ssh_host or row.ip) if row else None
    port = (row.ssh_port if row else None) or (22 if ssh.port == "own" else None)
    return {"rents": has.rents, "ssh_user": ssh.user, "ssh_host": host, "ssh_port": port}


def placed(client: Client, row: Instance, tiers: tuple[gpus.Tier, ...] = gpus.TIERS) -> PlacedRow:
    """Return a described instance with its provider, and how it is reached."""
    return placed_row(describe_instance(row, tiers), client, row)


def placed_row(row: InstanceRow, client: Client, known: Instance | None = None) -> PlacedRow:
    """Return what is told of an instance with its provider, and how it is reached where that is known."""
    return {**row, "provider": client.name, **where_ssh(known, client)}


def step_at(client: Client, step: Step) -> Step:
    """Return a step of one account as one of all of them."""

    def call(_accounts: Accounts) -> str | None:
        said = step.call(client)
        return f"{client.name}: {said}" if said else None

    return replace(step, summary=f"{client.name}: {step.summary}", call=call)
