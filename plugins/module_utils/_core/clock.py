# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the clocks of controller and cloud agree well enough to act on (private, pure)."""

from __future__ import annotations

from .errors import InvalidError

# Beyond the first the clocks differ too much to be right, beyond the second to delete anything.
MOST_SKEW_S = 60
LIMIT_S = 24 * 3600


def skew_warnings(skew: int) -> list[str]:
    """Return a warning when the clocks of controller and cloud differ too much; seconds."""
    if abs(skew) <= MOST_SKEW_S:
        return []
    clock = f"The clock of this controller is {_words(skew)} the cloud's"
    return [f"{clock}. Leases are judged by the cloud's; correct the clock anyway."]


def refuse_strange_clock(skew: int, what: str, *, trusted: bool) -> None:
    """Raise InvalidError when the clocks are more than a day apart, unless the cloud's is trusted.

    One of them is wrong then: a lease that is over by it may have years to go.
    """
    if trusted or abs(skew) <= LIMIT_S:
        return
    raise InvalidError(
        f"The clock of this controller is {_words(skew)} the cloud's, so {what}",
        hint="Set the controller's clock right. If the cloud's is the right one all the same, say "
        "so with trust_cloud_clock: true.",
    )


def _words(skew: int) -> str:
    return f"{abs(skew)} s {'ahead of' if skew > 0 else 'behind'}"
