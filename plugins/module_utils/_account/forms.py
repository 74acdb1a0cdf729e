# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What form the answers of an account have: lists, ids, numbers, fields (private, pure)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .._core.numbers import plain
from .._providers.base.questions import Fields
from .._providers.base.redaction import field_name

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.I)
_ABSENT = object()
# Names of fields in which lists are wrapped; any other may be a name of the user's.
_WRAPPERS = [
    "availabilities",
    "count",
    "cursor",
    "data",
    "instances",
    "items",
    "keys",
    "limit",
    "meta",
    "next",
    "page",
    "pages",
    "results",
    "rows",
    "scripts",
    "total",
    "types",
    "value",
    "values",
    "volumes",
]


@dataclass(frozen=True)
class Told:
    """Something that an answer holds, whatever it is; of what is not to be told its form is."""

    value: Any

    def shape(self) -> str:
        """Return in words what an answer is: a list of what, an object with which fields."""
        if isinstance(self.value, list):
            kinds = sorted({Told(one).kind() for one in self.value})
            return f"list of {' and '.join(kinds)}" if kinds else "list, empty"
        if isinstance(self.value, dict):
            known = sorted(key for key in self.value if key in _WRAPPERS)
            more = len(self.value) - len(known)
            parts = [*known, *([f"{more} other fields"] if more else [])]
            return f"object with {', '.join(parts)}" if known else "object"
        return self.kind()

    def kind(self) -> str:
        """Return in a word what kind of value it is."""
        names = {dict: "objects", list: "lists", str: "text", bool: "yes or no", type(None): "null"}
        return names.get(type(self.value), "numbers")

    def rows(self) -> list[Record]:
        """Return the rows of an answer, also where an object wraps the list."""
        data = self.value
        if isinstance(data, dict):
            data = next((one for one in data.values() if isinstance(one, list)), [data])
        found = data if isinstance(data, list) else []
        return [Record(row) for row in found if isinstance(row, dict)]

    def record(self) -> Record:
        """Return an object, an empty one for anything else."""
        return Record(self.value if isinstance(self.value, dict) else {})

    def id_form(self) -> str:
        """Return in words what form an id has."""
        value = self.value
        if not isinstance(value, str):
            return {bool: "yes or no", type(None): "null"}.get(type(value), self.kind())
        if value != value.strip().strip('"'):
            return "quoted text"
        return "uuid" if _UUID.match(value) else "digits as text" if value.isdigit() else "text"

    def number_form(self) -> str:
        """Return in words what form a number has."""
        value = self.value
        if value is _ABSENT:
            return "missing"
        if value is None:
            return "null"
        if isinstance(value, str):
            return "unreadable text" if plain(value) is None else "text"
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return self.kind()
        return "number" if math.isfinite(value) else "not finite"


@dataclass(frozen=True)
class Record:
    """One object of an answer, or the one that was sent."""

    values: dict[str, Any]

    def has(self, name: str) -> bool:
        """Tell whether there is such a field."""
        return name in self.values

    def says(self, name: str) -> bool:
        """Tell whether a field holds anything."""
        return bool(self.values.get(name))

    def text(self, name: str) -> str:
        """Return a field as text, empty where it holds nothing."""
        return str(self.values.get(name) or "")

    def at(self, path: str) -> Told:
        """Return what is at the end of a path of fields with points."""
        found: Any = self.values
        for key in path.split("."):
            if not isinstance(found, dict) or key not in found:
                return Told(_ABSENT)
            found = found[key]
        return Told(found)


def numbers_of(numbers: Iterable[str], rows: list[Record]) -> str:
    """Return in words which of these numbers of an answer have which form, plain ones last."""
    forms: dict[str, list[str]] = {}
    for field in numbers:
        for form in sorted({row.at(field).number_form() for row in rows}):
            forms.setdefault(form, []).append(field)
    others = sorted(forms.keys() - {"number"})
    parts = [f"{form}: {', '.join(forms[form])}" for form in others]
    return "; ".join([*parts, *(["number: the rest" if parts else "number"] * ("number" in forms))])


def missing_fields(fields: Fields, rows: list[Record]) -> list[str]:
    """Return the documented fields that some row lacks."""
    return [field for field in fields.documented if not all(row.has(field) for row in rows)]


def other_fields(fields: Fields, rows: list[Record]) -> list[str]:
    """Return the fields that are not documented."""
    known = {*fields.documented, *fields.optional}
    return sorted({field_name(field) for row in rows for field in row.values if field not in known})


def longest(rows: Iterable[Record], field: str) -> int:
    """Return how many characters the longest text of a field has."""
    found = (row.values.get(field) for row in rows)
    return max((len(text) for text in found if isinstance(text, str)), default=0)
