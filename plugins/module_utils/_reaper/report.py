# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was terminated, what was left and why, and what continues to cost money, for people too (private)."""

from __future__ import annotations

from typing import TypedDict

from .._billing.budget import BudgetRow
from .._core.clock import skew_warnings
from .._core.times import write_time
from .._models.rates import burn_per_hour
from .._models.resources import Instance
from .._providers.base.views import describe_instance
from .budget_limit import exceeded, paid_from
from .decision import ReapedRow, Verdict, verb_of
from .state import FoundReap

_FORETOLD = {"delete": "would_end", "stop": "would_stop"}
_GONE = ("ended", "would_end")


class LivingRow(TypedDict):
    """An instance that lives on, as results show it."""

    id: str | None
    name: str | None
    deployment: str | None
    owner: str | None
    project: str | None
    protected: bool
    lease_end: str | None
    gpu_model: str | None
    gpu_count: int
    instance_type: str | None
    market: str
    location: str | None
    price_per_hour: float | None


class _Report(TypedDict):
    reaped: list[ReapedRow]
    unclear: list[ReapedRow]
    kept: list[ReapedRow]
    saved_per_hour: float
    burn_per_hour: float
    machines: int
    living: list[LivingRow]
    budgets: list[BudgetRow]
    clock_skew_seconds: int
    at: str


class ReapReport(_Report):
    """The result of a run; ``lines`` tell all of it to people."""

    lines: list[str]
    warnings: list[str]


def report(found: FoundReap, skew: int) -> ReapReport:
    """Return the result of a run; what has no outcome yet was planned only."""
    rows = []
    for verdict in found.judgement.over:
        planned = (_FORETOLD.get(found.want["mode"], "would_end"), verdict.detail)
        outcome, detail = found.outcomes.get(verdict.row.id, planned)
        if outcome:
            rows.append((verdict, verdict.as_result(outcome, detail)))
    gone = [verdict for verdict, row in rows if row["outcome"] in _GONE]
    saved, happens = found.saved(gone), found.want["mode"] == "delete"
    less = saved if happens else 0.0
    ids = {verdict.row.id for verdict in gone} if happens else set()
    machines = [row for row in found.judgement.living if row.id not in ids]
    reaped = [row for _verdict, row in rows]
    told: _Report = {
        "reaped": reaped,
        "unclear": [verdict.as_result(None) for verdict in found.judgement.unclear],
        "kept": [verdict.as_result(None) for verdict in found.judgement.kept],
        "saved_per_hour": round(saved, 4),
        "burn_per_hour": round(_burn(found) - less, 4),
        "machines": len(machines),
        "living": [_living(row) for row in machines],
        "budgets": _budgets(found, gone if happens else []),
        "clock_skew_seconds": skew,
        "at": write_time(found.rules.now),
    }
    return {**told, "lines": _lines(found, told), "warnings": skew_warnings(skew)}


def _living(row: Instance) -> LivingRow:
    """Return what somebody wants to know of an instance that lives on."""
    shown = describe_instance(row)
    return {
        "id": shown["id"],
        "name": shown["name"],
        "deployment": shown["deployment"],
        "owner": shown["owner"],
        "project": shown["project"],
        "protected": shown["protected"],
        "lease_end": shown["lease_end"],
        "gpu_model": shown["gpu_model"],
        "gpu_count": shown["gpu_count"],
        "instance_type": shown["instance_type"],
        "market": shown["market"],
        "location": shown["location"],
        "price_per_hour": shown["price_per_hour"],
    }


def _budgets(found: FoundReap, gone: list[Verdict]) -> list[BudgetRow]:
    """Return the state of each limit once some things are gone."""
    rows: list[BudgetRow] = []
    for pot in found.pots:
        rows += pot.rows(found.saved([one for one in gone if paid_from(pot, one)]))
    return rows


def _burn(found: FoundReap) -> float:
    """Return what the scope costs per hour."""
    judgement, rules = found.judgement, found.rules
    machines = {row.id for row in judgement.living}
    mine = [
        row
        for row in found.account.volumes
        if machines & set(row.holders)
        or (row.deployment and rules.covers(row.deployment, row.tagged_owner))
    ]
    return burn_per_hour([*judgement.living, *mine])


def _lines(found: FoundReap, told: _Report) -> list[str]:
    """Return what a person reads in a journal."""
    lines = [f"{_outcome(row)} {_thing(row)}: {row['detail']}" for row in told["reaped"]]
    for verdict in found.judgement.over:
        outcome, detail = found.outcomes.get(verdict.row.id, ("", ""))
        if outcome is None:
            lines.append(f"Left {_thing(verdict.as_result(None))}: {detail}")
    lines += [f"Unclear, so left: {_thing(row)}: {row['detail']}" for row in told["unclear"]]
    lines += [f"Retained (keep): {_thing(row)}" for row in told["kept"]]
    over = exceeded(told["budgets"])
    if over:
        lines.append(f"After this {over}")
    return [*lines, *found.notes, _summary(found, told)]


def _summary(found: FoundReap, told: _Report) -> str:
    ends = found.want["mode"] == "delete"
    number = f"{told['machines']} instance{'' if told['machines'] == 1 else 's'}"
    return (
        f"{number} {'left running' if ends else 'in scope'}; the scope costs {told['burn_per_hour']:g} per hour, "
        f"{told['saved_per_hour']:g} per hour {'saved' if ends else 'to be saved'}"
    )


def _outcome(row: ReapedRow) -> str:
    """Return in words what became of a resource, or what would."""
    verb = verb_of(row["kind"])
    words = {
        "ended": f"{verb}d".capitalize(),
        "stopped": "Stopped",
        "would_end": f"Would {verb}",
        "would_stop": "Would stop",
        "protected": f"Protected, so not {verb}d:",
        "failed": f"Could not {verb}",
    }
    return words[str(row["outcome"])]


def _thing(row: ReapedRow) -> str:
    words = {"ssh_key": "SSH key", "startup_script": "startup script"}
    whose = [f"deployment {row['deployment']}"] if row["deployment"] else []
    whose += [f"owner {row['owner']}"] if row["owner"] else []
    whose += [f"{row['price_per_hour']:g} per hour"] if row["price_per_hour"] else []
    kind = words.get(row["kind"], row["kind"])
    return f"{kind} {row['name']} ({', '.join([row['id'], *whose])})"
