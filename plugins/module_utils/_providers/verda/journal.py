# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why an instance ended, by its journal (private, pure).

It is documented with little more than the words of a reason, such as ``evicted_by_on_demand``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_FIELD = "delete_reason"
_EVICTED = "evicted"
_DEEPEST = 8


def is_eviction(data: Any) -> bool | None:
    """Tell whether the last reason that a journal names is an eviction, None where it names none."""
    found = list(_reasons(data, _DEEPEST))
    return found[-1].startswith(_EVICTED) if found and found[-1] else None


def _reasons(data: Any, deepest: int) -> Iterator[str]:
    if not deepest:
        return
    rows = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    if isinstance(data, dict) and isinstance(data.get(_FIELD), str):
        yield data[_FIELD]
    for row in rows:
        yield from _reasons(row, deepest - 1)
