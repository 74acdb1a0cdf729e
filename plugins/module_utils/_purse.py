# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The money of an account: how much is left, and in which currency (private, pure)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ._numbers import UnreadableError, money, shown

_CURRENCY = re.compile(r"[A-Za-z]{3}")


@dataclass(frozen=True)
class Balance:
    """What is left on an account, and the currency of it in small letters, such as ``usd``."""

    amount: float
    currency: str


def balance_from(answer: Any) -> Balance:
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


def currency_of(value: Any) -> str | None:
    """Return the name of a currency in small letters, None for what is no name of one."""
    return value.lower() if isinstance(value, str) and _CURRENCY.fullmatch(value) else None


def currencies(rows: list[dict[str, Any]]) -> set[str]:
    """Return the currencies that the rows of a price list name."""
    found = set()
    for row in rows:
        prices = row.get("price")
        value = row.get("currency") or (
            prices.get("currency") if isinstance(prices, dict) else None
        )
        found.add(currency_of(value))
    return {one for one in found if one}
