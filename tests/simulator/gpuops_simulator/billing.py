# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prepaid billing in steps of ten minutes, on simulated time; the unused rest comes back."""

from __future__ import annotations

import heapq
from decimal import Decimal
from math import floor

from .clock import iso
from .errors import no_funds
from .model import Account, Meter

STEP = 600.0
ZERO = Decimal(0)


def first_step(price_per_hour: Decimal) -> Decimal:
    """Return the price of one billing step."""
    return price_per_hour * Decimal(STEP) / 3600


def open_meter(account: Account, meter: Meter) -> None:
    """Start to bill a thing: its first step is paid at once, or a 402 is raised."""
    if account.balance < first_step(meter.price_per_hour):
        raise no_funds()
    account.meters[meter.id] = meter
    _pay(account, meter, 1)


def close_meter(account: Account, meter_id: str, now: float, refund_all: bool = False) -> None:
    """Stop billing; give back the unused rest, or everything when nothing came of an order."""
    meter = account.meters.get(meter_id)
    if meter is None or meter.until is not None:
        return
    meter.until = now
    unused = Decimal(max(0.0, meter.paid_until - now)) / 3600 * meter.price_per_hour
    back = meter.charged - meter.refunded if refund_all else unused
    meter.refunded += back
    account.balance += back


def reopen_meter(account: Account, meter_id: str, now: float) -> None:
    """Bill a thing again as if it had never stopped: what a restore from the trash costs."""
    meter = account.meters[meter_id]
    gap = Decimal(now - (meter.until or now)) / 3600 * meter.price_per_hour
    if account.balance < gap + first_step(meter.price_per_hour):
        raise no_funds()
    account.balance -= gap
    meter.charged += gap
    meter.until, meter.paid_until = None, now
    _pay(account, meter, 1)


def reprice_meter(account: Account, meter_id: str, price_per_hour: Decimal, now: float) -> None:
    """Go on at another price from now on."""
    meter = account.meters[meter_id]
    unused = Decimal(max(0.0, meter.paid_until - now)) / 3600 * meter.price_per_hour
    meter.refunded += unused
    account.balance += unused
    meter.price_per_hour, meter.paid_until = price_per_hour, now
    _pay(account, meter, 1)


def charge(account: Account, until: float) -> float | None:
    """Charge every step begun by `until`; return the time at which the money ran out, if it did."""
    due = {m.id: floor((until - m.paid_until) / STEP) + 1 for m in _running(account, until)}
    total = sum((first_step(account.meters[i].price_per_hour) * n for i, n in due.items()), ZERO)
    if total <= account.balance:
        for meter_id, steps in due.items():
            _pay(account, account.meters[meter_id], steps)
        return None
    return _charge_one_by_one(account, until)


def _running(account: Account, until: float) -> list[Meter]:
    return [m for m in account.meters.values() if m.until is None and m.paid_until <= until]


def _charge_one_by_one(account: Account, until: float) -> float | None:
    queue = [(m.paid_until, m.id) for m in _running(account, until)]
    heapq.heapify(queue)
    while queue and queue[0][0] <= until:
        at, meter_id = heapq.heappop(queue)
        meter = account.meters[meter_id]
        if first_step(meter.price_per_hour) > account.balance:
            return at
        _pay(account, meter, 1)
        heapq.heappush(queue, (meter.paid_until, meter_id))
    return None


def _pay(account: Account, meter: Meter, steps: int) -> None:
    cost = first_step(meter.price_per_hour) * steps
    account.balance -= cost
    meter.charged += cost
    meter.paid_until += STEP * steps


def bill(account: Account) -> list[dict[str, object]]:
    """Return what each instance and volume has cost, the simulator's own record."""
    return [
        {
            "id": m.id,
            "kind": m.kind,
            "name": m.name,
            "price_per_hour": round(float(m.price_per_hour), 9),
            "since": iso(m.since),
            "until": None if m.until is None else iso(m.until),
            "charged": round(float(m.charged), 6),
            "refunded": round(float(m.refunded), 6),
            "cost": round(float(m.charged - m.refunded), 6),
        }
        for m in account.meters.values()
    ]
