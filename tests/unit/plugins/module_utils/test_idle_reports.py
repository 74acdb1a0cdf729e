# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports of instances about their use: fresh ones are believed, all others are only mentioned."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._ssh.idle_report import Use, read_reports

NOW = datetime(2026, 11, 22, 12, tzinfo=timezone.utc)
SINCE = "2026-11-22T11:00:00Z"


def report(minutes: float = 0, **more: Any) -> dict[str, Any]:
    """Return a report of so many minutes ago, of an instance that is idle since 11:00."""
    at = (NOW - timedelta(minutes=minutes)).isoformat()
    idle = {"idle_since": SINCE, "done": False, "why_busy": [], "gpus": [], "users": 0}
    return {"id": "m1", "version": 1, "at": at, **idle, **more}


def test_fresh_report_is_used() -> None:
    uses, notes = read_reports([report()], NOW)
    assert uses == {"m1": Use(NOW, NOW - timedelta(hours=1))}
    assert notes == []


@pytest.mark.parametrize(
    ("minutes", "used"), [(10, True), (10.1, False), (-10, True), (-10.1, False), (9999, False)]
)
def test_report_is_used_for_ten_minutes(minutes: float, used: bool) -> None:
    uses, notes = read_reports([report(minutes)], NOW)
    assert bool(uses) is used
    assert bool(notes) is not used


def test_stale_report_is_mentioned_with_its_age() -> None:
    assert read_reports([report(25)], NOW)[1] == [
        "The idle report of m1 is 25 minutes old, and not used."
    ]
    assert "25 minutes ahead of time" in read_reports([report(-25)], NOW)[1][0]


def test_busy_machine_is_not_idle_whatever_else_it_says() -> None:
    uses, _notes = read_reports([report(why_busy=["GPU 0 is used to 97 %"])], NOW)
    assert uses["m1"].idle_since is None


@pytest.mark.parametrize(("done", "is_done"), [(True, True), (False, False), ("yes", False)])
def test_done(done: Any, is_done: bool) -> None:
    assert read_reports([report(done=done)], NOW)[0]["m1"].done is is_done


@pytest.mark.parametrize(
    ("says", "limit"),
    [("2h", timedelta(hours=2)), ("never", None), (None, None), ("Never ", None)],
)
def test_limit_of_the_machine(says: str | None, limit: timedelta | None) -> None:
    assert read_reports([report(idle_after=says)], NOW)[0]["m1"].idle_after == limit


@pytest.mark.parametrize(
    "wrong",
    [
        {"version": 2},
        {"version": None},
        {"at": None},
        {"at": 5},
        {"at": "now"},
        {"at": "0001-01-01T00:00:00+05:00"},
        {"why_busy": "no"},
        {"why_busy": 5},
        {"idle_after": "soon"},
        {"idle_after": 7200},
        {"id": None},
        {"id": ["m1"]},
    ],
)
def test_report_that_cannot_be_read_is_only_mentioned(wrong: dict[str, Any]) -> None:
    uses, notes = read_reports([report(**wrong)], NOW)
    assert uses == {}
    assert len(notes) == 1


@pytest.mark.parametrize("since", [None, 5, "x", ["2026"]])
def test_machine_without_a_time_is_not_idle(since: Any) -> None:
    assert read_reports([report(idle_since=since)], NOW)[0]["m1"].idle_since is None


def test_things_that_are_no_reports() -> None:
    uses, notes = read_reports(["x", None, {}, 5], NOW)
    assert uses == {}
    assert len(notes) == 4
