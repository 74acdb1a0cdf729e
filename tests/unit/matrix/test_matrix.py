# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every operation in every dialect of the cloud: alone, in pairs, and at night in threes.

Two dialects at once are drawn by a seed; to play others: `GPUOPS_CHAOS_SEED=123 pytest
tests/unit/matrix`, and for more threes `GPUOPS_MATRIX_TRIPLES=500`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from itertools import combinations
from random import Random
from unittest import mock

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._instances import purchase
from ansible_collections.gpuops.cloud.plugins.module_utils._lifecycle import (
    proof,
    tagging,
    termination_policy,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._models.resources import Tag
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.verda.client import Client
from ansible_collections.gpuops.cloud.tests.unit.chaos.stage import Stage, stage
from ansible_collections.gpuops.cloud.tests.unit.matrix.life import Life
from ansible_collections.gpuops.cloud.tests.unit.matrix.operations import OPERATIONS
from ansible_collections.gpuops.cloud.tests.unit.matrix.table import (
    TABLE,
    WORKS,
    Case,
    How,
    Speech,
    refused,
    stopped,
    worst,
)

SEED = int(os.environ.get("GPUOPS_CHAOS_SEED", "0"))
PAIRS = 200
TRIPLES = int(os.environ.get("GPUOPS_MATRIX_TRIPLES", "4"))


def drawn(size: int, number: int) -> list[Case]:
    """Return so many different cases of ``size`` dialects that can be together."""
    dice, found = Random(f"{size} {SEED}"), dict[str, Case]()
    while len(found) < number:
        case = Case(tuple(sorted(dice.sample(TABLE[1:], size), key=TABLE.index)))
        if case.can_be and case.can_be_known:
            found[case.name] = case
    return list(found.values())


def together() -> list[Case]:
    """Return the pairs that show no ownership although each of the two does."""
    shown = [speech for speech in TABLE if Case((speech,)).shows_ownership]
    pairs = [Case(pair) for pair in combinations(shown, 2)]
    return [case for case in pairs if case.can_be and not case.shows_ownership]


@pytest.fixture(scope="module")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Return a stage for all cases of this process."""
    with contextlib.ExitStack() as stack:
        yield stack.enter_context(stage(tmp_path_factory.mktemp("matrix")))


def play(theatre: Stage, case: Case) -> None:
    """Play a case, and fail with everything that was wrong in it and what led to it."""
    life = Life(case)
    wrong = theatre.perform(life)
    if wrong:
        pytest.fail("\n".join([case.name, *wrong, *life.trace]), pytrace=False)


@pytest.mark.parametrize("speech", TABLE, ids=lambda speech: speech.name)
def test_dialect(theatre: Stage, speech: Speech) -> None:
    play(theatre, Case((speech,)))


@pytest.mark.parametrize("case", drawn(2, PAIRS), ids=lambda case: case.name)
def test_pair(theatre: Stage, case: Case) -> None:
    play(theatre, case)


@pytest.mark.parametrize("case", together(), ids=lambda case: case.name)
def test_pair_that_hides_ownership(theatre: Stage, case: Case) -> None:
    play(theatre, case)


@pytest.mark.parametrize("case", drawn(3, TRIPLES), ids=lambda case: case.name)
def test_triple(theatre: Stage, case: Case) -> None:
    play(theatre, case)


# -- the table itself ------------------------------------------------------------------------------


def test_only_what_shows_no_ownership_is_stopped_after_the_order() -> None:
    for speech in TABLE:
        end = Case((speech,)).end("buy", late=True)
        assert (end.how is How.STOPPED) == (speech.name == "no ownership shown"), speech.name


def test_tags_that_are_refused_and_a_cut_description_show_no_ownership() -> None:
    by_name = {speech.name: speech for speech in TABLE}
    for tags in ("tags refused by 400", "tags refused by 403", "no tags", "tags not shown"):
        for cut, shows in ((0, False), (20, False), (40, True)):
            case = Case((by_name[tags], by_name[f"descriptions cut at {cut}"]))
            assert case.shows_ownership is shows, case.name
            assert case.end("buy", late=False) == (WORKS if shows else stopped("ownership"))


def test_operations_of_the_table_are_known() -> None:
    known = {operation.name for operation in OPERATIONS} | {"all"}
    assert {name for speech in TABLE for name in speech.ends} <= known
    assert len({speech.name for speech in TABLE}) == len(TABLE)


def test_of_several_ends_the_first_that_is_met_comes_about() -> None:
    assert worst([WORKS, refused("forbidden"), refused("unavailable")]) == refused("unavailable")
    assert worst([stopped("ownership"), refused("unreadable")]) == refused("unreadable")
    assert worst([WORKS, WORKS]) == WORKS


# -- what is broken on purpose is found ------------------------------------------------------------


def broken(theatre: Stage, *names: str) -> str:
    """Return what is found to be wrong in some dialects."""
    by_name = {speech.name: speech for speech in TABLE}
    life = Life(Case(tuple(by_name[name] for name in names)))
    return "\n".join(theatre.perform(life))


def test_order_that_is_not_looked_up_is_found(theatre: Stage) -> None:
    nothing = mock.Mock(return_value=None)
    with mock.patch.multiple(purchase, look_up=nothing, _of_another_run=nothing):
        text = broken(theatre, "order answered 520")
    assert "buy: " in text
    assert "instances are called llm" in text or "never named" in text


def test_tag_that_is_removed_in_one_way_alone_is_found(theatre: Stage) -> None:
    def by_id(client: Client, kind: str, item_id: str, tag: Tag) -> None:
        client.untag(kind, item_id, tag.id)

    with mock.patch.object(tagging, "untag", by_id):
        assert "extend: expected: works" in broken(theatre, "untag by key")
        assert broken(theatre, "untag by id") == ""


def test_disks_that_an_instance_does_not_name_are_found(theatre: Stage) -> None:
    with mock.patch.object(termination_policy.Outcome, "complete"):
        text = broken(theatre, "no volume ids")
    assert "end: " in text
    assert "teardown proof: " in text


def test_refusal_that_is_taken_for_an_end_is_found(theatre: Stage) -> None:
    with mock.patch.object(proof.Proof, "look", mock.Mock(return_value=proof.PROVEN)):
        text = broken(theatre, "first delete does nothing")
    assert "end: " in text


def test_end_that_is_expected_otherwise_is_found(theatre: Stage) -> None:
    wrong = Speech("wrong", {"currency": "eur"}, {"buy": refused("unreadable")})
    life = Life(Case((wrong,)))
    assert "buy: expected: refused before the order unreadable" in "\n".join(theatre.perform(life))
