# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Business hours: a schedule in words, and whether a moment lies within it (private, pure)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from .errors import InvalidError

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"^([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-4]):([0-5][0-9])\Z")
_HINT = "Write days, times and a time zone, for example: mon-fri 08:00-19:00 Europe/Helsinki."


@dataclass(frozen=True)
class Hours:
    """Days of the week (Monday is 0), start and end in minutes of the local day, and the zone.

    An end that is not after the start lies on the next day; the span belongs to the day it starts.
    """

    days: frozenset[int]
    start: int
    end: int
    zone: tzinfo
    text: str

    def open_at(self, when: datetime) -> bool:
        """Tell whether a moment lies within the hours, by the clocks on the wall there."""
        local = when.astimezone(self.zone)
        minute, today = local.hour * 60 + local.minute, local.weekday()
        if self.start < self.end:
            return today in self.days and self.start <= minute < self.end
        late = today in self.days and minute >= self.start
        return late or ((today - 1) % 7 in self.days and minute < self.end)

    def open_until(self, when: datetime) -> datetime | None:
        """Return the end in UTC of the hours that a moment lies in, or None outside them.

        Spans that meet count as one; a schedule that never closes ends here after a week.
        """
        limit, end = when + timedelta(days=7), when
        while self.open_at(end) and end < limit:
            end = self._span_end(end)
        return None if end == when else min(end, limit).astimezone(timezone.utc)

    def _span_end(self, when: datetime) -> datetime:
        """Return the end of the span that a moment lies in."""
        local = when.astimezone(self.zone)
        minute = local.hour * 60 + local.minute
        later = self.start >= self.end and minute >= self.start
        day = local.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        wall = day + timedelta(days=int(later), minutes=self.end)
        first = wall.replace(tzinfo=self.zone).astimezone(timezone.utc)
        # When clocks go back, a time on the wall comes twice.
        return (
            first
            if first > when
            else wall.replace(tzinfo=self.zone, fold=1).astimezone(timezone.utc)
        )

    def closed_for(self, when: datetime, least: timedelta) -> bool:
        """Tell whether the hours have been over for at least so long."""
        return not self.open_at(when) and not self.open_at(when - least)


def read_hours(text: str) -> Hours:
    """Return a schedule such as ``mon-fri 08:00-19:00 Europe/Helsinki``, without a zone in UTC.

    Raises InvalidError for anything else.
    """
    words = text.split()
    if len(words) not in (2, 3):
        raise _wrong(text, "it has not two or three parts")
    span = _SPAN.match(words[1])
    if not span:
        raise _wrong(text, f"{words[1]!r} are no times of a day")
    first, last = int(span[1]) * 60 + int(span[2]), int(span[3]) * 60 + int(span[4])
    if last > 24 * 60 or first == last:
        raise _wrong(text, f"{words[1]!r} is no span of a day")
    zone = _zone(words[2], text) if len(words) == 3 else timezone.utc
    return Hours(_days(words[0].lower(), text), first, last, zone, " ".join(words))


def _days(word: str, text: str) -> frozenset[int]:
    found: set[int] = set()
    for part in ("mon-sun" if word == "daily" else word).split(","):
        ends = part.split("-")
        if len(ends) > 2 or any(day not in _DAYS for day in ends):
            raise _wrong(text, f"{part!r} are no days of the week")
        first, last = _DAYS.index(ends[0]), _DAYS.index(ends[-1])
        found |= {(first + step) % 7 for step in range((last - first) % 7 + 1)}
    return frozenset(found)


def _zone(name: str, text: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # an unknown zone is a KeyError
        raise _wrong(text, f"the time zone {name!r} is not known here") from None


def _wrong(text: str, why: str) -> InvalidError:
    return InvalidError(f"hours {text!r} cannot be read: {why}", hint=_HINT)
