# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What state an instance is in, and the status words of volumes (private, pure)."""

from __future__ import annotations

# What an instance is, whatever its provider calls that. One whose order came to nothing is to be
# terminated still, but costs nothing. What nobody knows counts as alive.
UNKNOWN, BUILDING, RUNNING, OFF = "unknown", "building", "running", "off"
FAILED, ENDING, GONE = "failed", "ending", "gone"
# While it is ending it is not billed, and still holds its volumes.
OVER = frozenset({ENDING, GONE})
# Of a volume that is in the trash, or no more, or on its way there.
VOLUME_ENDED = frozenset({"deleting", "deleted", "canceled"})
VOLUME_GONE = frozenset({"deleted", "canceled", "notfound"})
# In these a volume is on its way to another status; new statuses count as settled.
VOLUME_MOVING = frozenset(
    {"ordered", "creating", "attaching", "detaching", "cloning", "restoring", "canceling"}
)
