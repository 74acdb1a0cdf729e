# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From answers to types, at one place: what cannot be believed is settled here (private)."""

from __future__ import annotations

from ..._models.resources import Instance
from ..._models.status import UNKNOWN
from ..base.row import Row

# This provider's words for what an instance is; one that is new counts as alive.
_STATES: dict[str, str] = {}


def instance_from(row: Row) -> Instance:
    """Return an instance; without created_at no lease of it is ever over."""
    status = row.word("status")
    return Instance(id=row.id(), status=status, state=_STATES.get(status, UNKNOWN))
