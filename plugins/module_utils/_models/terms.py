# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What else is to be known of a single offer of a market, where anybody rents out (private, pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from .._core.times import read_time


class TermsRow(TypedDict):
    """The terms as module results show them."""

    reliability: float | None
    verification: str | None
    traffic_down_price: float | None
    traffic_up_price: float | None
    contract_end: str | None


@dataclass(frozen=True)
class Terms:
    """Who vouches for an offer, what its traffic costs, and until when it can be had at all.

    ``reliability`` is a share of one, ``verification`` the market's own word. Traffic is priced per GB.
    ``contract_end`` is a time in ISO 8601: whatever was rented is stopped then, leased or not.
    """

    reliability: float | None = None
    verification: str | None = None
    traffic_down_price: float | None = None
    traffic_up_price: float | None = None
    contract_end: str | None = None

    @property
    def ends(self) -> datetime | None:
        """The end of the contract, None where nobody tells one."""
        return read_time(self.contract_end)

    def as_dict(self) -> TermsRow:
        """Return the terms as module results show them."""
        return {
            "reliability": self.reliability,
            "verification": self.verification,
            "traffic_down_price": self.traffic_down_price,
            "traffic_up_price": self.traffic_up_price,
            "contract_end": self.contract_end,
        }
