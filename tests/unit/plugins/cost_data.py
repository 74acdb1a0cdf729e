# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Costs of made-up accounts, in the shape of the result of datacrunch_cost_info."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any

NOW = datetime(2026, 11, 22, 14, 20, tzinfo=timezone.utc)
KINDS = (
    ("H200", "1H200.141S.44V", 1, 4.639),
    ("H100", "1H100.80S.32V", 1, 3.555),
    ("H100", "4H100.80S.176V", 4, 14.22),
    ("A100", "1A100.22V", 1, 1.797),
    ("L40S", "1L40S.20V", 1, 1.543),
    ("V100", "1V100.6V", 1, 0.19),
)
TEAMS = (
    ("chat-prod", "ada", "assistant"),
    ("training", "grace", "foundation"),
    ("eval-nightly", "ada", "assistant"),
    ("embeddings", "linus", "search"),
    ("sandbox", "grace", None),
    ("demo", "linus", None),
    ("speech", "mary", "voice"),
    ("vision", "mary", "voice"),
)
RUNNING = -1.0


def iso(when: datetime) -> str:
    """Return a time as results write it."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def thing(
    number: int,
    start_h: float,
    length_h: float = RUNNING,
    lease_h: float | None = None,
    *,
    kind: int = 3,
    team: int = 0,
    **more: Any,
) -> dict[str, Any]:
    """Return an instance that began ``start_h`` hours ago; its lease ends in ``lease_h`` hours."""
    model, kind_name, count, price = KINDS[kind]
    deployment, owner, project = TEAMS[team]
    hours = start_h if length_h == RUNNING else length_h
    return {
        "kind": "instance",
        "id": f"00000000-0000-4000-8000-{number:012d}",
        "name": f"{deployment}-{number}",
        "deployment": deployment,
        "owner": owner,
        "project": project,
        "gpu_model": model,
        "gpu_count": count,
        "instance_type": kind_name,
        "market": "on_demand",
        "location": "FIN-03",
        "from": iso(NOW - timedelta(hours=start_h)),
        "until": None if length_h == RUNNING else iso(NOW - timedelta(hours=start_h - length_h)),
        "lease_end": None if lease_h is None else iso(NOW + timedelta(hours=lease_h)),
        "hours": round(hours, 3),
        "price_per_hour": price,
        "cost": round(hours * price, 4),
        "estimated": False,
        "protected": False,
        **more,
    }


def disk(number: int, start_h: float, *, team: int = 0, price: float = 0.0274) -> dict[str, Any]:
    """Return a volume that exists since ``start_h`` hours."""
    row = thing(number, start_h, team=team)
    nothing = dict.fromkeys(("gpu_model", "gpu_count", "instance_type", "market", "lease_end"))
    name = f"gpuops.{row['deployment']}.{row['name']}.os"
    prices = {"price_per_hour": price, "cost": round(start_h * price, 4)}
    return {**row, **nothing, "kind": "volume", "name": name, **prices}


def costs(
    things: list[dict[str, Any]], days: float = 22, balance: float = 1480.0, **more: Any
) -> dict[str, Any]:
    """Return the result over these things."""
    burn = round(sum(row["price_per_hour"] for row in things if row["until"] is None), 4)
    machines = sum(1 for row in things if row["until"] is None and row["kind"] == "instance")
    keys = ("deployment", "owner", "project", "gpu_model")
    return {
        "currency": "usd",
        "since": iso(NOW - timedelta(days=days)),
        "until": iso(NOW),
        "total": round(sum(row["cost"] for row in things), 4),
        "by": {**{key: _by(things, key) for key in keys}, "month": _by_month(things)},
        "things": things,
        "daily": [],
        "now": {
            "balance": balance,
            "burn_per_hour": burn,
            "runway_hours": round(balance / burn, 1) if burn else None,
            "machines": machines,
        },
        "budgets": [],
        **more,
    }


def _by(things: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    names = {row[key] for row in things}
    rows = []
    for name in names:
        mine = [row for row in things if row[key] == name]
        cost, hours = sum(row["cost"] for row in mine), sum(row["hours"] for row in mine)
        rows.append({"name": name, "cost": round(cost, 4), "hours": round(hours, 3)})
    return sorted(rows, key=lambda row: -row["cost"])


def _by_month(things: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the costs by the month in which a thing began; near enough for a page."""
    return _by([{**row, "month": row["from"][:7]} for row in things], "month")


def budget(period: str, limit: float, used: float) -> dict[str, Any]:
    """Return one row of a budget."""
    percent = round(used / limit * 100, 2)
    states = ((100, "exceeded"), (90, "critical"), (80, "warning"), (0, "ok"))
    state = next(name for border, name in states if percent >= border)
    row = {"period": period, "limit": limit, "used": used}
    return {**row, "share_percent": percent, "state": state}


BUDGETS = [
    budget("hour", 40, 27.36),
    budget("day", 350, 293.82),
    budget("month", 3750, 3495.0),
    budget("total", 12000, 12720.0),
]


def usual() -> dict[str, Any]:
    """Return three weeks of a small team: instances that live, one that is overdue, one kept."""
    draw = Random(7)
    things = [
        thing(1, 61.5, lease_h=-0.7, kind=4, team=4),
        thing(2, 30, lease_h=0.6, kind=0, team=0),
        thing(3, 216, lease_h=96, kind=0, team=0, protected=True),
        thing(4, 5.5, lease_h=6.5, kind=2, team=1, market="spot", location="FIN-01"),
        thing(5, 2.25, lease_h=9.75, kind=3, team=3),
        thing(6, 12, lease_h=None, kind=5, team=5),
        disk(7, 216, team=0),
        disk(8, 61.5, team=4),
        disk(9, 400, team=1, price=0.274),
    ]
    for number in range(10, 58):
        start = draw.uniform(8, 22 * 24)
        length = min(draw.choice((0.7, 2, 6, 12, 20, 31)) * draw.uniform(0.6, 1.2), start - 1)
        team = draw.choice((0, 1, 1, 2, 2, 3, 4, 5, 6, 7))
        row = thing(number, start, length, kind=draw.choice((0, 1, 1, 2, 3, 4)), team=team)
        things.append({**row, "estimated": number % 9 == 0})
    return costs(things, budgets=BUDGETS)


def crowd(machines: int = 200) -> dict[str, Any]:
    """Return an account with very many instances over half a year."""
    draw = Random(11)
    things = []
    for number in range(machines):
        row = thing(
            number,
            draw.uniform(1, 180 * 24),
            lease_h=draw.uniform(-2, 300),
            kind=draw.randrange(len(KINDS)),
            team=draw.randrange(len(TEAMS)),
        )
        name = f"d{number % 40:02d}-with-a-rather-long-name-of-a-deployment"
        things.append({**row, "deployment": name})
    return costs(things, days=180, balance=250000.0)


EVIL = '<script>document.title="owned"</script><img src=x onerror=alert(1)>&"\''


def hostile() -> dict[str, Any]:
    """Return costs in which every text is HTML."""
    row = thing(1, 5, lease_h=4)
    texts = {key: EVIL for key, value in row.items() if isinstance(value, str)}
    times = {key: row[key] for key in ("from", "lease_end", "kind")}
    return costs([{**row, **texts, **times}], days=1, currency="<b>usd</b>")


CASES = {
    "usual": usual,
    "empty": lambda: costs([], balance=100.0),
    "one day": lambda: costs([thing(1, 6, lease_h=6), disk(2, 6)], days=0.6),
    "one machine": lambda: costs([thing(1, 300, lease_h=None)], days=22),
    "crowd": crowd,
    "hostile": hostile,
}
