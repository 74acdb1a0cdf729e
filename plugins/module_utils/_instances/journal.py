# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which instances were taken away, by what the cloud says of their end (private).

Where it says nothing, tags of our own decide.
"""

from __future__ import annotations

from functools import partial

from .._models.resources import Instance
from .._providers.base.client import Client

# Each is a request. More were not lost to a run of one user at a time.
MOST = 8


def taken_away(client: Client, candidates: list[Instance]) -> list[Instance]:
    """Return the instances that were taken away, without those whose end the cloud explains."""
    asked = candidates[:MOST]
    evictions = client.together(*(partial(client.is_eviction, row.id) for row in asked))
    other = {row.id for row, was in zip(asked, evictions, strict=True) if was is False}
    return [row for row in candidates if row.id not in other]
