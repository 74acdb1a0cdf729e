# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be told of a run: facts of its results become events (private, pure)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import cast

from .._billing.budget import OK, STATES
from .._core.periods import begin_of
from .._core.times import read_time, write_time
from .._providers.names import module_of
from .._ssh.idle_report import FRESH, NamedReport
from .event import (
    BOUGHT,
    BUDGET,
    LEASE_ENDING,
    NOT_TERMINATED,
    SERVER_DOWN,
    TERMINATED,
    Event,
    Fact,
    amount,
    words,
)
from .rows import Budget, Row

# So long before its end a lease is told of.
NOTICE = timedelta(minutes=30)
# A server that is started anew, with its model, is not down at once.
DOWN_AFTER = timedelta(minutes=5)
# Who writes ends into the ledger that a reaper has made, or has found.
REAPER, FOUND = module_of("reap"), "cloud"
_FACTS = ("id", "name", "deployment", "owner", "project", "price_per_hour", "lease_end")
_PARTS = ("gpu_model", "gpu_count", "instance_type", "market", "location")
_SPANS = {"hour": "per hour", "day": "of this day", "month": "of this month", "total": "in total"}
_KINDS = {"ssh_key": "SSH key", "startup_script": "startup script"}


@dataclass(frozen=True)
class Seen:
    """What a run has seen and done, as its modules return it; ``now`` is by the clock of the cloud."""

    now: datetime
    currency: str = ""
    bought: list[Row] = field(default_factory=list)
    living: list[Row] = field(default_factory=list)
    reaped: list[Row] = field(default_factory=list)
    budgets: list[Budget] = field(default_factory=list)
    reports: list[NamedReport] = field(default_factory=list)


def events_of(seen: Seen) -> list[Event]:
    """Return everything that is to be told of a run."""
    return [
        *(_bought(row, read_time(row.get("created_at")) or seen.now, seen) for row in seen.bought),
        *_reaped(seen),
        *_leases(seen),
        *_budgets(seen),
        *_servers(seen),
    ]


def events_of_ledger(rows: Iterable[Row], seen: Seen) -> Iterator[Event]:
    """Yield what the ledger knows of purchases, and of ends that a reaper has made or found.

    It says the same as the run that did it, should that have been killed before it told anybody.
    """
    for row in rows:
        at = read_time(row["at"])
        fact: Row = {**row, "id": row["thing_id"]}
        if at is None or row["kind"] != "instance":
            continue
        if row["event"] == "purchase":
            yield _bought(fact, at, seen)
        elif row["event"] == "end" and row["source"] in (REAPER, FOUND):
            yield _terminated(fact, at, seen, _why(row, at))


def _why(row: Row, at: datetime) -> str:
    end = read_time(row["lease_end"])
    if row["source"] == FOUND:
        return "the cloud shows it no more, and nobody wrote down who terminated it"
    return f"its lease ended at {row['lease_end']}" if end and end <= at else ""


def _facts(row: Row, seen: Seen, *more: str) -> dict[str, Fact]:
    found = {key: cast(Fact, row.get(key)) for key in (*_FACTS, *more)}
    found = {key: words(value) if isinstance(value, str) else value for key, value in found.items()}
    return {**found, "currency": seen.currency or None}


def _whose(row: Row) -> str:
    """Return whose something is, as the last part of a sentence."""
    whose = {"deployment": row.get("deployment"), "owner": row.get("owner")}
    named = [f"{key} {words(name)}" for key, name in whose.items() if name]
    return f" ({', '.join(named)})" if named else ""


def _price(row: Row, seen: Seen) -> str:
    found = amount(row.get("price_per_hour"), seen.currency)
    return f"{found} per hour" if found else "a price that is not known"


def _bought(row: Row, at: datetime, seen: Seen) -> Event:
    parts = [row.get("instance_type"), row.get("location"), row.get("market")]
    what = ", ".join(words(part).replace("_", "-") for part in parts if part)
    until = f"until {row['lease_end']}" if row.get("lease_end") else "without a lease"
    text = (
        f"Bought {words(row.get('name'))}: {what}, for {_price(row, seen)}, {until}{_whose(row)}."
    )
    return Event(f"bought:{row['id']}", BOUGHT, at, text, _facts(row, seen, *_PARTS))


# -- a round of the reaper -------------------------------------------------------------------------


