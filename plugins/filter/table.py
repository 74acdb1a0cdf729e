# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: table
short_description: Format rows as an aligned text table
version_added: 0.1.0
description:
  - Turns a list of dictionaries into lines of text, a column for each named key, numbers to the right.
author:
  - gpuops.cloud contributors (@gpuops)
positional: columns
options:
  _input:
    description: The rows.
    type: list
    elements: dict
    required: true
  columns:
    description: Keys to show, in order; C(key=title) gives a column another title.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Show what can be bought
  ansible.builtin.debug:
    msg: "{{ capacity.offers | gpuops.cloud.table(['tier', 'instance_type=type', 'location', 'price_per_hour=per hour']) }}"
"""

RETURN = r"""
_value:
  description: Lines, the titles first.
  type: list
  elements: str
"""

from collections.abc import Sequence
from typing import Any

from ansible.errors import AnsibleFilterError


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:g}"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def table(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> list[str]:
    """Return the lines of a table."""
    if isinstance(rows, str | dict) or not isinstance(rows, Sequence):
        raise AnsibleFilterError(f"table needs a list of dictionaries, not {type(rows).__name__}")
    pairs = [
        (key, title or key) for key, _unused, title in (column.partition("=") for column in columns)
    ]
    cells = [[_text(row.get(key)) for key, _title in pairs] for row in rows]
    widths = [
        max(len(title), *(len(line[number]) for line in cells)) if cells else len(title)
        for number, (_key, title) in enumerate(pairs)
    ]
    right = [
        {type(row.get(key)) for row in rows} - {type(None)} in ({int}, {float}, {int, float})
        for key, _title in pairs
    ]

    def line(values: Sequence[str]) -> str:
        padded = (
            value.rjust(width) if to_right else value.ljust(width)
            for value, width, to_right in zip(values, widths, right, strict=True)
        )
        return "  ".join(padded).rstrip()

    return [line([title for _key, title in pairs]), *map(line, cells)]


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Any]:
        """Return the filter by name."""
        return {"table": table}
