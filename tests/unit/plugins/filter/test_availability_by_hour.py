# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the observation log says about hours of the day."""

from __future__ import annotations

import json

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.gpuops.cloud.plugins.filter.availability_by_hour import (
    availability_by_hour,
)


def look(time: str, *types: str, market: str = "on_demand", place: str = "FIN-03") -> str:
    """Return one line of the log."""
    row = {"time": f"2026-11-22T{time}:00Z", "market": market, "stock": {place: list(types)}}
    return json.dumps(row)


def test_shares_are_counted_by_hour_and_place() -> None:
    lines = [look("07:00", "1H100.80S.32V", "2H100.80S.80V"), look("07:30"), look("08:00")]
    (row,) = availability_by_hour("\n".join(lines))
    assert (row["gpu_model"], row["location"], row["market"]) == ("H100", "FIN-03", "on_demand")
    assert row["hours"][6:10] == [None, 0.5, 0.0, None]
    assert row["share"] == pytest.approx(0.333)


def test_markets_have_looks_of_their_own() -> None:
    lines = [look("07:00", "1V100.6V"), look("07:01", market="spot")]
    (row,) = availability_by_hour("\n".join(lines))
    assert row["hours"][7] == 1.0


def test_best_gpu_comes_first() -> None:
    rows = availability_by_hour(look("01:00", "1V100.6V", "1B300.30V", "1X999.4V"))
    assert [row["gpu_model"] for row in rows] == ["B300", "V100", "X999"]


@pytest.mark.parametrize("line", ["", "{", "[]", '{"time": "soon"}', '{"time": null, "stock": {}}'])
def test_line_that_cannot_be_read_is_left_out(line: str) -> None:
    assert availability_by_hour(f"{line}\n{look('07:00', '1V100.6V')}")[0]["share"] == 1.0


def test_other_input_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="needs text"):
        availability_by_hour([])  # type: ignore[arg-type]
