# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows as comma-separated values."""

from __future__ import annotations

import csv as reader_of
import io
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.gpuops.cloud.plugins.filter.csv import FilterModule, csv


def test_titles_come_first_and_every_line_ends() -> None:
    assert csv([{"a": "x", "n": 1.5}], ["a", "n=hours", "none"]) == "a,hours,none\nx,1.5,\n"
    assert csv([], ["a"]) == "a\n"


@pytest.mark.parametrize("text", ['a "quoted" word', "a, b", "two\nlines", "ä", ""])
def test_text_survives(text: str) -> None:
    rows = list(reader_of.reader(io.StringIO(csv([{"k": text}, {"k": "z"}], ["k", "x"]))))
    assert [row[0] for row in rows] == ["k", text, "z"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_text_is_run_as_a_formula(text: str) -> None:
    (_titles, row) = reader_of.reader(io.StringIO(csv([{"k": text}], ["k"])))
    assert row == ["'" + text.replace("\r", " ")]


@pytest.mark.parametrize(
    ("value", "cell"), [(-1.5, "-1.5"), (0, "0"), (None, ""), (True, "True"), (["a", 1], '"a, 1"')]
)
def test_values(value: Any, cell: str) -> None:
    assert csv([{"k": value, "x": 1}], ["k", "x"]).splitlines()[1] == f"{cell},1"


@pytest.mark.parametrize("rows", ["text", {"a": 1}, 5, None])
def test_what_is_no_list_is_refused(rows: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="csv needs a list of dictionaries"):
        csv(rows, ["a"])


def test_filter_is_known_by_its_name() -> None:
    assert FilterModule().filters() == {"csv": csv}
