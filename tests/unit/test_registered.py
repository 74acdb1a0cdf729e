# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task that is skipped registers as well, and so replaces what another one has found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

PLAYBOOKS = Path(__file__).resolve().parents[2] / "playbooks"
BOOKS = sorted(path.name for path in PLAYBOOKS.glob("*.yml"))


def registered(
    tasks: Any, within: tuple[Path, ...], optional: bool
) -> Iterator[tuple[str, str, bool]]:
    """Yield what tasks, and those they import, register: name, task, whether it may be skipped."""
    file = within[-1]
    for task in tasks or ():
        skipped = optional or "when" in task
        if "register" in task:
            yield task["register"], f"{file.name}: {task['name']}", skipped
        for part in ("block", "rescue", "always"):
            yield from registered(task.get(part), within, skipped)
        for word in ("import_tasks", "include_tasks"):
            named = str(task.get(f"ansible.builtin.{word}", ""))
            path = file.parent / named
            if named and "{{" not in named and path not in within:  # some include themselves
                inner = yaml.safe_load(path.read_text(encoding="utf-8"))
                yield from registered(inner, (*within, path), skipped)


@pytest.mark.parametrize("book", BOOKS)
def test_no_task_that_may_be_skipped_registers_the_name_of_another(book: str) -> None:
    path = PLAYBOOKS / book
    rows = {
        row
        for play in yaml.safe_load(path.read_text(encoding="utf-8"))
        for part in ("pre_tasks", "tasks", "post_tasks")
        for row in registered(play.get(part), (path,), optional="when" in play)
    }
    tasks = {name: {task for one, task, _skipped in rows if one == name} for name, _t, _s in rows}
    shared = {name for name, found in tasks.items() if len(found) > 1}
    assert sorted(row for row in rows if row[0] in shared and row[2]) == []
