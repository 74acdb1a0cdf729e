# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The money of an account: how much is left, and in which currency (private, pure)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from .._core.data import Data
from .._core.numbers import UnreadableError, money, shown

_CURRENCY = re.compile(r"[A-Za-z]{3}")


@dataclass(frozen=True)
class Balance:
    """What is left on an account, and the currency of it in small letters, such as ``usd``.

    The amount is endless where the provider does not say what is left.
    """

    amount: float
    currency: str

    @property
    def told(self) -> float | None:
        """The amount, None where nobody says what is left."""
        return self.amount if math.isfinite(self.amount) else None


class Priced(Protocol):
    """An entry of a price list."""

    @property
    def currency(self) -> str | None:
        """The currency of its prices in small letters, None where none is named."""


def balance_from(answer: Data) -> Balance:
    """Return the balance of an answer. Raises UnreadableError."""
    if not isinstance(answer, dict):
        raise UnreadableError(f"GET /balance: the answer is no object, but {shown(answer)}")
    amount = money(answer.get("amount"), "GET /balance: amount")
    currency = currency_of(answer.get("currency"))
    if currency is None:
        raise UnreadableError(
            f"GET /balance: currency {shown(answer.get('currency'))} is not a currency"
        )
    return Balance(amount, currency)


def currency_of(value: Data) -> str | None:
    """Return the name of a currency in small letters, None for what is no name of one."""
    return value.lower() if isinstance(value, str) and _CURRENCY.fullmatch(value) else None


def currencies(rows: Iterable[Priced]) -> set[str]:
    """Return the currencies that a price list names."""
    return {row.currency for row in rows if row.currency}
