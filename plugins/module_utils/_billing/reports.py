# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions about money: what is left, what burns, how long it lasts, and the budgets (private)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Literal, TypedDict

from .._core.errors import InvalidError
from .._core.times import read_duration, read_time, write_time
from .._ledger import rounds, store
from .._ledger.event import Event
from .._ledger.history import (
    CostRow,
    DayRow,
    Fact,
    Thing,
    ThingRow,
    cost_by,
    cost_by_day,
    cost_by_month,
    spent,
    thing_row,
)
from .._ledger.reconcile import Shown, gone_or_there
from .._models.balance import Balance
from .._models.ownership import job_of_deployment
from .._models.rates import runway_hours
from .._providers.base.client import Client
from .._providers.base.views import describe_marks
from . import running_costs
from .budget import BudgetRow, GivenBudget, check_budget, worst
from .pots import pots_of, rows_of_pots
from .spending_history import read_history


class BalanceWant(TypedDict):
    """The options of the module that tells the balance."""

    budget: GivenBudget | None
    ledger: str | None
    config_dir: str | None


class _Balance(running_costs.Sums):
    amount: float | None
    currency: str | None
    runway_hours: float | None
    endless_per_hour: float
    by: dict[str, list[running_costs.Group]]
    reapers: list[rounds.Told]
    budgets: list[BudgetRow]
    state: str


class BalanceResult(_Balance, total=False):
    """What the module tells; who shows warnings takes them out."""

    warnings: list[str]


class CostWant(TypedDict):
    """The options of the module that tells what things have cost."""

    budget: GivenBudget | None
    ledger: str | None
    since: str | None
    until: str | None
    deployment: str | None
    owner: str | None
    project: str | None


class CostedThing(ThingRow):
    """A thing, and whether it is protected: such an instance is never terminated by itself."""

    protected: bool


class Now(TypedDict):
    """What is left, and how fast it goes."""

    balance: float | None
    burn_per_hour: float
    runway_hours: float | None
    machines: int


class CostResult(TypedDict):
    """What the module tells of what things have cost."""

    currency: str
    since: str
    until: str
    total: float
    by: dict[str, list[CostRow]]
    things: list[CostedThing]
    daily: list[DayRow]
    now: Now
    month: running_costs.Forecast
    budgets: list[BudgetRow]
    warnings: list[str]


def balance(client: Client, want: BalanceWant) -> BalanceResult:
    """Return the money left, what burns per hour and whose it is, and the state of the budgets."""
    budget = check_budget(want["budget"])
    money, instances, volumes, history = client.together(
        client.balance,
        client.instances,
        client.volumes,
        lambda: read_history(want["ledger"], budget, client.now()),
    )
    now, amount = client.now(), money.amount
    things = running_costs.living(instances, volumes, now, money.currency)
    whole = running_costs.sums(things, now)
    past = gone_or_there(history.known, Shown(instances, volumes, providers=(client.name,)), now)
    rows = rows_of_pots(pots_of(budget, things, past, now))
    reapers = rounds.seen(want["config_dir"], want["ledger"], client.account, now)
    return {
        "amount": money.told,
        "currency": money.currency,
        "runway_hours": runway_hours(amount, whole["burn_per_hour"]),
        **whole,
        "endless_per_hour": round(
            running_costs.burn(one for one in things if not one.lease_end), 4
        ),
        "by": running_costs.sums_by(things, now),
        "reapers": [one.as_result() for one in reapers],
        "budgets": rows,
        "state": worst(rows),
        "warnings": history.warnings,
    }


_FACTS: tuple[Fact, ...] = ("deployment", "job", "owner", "project", "gpu_model")
_FILTERS: tuple[Literal["deployment", "owner", "project"], ...] = ("deployment", "owner", "project")


def costs(client: Client, want: CostWant) -> CostResult:
    """Return what everything has cost in a span, by what it was for; nothing is written."""
    budget = check_budget(want["budget"])
    shown, money, events, warnings = _look(client, want["ledger"])
    now = client.now()
    every = gone_or_there(events, shown, now)
    things = [_of_job(thing) for thing in every if _is_meant(thing, want)]
    since, until = _span(things, want, now)
    meant = [one for one in things if one.start <= until and (one.until or until) >= since]
    live = running_costs.living(shown.instances, shown.volumes, now, money.currency)
    burn, amount = running_costs.burn(live), money.amount
    protected = {row.id for row in shown.instances if describe_marks(row)["protected"]}
    rows: list[CostedThing] = [
        {**thing_row(one, since, until), "protected": one.id in protected} for one in meant
    ]
    return {
        "currency": money.currency,
        "since": write_time(since),
        "until": write_time(until),
        "total": round(sum(one.cost_between(since, until) for one in meant), 4),
        "by": {
            **{key: cost_by(meant, key, since, until) for key in _FACTS},
            "month": cost_by_month(meant, since, until),
        },
        "things": sorted(rows, key=lambda row: (row["from"], row["kind"], row["id"])),
        "daily": cost_by_day(meant, since, until),
        "now": {
            "balance": money.told,
            "burn_per_hour": round(burn, 4),
            "runway_hours": runway_hours(amount, burn),
            "machines": sum(1 for one in live if one.kind == "instance"),
        },
        "month": running_costs.forecast(spent(every, now)["month"], live, now),
        "budgets": rows_of_pots(pots_of(budget, live, every, now)),
        "warnings": warnings,
    }


def _look(client: Client, ledger: str | None) -> tuple[Shown, Balance, list[Event], list[str]]:
    """Return what the cloud shows of the present and the past, the balance, and what a ledger holds."""
    instances, volumes, ended, trash, money, (events, warnings) = client.together(
        client.instances,
        client.volumes,
        client.ended_instances,
        client.trashed_volumes,
        client.balance,
        lambda: _all_events(ledger),
    )
    return Shown(instances, volumes, ended, trash, (client.name,)), money, events, warnings


def _all_events(url: str | None) -> tuple[list[Event], list[str]]:
    try:
        return store.read(url), []
    except store.LedgerError as error:
        return [], [f"{error} Only what the cloud still shows is counted."]


def _is_meant(thing: Thing, want: CostWant) -> bool:
    return all(want[key] in (None, thing.facts.get(key)) for key in _FILTERS)


def _of_job(thing: Thing) -> Thing:
    """Return a thing that says which job it was for: what a job buys is a deployment of its own."""
    return replace(
        thing, facts={**thing.facts, "job": job_of_deployment(thing.facts["deployment"])}
    )


def _span(things: list[Thing], want: CostWant, now: datetime) -> tuple[datetime, datetime]:
    """Return the span that is asked for: since the first thing, until now, unless told."""
    until = min(_moment("until", want["until"], now) or now, now)
    first = min((thing.start for thing in things), default=until)
    since = _moment("since", want["since"], now) or min(first, until)
    if since > until:
        raise InvalidError(f"since {write_time(since)} is later than until {write_time(until)}")
    return since, until


def _moment(option: str, text: str | None, now: datetime) -> datetime | None:
    """Return a time, or the moment so long ago as a duration says."""
    if not text:
        return None
    return read_time(text) or now - read_duration(text, option)
