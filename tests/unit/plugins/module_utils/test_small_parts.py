# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small pure parts: marks, times, prices, waits, and how errors read."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._core import errors, times
from ansible_collections.gpuops.cloud.plugins.module_utils._core import wait as _wait
from ansible_collections.gpuops.cloud.plugins.module_utils._models import ownership, rates
from ansible_collections.gpuops.cloud.tests.unit.plugins import shown
from ansible_collections.gpuops.cloud.tests.unit.plugins.first_release import old_marker

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=timezone.utc)
MARKS = ownership.Identity("llm", "llm-2", "me@example.org", "2026-11-22T20:00:00Z", "abc123")


# -- marks -----------------------------------------------------------------------------------------


def test_marks_are_read_from_tags_and_from_the_marker_of_old() -> None:
    assert shown.ownership({"tags": MARKS.tags()}) == MARKS
    assert shown.ownership({"description": old_marker(MARKS)}) == MARKS
    assert shown.ownership({"description": f"a [b] {old_marker(MARKS)} c"}) == MARKS


def test_tags_win() -> None:
    tags = [{**tag, "value": "none"} if "lease" in tag["key"] else tag for tag in MARKS.tags()]
    found = shown.ownership({"tags": tags, "description": old_marker(MARKS)})
    assert found is not None
    assert found.lease == "none"


def test_marks_are_tags_that_the_cloud_takes() -> None:
    for tag in MARKS.tags():
        assert len(tag["key"]) <= 63
        assert len(tag["value"]) <= 127
        assert tag["key"] == tag["key"].lower()


@pytest.mark.parametrize("row", [{}, {"tags": None, "description": None}, {"tags": [{}]}])
def test_no_marks(row: dict[str, Any]) -> None:
    assert shown.ownership(row) is None


@pytest.mark.parametrize("name", ["a", "a-b", "0", "x" * 63, "a1-2-3"])
def test_names_that_can_be(name: str) -> None:
    assert ownership.check_name(name, "name") == name


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a_b", "a.b", "a b", "ä", "x" * 64, "a\n"])
def test_names_that_cannot_be(name: str) -> None:
    with pytest.raises(errors.InvalidError, match="must be"):
        ownership.check_name(name, "name")


@pytest.mark.parametrize("owner", ["a b", "", "a]", "x" * 64, "a\n"])
def test_owners_that_cannot_be(owner: str) -> None:
    with pytest.raises(errors.InvalidError, match="may hold"):
        ownership.check_owner(owner)


@pytest.mark.parametrize(
    ("item", "ours"),
    [
        ({"name": "gpuops.llm.llm.os"}, True),
        ({"name": "gpuops.llm"}, False),
        ({"name": "gpuops.llm-2.x"}, False),
        ({"name": "x.gpuops.llm.y"}, False),
        ({"name": None}, False),
        ({"name": "any", "tags": [{"key": "gpuops-deployment", "value": "llm"}]}, True),
        ({"name": "gpuops.llm.x", "tags": [{"key": "gpuops-deployment", "value": "no"}]}, False),
    ],
)
def test_what_belongs_to_a_deployment(item: dict[str, Any], ours: bool) -> None:
    assert (shown.volume(item).deployment == "llm") is ours


# -- times -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("90s", "2026-11-22T08:01:30Z"),
        ("30m", "2026-11-22T08:30:00Z"),
        ("12h", "2026-11-22T20:00:00Z"),
        ("12H", "2026-11-22T20:00:00Z"),
        (" 1.5 d ", "2026-11-23T20:00:00Z"),
        ("2w", "2026-12-06T08:00:00Z"),
        ("2026-11-22T09:00:00Z", "2026-11-22T09:00:00Z"),
        ("2026-11-22T11:00:00+02:00", "2026-11-22T09:00:00Z"),
        ("2026-11-23", "2026-11-23T00:00:00Z"),
        ("none", "none"),
        ("NONE", "none"),
    ],
)
def test_leases(text: str, until: str) -> None:
    assert times.lease_until(text, NOW) == until


