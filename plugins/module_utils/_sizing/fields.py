# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One object of somebody's JSON, whose fields are read by type (private, pure)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from .._core.errors import InvalidError


@dataclass(frozen=True)
class Fields:
    """An object of a configuration or of a hub's answer; what is of another type counts as missing."""

    values: dict[str, Any] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether it holds anything."""
        return bool(self.values)

    def shown(self, name: str) -> str:
        """Return a field as text, whatever it is."""
        return str(self.values.get(name))

    def text(self, name: str) -> str:
        """Return a field as text, empty where it says nothing."""
        return str(self.values.get(name) or "")

    def says(self, name: str) -> bool:
        """Tell whether a field says anything but no."""
        return bool(self.values.get(name))

    def number(self, name: str) -> float | None:
        """Return a number."""
        found = self.values.get(name)
        return found if isinstance(found, (int, float)) else None

    def holds(self, name: str) -> bool:
        """Tell whether a field is an object, be it an empty one."""
        return isinstance(self.values.get(name), dict)

    def within(self, name: str) -> Fields:
        """Return an object within, an empty one where there is none."""
        found = self.values.get(name)
        return Fields(found) if isinstance(found, dict) else Fields()

    def parts(self) -> list[Fields]:
        """Return what each field holds, of those that are no objects an empty one."""
        return [self.within(name) for name in self.values]

    def texts(self, name: str) -> list[str]:
        """Return a list as texts."""
        found = self.values.get(name)
        return [str(one) for one in found] if isinstance(found, list) else []

    def records(self, name: str) -> list[Fields]:
        """Return the objects of a list."""
        found = self.values.get(name)
        rows = found if isinstance(found, list) else []
        return [Fields(row) for row in rows if isinstance(row, dict)]

    def size(self, *names: str) -> int:
        """Return the first size of these names, the largest of a list, or 0."""
        return next((max(found) for name in names if (found := self.sizes(name))), 0)

    def sizes(self, name: str) -> list[int]:
        """Return the whole numbers of a field or of its list; nothing when one is none."""
        value = self.values.get(name)
        found: list[Any] = value if isinstance(value, list) else [value]
        whole = [int(n) if isinstance(n, float) and n.is_integer() else n for n in found]
        good = all(isinstance(n, int) and not isinstance(n, bool) and 0 <= n < 10**9 for n in whole)
        return whole if good else []

    def present(self) -> Fields:
        """Return it without what is null."""
        return Fields({name: one for name, one in self.values.items() if one is not None})


@dataclass(frozen=True)
class Value:
    """What stands under the first of some names that a file has; null where it has none of them."""

    name: str
    given: Any

    @property
    def is_missing(self) -> bool:
        """Whether nothing is said."""
        return self.given is None

    @property
    def is_list(self) -> bool:
        """Whether it may say something for each layer."""
        return isinstance(self.given, list)

    def says(self) -> bool:
        """Tell whether it says anything but no."""
        return bool(self.given)

    def numbers(self) -> list[int]:
        """Return the whole numbers of it or of its list; nothing when one is none."""
        return Fields({self.name: self.given}).sizes(self.name)

    def short(self) -> str:
        """Return it as a message shows it, cut where it is long."""
        text = repr(self.given)
        return text if len(text) < 60 else text[:56] + " ..."


def read_object(text: bytes, where: str) -> Fields:
    """Return the JSON object of a file; raises InvalidError for anything else."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise InvalidError(f"{where} is no JSON object")
    return Fields(found)
