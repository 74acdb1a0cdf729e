# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the reaper writes into the ledger: its own ends, and those that nobody told of (private).

A spot instance that the cloud takes away, or one that a crashed controller has ended, is missing at
the next round. Whoever looks every few minutes knows when that was.
"""

from __future__ import annotations

from typing import Any

from .._core.errors import GpuopsError
from .._instances.record import end_events
from .._ledger import rounds, store
from .._ledger.event import Event
from .._ledger.reconcile import Shown, missing_events
from .._providers.base.client import Client
from .._providers.names import module_of
from .state import FoundReap

SOURCE = module_of("reap")


def keep_books(client: Client, found: FoundReap) -> list[str]:
    """Write what was terminated and what has vanished; return warnings, never raise."""
    url = found.want["ledger"]
    events = [*found.events, *(event for end in found.ends for event in end_events(end, SOURCE))]
    warning = store.record(url, events, client.account, client.name)
    if warning:
        return [warning]
    try:
        ended = {row["thing_id"] for row in events}
        living = {row.id for row in _shown(found).living()}
        watched = store.watch(url, living - ended, found.rules.now)
        missing = _events_of(client, found, *watched) if watched else []
    except (store.LedgerError, GpuopsError) as error:
        return [str(error)]
    warning = store.record(url, missing, client.account, client.name)
    return [warning] if warning else []


def note_round(client: Client, found: FoundReap) -> list[str]:
    """Let others see that somebody ends what is over; return warnings, never raise."""
    want, scope = found.want, found.rules
    if want["mode"] != "delete" or not want["note_round"]:
        return []
    names = None if scope.deployments is None else sorted(scope.deployments)
    made = rounds.Round(client.account, names, scope.owner, rounds.this_host(), scope.now)
    return rounds.note(want["config_dir"], want["ledger"], made)


def _shown(found: FoundReap, *past: Any) -> Shown:
    """Return the account as it was listed, with what has ended and the trash where asked for."""
    here = found.account
    ended, trash = past or ([], [])
    return Shown(here.instances, here.volumes, ended, trash, here.providers)


def _events_of(client: Client, found: FoundReap, new: set[str], gone: set[str]) -> list[Event]:
    """Return what the ledger lacks; only what is gone costs two more requests."""
    if not new and not gone:
        return []
    past = client.together(client.ended_instances, client.trashed_volumes) if gone else []
    known = store.read(found.want["ledger"])
    shown = _shown(found, *past)
    missing, _unclear = missing_events(known, shown, client.now(), client.account)
    return [row for row in missing if row["thing_id"] in new | gone]
