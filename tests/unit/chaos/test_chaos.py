# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random sequences of purchases, faults and kills: each name ends with exactly one instance.

The seed of a sequence is the name of its test. To play one again, or others:
`GPUOPS_CHAOS_SEED=123 GPUOPS_CHAOS_RUNS=1 pytest tests/unit/chaos`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import fields
from unittest import mock

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._billing import purchase_guard
from ansible_collections.gpuops.cloud.plugins.module_utils._instances import (
    account_findings,
    attempt,
    purchase,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._models import ownership
from ansible_collections.gpuops.cloud.tests.unit.chaos import habits
from ansible_collections.gpuops.cloud.tests.unit.chaos.stage import Stage, stage
from ansible_collections.gpuops.cloud.tests.unit.chaos.world import World
from gpuops_simulator.dialect import Dialect

FIRST = int(os.environ.get("GPUOPS_CHAOS_SEED", "0"))
RUNS = int(os.environ.get("GPUOPS_CHAOS_RUNS", "300"))
MOST_LINES = 200


@pytest.fixture(scope="module")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Return a stage for all sequences of this process."""
    with contextlib.ExitStack() as stack:
        yield stack.enter_context(stage(tmp_path_factory.mktemp("chaos")))


@pytest.mark.parametrize("seed", range(FIRST, FIRST + RUNS))
def test_sequence(theatre: Stage, seed: int) -> None:
    world, wrong = theatre.play(seed)
    if wrong:
        world, wrong = shrink(theatre, world, wrong)
        pytest.fail(report(world, wrong), pytrace=False)


def shrink(theatre: Stage, world: World, wrong: list[str]) -> tuple[World, list[str]]:
    """Leave out every mishap without which something is wrong all the same."""
    calm: frozenset[int] = frozenset()
    tried: set[int] = set()
    while left := [n for n in world.weather.mishaps if n not in tried]:
        tried.add(left[-1])
        again, still_wrong = theatre.play(world.seed, calm | {left[-1]})
        if still_wrong:
            world, wrong, calm = again, still_wrong, calm | {left[-1]}
    return world, wrong


def report(world: World, wrong: list[str]) -> str:
    """Return what is wrong, how to see it again, and what led to it."""
    again = f"GPUOPS_CHAOS_SEED={world.seed} GPUOPS_CHAOS_RUNS=1 pytest tests/unit/chaos"
    seen = f"seed {world.seed}, {world.habits}; again: {again}"
    return "\n".join([*wrong, seen, *world.trace[:MOST_LINES]])


def test_a_seed_always_plays_the_same(theatre: Stage) -> None:
    for seed in range(3):
        assert theatre.play(seed)[0].trace == theatre.play(seed)[0].trace


# -- the accounts that are drawn -------------------------------------------------------------------


def test_every_value_of_every_switch_is_drawn() -> None:
    assert habits.SWITCHES.keys() | habits.UNDRAWN == {field.name for field in fields(Dialect)}
    drawn = [habits.draw(seed) for seed in range(300)]
    seen = {(name, one.value(name)) for one in drawn for name in habits.SWITCHES}
    assert seen == {(name, value) for name, row in habits.SWITCHES.items() for value in row}
    assert {one.tags_supported for one in drawn} == {True, False}
    budgets = [one.budget for one in drawn if one.budget]
    assert {one.period for one in budgets} == set(habits.PERIODS)
    assert {one.room for one in budgets} == set(habits.ROOMS)
    assert 60 <= len(budgets) <= 140
    assert all(habits.shows_ownership(one) for one in drawn)
    for one in drawn:  # whatever is drawn, the simulator takes it
        Dialect.read(dict(one.dialect))


def test_a_failure_names_seed_dialect_and_budget() -> None:
    seed = next(n for n in range(300) if habits.draw(n).budget and habits.draw(n).dialect)
    text = report(World(seed), ["something is wrong"])
    assert f"GPUOPS_CHAOS_SEED={seed} " in text
    assert str(dict(habits.draw(seed).dialect)) in text
    assert "budget" in text


# -- what is broken on purpose is found ------------------------------------------------------------


def found(theatre: Stage, words: str) -> bool:
    """Tell whether a few sequences find something wrong that is told in these words."""
    return any(words in text for seed in range(18, 98) for text in theatre.play(seed)[1])


def test_orders_that_are_repeated_blindly_are_found(theatre: Stage) -> None:
    nothing = mock.Mock(return_value=None)
    with mock.patch.multiple(purchase, look_up=nothing, _of_another_run=nothing):
        assert found(theatre, "repeated blindly")


def test_twins_that_both_stay_are_found(theatre: Stage) -> None:
    blind = mock.Mock(return_value=[])
    with mock.patch.object(purchase, "twins", blind), mock.patch.object(attempt, "twins", blind):
        assert found(theatre, "instances are called")


def test_orders_without_marks_are_found(theatre: Stage) -> None:
    unwritten = mock.patch.object(account_findings, "_write")  # or nothing more is bought
    with unwritten, mock.patch.object(ownership.Identity, "label", return_value=""):
        assert found(theatre, "without an identity")


def test_strangers_that_are_taken_for_ours_are_found(theatre: Stage) -> None:
    anything = mock.Mock(match=bool)
    with mock.patch.multiple(ownership, _OWNER=anything, _NAME=anything):
        assert found(theatre, "of a stranger was touched")


def test_budgets_that_others_break_meanwhile_are_found(theatre: Stage) -> None:
    with mock.patch.object(purchase_guard.Guard, "check_bought", return_value=None):
        assert found(theatre, "is above the budget")


def test_machines_that_nobody_tells_of_are_found(theatre: Stage) -> None:
    with mock.patch.object(attempt.Attempt, "keep_id", lambda _self, error: error):
        assert found(theatre, "was bought and not told")