def _reaped(seen: Seen) -> Iterator[Event]:
    for row in seen.reaped:
        why = words(row.get("detail"))
        if row.get("kind") not in ("instance", "volume"):
            continue
        if row["outcome"] == "ended":
            yield _terminated(row, seen.now, seen, why)
        elif row["outcome"] == "stopped":
            text = f"Stopped {_thing(row)}, which costs as much as before: {why}{_whose(row)}."
            mark = f"stopped:{row['id']}:{row.get('lease_end') or ''}"
            yield Event(
                mark, TERMINATED, seen.now, text, _facts(row, seen, "kind", "reason", "outcome")
            )
        elif row["outcome"] == "failed":
            costs = f"it goes on costing {_price(row, seen)}"
            text = f"Could not terminate {_thing(row)}, {costs}: {why}{_whose(row)}."
            mark = f"not_terminated:{row['id']}:{seen.now:%Y-%m-%d}"
            facts = _facts(row, seen, "kind", "reason", "outcome")
            yield Event(mark, NOT_TERMINATED, seen.now, text, facts)


def _terminated(row: Row, at: datetime, seen: Seen, why: str) -> Event:
    because = f": {why}" if why else ""
    text = f"Terminated {_thing(row)}, which cost {_price(row, seen)}{because}{_whose(row)}."
    facts: dict[str, Fact] = {**_facts(row, seen, "kind", "reason"), "outcome": "terminated"}
    return Event(f"terminated:{row['id']}", TERMINATED, at, text, facts)


def _thing(row: Row) -> str:
    kind = row.get("kind") or "instance"
    name = words(row.get("name"))
    return name if kind == "instance" else f"{_KINDS.get(kind, kind)} {name}"


def _leases(seen: Seen) -> Iterator[Event]:
    for row in seen.living:
        end = read_time(row.get("lease_end"))
        if end is None or not seen.now < end <= seen.now + NOTICE:
            continue
        minutes = round((end - seen.now).total_seconds() / 60)
        what = "It is protected, so it goes on" if row.get("protected") else "It costs"
        longer = f"ansible-playbook gpuops.cloud.lease -e deployment={words(row.get('deployment'))}"
        text = (
            f"The lease of {words(row.get('name'))} ends in {minutes} min, at {write_time(end)}"
            f"{_whose(row)}. {what}{' costing' if row.get('protected') else ''} "
            f"{_price(row, seen)}. To keep it: {longer} -e extend=2h"
        )
        mark = f"lease_ending:{row['id']}:{write_time(end)}"
        yield Event(mark, LEASE_ENDING, seen.now, text, _facts(row, seen, *_PARTS))


def _budgets(seen: Seen) -> Iterator[Event]:
    """Yield each budget at the highest step it has reached; the steps below are told with it."""
    for row in seen.budgets:
        if row.get("state") not in STATES or row["state"] == OK:
            continue
        period = row["period"]
        # What burns in an hour goes up and down; once a day is enough.
        begin = begin_of(period, seen.now) or (
            begin_of("day", seen.now) if period == "hour" else None
        )
        whose = {"owner": row.get("owner"), "project": row.get("project")}
        of = next((f"{key} {words(name)}" for key, name in whose.items() if name), "")
        since = f"{begin:%Y-%m-%d}" if begin else ""
        mark = f"budget:{of or 'account'}:{period}:{since}:{row['limit']:g}"
        steps = [f"{mark}:{state}" for state in STATES[1 : STATES.index(row["state"]) + 1]]
        used, limit = amount(row["used"], ""), amount(row["limit"], seen.currency)
        text = (
            f"{row['share_percent']:g} % of the budget{f' of {of}' if of else ''} is used: "
            f"{used} of {limit} {_SPANS.get(period, period)}."
        )
        facts = {**cast(dict[str, Fact], row), "currency": seen.currency or None}
        yield Event(steps[-1], BUDGET, seen.now, text, facts, tuple(steps[:-1]))


def _servers(seen: Seen) -> Iterator[Event]:
    """Yield model servers that have failed their health check for some minutes."""
    named = {row["id"]: row for row in seen.living}
    for report in seen.reports:
        machine, at = named.get(report.get("id")), read_time(report.get("at"))
        if machine is None or at is None or abs(seen.now - at) > FRESH:
            continue
        for server in report.get("servers") or ():
            since = read_time(server.get("down_since"))
            if since is None or at - since < DOWN_AFTER:
                continue
            port, why = words(server.get("port")), words(server.get("why"))
            text = (
                f"The model server on {words(machine.get('name'))}, port {port}, has failed its "
                f"health check since {write_time(since)}{_whose(machine)}: {why}. It goes on "
                f"costing {_price(machine, seen)}."
            )
            mark = f"server_down:{machine['id']}:{port}:{write_time(since)}"
            facts: dict[str, Fact] = {"port": port, "down_since": write_time(since), "why": why}
            yield Event(mark, SERVER_DOWN, at, text, {**_facts(machine, seen), **facts})
