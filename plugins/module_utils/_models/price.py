# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A price as an answer names it, and whether it can be believed (private, pure)."""

from __future__ import annotations

from dataclasses import dataclass

from .._core.numbers import UnreadableError


@dataclass(frozen=True)
class Price:
    """A price as an answer names it: ``amount`` is None where ``problem`` says why it is not known.

    ``what`` names request and field, ``currency`` is in small letters and may not be told.
    """

    amount: float | None = None
    currency: str | None = None
    what: str = "the price"
    problem: str = "the price is not known"
    is_told: bool = False

    @property
    def or_nothing(self) -> float:
        """The price, 0 where it is not known: for what is shown, and what ends anyway."""
        return self.amount or 0.0

    def known(self, currency: str | None = None) -> float:
        """Return the price, as figures of limits need it.

        Raises UnreadableError for one that is not known, or that is in another ``currency``.
        """
        if self.amount is None:
            raise UnreadableError(self.problem)
        if currency and self.amount and self.currency not in (None, currency):
            raise UnreadableError(
                f'{self.what} is in "{self.currency}", and the account pays in {currency}',
                hint="Two currencies are never added up. Look at the account in the console.",
            )
        return self.amount


UNKNOWN = Price()
NOT_TOLD = Price(0.0, problem="")
