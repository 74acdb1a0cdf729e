# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody is told: one event, its sentence and its facts (private, pure)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypedDict, Union

from .._core.numbers import plain
from .._core.times import read_time, write_time

BOUGHT, LEASE_ENDING, TERMINATED, NOT_TERMINATED, BUDGET, SERVER_DOWN, TEST = KINDS = (
    "bought",
    "lease_ending",
    "terminated",
    "not_terminated",
    "budget",
    "server_down",
    "test",
)
_LONGEST = 200
Fact = Union[str, float, bool, None]  # noqa: UP007 - pylint of an older Python reads it


class EventRow(TypedDict):
    """An event as receivers of JSON get it, and as it is kept until it is told."""

    id: str
    event: str
    at: str
    text: str
    facts: dict[str, Fact]


@dataclass(frozen=True)
class Event:
    """Something that happened once, whoever sees it and however often.

    ``id`` is made of what happened alone, so that two who see the same tell the same. ``covers`` are
    ids of events that nobody needs to hear of after this one. ``text`` is one line.
    """

    id: str
    kind: str
    at: datetime
    text: str
    facts: dict[str, Fact] = field(default_factory=dict)
    covers: tuple[str, ...] = ()

    def as_row(self) -> EventRow:
        """Return the event as receivers of JSON get it."""
        return {
            "id": self.id,
            "event": self.kind,
            "at": write_time(self.at),
            "text": self.text,
            "facts": {**self.facts},
        }


def write_event(event: Event) -> str:
    """Return an event as it is kept until it is told."""
    return json.dumps(event.as_row())


def read_event(text: str) -> Event | None:
    """Return an event that was kept, None where it is none, as a newer release may write it."""
    try:
        row = json.loads(text)
        at = read_time(row["at"])
        facts = dict(row["facts"])
        name, kind, said = (str(row[key]) for key in ("id", "event", "text"))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return Event(name, kind, at, said, facts) if at else None


def words(value: Fact) -> str:
    """Return a text from outside as one short line that steers nothing."""
    text = "".join(sign if sign.isprintable() else " " for sign in str(value))
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def amount(value: float | None, currency: str) -> str:
    """Return an amount of money with its currency, an empty text for what is no amount."""
    found = plain(value)
    if found is None:
        return ""
    number = f"{found:.4f}".rstrip("0").rstrip(".")
    return f"{number} {currency}".strip()
