# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tasks an array has: by values, a range or a matrix, and what is none of them."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._core.errors import InvalidError
from ansible_collections.gpuops.cloud.plugins.module_utils._jobs import spec
from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.array import at_once_of, tasks_of

Rows = list[tuple[int, dict[str, str]]]
SHAPES: list[tuple[dict[str, Any], Rows]] = [
    ({}, []),
    ({"values": [{"lr": 0.1}, {"lr": "1e-4"}]}, [(0, {"lr": "0.1"}), (1, {"lr": "1e-4"})]),
    ({"values": [{"fp16": True}]}, [(0, {"fp16": "true"})]),
    ({"range": "7-9"}, [(7, {}), (8, {}), (9, {})]),
    ({"range": "0-9:4"}, [(0, {}), (4, {}), (8, {})]),
    (
        {"matrix": {"lr": [0.1, 0.2], "seed": "0-1"}},
        [
            (0, {"lr": "0.1", "seed": "0"}),
            (1, {"lr": "0.1", "seed": "1"}),
            (2, {"lr": "0.2", "seed": "0"}),
            (3, {"lr": "0.2", "seed": "1"}),
        ],
    ),
]


@pytest.mark.parametrize(("written", "rows"), SHAPES, ids=[str(row[0]) for row in SHAPES])
def test_an_array_is_a_list_of_tasks(written: dict[str, Any], rows: Rows) -> None:
    assert [(task.number, task.parameters) for task in tasks_of(written)] == rows


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"at_once": 2}, "has 0 of values, range and matrix"),
    ({"range": "0-1", "values": []}, "has 2 of values, range and matrix"),
    ({"values": []}, "has 0 tasks"),
    ({"values": {"lr": 1}}, "is no list of dictionaries"),
    ({"values": [{"lr": 1}, {"seed": 1}]}, "task 1 of array.values gives seed, and task 0 lr"),
    ({"values": [{"lr": [1]}]}, "is no text and no number"),
    ({"values": [{"task": 1}]}, "task is no name of a variable"),
    ({"values": [{"state": 1}]}, "state is no name of a variable"),
    ({"values": [{"GPUOPS_X": 1}]}, "GPUOPS_X is no name of a variable"),
    ({"range": "ten"}, "is no range"),
    ({"range": "9-0"}, "holds no number"),
    ({"range": "0-1000000"}, "may have 1 to 1000"),
    ({"matrix": {"a": "0-99", "b": "0-99", "c": "0-99"}}, "may have 1 to 1000"),
    ({"matrix": {"a": 5}}, "is no list and no range"),
]


@pytest.mark.parametrize(("written", "words"), WRONG, ids=[row[1] for row in WRONG])
def test_what_is_no_array_is_refused(written: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidError, match=words):
        tasks_of(written)


@pytest.mark.parametrize("found", [-1, True, "two", 1.5])
def test_how_many_at_once_is_a_number(found: Any) -> None:
    with pytest.raises(InvalidError, match="is no number of tasks"):
        at_once_of({"range": "0-1", "at_once": found})


@pytest.mark.parametrize(
    ("run", "first"),
    [
        ("python train.py --lr {lr} --run {task}", "python"),
        ("python train.py --lr {lr} > out/log", "bash"),
        ("python train.py --lr {rl}", "bash"),
    ],
)
def test_places_for_values_need_no_shell(run: str, first: str) -> None:
    job = spec.job_of({"run": run, "array": {"values": [{"lr": 1}], "at_once": 2}}, {}, "/work")
    assert (job.command[0], job.at_once, len(job.tasks)) == (first, 2, 1)


def test_a_value_is_given_once() -> None:
    with pytest.raises(InvalidError, match="lr is in array and in env or secrets"):
        spec.job_of({"run": "x", "array": {"values": [{"lr": 1}]}}, {"env": {"lr": 2}}, "/work")


def test_a_job_file_says_it_as_the_command_line_does() -> None:
    written = {"command": "python a.py {x}", "array": {"matrix": {"x": [1, 2]}}}
    short = spec.flatten(written, "a.job.yml")
    assert [one.parameters for one in spec.job_of(short, written, "/work").tasks] == [
        {"x": "1"},
        {"x": "2"},
    ]
    with pytest.raises(InvalidError, match=r"Did you mean array\.matrix"):
        spec.flatten({"array": {"matrx": {}}}, "a.job.yml")
