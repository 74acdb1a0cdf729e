# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Telling: who is to hear of what, sent within limits, noted around each message (private)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from socket import gethostname
from typing import TypedDict
from uuid import uuid4

from .._core.apply import Threads, collected
from .._core.errors import GpuopsError
from .._core.plan import Plan, Step
from .._core.resource import Resource
from .._core.times import read_time
from .._ledger.store import LedgerError
from .._ssh.idle_report import NamedReport
from .due import Due, due_for
from .event import TEST, Event, EventRow, words
from .notices import Notices
from .receivers import Given, Receiver, receivers_of
from .rows import Purchase, Reap, Spend
from .rules import Seen, events_of, events_of_ledger
from .senders import UntoldError, sender

# What a receiver may get in one round; the rest waits for the next.
_MOST = 20
# How much longer than a whole round a claim lasts.
_CLAIM = timedelta(seconds=60)


class Want(TypedDict):
    """The options of the module."""

    receivers: list[Given]
    ledger: str | None
    purchase: Purchase | None
    reap: Reap | None
    reports: list[NamedReport] | None
    test: bool
    timeout: float


class Told(TypedDict):
    """A receiver, and what it was told."""

    receiver: str
    id: str
    text: str


class Result(TypedDict):
    """What the module tells."""

    events: list[EventRow]
    told: list[Told]
    warnings: list[str]


@dataclass
class FoundNotify:
    """Who is to be told what, and by receiver what was."""

    now: datetime
    notices: Notices
    events: list[Event] = field(default_factory=list)
    due: list[Due] = field(default_factory=list)
    told: list[tuple[Receiver, Event]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


class NotifyResource(Resource[Threads, Want, FoundNotify, Result]):
    """Everybody who is to be told of something."""

    def find(self, _workers: Threads, want: Want) -> FoundNotify:
        receivers = receivers_of(want["receivers"])
        now = _now(want["reap"])
        found = FoundNotify(now, Notices(want["ledger"]))
        seen = seen_in(want, now)
        found.events = [_test(now)] if want["test"] else events_of(seen)
        try:
            past = [] if want["test"] else [*_past(found.notices, seen)]
            ids = {event.id for event in (*found.events, *past)}
            notices = found.notices.look([one.key for one in receivers], ids)
        except LedgerError as error:
            found.warnings.append(f"Nobody was told of anything in this round: {error}")
            return found
        found.due = [due_for(one, found.events, past, notices, now) for one in receivers]
        return found

    def plan(self, found: FoundNotify, want: Want) -> Plan:
        busy = [one for one in found.due if one.events or one.given_up or one.is_new]
        steps = tuple(Step(_summary(due), _limited(found, due, want["timeout"])) for due in busy)
        return Plan(steps=steps, parallel=True)

    def result(
        self, _workers: Threads, found: FoundNotify, _plan: Plan, *, applied: bool
    ) -> Result:
        planned = [(due.receiver, event) for due in found.due for event in due.events]
        rows = found.told if applied else planned
        return {
            "events": [event.as_row() for event in found.events],
            "told": [
                {"receiver": str(who), "id": event.id, "text": event.text} for who, event in rows
            ],
            "warnings": found.warnings,
        }

    def on_partial_failure(
        self,
        _workers: Threads,
        found: FoundNotify,
        want: Want,
        done: list[str],
        errors: list[GpuopsError],
    ) -> list[str]:
        """Warn of what went wrong: nothing else is to fail over it, unless a test was asked for."""
        if want["test"]:
            errors[0].hint = ""
            raise collected(done, errors)
        found.warnings += map(str, errors)
        return done


def seen_in(want: Want, now: datetime) -> Seen:
    """Return what the results of other modules say."""
    purchase: Purchase = want["purchase"] or {}
    reap: Reap = want["reap"] or {}
    fresh = {row["id"] for row in purchase.get("fleet") or () if row.get("outcome") == "bought"}
    spend: Spend = purchase.get("spend") or {}
    return Seen(
        now,
        (reap.get("currency") or spend.get("currency") or ""),
        [row for row in purchase.get("instances") or () if row.get("id") in fresh],
        list(reap.get("living") or ()),
        list(reap.get("reaped") or ()),
        list(reap.get("budgets") or ()),
        list(want["reports"] or ()),
    )


def _now(reap: Reap | None) -> datetime:
    """Return the time of the cloud where a result tells it, else that of this controller."""
    return read_time(reap.get("at") if reap else None) or datetime.now(timezone.utc)


def _past(notices: Notices, seen: Seen) -> Iterable[Event]:
    return events_of_ledger(notices.past(seen.now - timedelta(days=1)), seen)


def _test(now: datetime) -> Event:
    text = f"A test of the notifications of gpuops.cloud, from {words(gethostname())}."
    return Event(f"test:{uuid4()}", TEST, now, text)


def _summary(due: Due) -> str:
    if due.events:
        return f"tell the {due.receiver}: {'; '.join(event.text for event in due.events)}"
    return f"note that the {due.receiver} is to be told from now on"


# -- steps -----------------------------------------------------------------------------------------


def _limited(found: FoundNotify, due: Due, timeout: float) -> Callable[[Threads], None]:
    """Return a call that tells a receiver, and that lasts so long at most, whatever hangs."""

    def call(_workers: Threads) -> None:
        errors: list[GpuopsError] = []

        def work() -> None:
            try:
                _tell(found, due, timeout)
            except GpuopsError as error:
                errors.append(error)
            except Exception as error:  # noqa: BLE001 - it ends the thread, and has to be told
                said = str(error) if isinstance(error, LedgerError) else type(error).__name__
                errors.append(UntoldError(f"Notifying the {due.receiver} failed: {said}"))

        worker = threading.Thread(target=work, daemon=True)
        worker.start()
        worker.join(timeout)
        if worker.is_alive():
            errors.append(UntoldError(f"The {due.receiver} took longer than {timeout:g} s"))
        if errors:
            raise errors[0]

    return call


def _tell(found: FoundNotify, due: Due, timeout: float) -> None:
    key, notices, now = due.receiver.key, found.notices, found.now
    notices.add(key, [*due.events, *due.given_up], now)
    for event in due.given_up:
        notices.settle(key, event.id, None)
        found.warnings.append(f"The {due.receiver} was never told of this: {event.text}")
    if not due.events:
        return
    until = now + timedelta(seconds=timeout) + _CLAIM
    with sender(due.receiver) as send:
        for event in due.events[:_MOST]:
            if not notices.claim(key, event.id, now, until):
                continue
            try:
                send(event)
            except Exception:
                notices.release(key, event.id)
                raise
            notices.settle(key, event.id, now)
            found.told.append((due.receiver, event))
