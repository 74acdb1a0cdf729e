# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the API's words for the status of an instance mean (private, pure)."""

from __future__ import annotations

from ..._models.status import BUILDING, ENDING, FAILED, GONE, OFF, RUNNING, UNKNOWN

# Nothing came of its order, and its money is given back.
NO_CAPACITY = "no_capacity"
_STATES = {
    **dict.fromkeys(("new", "ordered", "validating", "provisioning"), BUILDING),
    "running": RUNNING,
    "offline": OFF,
    **dict.fromkeys(("error", "installation_failed", NO_CAPACITY), FAILED),
    "deleting": ENDING,
    **dict.fromkeys(("discontinued", "deleted", "notfound"), GONE),
}


def state_of(status: str) -> str:
    """Return the state that a status means; one that is new is unknown, and counts as alive."""
    return _STATES.get(status, UNKNOWN)
