# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Business hours for playbooks: open or not, and until when. 2026-11-23 is a Monday."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.gpuops.cloud.plugins.filter.business_hours import business_hours

OFFICE = "mon-fri 08:00-19:00 Europe/Helsinki"


@pytest.mark.parametrize(
    ("hours", "at", "until"),
    [
        (OFFICE, "2026-11-23T05:59:59Z", None),
        (OFFICE, "2026-11-23T06:00:00Z", "2026-11-23T17:00:00Z"),
        (OFFICE, "2026-11-23T16:59:59Z", "2026-11-23T17:00:00Z"),
        (OFFICE, "2026-11-23T17:00:00Z", None),
        (OFFICE, "2026-11-22T10:00:00Z", None),
        (OFFICE, "2026-07-06T10:00:00Z", "2026-07-06T16:00:00Z"),
        ("mon 08:00-24:00", "2026-11-23T12:00:00Z", "2026-11-24T00:00:00Z"),
        ("mon 22:00-06:00", "2026-11-23T23:00:00Z", "2026-11-24T06:00:00Z"),
        ("mon 22:00-06:00", "2026-11-24T03:00:00Z", "2026-11-24T06:00:00Z"),
        ("mon-tue 00:00-24:00", "2026-11-23T03:00:00Z", "2026-11-25T00:00:00Z"),
        ("daily 00:00-24:00", "2026-11-23T03:00:00Z", "2026-11-30T03:00:00Z"),
        # The hour from 03:00 came twice.
        ("sun 03:00-03:30 Europe/Helsinki", "2026-10-25T00:10:00Z", "2026-10-25T00:30:00Z"),
        ("sun 03:00-03:30 Europe/Helsinki", "2026-10-25T01:10:00Z", "2026-10-25T01:30:00Z"),
        # Clocks went back on 2026-10-25 at 04:00 and forward on 2026-03-29 at 03:00.
        ("sat 20:00-08:00 Europe/Helsinki", "2026-10-24T18:00:00Z", "2026-10-25T06:00:00Z"),
        ("sat 20:00-08:00 Europe/Helsinki", "2026-03-28T19:00:00Z", "2026-03-29T05:00:00Z"),
    ],
)
def test_hours_last_until_their_end(hours: str, at: str, until: str | None) -> None:
    found = business_hours(hours, at)
    assert (found["open"], found["until"]) == (until is not None, until)
    if until:
        end = datetime.fromisoformat(until.replace("Z", "+00:00"))
        lease = datetime.fromisoformat(found["lease"].replace("Z", "+00:00"))
        assert lease - end == timedelta(hours=1)


def test_now_is_the_default() -> None:
    today = datetime.now(timezone.utc)
    assert business_hours("daily 00:00-24:00")["open"] is True
    assert business_hours(f"{(today + timedelta(days=3)):%a} 00:00-24:00".lower())["open"] is False


@pytest.mark.parametrize(("hours", "at"), [("always", None), (OFFICE, "noon")])
def test_what_cannot_be_read_is_refused(hours: str, at: str | None) -> None:
    with pytest.raises(AnsibleFilterError):
        business_hours(hours, at)
