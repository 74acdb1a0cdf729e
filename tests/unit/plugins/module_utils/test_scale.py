# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Axes of charts."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._charts import axes

START = datetime(2026, 11, 18, 13, 30, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("top", "ticks"),
    [
        (0, [0, 1]),
        (1, [0, 0.25, 0.5, 0.75, 1]),
        (334.3, [0, 100, 200, 300, 400]),
        (100, [0, 25, 50, 75, 100]),
        (101, [0, 50, 100, 150]),
        (0.03, [0, 0.01, 0.02, 0.03]),
        (7.2, [0, 2, 4, 6, 8]),
        (123456, [0, 50000, 100000, 150000]),
    ],
)
def test_ticks_are_round_and_reach_the_top(top: float, ticks: list[float]) -> None:
    assert axes.nice_ticks(top) == pytest.approx(ticks)


@pytest.mark.parametrize("top", [0.0004, 0.7, 3, 19.99, 88, 1e3, 2.5e7])
def test_there_are_neither_too_few_nor_too_many_ticks(top: float) -> None:
    ticks = axes.nice_ticks(top)
    assert ticks[-2] < top <= ticks[-1]
    assert 3 <= len(ticks) <= 6


@pytest.mark.parametrize(
    ("top", "texts"),
    [
        (100, ["0", "25", "50", "75", "100"]),
        (10, ["0.0", "2.5", "5.0", "7.5", "10.0"]),
        (0.03, ["0.00", "0.01", "0.02", "0.03"]),
        (1900, ["0", "500", "1,000", "1,500", "2,000"]),
        (9e4, ["0", "25k", "50k", "75k", "100k"]),
    ],
)
def test_texts_of_ticks(top: float, texts: list[str]) -> None:
    ticks = axes.nice_ticks(top)
    assert [axes.tick_text(tick, ticks) for tick in ticks] == texts


@pytest.mark.parametrize(
    ("value", "low", "high", "percent"),
    [
        (5, 0, 10, 50),
        (-5, 0, 10, 0),
        (50, 0, 10, 100),
        (1, 0, 3, 33.333),
        (5, 5, 5, 0),
        (1, 2, 1, 0),
    ],
)
def test_share(value: float, low: float, high: float, percent: float) -> None:
    assert axes.share(value, low, high) == percent


@pytest.mark.parametrize(
    ("days", "unit", "count", "first"),
    [
        (0, "day", 1, (11, 18)),
        (0.1, "day", 1, (11, 18)),
        (0.5, "day", 2, (11, 18)),
        (22, "day", 23, (11, 18)),
        (100, "day", 101, (11, 18)),
        (180, "week", 27, (11, 16)),
        (900, "month", 31, (11, 1)),
    ],
)
def test_buckets_cover_the_time_without_a_gap(
    days: float, unit: str, count: int, first: tuple[int, int]
) -> None:
    found, spans = axes.buckets(START, START + timedelta(days=days))
    assert (found, len(spans)) == (unit, count)
    assert (spans[0][0].month, spans[0][0].day) == first
    assert spans[0][0] <= START
    assert START + timedelta(days=days) <= spans[-1][1]
    assert [left[1] for left in spans[:-1]] == [right[0] for right in spans[1:]]


@pytest.mark.parametrize("hours", [0.5, 3, 9, 30, 66, 200, 1000, 9000])
def test_times_are_round_ordered_and_few(hours: float) -> None:
    end = START + timedelta(hours=hours)
    ticks = axes.time_ticks(START, end)
    times = [at for at, _text in ticks]
    assert times == sorted(times)
    assert all(START <= at <= end and at.minute == 0 for at in times)
    assert len(times) <= 8
    assert hours < 3 or len(times) >= 2


def test_midnight_is_called_by_its_day() -> None:
    ticks = axes.time_ticks(START, START + timedelta(hours=24))
    assert [text for _at, text in ticks] == ["18:00", "19 Nov", "06:00", "12:00"]


@pytest.mark.parametrize(
    ("hours", "text"),
    [
        (0, "0 min"),
        (0.7, "42 min"),
        (-0.7, "42 min"),
        (1, "1 h"),
        (6.51, "6 h 31 min"),
        (23.999, "1 d"),
        (33.4, "1 d 9 h"),
        (48, "2 d"),
        (24 * 14, "14 d"),
        (24 * 4000, "4,000 d"),
    ],
)
def test_durations(hours: float, text: str) -> None:
    assert axes.duration_text(hours) == text


def test_moments() -> None:
    assert axes.moment_text(START) == "Wed 18 Nov, 13:30"
