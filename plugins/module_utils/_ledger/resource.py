# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeping the ledger in step with the cloud (private)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TypedDict

from .._core.errors import GpuopsError, InvalidError
from .._core.plan import Plan, Step
from .._core.resource import Resource
from .._providers.base.client import Client
from . import store
from .event import Event
from .history import Thing, things_of
from .reconcile import Shown, missing_events
from .url import url_of


class Want(TypedDict):
    """The option of the module."""

    ledger: str | None


class Result(TypedDict):
    """What the module tells."""

    events: list[Event]
    things: int
    unclear: list[str]
    warnings: list[str]


class Open(TypedDict):
    """How many events there are, and what costs by them."""

    events: int
    costs: list[str]


@dataclass
class Books:
    """What the ledger holds and lacks, and what is shown."""

    url: str
    known: list[Event]
    missing: list[Event]
    unclear: list[Thing]
    living: list[str]


def read_ledger(url: str | None) -> list[Event]:
    """Return all events, or raise a GpuopsError."""
    try:
        return store.read(url)
    except store.LedgerError as error:
        raise GpuopsError(str(error)) from None


class LedgerResource(Resource[Client, Want, Books, Result]):
    """The ledger, which lacks what other tools did, and what nobody lived to write down."""

    def find(self, client: Client, want: Want) -> Books:
        url = url_of(want["ledger"])
        if url is None:
            raise InvalidError("The ledger is disabled (ledger=none)")
        instances, volumes, ended, trash, known = client.together(
            client.instances,
            client.volumes,
            client.ended_instances,
            client.trashed_volumes,
            partial(read_ledger, url),
        )
        shown = Shown(instances, volumes, ended, trash, (client.name,))
        missing, unclear = missing_events(known, shown, client.now(), client.account)
        living = [row.id for row in shown.living()]
        return Books(url, known, missing, unclear, living)

    def plan(self, found: Books, want: Want) -> Plan:
        steps = tuple(Step(_sentence(row), partial(_add, found.url, row)) for row in found.missing)
        after = [*found.known, *found.missing]
        return Plan(_open_things(found.known), _open_things(after), steps)

    def record(self, client: Client, found: Books, want: Want, *, applied: bool) -> list[str]:
        warning = store.saw(found.url, found.living, client.now())
        return [warning] if warning else []

    def result(self, client: Client, found: Books, plan: Plan, *, applied: bool) -> Result:
        return {
            "events": found.missing,
            "things": len(things_of([*found.known, *found.missing])),
            "unclear": [_unclear(thing) for thing in found.unclear],
            "warnings": [_unclear(thing) for thing in found.unclear],
        }


def _open_things(events: list[Event]) -> Open:
    """Return what costs by a ledger, and how much it holds, for the diff."""
    costs = [thing.id for thing in things_of(events) if thing.until is None]
    return {"events": len(events), "costs": sorted(costs)}


def _sentence(row: Event) -> str:
    about = ", estimated" if row["estimated"] else ""
    return f"add the {row['event']} of {row['kind']} {row['name']} ({row['thing_id']}, {row['at']}{about})"


def _unclear(thing: Thing) -> str:
    return (
        f"{thing.facts['kind']} {thing.facts['name']} ({thing.id}) has no end in the ledger and is "
        "shown no longer, but other credentials wrote it; those can tell whether it exists."
    )


def _add(url: str, row: Event, client: Client) -> None:
    warning = store.record(url, [row], client.account, client.name)
    if warning:
        raise GpuopsError(warning)
