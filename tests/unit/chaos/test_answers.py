# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that nobody can read: no traceback, nothing bought or ended by them, no secret told.

Thousands of runs, each with one answer exchanged. A failure names its number; to see it again:
`GPUOPS_CHAOS_SEED=123 GPUOPS_CHAOS_RUNS=1 pytest tests/unit/chaos/test_answers.py`.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Iterator
from unittest import mock

import pytest

from ansible_collections.gpuops.cloud.plugins.modules import datacrunch_balance
from ansible_collections.gpuops.cloud.tests.unit.chaos.answers import KINDS
from ansible_collections.gpuops.cloud.tests.unit.chaos.controllers import Outcome
from ansible_collections.gpuops.cloud.tests.unit.chaos.fuzz import Fuzz
from ansible_collections.gpuops.cloud.tests.unit.chaos.runs import NAMES
from ansible_collections.gpuops.cloud.tests.unit.chaos.stage import stage
from ansible_collections.gpuops.cloud.tests.unit.chaos.verdict import complaint
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import SECRET

FIRST = int(os.environ.get("GPUOPS_CHAOS_SEED", "0"))
COUNT = 2400
RUNS = int(os.environ.get("GPUOPS_CHAOS_RUNS", str(COUNT)))
TOGETHER = 100
# What the client asks and sends.
CALLS = {
    "POST /oauth2/token",
    "GET /balance",
    "GET /instance-availability?is_spot=false",
    "GET /instance-availability?is_spot=true",
    "GET /instance-types",
    "GET /instances",
    "GET /instances/{id}",
    "GET /instances?status=discontinued",
    "GET /journal/compute/{id}",
    "GET /scripts",
    "GET /ssh-keys",
    "GET /volume-types",
    "GET /volumes",
    "GET /volumes/trash",
    "GET /volumes/{id}",
    "POST /instances",
    "PUT /instances",
    "POST /instances/{id}/tags",
    "DELETE /instances/{id}/tags/{id}",
    "POST /volumes",
    "PUT /volumes",
    "POST /volumes/{id}/tags",
    "POST /ssh-keys",
    "DELETE /ssh-keys/{id}",
    "POST /scripts",
    "DELETE /scripts/{id}",
}


@pytest.fixture(scope="module")
def fuzz(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzz]:
    """Return the account in which everything is run, for all cases of this process."""
    folder = tmp_path_factory.mktemp("answers")
    with contextlib.ExitStack() as stack:
        made = stack.enter_context(stage(folder))
        world = Fuzz(folder)
        stack.enter_context(made.scene(world))
        yield world


@pytest.mark.parametrize("first", range(FIRST, FIRST + RUNS, TOGETHER))
def test_answers_that_cannot_be_read(fuzz: Fuzz, first: int) -> None:
    numbers = range(first, min(first + TOGETHER, FIRST + RUNS))
    told = [complaint(fuzz, fuzz.draw(number)) for number in numbers]
    found = [text for text in told if text]
    if found:
        pytest.fail("\n".join([f"{len(found)} of {len(told)}", *found]), pytrace=False)


def test_every_call_is_answered_in_every_way(fuzz: Fuzz) -> None:
    assert COUNT >= 2000
    cases = [fuzz.draw(number) for number in range(COUNT)]
    assert {case.call for case in cases} >= CALLS
    assert {case.kind for case in cases} == set(KINDS)
    assert {case.run for case in cases} == set(NAMES)
    rare = Counter(case.call for case in cases)
    assert min(rare[call] for call in CALLS) >= 10, rare


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (KeyError("amount"), "a traceback: "),
        (Outcome({"failed": True, "msg": "wrong", "error": {"code": ""}}), "no sentence"),
        (Outcome({"text": SECRET}), "the result holds a secret"),
        (Outcome({"rate": float("nan")}), "the result is no JSON"),
    ],
    ids=["traceback", "sentence", "secret", "NaN"],
)
def test_what_is_broken_on_purpose_is_found(fuzz: Fuzz, broken: BaseException, words: str) -> None:
    cases = map(fuzz.draw, range(COUNT))
    case = next(one for one in cases if one.run == "ask for the balance")
    with mock.patch.object(datacrunch_balance, "main", side_effect=broken):
        text = complaint(fuzz, case)
    assert text
    assert words in text
    assert f"GPUOPS_CHAOS_SEED={case.number} " in text
