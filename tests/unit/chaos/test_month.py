# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing costs money that nobody meant to spend: weeks of it, and a crash at every request."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from unittest import mock

import pytest
import sqlalchemy

from ansible_collections.gpuops.cloud.tests.unit.chaos.month import Crash, Month
from ansible_collections.gpuops.cloud.tests.unit.chaos.stage import Stage, stage

# A part of it for every change; the session chaos plays the whole month, and kills at each request.
DAYS = float(os.environ.get("GPUOPS_MONTH_DAYS", "7"))
STEP = int(os.environ.get("GPUOPS_MONTH_STEP", "3"))


# Thousands of rounds write into the ledger, and need not wait for a disk.
SHARED_MEMORY = Path("/dev/shm")


@pytest.fixture
def theatre(tmp_path: Path) -> Iterator[Stage]:
    """Return a stage, whose ledger is a file of its own."""
    memory = str(SHARED_MEMORY) if SHARED_MEMORY.is_dir() else None
    with contextlib.ExitStack() as stack:
        made = stack.enter_context(stage(tmp_path))
        folder = stack.enter_context(tempfile.TemporaryDirectory(dir=memory))
        ledger = {"GPUOPS_LEDGER": f"sqlite:///{folder}/ledger.sqlite3"}
        stack.enter_context(mock.patch.dict(os.environ, ledger))
        # Rounds that are no processes of their own need not open the file each time.
        stack.enter_context(mock.patch.object(sqlalchemy, "NullPool", sqlalchemy.QueuePool))
        yield made


def test_weeks_without_an_hour_too_much(theatre: Stage) -> None:
    month = Month(seed=1, days=DAYS, deployments=40)
    assert theatre.perform(month) == []
    assert month.rounds >= DAYS * 288 * 0.95
    assert {"expired", "orphan"} <= {row["reason"] for row in month.reaped}
    assert len(month.books.made) >= 40
    assert month.told == pytest.approx(month.spent(), rel=0.01)


@pytest.mark.parametrize("tags", [True, False], ids=["tags", "no tags"])
@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("teardown", [False, True], ids=["bring-up", "teardown"])
def test_a_crash_at_any_request_costs_nothing_after_the_lease(
    theatre: Stage, teardown: bool, late: bool, tags: bool
) -> None:
    for number in count(1, STEP):
        crash = Crash(number, late=late, teardown=teardown, tags_supported=tags)
        assert theatre.perform(crash) == [], f"killed at request {number}"
        if crash.finished:
            assert number > 10
            return
