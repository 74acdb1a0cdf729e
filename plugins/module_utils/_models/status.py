# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status words of the cloud, and what each means (private, pure)."""

from __future__ import annotations

# Of an instance. A dead order is to be terminated still, but costs nothing; new statuses count as alive.
BUILDING = frozenset({"new", "ordered", "validating", "provisioning"})
DEAD = frozenset({"error", "installation_failed", "no_capacity"})
ENDED = frozenset({"discontinued", "deleting", "notfound", "deleted"})
# It is no more. While it is `deleting` it is not billed, and still holds its volumes.
GONE = ENDED - {"deleting"}
# Of a volume that is in the trash, or no more, or on its way there.
VOLUME_ENDED = frozenset({"deleting", "deleted", "canceled"})
VOLUME_GONE = frozenset({"deleted", "canceled", "notfound"})
# In these a volume is on its way to another status; new statuses count as settled.
VOLUME_MOVING = frozenset(
    {"ordered", "creating", "attaching", "detaching", "cloning", "restoring", "canceling"}
)
