# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random sequences over two clouds at once: a name is one instance, wherever; one budget holds.

To play one again, or others:
`GPUOPS_CHAOS_SEED=123 GPUOPS_CHAOS_RUNS=1 pytest tests/unit/chaos/test_two_clouds.py`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from unittest import mock

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._ledger import store
from ansible_collections.gpuops.cloud.plugins.module_utils._ledger.event import Event
from ansible_collections.gpuops.cloud.plugins.module_utils._ledger.reconcile import Shown
from ansible_collections.gpuops.cloud.plugins.module_utils._models import ownership
from ansible_collections.gpuops.cloud.plugins.module_utils._several import market, purchase
from ansible_collections.gpuops.cloud.tests.unit.chaos.stage import Stage, stage
from ansible_collections.gpuops.cloud.tests.unit.chaos.two_clouds import TwoClouds

FIRST = int(os.environ.get("GPUOPS_CHAOS_SEED", "0"))
RUNS = int(os.environ.get("GPUOPS_CHAOS_RUNS", "30"))
FILE = "tests/unit/chaos/test_two_clouds.py"
MOST_LINES = 200
# Sequences that come soon to what is broken on purpose.
TWINS, SPENDERS, TOUCHED, WRITERS = (17,), (24, 30), (1, 10), (0, 1)
Row = dict[str, Any]


@pytest.fixture(scope="module")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Return a stage for all sequences of this process."""
    with contextlib.ExitStack() as stack:
        yield stack.enter_context(stage(tmp_path_factory.mktemp("two-clouds")))


def play(
    theatre: Stage, seed: int, calm: frozenset[int] = frozenset()
) -> tuple[TwoClouds, list[str]]:
    """Play one sequence; returns its world and what was wrong in it."""
    world = TwoClouds(seed, calm)
    return world, theatre.perform(world)


@pytest.mark.parametrize("seed", range(FIRST, FIRST + RUNS))
def test_sequence_over_two_clouds(theatre: Stage, seed: int) -> None:
    world, wrong = play(theatre, seed)
    if wrong:
        world, wrong = shrink(theatre, world, wrong)
        pytest.fail(report(world, wrong), pytrace=False)


def shrink(theatre: Stage, world: TwoClouds, wrong: list[str]) -> tuple[TwoClouds, list[str]]:
    """Leave out every mishap without which something is wrong all the same."""
    calm: frozenset[int] = frozenset()
    tried: set[int] = set()
    while left := [n for n in world.weather.mishaps if n not in tried]:
        tried.add(left[-1])
        again, still_wrong = play(theatre, world.seed, calm | {left[-1]})
        if still_wrong:
            world, wrong, calm = again, still_wrong, calm | {left[-1]}
    return world, wrong


def report(world: TwoClouds, wrong: list[str]) -> str:
    """Return what is wrong, how to see it again, and what led to it."""
    again = f"GPUOPS_CHAOS_SEED={world.seed} GPUOPS_CHAOS_RUNS=1 pytest {FILE}"
    return "\n".join(
        [*wrong, f"seed {world.seed}, {world.habits}; again: {again}", *world.trace[:MOST_LINES]]
    )


def test_a_seed_always_plays_the_same(theatre: Stage) -> None:
    assert play(theatre, 1)[0].trace == play(theatre, 1)[0].trace


# -- what is broken on purpose is found ------------------------------------------------------------


def found(theatre: Stage, words: str, seeds: Iterable[int]) -> bool:
    """Tell whether these sequences find something wrong that is told in these words."""
    return any(words in text for seed in seeds for text in play(theatre, seed)[1])


def test_twins_at_two_clouds_that_both_stay_are_found(theatre: Stage) -> None:
    with mock.patch.object(purchase, "_yield_elsewhere", return_value=None):
        assert found(theatre, "instances are called", TWINS)


def test_budgets_that_are_broken_over_both_are_found(theatre: Stage) -> None:
    nothing = mock.Mock(return_value=Shown([], []))
    with mock.patch.object(market.Outside, "of", nothing):
        assert found(theatre, "is above the budget", SPENDERS)


def test_strangers_that_are_taken_for_ours_are_found(theatre: Stage) -> None:
    anything = mock.Mock(match=bool)
    with mock.patch.multiple(ownership, _OWNER=anything, _NAME=anything):
        assert found(theatre, "of a stranger was touched", TOUCHED)


def test_money_of_no_cloud_is_found(theatre: Stage) -> None:
    record = store.record

    def of_nobody(
        url: str, rows: Sequence[Event], account: str, _provider: str | None = None
    ) -> Any:
        return record(url, rows, account)

    with mock.patch.object(store, "record", of_nobody):
        assert found(theatre, "is at None", WRITERS)
