# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the status words of an instance mean, those included that are ours (private, pure)."""

from __future__ import annotations

from ..._models.status import BUILDING, FAILED, OFF, RUNNING, UNKNOWN

# No word of the vendor: nothing has begun, somebody bids more, and the container cannot run.
PROVISIONING, OUTBID, BROKEN = "provisioning", "outbid", "broken"
_STATES = {
    PROVISIONING: BUILDING,
    "created": BUILDING,
    "loading": BUILDING,
    "running": RUNNING,
    "stopped": OFF,
    "exited": OFF,
    OUTBID: FAILED,
    BROKEN: FAILED,
}


def state_of(status: str) -> str:
    """Return the state that a status means; one that is new is unknown, and counts as alive."""
    return _STATES.get(status, UNKNOWN)
