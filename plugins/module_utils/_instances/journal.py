# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why an instance ended, by the journal of the cloud, where it says so (private).

The journal is documented with little more than the words of a reason, such as
``evicted_by_on_demand``; where it does not answer, or says none, tags of our own decide.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from .._core.errors import GpuopsError
from .._models.resources import Instance
from .._providers.base.client import Client

# Each is a request. More were not lost to a run of one user at a time.
MOST = 8
_FIELD = "delete_reason"
_EVICTED = "evicted"
_DEEPEST = 8


def taken_away(client: Client, candidates: list[Instance]) -> list[Instance]:
    """Return the instances that were taken away, without those whose end the journal explains."""
    asked = candidates[:MOST]
    reasons = client.together(*(partial(_reason, client, row.id) for row in asked))
    other = {
        row.id
        for row, reason in zip(asked, reasons, strict=True)
        if reason and not reason.startswith(_EVICTED)
    }
    return [row for row in candidates if row.id not in other]


def _reason(client: Client, instance_id: str) -> str | None:
    """Return the last reason that the journal names, None where it names none or cannot be read."""
    try:
        found = list(_reasons(client.journal(instance_id), _DEEPEST))
    except GpuopsError:
        return None
    return found[-1] if found else None


def _reasons(data: Any, deepest: int) -> Iterator[str]:
    if not deepest:
        return
    rows = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    if isinstance(data, dict) and isinstance(data.get(_FIELD), str):
        yield data[_FIELD]
    for row in rows:
        yield from _reasons(row, deepest - 1)
