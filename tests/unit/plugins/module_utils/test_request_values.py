# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that no variable of a playbook can have are refused by name, with what was meant."""

from __future__ import annotations

import random
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._core.errors import InvalidError
from ansible_collections.gpuops.cloud.plugins.module_utils._request import gather as gather_module
from ansible_collections.gpuops.cloud.plugins.module_utils._request import specs
from ansible_collections.gpuops.cloud.plugins.module_utils._request.gather import (
    Sources,
    check_role,
    gather,
)

SEED = 300


def problem(book: str = "bringup", **given: Any) -> str:
    """Return what is said of something on the command line that cannot be meant."""
    with pytest.raises(InvalidError) as caught:
        gather(book, Sources(command_line=given, play={}, project={}, variables={}))
    return str(caught.value)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"count": "two"}, "count must be a whole number"),
        ({"max_price_per_hour": "4,5"}, "Write 4.5: without a currency"),
        ({"max_price_per_hour": "$4"}, "Write 4:"),
        ({"max_price_per_hour": "4 EUR"}, "Write 4:"),
        ({"market": "on-demand"}, "Did you mean on_demand?"),
        ({"market": "spott"}, "Did you mean spot"),
        ({"os_volume": "kep"}, "Did you mean keep?"),
        ({"protect": "yess"}, "neither true nor false"),
        ({"lease": "4"}, "Write 30m, 12h, 2d"),
        ({"lease_max": "a day"}, "Write 30m, 12h or 2d"),
        ({"tier": "h100_or_les"}, "h100_or_less"),
        ({"count": 0}, "count must be at least 1 (got 0)"),
        ({"min_vram_gb": -1}, "at least 0"),
        ({"deployment": "../x"}, "(got '../x')"),
        ({"machine_name": "a b"}, "(got 'a b')"),
        ({"owner": "a b"}, "(got 'a b')"),
        ({"hours": "mon-fri"}, "hours"),
        ({"idle_after": "soon"}, "Write 30m, 12h or 2d"),
        ({"idle_after": "1h", "vllm_nodes": 2}, "one instance for a model"),
        ({"budget": {"per_huor": 1}}, "per_huor"),
        ({"budget": {"per_hour": -1}}, "per_hour"),
        ({"max_lease_cost": 0}, "above zero"),
    ],
)
def test_values_that_cannot_be_meant(given: dict[str, Any], words: str) -> None:
    assert words in problem(**given)


def test_extension_is_written_as_the_readme_writes_it() -> None:
    for value in ("+2h", "2h", " +30m"):
        places: dict[str, Any] = {"play": {}, "project": {}, "variables": {}}
        found = gather("lease", Sources(command_line={"extend": value}, **places))
        assert found["given"]["extend"] == value


@pytest.mark.parametrize("value", ["HTML", "picture", "csv"])
def test_format_of_another_playbook_is_refused(value: str) -> None:
    said = problem("capacity", format=value)
    assert f'format "{value}" is not one of table, json, html' in said
    assert ("Did you mean html" in said) is (value == "HTML")


def test_variables_of_roles_are_checked_before_a_purchase() -> None:
    spec = {"vllm_device": {"type": "str", "choices": ["cuda", "cpu"], "default": "cuda"}}
    with pytest.raises(InvalidError, match="Did you mean cuda"):
        check_role(spec, {"vllm_device": "cdua"})
    secret = {"vllm_api_key": {"type": "dict", "no_log": True, "default": ""}}
    with pytest.raises(InvalidError, match="vllm_api_key is not of the type dict") as caught:
        check_role(secret, {"vllm_api_key": "swordfish"})
    assert "swordfish" not in str(caught.value)


DURATIONS = ["4", "2 fortnights", "an hour", "-1h", "h", "1h30"]
NOT_A_NAME = ["a b", "../x", "x" * 64, "two\nlines"]
# By variable: what is of its type, and still nothing that anybody can mean.
OUTSIDE: dict[str, list[Any]] = {
    **dict.fromkeys(gather_module._DURATIONS | {"lease", "extend"}, DURATIONS),
    **{name: [least - 1, str(least - 7)] for name, least in gather_module._AT_LEAST.items()},
    **dict.fromkeys(("deployment", "machine_name", "owner"), NOT_A_NAME),
    "hours": ["mon-fri", "8-19", "mon-fri 25:00-26:00", "mon 08:00-19:00 Nowhere/Land"],
    "tier": ["h1000", "any_tpu", "h100_or_more", "best"],
    "budget": [{"per_huor": 1}, {"per_hour": -1}, {"per_day": "x"}],
    "max_lease_cost": [0, -1],
}


def slipped(dice: random.Random, name: str, spec: dict[str, Any]) -> Any:
    """Return a value that a variable cannot have, for its type, choices, range or unit."""
    if name in OUTSIDE and dice.random() < 0.5:
        return dice.choice(OUTSIDE[name])
    kind = spec.get("elements") if spec["type"] == "list" else spec["type"]
    if spec.get("choices"):
        word = dice.choice(spec["choices"])
        at = dice.randrange(len(word))
        return word[:at] + dice.choice("jqxz") + word[at:]
    wrong: dict[str, list[Any]] = {
        "bool": ["yess", "nein", "2", "tru"],
        "int": ["two", "1.5", "1,000", "2x", "", "1e400", "NaN"],
        "float": ["$4", "4,5", "four", "1_0", "inf", "nan", ""],
        "dict": ["20", "per_day", 7, "[1]"],
    }
    return dice.choice(wrong.get(kind or "", OUTSIDE.get(name, [None])))


def test_three_hundred_values_that_no_variable_can_have() -> None:
    dice = random.Random(SEED)
    tried: dict[str, int] = dict.fromkeys(specs.TAKES, 0)
    while sum(tried.values()) < SEED:
        book = dice.choice(sorted(specs.TAKES))
        found = {name: slipped(dice, name, one) for name, one in specs.spec_of(book).items()}
        wrong = {name: value for name, value in found.items() if value is not None}
        if not wrong:
            continue
        name = dice.choice(sorted(wrong))
        tried[book] += 1
        said = problem(book, **{name: wrong[name]})
        # A wrong tier is told as one, with those that there are.
        assert said.startswith((name, f"{name}:", "Unknown tier")), (book, name, wrong[name], said)
    assert sorted(book for book, times in tried.items() if not times) == [
        "demo_job",
        "demo_stop",
        "observed",
    ]
