# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the role reaper may take itself away."""

from __future__ import annotations

import yaml

from ansible_collections.gpuops.cloud.tests.unit.roles.support import ROOT, Evaluate


def test_its_user_goes_once_neither_a_round_nor_the_word_of_its_failure_runs(
    reaper: Evaluate,
) -> None:
    tasks = yaml.safe_load((ROOT / "roles/reaper/tasks/remove.yml").read_text(encoding="utf-8"))
    until = next(task["until"] for task in tasks if "until" in task)
    told = {
        "neither": "inactive\n\ninactive",
        "failed before": "failed\n\ninactive",
        "a round": "activating\n\ninactive",
        "the end of a round": "deactivating\n\ninactive",
        "the word": "failed\n\nactivating",
    }
    cases = {
        name: {"_reaper_round": {"stdout_lines": text.split("\n")}} for name, text in told.items()
    }
    found = reaper(cases, until)
    assert found == {name: name in ("neither", "failed before") for name in told}
