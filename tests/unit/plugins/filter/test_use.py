# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of the use of instances, and which of them no reaper watches."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.filter.unwatched import FilterModule as Unwatched
from ansible_collections.gpuops.cloud.plugins.filter.with_use import FilterModule as WithUse

with_use = WithUse().filters()["with_use"]
unwatched = Unwatched().filters()["unwatched"]
NOW = "2026-11-22T12:00:00Z"
SINCE = "2026-11-22T09:30:00Z"
ROW = {"id": "a", "managed": True, "deployment": "llm", "owner": "ada"}


@pytest.mark.parametrize(
    ("report", "in_use", "since", "hours"),
    [
        ({"at": NOW, "idle_since": SINCE, "idle_after": "2h"}, False, SINCE, 2.0),
        ({"at": NOW, "idle_since": SINCE, "idle_after": "never"}, False, SINCE, None),
        ({"at": NOW, "idle_since": None, "why_busy": ["load 3"]}, True, None, None),
        ({"at": NOW, "idle_since": SINCE, "why_busy": ["load 3"]}, True, None, None),
        ({"at": SINCE, "idle_since": SINCE}, None, None, None),
        ({"at": NOW, "idle_since": SINCE, "id": "b"}, None, None, None),
    ],
    ids=["idle", "idle for ever", "busy", "busy again", "old", "of another"],
)
def test_use_of_an_instance(
    report: dict[str, Any], in_use: bool | None, since: str | None, hours: float | None
) -> None:
    (found,) = with_use([ROW], [{"id": "a", "version": 1, **report}], NOW)
    told = {"in_use": in_use, "idle_since": since, "idle_after_hours": hours}
    assert found == {**ROW, **told}


@pytest.mark.parametrize(
    ("row", "reapers", "watched"),
    [
        ({}, [], False),
        ({}, [{"deployments": None, "owner": None}], True),
        ({}, [{"deployments": ["web"], "owner": None}], False),
        (
            {},
            [{"deployments": ["web"], "owner": None}, {"deployments": None, "owner": "ada"}],
            True,
        ),
        ({"owner": "eve"}, [{"deployments": None, "owner": "ada"}], False),
        # no instance of ours: nobody is to end it
        ({"managed": False}, [], True),
    ],
)
def test_instance_without_a_reaper(
    row: dict[str, Any], reapers: list[dict[str, Any]], watched: bool
) -> None:
    assert unwatched([{**ROW, **row}], reapers) == ([] if watched else [{**ROW, **row}])
