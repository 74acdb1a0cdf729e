# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that look otherwise than documented: lists in another shape, amounts as no numbers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from .dialect import Dialect

MONEY = frozenset(
    {
        "amount",
        "base_hourly_cost",
        "monthly_price",
        "price_per_hour",
        "price_per_month_per_gb",
        "spot_price",
    }
)
AMOUNTS: dict[str, Callable[[Any], Any]] = {
    "nan": lambda value: float("nan"),
    "null": lambda value: None,
    "comma": lambda value: f"{float(value):.3f}".replace(".", ","),
}
SHAPES: dict[str, Callable[[list[Any]], Any]] = {
    "data": lambda rows: {"data": rows},
    "object": lambda rows: {},
    "null": lambda rows: None,
}


def spoken(dialect: Dialect, body: bytes) -> bytes:
    """Return the JSON of a read as this account writes it."""
    amount, shape = AMOUNTS.get(dialect.numbers), SHAPES.get(dialect.list_shape)
    if not (amount or shape):
        return body
    data = json.loads(body)
    if amount:
        data = _with_amounts(data, amount)
    if shape and isinstance(data, list):
        data = shape(data)
    return json.dumps(data).encode()


def _with_amounts(data: Any, amount: Callable[[Any], Any]) -> Any:
    """Return data whose amounts of money are written in another way."""
    if isinstance(data, list):
        return [_with_amounts(item, amount) for item in data]
    if not isinstance(data, dict):
        return data
    return {
        key: amount(value) if key in MONEY and value is not None else _with_amounts(value, amount)
        for key, value in data.items()
    }
