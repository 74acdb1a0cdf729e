# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Business hours: read from words, judged by the clocks on the wall of their time zone."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._core.business_hours import read_hours
from ansible_collections.gpuops.cloud.plugins.module_utils._core.errors import InvalidError

OFFICE = "mon-fri 08:00-19:00 Europe/Helsinki"  # two hours ahead of UTC, three in summer


def utc(text: str) -> datetime:
    """Return a time in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("hours", "when", "inside"),
    [
        # 2026-11-23 is a Monday
        (OFFICE, "2026-11-23T05:59:59", False),
        (OFFICE, "2026-11-23T06:00:00", True),
        (OFFICE, "2026-11-23T16:59:59", True),
        (OFFICE, "2026-11-23T17:00:00", False),
        (OFFICE, "2026-11-22T10:00:00", False),  # Sunday
        (OFFICE, "2026-11-28T10:00:00", False),  # Saturday
        # summer time began on 2026-03-29 and ended on 2026-10-25
        (OFFICE, "2026-03-27T05:30:00", False),
        (OFFICE, "2026-03-30T05:00:00", True),
        (OFFICE, "2026-03-30T16:00:00", False),
        (OFFICE, "2026-10-26T05:30:00", False),
        (OFFICE, "2026-10-26T16:30:00", True),
        # the hour that is there twice, and the one that is not there at all
        ("sun 03:00-04:00 Europe/Helsinki", "2026-10-25T00:30:00", True),
        ("sun 03:00-04:00 Europe/Helsinki", "2026-10-25T01:30:00", True),
        ("sun 03:00-04:00 Europe/Helsinki", "2026-10-25T02:00:00", False),
        ("sun 03:00-04:00 Europe/Helsinki", "2026-03-29T01:00:00", False),
        # over midnight: the span belongs to the day it starts
        ("fri 22:00-06:00", "2026-11-27T21:59:00", False),
        ("fri 22:00-06:00", "2026-11-27T22:00:00", True),
        ("fri 22:00-06:00", "2026-11-28T05:59:00", True),
        ("fri 22:00-06:00", "2026-11-28T06:00:00", False),
        ("fri 22:00-06:00", "2026-11-28T22:00:00", False),
        ("fri 22:00-06:00", "2026-11-27T05:00:00", False),
        ("sun 22:00-06:00 Asia/Kathmandu", "2026-11-22T16:15:00", True),
        # days
        ("fri-mon 00:00-24:00", "2026-11-29T23:59:59", True),
        ("fri-mon 00:00-24:00", "2026-11-24T00:00:00", False),
        ("mon,wed,fri 09:00-10:00", "2026-11-25T09:30:00", True),
        ("mon,wed,fri 09:00-10:00", "2026-11-26T09:30:00", False),
        ("daily 09:00-10:00", "2026-11-29T09:30:00", True),
        ("MON-tue,sat 09:00-10:00 UTC", "2026-11-28T09:30:00", True),
    ],
)
def test_moments(hours: str, when: str, inside: bool) -> None:
    assert read_hours(hours).open_at(utc(when)) is inside


@pytest.mark.parametrize(
    "text",
    [
        "",
        "08:00-19:00",
        "mon-fri 08:00-19:00 Europe/Helsinki x",
        "mo-fr 08:00-19:00",
        "mon-wed-fri 08:00-19:00",
        "mon, 08:00-19:00",
        "mon-fri 8-19",
        "mon-fri 08:00-08:00",
        "mon-fri 08:00-24:01",
        "mon-fri 08:60-19:00",
        "mon-fri 08:00-19:00 Mars/Olympus",
        "mon-fri 08:00-19:00 ../../etc/passwd",
        "mon-fri 08:00-19:00 /etc/localtime",
    ],
)
def test_hours_that_cannot_be(text: str) -> None:
    with pytest.raises(InvalidError, match="cannot be read"):
        read_hours(text)


def test_words_are_kept_with_single_blanks() -> None:
    assert read_hours("  mon-fri  08:00-19:00\tEurope/Helsinki ").text == OFFICE


@pytest.mark.parametrize(
    ("minutes", "over"), [(0, False), (14, False), (15, True), (60, True), (-1, False)]
)
def test_hours_are_over_only_after_a_while(minutes: int, over: bool) -> None:
    when = utc("2026-11-23T17:00:00") + timedelta(minutes=minutes)
    assert read_hours(OFFICE).closed_for(when, timedelta(minutes=15)) is over
