# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Leases as lanes over a time line."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.filter.cost_charts import cost_charts
from ansible_collections.gpuops.cloud.plugins.module_utils._charts import lease_timeline
from ansible_collections.gpuops.cloud.tests.unit.plugins.cost_data import (
    NOW,
    costs,
    crowd,
    disk,
    thing,
)


def lanes(*things: dict[str, Any]) -> dict[str, Any]:
    """Return the time line of these things."""
    return dict(cost_charts(costs(list(things)))["leases"])


@pytest.mark.parametrize(
    ("left", "state", "text"),
    [
        (-0.7, "expired", "expired 42 min ago"),
        (0.0, "expired", "expired 0 min ago"),
        (0.5, "soon", "30 min left"),
        (1.0, "soon", "1 h left"),
        (1.02, "live", "1 h 01 min left"),
        (None, "none", "no lease"),
    ],
)
def test_state_of_a_lease(left: float | None, state: str, text: str) -> None:
    (lane,) = lanes(thing(1, 5, lease_h=left))["lanes"]
    assert (lane["state"], lane["text"]) == (state, text)


def test_lane_is_paid_until_now_and_then_what_is_left() -> None:
    line = lanes(thing(1, 6, lease_h=12))
    (lane,) = line["lanes"]
    assert lane["x"] + lane["width"] == pytest.approx(line["now"], abs=0.01) == lane["rest_x"]
    assert lane["rest_width"] / lane["width"] == pytest.approx(2, abs=0.01)
    assert not lane["cut_left"]
    assert not lane["cut_right"]


def test_lane_of_an_expired_lease_is_over_until_now() -> None:
    line = lanes(thing(1, 6, lease_h=-2))
    (lane,) = line["lanes"]
    assert lane["rest_x"] + lane["rest_width"] == pytest.approx(line["now"], abs=0.01)
    assert lane["width"] / lane["rest_width"] == pytest.approx(2, abs=0.02)
    assert line["expired"] == 1


def test_what_expired_a_second_ago_is_seen() -> None:
    (lane,) = lanes(thing(1, 6, lease_h=-0.0003))["lanes"]
    assert lane["rest_width"] >= 0.9


def test_long_times_are_cut_at_the_edges() -> None:
    (lane,) = lanes(thing(1, 5000, lease_h=5000))["lanes"]
    assert lane["cut_left"]
    assert lane["cut_right"]
    assert (lane["x"], lane["rest_x"] + lane["rest_width"]) == (0, 100)


def test_most_urgent_lane_comes_first_and_the_rest_is_told() -> None:
    line = cost_charts(crowd())["leases"]
    assert (len(line["lanes"]), line["more"], line["machines"]) == (60, 140, 200)
    rest = lanes(thing(1, 9), thing(2, 9, lease_h=7), thing(3, 9, lease_h=-1), disk(4, 9))
    assert [lane["state"] for lane in rest["lanes"]] == ["expired", "live", "none"]
    assert (rest["expired"], rest["unlimited"]) == (1, 1)


def test_keys_explain_what_is_drawn() -> None:
    assert [key["shape"] for key in lanes(thing(1, 9, lease_h=5))["keys"]] == ["past", "rest"]
    kept = lanes(thing(1, 9, protected=True), thing(2, 9, lease_h=-1))
    assert [key["shape"] for key in kept["keys"]] == ["past", "over", "open", "guard"]


@pytest.mark.parametrize("hours", [(1, 0.2), (3, 6), (700, 12), (2, 5000), (90, -80)])
def test_every_place_is_on_the_line(hours: tuple[float, float]) -> None:
    line = lanes(thing(1, hours[0], lease_h=hours[1]))
    places = [line["now"], *(tick["x"] for tick in line["ticks"])]
    (lane,) = line["lanes"]
    places += [lane["x"], lane["x"] + lane["width"], lane["rest_x"]]
    assert all(0 <= place <= 100.001 for place in places)
    assert lane["width"] >= 0
    assert lane["rest_width"] >= 0
    assert 5 <= line["now"] <= 85


def test_time_line_shows_at_most_what_can_be_read() -> None:
    machines = [thing(n, 2000, lease_h=n * 100) for n in range(3)]
    start, end = lease_timeline.window(machines, NOW)
    assert end - start < timedelta(days=3)
    assert datetime(2026, 11, 21, tzinfo=timezone.utc) < start < NOW < end
    assert re.fullmatch(r"\d\d:\d\d", cost_charts(costs(machines))["leases"]["now_text"])
