# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the page of the costs is drawn from: what everything has cost, by its things (private, pure)."""

from __future__ import annotations

from typing import TypedDict

# By its fields and not as a class, since one of them is a word of the language.
Thing = TypedDict(
    "Thing",
    {
        "kind": str,
        "name": str,
        "deployment": "str | None",
        "job": "str | None",
        "owner": "str | None",
        "project": "str | None",
        "gpu_model": "str | None",
        "instance_type": "str | None",
        "market": "str | None",
        "from": str,
        "until": "str | None",
        "lease_end": "str | None",
        "price_per_hour": float,
        "cost": float,
        "protected": bool,
    },
)


class Scope(TypedDict, total=False):
    """Whose budget it is: without either that of the account."""

    owner: str | None
    project: str | None


class Budget(Scope):
    """One budget, and how much of it is used."""

    period: str
    limit: float
    used: float
    share_percent: float | None
    state: str


class Now(TypedDict, total=False):
    """What is true of the account at this moment."""

    balance: float | None
    burn_per_hour: float | None
    runway_hours: float | None
    machines: int


class _Always(TypedDict):
    since: str
    until: str
    total: float
    things: list[Thing]


class Cost(_Always, total=False):
    """The result of the module that tells costs, as far as it is drawn."""

    budgets: list[Budget] | None
    now: Now | None
