# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: csv
short_description: Format rows as CSV
version_added: 0.1.0
description:
  - Turns a list of dictionaries into text as spreadsheets and programs read it (RFC 4180), a column for each named key.
  - Null becomes an empty cell. Text that a spreadsheet would run as a formula gets an apostrophe in front.
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
    description: Keys to write, in order; C(key=title) gives a column another title.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Keep the costs for a spreadsheet
  ansible.builtin.copy:
    content: "{{ cost.things | gpuops.cloud.csv(['deployment', 'name', 'hours', 'cost']) }}"
    dest: costs.csv
    mode: "0644"
"""

RETURN = r"""
_value:
  description: Text, the titles first, each line ended.
  type: str
"""

import csv as writer_of
import io
from collections.abc import Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, int | float):
        return "" if value is None else value
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    marked = f"'{text}" if text.startswith(_FORMULA) else text
    return marked.replace("\r", " ")  # the writer would leave a bare one without quotes


def csv(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> str:
    """Return the rows as comma-separated values."""
    if isinstance(rows, str | dict) or not isinstance(rows, Sequence):
        raise AnsibleFilterError(f"csv needs a list of dictionaries, not {type(rows).__name__}")
    pairs = [(key, title or key) for key, _sign, title in (name.partition("=") for name in columns)]
    text = io.StringIO()
    writer = writer_of.writer(text, lineterminator="\n")
    writer.writerow([title for _key, title in pairs])
    writer.writerows([_cell(row.get(key)) for key, _title in pairs] for row in rows)
    return text.getvalue()


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Any]:
        """Return the filter by name."""
        return {"csv": csv}
