# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one purchase tells of an account: by name each switch, and nothing is left."""

from __future__ import annotations

import importlib
import json
from dataclasses import fields
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._account import trial_options
from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.probing import (
    NAME,
    TYPE,
    assert_nothing_is_left,
    begin,
    probe,
)
from gpuops_simulator.dialect import CHOICES, Dialect

UNCLEAR = {status: f"executed, answered {status}" for status in CHOICES["order_answer"] if status}
# Switch -> what it is called in the report, by its value.
NAMED: dict[str, tuple[str, dict[Any, str]]] = {
    "refusal_code": (
        "refused_instance_action",
        {403: "403", 400: "400", 409: "409", 207: "207, refused in its row"},
    ),
    "first_delete": ("first_delete", {"ok": "ok", "404": "404"}),
    "trash": ("trash", {"late": "late, within 7 s", "immediate": "immediate"}),
    "volume_ids": ("volume_ids", {"shown": "shown", "missing": "missing"}),
    "ended_disks": (
        "ended_disks",
        {"released": "released", "attached": "attached until detached by hand"},
    ),
    "description_limit": (
        "description_limit",
        {60: "60 characters", 100: "100 characters", None: "none up to 101 characters"},
    ),
    "order_tags": (
        "order_tags",
        {
            "accepted": "accepted",
            "refused_400": "refused (400)",
            "refused_403": "refused (403)",
            "refused_on_disks": "refused on disks (400)",
        },
    ),
    "untag": ("untag", {"both": "both", "id": "id", "key": "key"}),
    "tag_conflict": ("tag_conflict", {"key": "key (409)", "tag": "tag (201)"}),
    "order_answer": ("order_answer", {None: "202, id as bare text", **UNCLEAR}),
    "answer_tags": ("answer_tags", {True: "shown", False: "not shown"}),
    "answer_description": (
        "answer_description",
        {None: "whole, 52 characters", 40: "cut at 40 characters", 10: "cut at 10 characters"},
    ),
    "unknown_looks": ("unknown_looks", {0: "0", 3: "3"}),
    "list_lag_seconds": ("list_lag", {0.0: "none", 20.0: "19 to 24 s"}),
}
# What questions alone show of a dialect, beside purchases: test_account_info.py.
BY_READING = {"list_shape", "numbers", "slow_body_seconds", "slow_bodies", "date_offset_seconds"}
SWITCHES = {field.name for field in fields(Dialect)}
EVERY = [(switch, value) for switch, (_name, told) in NAMED.items() for value in told]


def test_every_switch_of_the_simulator_has_a_name_in_the_report() -> None:
    assert SWITCHES - NAMED.keys() - BY_READING == set()
    for switch, known in CHOICES.items():
        if switch in NAMED:
            assert set(NAMED[switch][1]) == set(known), switch


@pytest.mark.parametrize(("switch", "value"), EVERY, ids=[f"{one}={two}" for one, two in EVERY])
def test_a_purchase_names_the_dialect(start: Start, switch: str, value: Any) -> None:
    cloud = begin(start, dialect={switch: value})
    name, told = NAMED[switch]
    assert probe(cloud)[name]["value"] == told[value]
    assert_nothing_is_left(cloud)


@pytest.mark.parametrize(
    ("scenario", "name", "value"),
    [
        ({"quoted_ids": True}, "order_answer", "202, id as quoted text"),
        ({"tags_supported": False}, "order_tags", "refused (400)"),
        ({"tags_supported": False}, "later_tags", "refused (403)"),
        ({"tags_supported": False}, "untag", "not seen"),
        ({"tags_supported": False}, "extend_lease", "refused after 0 times"),
        ({"currency": "eur"}, "order_tags", "accepted"),
        ({}, "extend_lease", "2 times"),
        ({}, "later_tags", "accepted"),
        ({}, "left_over", "nothing"),
        ({}, "trial", "went through"),
        ({"dialect": {"refusal_code": 409}}, "refused_volume_action", "409"),
        ({"provision_seconds": 0}, "left_over", "nothing"),
    ],
)
def test_a_purchase_names_other_habits(
    start: Start, scenario: dict[str, Any], name: str, value: str
) -> None:
    cloud = begin(start, **scenario)
    assert probe(cloud)[name]["value"] == value
    assert_nothing_is_left(cloud)


@pytest.mark.skipif("slow_bodies" not in SWITCHES, reason="the simulator answers at once")
def test_slow_writes_are_told_from_slow_reads(start: Start) -> None:
    cloud = begin(start, dialect={"slow_body_seconds": 0.3, "slow_bodies": "writes"})
    assert float(probe(cloud)["slowest_write"]["value"].split()[0]) >= 0.3
    seen = {row["name"]: row["value"] for row in cloud.ok("datacrunch_account_info")["account"]}
    assert float(seen["slowest_answer"].split()[0]) < 0.3


def test_words_of_refusals_are_told_without_names(start: Start) -> None:
    found = probe(begin(start))
    assert found["refused_instance_action"]["words"] == "Can't discontinue a discontinued instance"
    assert "60 characters" in found["description_limit"]["words"]
    assert NAME not in json.dumps(found)


@pytest.mark.parametrize(
    ("module", "want"),
    [
        ("datacrunch_instance", "purchase_of"),
        ("datacrunch_instance", "end_of"),
        ("datacrunch_lease", "extension_of"),
        ("datacrunch_volume", "removal_of"),
    ],
)
def test_a_trial_knows_every_option_of_the_modules(module: str, want: str) -> None:
    path = "ansible_collections.gpuops.cloud.plugins.modules"
    spec = importlib.import_module(f"{path}.{module}").SPEC
    own = importlib.import_module(f"{path}.datacrunch_account_probe").SPEC
    given = {**dict.fromkeys(own), "deployment": NAME}
    more: dict[str, Any] = {
        "purchase_of": {"instance_type": TYPE},
        "removal_of": {"volume_id": "1", "policy": "trash", "wait": True},
    }.get(want, {})
    found = getattr(trial_options, want)(given, **more)
    assert found.keys() - {"description_limit"} == set(spec)
