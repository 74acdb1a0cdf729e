# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows as the lines of a table."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.gpuops.cloud.plugins.filter.table import FilterModule, table


def test_columns_are_aligned_and_numbers_to_the_right() -> None:
    rows = [{"a": "x", "n": 1, "p": 3.5}, {"a": "longer", "n": 20, "p": 0.25}]
    assert table(rows, ["a", "n=count", "p"]) == [
        "a       count     p",
        "x           1   3.5",
        "longer     20  0.25",
    ]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "-"),
        (1.0, "1"),
        (0.19, "0.19"),
        (True, "True"),
        ("", ""),
        (["a", 1], "a, 1"),
        ((), ""),
        (123456, "123456"),
    ],
)
def test_values(value: Any, shown: str) -> None:
    assert table([{"k": value}], ["k"])[1].strip() == shown


def test_no_rows_and_no_keys() -> None:
    assert table([], ["a", "b=c"]) == ["a  c"]
    assert table([{}], ["a"]) == ["a", "-"]
    assert table([{"a": 1}], []) == ["", ""]


def test_title_may_hold_a_sign() -> None:
    assert table([{"a": 1}], ["a=b=c"])[0] == "b=c"


def test_nothing_trails() -> None:
    assert [line for line in table([{"a": "x", "b": ""}], ["a", "b"]) if line.endswith(" ")] == []


@pytest.mark.parametrize("rows", ["text", {"a": 1}, 5, None])
def test_what_is_no_list_is_refused(rows: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="table needs a list of dictionaries"):
        table(rows, ["a"])


def test_filter_is_known_by_its_name() -> None:
    assert FilterModule().filters() == {"table": table}
