# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every task and handler of every role, as it is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from ansible_collections.gpuops.cloud.tests.unit.roles.support import ROOT

INHERITED = ("become", "delegate_to", "when")
PARTS = ("block", "rescue", "always")


@dataclass(frozen=True)
class Task:
    """A task, where it stands, and what it inherits from its blocks."""

    place: str
    row: dict[str, Any]
    inherited: dict[str, Any]

    @property
    def role(self) -> str:
        """The role that it belongs to."""
        return self.place.split("/", maxsplit=1)[0]

    @property
    def action(self) -> str:
        """The full name of its module."""
        return next((key for key in self.row if "." in key), "")

    @property
    def arguments(self) -> Any:
        """What the module is told."""
        return self.row[self.action]

    def says(self, keyword: str) -> Any:
        """Return the value of a keyword, here or in the nearest block that has it."""
        return self.row.get(keyword, self.inherited.get(keyword))

    def __str__(self) -> str:
        return f"{self.place}: {self.row.get('name')}"


def walk(place: str, rows: list[dict[str, Any]], inherited: dict[str, Any]) -> Iterator[Task]:
    """Return the tasks of a list, with those in blocks."""
    for row in rows:
        known = {**inherited, **{key: row[key] for key in INHERITED if key in row}}
        if "block" in row:
            for part in PARTS:
                yield from walk(place, row.get(part, []), known)
        else:
            yield Task(place, row, inherited)


def all_tasks() -> list[Task]:
    """Return the tasks and handlers of all roles."""
    found = []
    for kind in ("tasks", "handlers"):
        for path in sorted((ROOT / "roles").glob(f"*/{kind}/*.yml")):
            rows = yaml.safe_load(path.read_text(encoding="utf-8")) or []
            place = f"{path.parts[-3]}/{path.name}"
            found += list(walk(place, rows, {}))
    return found