@pytest.mark.parametrize(
    "text",
    ["", "h", "12", "12 hours", "-1h", "0m", "nonesuch", "2026-11-22T07:00:00Z", "9" * 30 + "w"],
)
def test_leases_that_cannot_be(text: str) -> None:
    with pytest.raises(errors.InvalidError, match="lease"):
        times.lease_until(text, NOW)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-22T08:00:00.000Z", NOW),
        ("2026-11-22T08:00:00", NOW),
        ("", None),
        (None, None),
        ("none", None),
        ("yesterday", None),
    ],
)
def test_times(text: str | None, time: datetime | None) -> None:
    assert times.read_time(text) == time


# -- money -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "rate"),
    [
        ("running", 2.5),
        ("offline", 2.5),
        ("provisioning", 2.5),
        ("a status of tomorrow", 2.5),
        ("discontinued", 0),
        ("deleting", 0),
        ("error", 0),
        ("no_capacity", 0),
        ("installation_failed", 0),
    ],
)
def test_what_a_machine_costs(status: str, rate: float) -> None:
    assert shown.instance({"status": status, "price_per_hour": "2.5"}).rate == rate


@pytest.mark.parametrize(
    ("row", "rate"),
    [
        ({"status": "attached"}, 0.1),
        ({"status": "detached"}, 0.1),
        ({"status": "deleted"}, 0),
        ({"status": "detached", "deleted_at": "2026-11-22"}, 0),
    ],
)
def test_what_a_disk_costs(row: dict[str, Any], rate: float) -> None:
    assert shown.volume({"base_hourly_cost": 0.1, **row}).rate == rate


@pytest.mark.parametrize(("burn", "hours"), [(0, None), (2, 50), (3, 33.3)])
def test_runway(burn: float, hours: float | None) -> None:
    assert rates.runway_hours(100, burn) == hours


# -- waits -----------------------------------------------------------------------------------------


class Clock:
    """A clock that does not sleep."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)


def wait(seen: list[str], timeout: float = 20, interval: float = 8) -> tuple[str, Clock]:
    """Wait for ``done`` among what is seen; the last is seen for ever."""
    clock, rest = Clock(), iter([*seen[:-1], *[seen[-1]] * 99])
    found = _wait.wait_until(
        lambda: next(rest),
        lambda text: text == "done",
        failed=lambda text: text == "dead",
        what="it",
        timeout=timeout,
        interval=interval,
        clock=clock,
    )
    return found, clock


def test_first_looks_come_soon() -> None:
    assert wait(["done"])[1].slept == []
    assert wait(["a", "b", "c", "d", "done"], 100)[1].slept == [2, 4, 8, 8]


def test_failure_ends_at_once() -> None:
    with pytest.raises(errors.FailedStateError, match="Waiting for it: it ended as dead"):
        wait(["a", "dead"])


def test_limit_says_what_was_seen_last() -> None:
    with pytest.raises(errors.WaitTimeoutError, match="not reached within 20 s, last seen a"):
        wait(["a"])


def test_limit_is_kept_and_looked_at_once_more() -> None:
    found, clock = wait(["a", "b", "c", "d", "done"], timeout=20)
    assert (found, clock.now) == ("done", 20)


def test_no_time_means_one_look() -> None:
    assert wait(["done"], timeout=0)[0] == "done"
    with pytest.raises(errors.WaitTimeoutError):
        wait(["a", "done"], timeout=0)


# -- errors ----------------------------------------------------------------------------------------


def test_sentences_end_once() -> None:
    assert str(errors.GpuopsError("a")) == "a."
    assert str(errors.GpuopsError("a.", hint="b.")) == "a. b."
    assert str(errors.GpuopsError("a?", hint="")) == "a?"
