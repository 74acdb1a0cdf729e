# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers by tables: what is one, and which options are read as one."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._core import (
    business_hours,
    numbers,
    times,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._core.errors import InvalidError

GOOD = {"0": 0, "1.797": 1.797, "+2": 2, "-1.5": -1.5, ".5": 0.5, "5.": 5, " 3 ": 3, "1e3": 1000}
# What Python, or a person, takes for a number, and nobody should pay by.
BAD: list[Any] = [
    *("NaN", "nan", "inf", "-Infinity", "1,797", "1.797,00", "$1.797", "1.797 €", "1.797usd"),
    *(
        "٤",
        "\uff11",
        "½",
        "1_0",
        "0x10",
        "1e",
        "1e999",
        "--1",
        "1 0",
        "",
        " ",
        "none",
        "\t1",
        "1\n",
    ),
    *(None, True, False, [], [1], {}, {"amount": 1}, float("nan"), float("inf"), 1e300),
    *(10**400, Decimal(1)),
]


@pytest.mark.parametrize("text", GOOD)
def test_plain_numbers_are_read(text: str) -> None:
    assert numbers.plain(text) == GOOD[text]
    assert numbers.plain(json.loads("[1.5, 0]")[0]) == 1.5


@pytest.mark.parametrize("value", BAD, ids=lambda value: ascii(value)[:30])
def test_everything_else_is_none(value: Any) -> None:
    assert numbers.plain(value) is None
    with pytest.raises(numbers.UnreadableError, match=r"^GET /balance: amount .* is not a number"):
        numbers.money(value, "GET /balance: amount")


def test_price_is_never_below_zero() -> None:
    assert numbers.price(0, "x") == 0
    assert numbers.money(-3, "x") == -3
    with pytest.raises(numbers.UnreadableError, match="below zero"):
        numbers.price(-0.1, "x")


SPEC: dict[str, Any] = {
    "price": {"type": "float"},
    "count": {"type": "int"},
    "steps": {"type": "list", "elements": "float"},
    "name": {"type": "str"},
    "budget": {"type": "dict", "options": {"total": {"type": "float"}}},
    "tiers": {"type": "list", "elements": "dict", "options": {"vram": {"type": "float"}}},
}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"price": "nan"}, "price must be a finite number"),
        ({"price": float("inf")}, "price must be a finite number such as 2.5 (got Infinity)"),
        ({"price": True}, "(got true)"),
        ({"count": "1_0"}, "count must be a whole number"),
        ({"count": "٤"}, "count"),
        ({"steps": [80, "nan", 100]}, 'steps must be a finite number such as 2.5 (got "nan")'),
        ({"steps": "80,1_0"}, '(got "1_0")'),
        ({"budget": {"total": "1,000"}}, '(got "1,000")'),
        ({"budget": "total=1_0"}, '(got "1_0")'),
        (
            {"budget": '{"total": "nan"}'},
            'budget.total must be a finite number such as 2.5 (got "nan")',
        ),
        (
            {"tiers": [{"vram": 1}, {"vram": "inf"}]},
            'tiers.vram must be a finite number such as 2.5 (got "inf")',
        ),
    ],
)
def test_option_that_is_no_plain_number_is_refused_by_name(
    given: dict[str, Any], words: str
) -> None:
    wrong = numbers.wrong_options(SPEC, given)
    assert list(wrong) == list(given)
    assert words in str(wrong[next(iter(given))])


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"price": None, "name": "nan", "count": 0, "steps": [1, "2.5"]},
        {"price": "0", "count": "3", "budget": {"total": 0}, "tiers": [{"vram": 1}]},
    ],
)
def test_plain_options_pass(given: dict[str, Any]) -> None:
    assert numbers.wrong_options(SPEC, given) == {}


@pytest.mark.parametrize("text", ["٢h", "1_0h", "nanh", "infh", "1,5h", "½h", "\uff12h"])
def test_durations_are_plain_numbers_too(text: str) -> None:
    with pytest.raises(InvalidError):
        times.read_duration(text, "extend")


def test_hours_of_a_day_have_plain_digits() -> None:
    with pytest.raises(InvalidError):
        business_hours.read_hours("mon-fri 0٨:00-1٩:00")
