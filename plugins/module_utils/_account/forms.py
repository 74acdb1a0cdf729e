# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What form the answers of an account have: lists, ids, numbers, fields (private, pure)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

from .._core.numbers import plain
from .._providers.base.questions import Fields
from .._providers.base.redaction import field_name

Row = dict[str, Any]
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


def shape_of(data: Any) -> str:
    """Return in words what an answer is: a list of what, an object with which fields."""
    if isinstance(data, list):
        kinds = sorted({_kind(value) for value in data})
        return f"list of {' and '.join(kinds)}" if kinds else "list, empty"
    if isinstance(data, dict):
        known = sorted(key for key in data if key in _WRAPPERS)
        more = len(data) - len(known)
        parts = [*known, *([f"{more} other fields"] if more else [])]
        return f"object with {', '.join(parts)}" if known else "object"
    return _kind(data)


def _kind(value: Any) -> str:
    names = {dict: "objects", list: "lists", str: "text", bool: "yes or no", type(None): "null"}
    return names.get(type(value), "numbers")


def rows_in(data: Any) -> list[Row]:
    """Return the rows of an answer, also where an object wraps the list."""
    if isinstance(data, dict):
        data = next((one for one in data.values() if isinstance(one, list)), [data])
    return [row for row in data if isinstance(row, dict)] if isinstance(data, list) else []


def id_form(value: Any) -> str:
    """Return in words what form an id has."""
    if not isinstance(value, str):
        return {bool: "yes or no", type(None): "null"}.get(type(value), _kind(value))
    if value != value.strip().strip('"'):
        return "quoted text"
    return "uuid" if _UUID.match(value) else "digits as text" if value.isdigit() else "text"


def _at(row: Row, path: str) -> Any:
    found: Any = row
    for key in path.split("."):
        if not isinstance(found, dict) or key not in found:
            return _ABSENT
        found = found[key]
    return found


def number_form(value: Any) -> str:
    """Return in words what form a number has."""
    if value is _ABSENT:
        return "missing"
    if value is None:
        return "null"
    if isinstance(value, str):
        return "unreadable text" if plain(value) is None else "text"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return _kind(value)
    return "number" if math.isfinite(value) else "not finite"


def numbers_of(numbers: Iterable[str], rows: list[Row]) -> str:
    """Return in words which of these numbers of an answer have which form, plain ones last."""
    forms: dict[str, list[str]] = {}
    for field in numbers:
        for form in sorted({number_form(_at(row, field)) for row in rows}):
            forms.setdefault(form, []).append(field)
    others = sorted(forms.keys() - {"number"})
    parts = [f"{form}: {', '.join(forms[form])}" for form in others]
    return "; ".join([*parts, *(["number: the rest" if parts else "number"] * ("number" in forms))])


def missing_fields(fields: Fields, rows: list[Row]) -> list[str]:
    """Return the documented fields that some row lacks."""
    return [field for field in fields.documented if any(field not in row for row in rows)]


def other_fields(fields: Fields, rows: list[Row]) -> list[str]:
    """Return the fields that are not documented."""
    known = {*fields.documented, *fields.optional}
    return sorted({field_name(field) for row in rows for field in row if field not in known})


def longest(rows: Iterable[Row], field: str) -> int:
    """Return how many characters the longest text of a field has."""
    return max((len(row[field]) for row in rows if isinstance(row.get(field), str)), default=0)
