# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts of one deployment do not reach the next one in the same run."""

from __future__ import annotations

from typing import Any

import yaml

from ansible_collections.gpuops.cloud.tests.unit.roles.support import ROOT, Evaluate
from ansible_collections.gpuops.cloud.tests.unit.roles.tasks import Task, all_tasks

SET_FACT = "ansible.builtin.set_fact"
CLUSTER = {"nodes": 2, "rank": 1, "hosts": ["head", "other"], "distributed": "native"}


def facts() -> list[Task]:
    """Return the tasks that set facts."""
    return [task for task in all_tasks() if task.action == SET_FACT]


def defaults(role: str) -> dict[str, Any]:
    """Return the variables of a role that users set."""
    path = ROOT / f"roles/{role}/defaults/main.yml"
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")) or {})


def test_no_fact_outlives_the_run() -> None:
    assert [str(task) for task in facts() if "cacheable" in task.arguments] == []


def test_no_fact_stands_for_a_variable_that_the_next_play_sets() -> None:
    wrong = []
    for task in facts():
        names = [
            name for name in task.arguments if not name.startswith(("gpuops_", f"_{task.role}_"))
        ]
        wrong += [f"{task}: {name}" for name in names]
    assert wrong == []


def test_what_a_role_tells_others_is_taken_back_when_it_is_removed() -> None:
    told, taken_back = set(), set()
    for task in facts():
        names = {name for name in task.arguments if name.startswith("gpuops_")}
        if f"{task.role}_state" in defaults(task.role):
            (taken_back if task.place.endswith("/absent.yml") else told).update(names)
    assert told == taken_back != set()


def test_a_cluster_of_an_earlier_play_is_none_of_this_one(vllm: Evaluate) -> None:
    cases = {
        "none": {},
        "taken back": {"gpuops_cluster": {}},
        "of other hosts": {"gpuops_cluster": CLUSTER},
        "of these": {"gpuops_cluster": {**CLUSTER, "hosts": ["localhost"]}},
    }
    expected = {"none": [1, 0], "taken back": [1, 0], "of other hosts": [1, 0], "of these": [2, 1]}
    found = vllm(cases, "[_vllm_nodes | int, _vllm_rank | int]")
    assert found == expected
