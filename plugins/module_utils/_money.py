# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions about money: what is left, what burns, how long it lasts, and the budgets (private)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from . import _costs, _ledger
from ._bookkeeper import look
from ._books import Thing, cost_by, cost_by_day, cost_by_month, spent, thing_row
from ._budget import begin_of, budget_rows, check_budget, worst
from ._client import Client
from ._describe import describe_marks
from ._errors import InvalidError
from ._lease import read_duration, read_time, write_time
from ._spend import runway_hours
from ._sync import Shown, gone_or_there

# Without these, nothing of the past matters.
_OF_THE_PAST = ("per_day", "per_month", "total")


def past_events(
    url: str | None, budget: dict[str, Any], now: datetime
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return what a budget needs of the ledger, and warnings when that cannot be read."""
    if not any(budget.get(key) for key in _OF_THE_PAST):
        return [], []
    # The clock of the controller may be a little wrong, and nothing else is known yet.
    begin = begin_of("month", now - timedelta(days=2))
    since = None if budget.get("total") else begin
    try:
        return _ledger.read(url, since), []
    except _ledger.LedgerError as error:
        return [], [f"{error} Only what exists now counts for the budget."]


def balance(client: Client, want: dict[str, Any]) -> dict[str, Any]:
    """Return the money left, what burns per hour and whose it is, and the state of the budgets."""
    budget = check_budget(want["budget"])
    money, instances, volumes, (events, warnings) = client.together(
        client.balance,
        client.instances,
        client.volumes,
        lambda: past_events(want["ledger"], budget, client.now()),
    )
    now = client.now()
    things = _costs.living(instances, volumes, now)
    whole = _costs.sums(things, now)
    shown = Shown(instances, volumes)
    rows = budget_rows(budget, _costs.burn(things), spent(gone_or_there(events, shown, now), now))
    amount = float(money["amount"])
    return {
        "amount": amount,
        "currency": money.get("currency"),
        "runway_hours": runway_hours(amount, whole["burn_per_hour"]),
        **whole,
        "endless_per_hour": round(_costs.burn(one for one in things if not one.lease_end), 4),
        "by": _costs.sums_by(things, now),
        "budgets": rows,
        "state": worst(rows),
        "warnings": warnings,
    }


_FACTS = ("deployment", "owner", "project", "gpu_model")
_FILTERS = ("deployment", "owner", "project")


def costs(client: Client, want: dict[str, Any]) -> dict[str, Any]:
    """Return what everything has cost in a span, by what it was for; nothing is written."""
    budget = check_budget(want["budget"])
    shown, (money, (events, warnings)) = look(
        client, client.balance, lambda: _all_events(want["ledger"])
    )
    now = client.now()
    every = gone_or_there(events, shown, now)
    things = [thing for thing in every if _is_meant(thing, want)]
    since, until = _span(things, want, now)
    meant = [one for one in things if one.start <= until and (one.until or until) >= since]
    live = _costs.living(shown.instances, shown.volumes, now)
    burn, amount = _costs.burn(live), float(money["amount"])
    marks = {row["id"]: describe_marks(row) for row in shown.instances}
    rows = [
        {**thing_row(one, since, until), "protected": marks.get(one.id, {}).get("protected", False)}
        for one in meant
    ]
    return {
        "currency": money.get("currency"),
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
            "balance": amount,
            "burn_per_hour": round(burn, 4),
            "runway_hours": runway_hours(amount, burn),
            "machines": sum(1 for one in live if one.kind == "instance"),
        },
        "budgets": budget_rows(budget, burn, spent(every, now)),
        "warnings": warnings,
    }


def _all_events(url: str | None) -> tuple[list[dict[str, Any]], list[str]]:
    try:
        return _ledger.read(url), []
    except _ledger.LedgerError as error:
        return [], [f"{error} Only what the cloud still shows is counted."]


def _is_meant(thing: Thing, want: dict[str, Any]) -> bool:
    return all(want[key] in (None, thing.facts.get(key)) for key in _FILTERS)


def _span(things: list[Thing], want: dict[str, Any], now: datetime) -> tuple[datetime, datetime]:
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
