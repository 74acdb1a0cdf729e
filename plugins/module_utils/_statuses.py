# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The states that machines are built in, die in and end in, and who has a living one (private, pure)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ._lease import half_marks, read_identity

BUILDING = frozenset({"new", "ordered", "validating", "provisioning"})
DEAD = frozenset({"error", "installation_failed", "no_capacity"})
ENDED = frozenset({"discontinued", "deleting", "notfound", "deleted"})


def living_deployments(instances: Iterable[dict[str, Any]]) -> set[str | None]:
    """Return the deployments that have a machine; half of its marks are enough for that."""
    found: set[str | None] = set()
    for row in instances:
        if row.get("status") not in ENDED | DEAD:
            marks = read_identity(row)
            found |= half_marks(row) | ({marks.deployment} if marks else set())
    return found
