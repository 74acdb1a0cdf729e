# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Walking one ranked list of offers, each of which is ordered at its own provider (private)."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

from .._catalog.several import LeftOut
from .._core.errors import (
    AuthError,
    ForbiddenError,
    GpuopsError,
    InvalidError,
    NoFundsError,
    QuotaError,
)
from .._instances.offer_queue import Walk
from .._models.offer import Offer
from .state import Desk

# What one account refuses, and another may not.
_OF_ONE_ACCOUNT = (AuthError, ForbiddenError, NoFundsError, QuotaError)


@dataclass
class Tour(Walk):
    """A walk over the offers of several desks. ``limits`` are the prices that each account allows.

    ``pinned`` names the provider at which an instance must stand, since its volumes lie there.
    ``homes`` notes where each instance was ordered last.
    """

    desks: dict[str, Desk] = field(default_factory=dict)
    limits: dict[str, float | None] = field(default_factory=dict)
    pinned: dict[str, str] = field(default_factory=dict)
    homes: dict[str, str] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)

    @property
    def closed(self) -> set[str]:
        """The providers at which nothing more is ordered."""
        return {one.provider for one in self.left_out}

    def is_open(self, offer: Offer, name: str) -> bool:
        """Tell whether an instance may be ordered at the provider of an offer."""
        here = self.pinned.get(name, offer.provider) == offer.provider
        return here and offer.provider not in self.closed

    def ceiling_of(self, offer: Offer) -> float | None:
        """Return the price per hour that the account of an offer allows."""
        return self.limits.get(offer.provider)

    def close(self, provider: str, error: GpuopsError) -> bool:
        """Order nothing more at a provider; False where it is the last one."""
        if not self.desks.keys() - self.closed - {provider}:
            return False
        if provider not in self.closed:
            self.left_out.append(LeftOut(provider, error.code, error.message))
        return True

    def leave(self, name: str, offer: Offer, error: GpuopsError) -> bool:
        """Go on at the other providers where a refusal was one of an account alone.

        What a provider is known not to take before any request is such a refusal, too.
        """
        never_sent = isinstance(error, InvalidError) and error.status is None
        clear = not error.unclear and "instance_id" not in error.details
        if not (clear and (never_sent or isinstance(error, _OF_ONE_ACCOUNT))):
            return False
        self.note(name, offer, "refused", error.message)
        return self.close(offer.provider, error)

    def seen_from(self, desk: Desk) -> Tour:
        """Return the same walk with the limits and the ends of one account."""
        mine = copy.copy(self)
        mine.fallbacks, mine.ends = desk.fallbacks, desk.found.ends
        mine.bought = desk.guard.check_bought
        return mine

    def look_at_limits(self) -> None:
        """Ask each account again what it allows: much may happen while stock is awaited."""
        for provider, desk in self.desks.items():
            if provider not in self.closed:
                self.limits[provider] = desk.guard.look_again()
