# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One rule for every write: repeated only after a look that found nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._core.errors import (
    GpuopsError,
    InvalidError,
    UnavailableError,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._core.write_once import write_once

UNCLEAR = UnavailableError("no answer in time", unclear=True)


def sender(*answers: str | GpuopsError) -> tuple[Callable[[], str], list[int]]:
    """Return a write that gets these answers one after the other, and a list of its requests."""
    left, sent = list(answers), list[int]()

    def do() -> str:
        sent.append(len(sent))
        answer = left.pop(0)
        if isinstance(answer, GpuopsError):
            raise answer
        return answer

    return do, sent


def never(_problem: GpuopsError) -> str | None:
    """Fail: nothing has to be looked up."""
    raise AssertionError("looked without need")


def test_clear_answer_needs_no_look() -> None:
    do, sent = sender("one")
    assert write_once(do, never) == "one"
    assert len(sent) == 1


def test_refusal_is_neither_looked_up_nor_repeated() -> None:
    do, sent = sender(InvalidError("no"))
    with pytest.raises(InvalidError):
        write_once(do, never)
    assert len(sent) == 1


def test_what_is_found_after_an_unclear_answer_is_not_sent_again() -> None:
    do, sent = sender(UNCLEAR)
    assert write_once(do, lambda problem: "found" if problem is UNCLEAR else None) == "found"
    assert len(sent) == 1


def test_what_is_not_found_is_sent_once_more() -> None:
    do, sent = sender(UNCLEAR, "two")
    assert write_once(do, lambda _problem: None) == "two"
    assert len(sent) == 2


def test_two_unclear_answers_and_nothing_found_are_an_error() -> None:
    do, sent = sender(UNCLEAR, UNCLEAR)
    looks = list[GpuopsError]()
    with pytest.raises(UnavailableError):
        write_once(do, looks.append)
    assert (len(sent), len(looks)) == (2, 2)


def test_what_cannot_be_known_is_not_repeated() -> None:
    do, sent = sender(UNCLEAR)

    def blind(problem: GpuopsError) -> str | None:
        raise problem

    with pytest.raises(UnavailableError):
        write_once(do, blind)
    assert len(sent) == 1
