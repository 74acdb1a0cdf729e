# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is still to be told to whom, and what is too old for it (private, pure)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .._core.times import read_time
from .event import LEASE_ENDING, Event
from .receivers import Receiver, wants

# So long a message is tried.
KEPT = timedelta(hours=24)
# Clocks of controller and cloud differ a little.
_SLACK = timedelta(minutes=5)


# Noted under an id that no event has: since when a receiver is known.
REGISTERED = ""


@dataclass(frozen=True)
class Notice:
    """What is noted of one message: told, claimed for a while, or still to be sent."""

    receiver: str
    event_id: str
    at: datetime | None
    event: Event | None
    claimed_until: datetime | None
    told: bool


@dataclass(frozen=True)
class Due:
    """What one receiver is to get now, and what is given up."""

    receiver: Receiver
    events: list[Event] = field(default_factory=list)
    given_up: list[Event] = field(default_factory=list)
    is_new: bool = False


def due_for(
    receiver: Receiver,
    new: Iterable[Event],
    past: Iterable[Event],
    notices: Iterable[Notice],
    now: datetime,
) -> Due:
    """Return what a receiver is to be told.

    ``new`` is what this run has seen, ``past`` what the ledger knows: of that only what has happened
    since the receiver is known, so that nobody is told the history.
    """
    mine = [one for one in notices if one.receiver == receiver.key]
    since = next((one.at for one in mine if one.event_id == REGISTERED), None)
    missed = [one for one in past if since and one.at >= since - _SLACK and one.at >= now - KEPT]
    waiting = [one.event for one in mine if one.event and not one.told]
    # What was noted first counts: a retry says the same again.
    found = {one.id: one for one in [*missed, *new, *waiting] if wants(receiver, one)}
    taken = {one.event_id for one in mine if one.told or (one.claimed_until or now) > now}
    left = [one for name, one in found.items() if name not in taken]
    old = [one for one in left if _is_over(one, now)]
    events = sorted((one for one in left if one not in old), key=lambda one: one.at)
    return Due(receiver, events, old, since is None)


def _is_over(event: Event, now: datetime) -> bool:
    """Tell whether nobody is helped any more by hearing of an event."""
    if event.kind == LEASE_ENDING:
        end = read_time(str(event.facts.get("lease_end") or ""))
        return end is not None and end <= now
    return event.at < now - KEPT
