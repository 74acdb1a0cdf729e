# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the gateway's program judges replicas, and what it writes for nginx."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.roles.support import load

PROGRAM = load("roles/gateway/files/gpuops_gateway.py")
SERVES: dict[str, Any] = {"serves": True}


def replica(name: str, number: int, known: dict[str, Any]) -> Any:
    """Return a replica with an address of its own."""
    return PROGRAM.Replica({"name": name, "address": f"192.0.2.{number}", "port": 8443}, known)


def groups(text: str) -> dict[str, list[str]]:
    """Return the servers of each group as nginx would read them."""
    found = re.findall(r"upstream (\w+) \{(.*?)\n\}", text, re.DOTALL)
    return {name: re.findall(r"server ([^;]+);", body) for name, body in found}


@pytest.mark.parametrize(
    ("status", "seen"),
    [
        (200, "serves"),
        (400, "serves"),
        (404, "serves"),
        (401, "out"),
        (403, "out"),
        (500, "out"),
        (502, "out"),
        (503, "busy"),
        (530, "out"),
    ],
)
def test_what_a_status_means(status: int, seen: str) -> None:
    assert PROGRAM.meaning(status)[0] == seen


@pytest.mark.parametrize(
    ("seen", "serves"),
    [
        (["serves"], True),
        (["busy"], False),
        (["serves", "busy", "busy", "busy", "busy"], True),
        (["serves", "out"], False),
        (["serves", "silent", "silent"], True),
        (["serves", "silent", "silent", "silent"], False),
        (["serves", "silent", "silent", "serves", "silent"], True),
        (["serves", "out", "silent"], False),
        (["serves", "out", "serves"], True),
    ],
)
def test_who_gets_work_after_what_was_seen(seen: list[str], serves: bool) -> None:
    known: dict[str, Any] = {}
    for state in seen:
        # Each check is a process of its own.
        one = replica("a", 1, known)
        one.judge(state, "why")
        known = one.known()
    assert known["serves"] is serves


def test_one_that_is_out_gets_no_work() -> None:
    text = PROGRAM.balancing([replica("a", 1, SERVES), replica("b", 2, {})])
    marks = [line.split()[-1] for line in groups(text)["gpuops_replicas"]]
    assert marks == ["fail_timeout=10s", "down"]


def test_with_nobody_left_all_are_asked() -> None:
    text = PROGRAM.balancing([replica("a", 1, {}), replica("b", 2, {})])
    assert "down" not in text


def test_what_one_has_not_seen_goes_to_the_others() -> None:
    text = PROGRAM.balancing([replica(name, n, SERVES) for n, name in enumerate("abc", 1)])
    pairs = re.findall(r'"~(.+)" (\w+);', text)
    assert len(pairs) == 3
    for pattern, group in pairs:
        address = pattern.split(")", 1)[1].removesuffix("$").replace("\\", "")
        members = [line.split()[0] for line in groups(text)[group]]
        assert len(members) == 2
        assert address not in members
        assert re.search(pattern, f"192.0.2.9:8443, {address}")
        assert re.search(pattern, f"192.0.2.9:8443 : {address}")
        assert not re.search(pattern, f"{address}, 192.0.2.9:8443")
        assert not re.search(pattern, f"1{address}")


def test_a_single_one_needs_no_others() -> None:
    assert list(groups(PROGRAM.balancing([replica("a", 1, SERVES)]))) == ["gpuops_replicas"]


def test_addresses_of_the_new_kind_are_written_in_brackets() -> None:
    told = {"name": "a", "address": "2001:db8::1", "port": 8443}
    assert PROGRAM.Replica(told, {}).address == "[2001:db8::1]:8443"
