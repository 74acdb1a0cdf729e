# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Prometheus should know of an account, its reaper and its API (private, pure)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TypedDict

from .._billing import running_costs
from .._core.times import NO_LEASE, read_time
from .._lifecycle.retained_volumes import evicted
from .._models import rates as _rates
from .._models.balance import Balance
from .._models.resources import Instance, Volume
from .._providers.base.request_log import Call
from .._providers.base.views import describe_instance
from .textfile import Family

# What can go wrong with a request, and what a reaper may end and why: counted from nought on, so
# that Prometheus sees the first one as an increase.
ERRORS = ("no_answer", "rate_limited", "refused", "server")
REAPED = {
    "instance": ("expired", "done", "idle", "hours", "dead", "budget"),
    "volume": ("orphan",),
    "ssh_key": ("orphan",),
    "startup_script": ("orphan",),
}


@dataclass(frozen=True)
class Account:
    """What was seen of the account: what exists, and what existed and was taken away."""

    balance: Balance
    instances: list[Instance]
    volumes: list[Volume]
    ended: list[Instance]


class _OfAccount(TypedDict):
    period: str
    limit: float
    used: float
    share_percent: float


class Budget(_OfAccount, total=False):
    """How much of a budget is used, and whose it is where it is not the account's."""

    owner: str | None
    project: str | None


class Reaped(TypedDict, total=False):
    """Something that the reaper has ended, or could not end."""

    kind: str
    reason: str
    outcome: str
    price_per_hour: float | None


class Reap(TypedDict, total=False):
    """The result of a run of the reaper, as far as it is counted."""

    failed: bool
    reaped: list[Reaped] | None
    unclear: list[str] | None


@dataclass(frozen=True)
class _Living:
    """An instance as its labels name it."""

    id: str
    name: str | None
    deployment: str | None
    owner: str | None
    status: str
    market: str | None
    managed: bool
    lease: str | None
    lease_end: datetime | None
    protected: bool


def _living(row: Instance) -> _Living:
    shown = describe_instance(row)
    return _Living(
        row.id,
        shown["name"],
        shown["deployment"],
        shown["owner"],
        row.status,
        shown["market"],
        shown["managed"],
        shown["lease"],
        read_time(shown["lease_end"]),
        shown["protected"],
    )


def _one(name: str, text: str, value: float | None, **labels: str | None) -> Family:
    family = Family(name, text)
    if value is not None:
        family.add(value, **labels)
    return family


def _counted(
    name: str, text: str, names: tuple[str, ...], rows: Iterable[tuple[str | None, ...]]
) -> Family:
    """Return a gauge that counts equal rows; a row is a tuple of the values of the labels."""
    family = Family(name, text)
    for row, number in sorted(Counter(rows).items(), key=str):
        family.add(number, **dict(zip(names, row, strict=True)))
    return family


def money_families(now: datetime, account: Account) -> list[Family]:
    """Return balance, burn, runway, and how wrong the clock of this host is."""
    amount, currency = account.balance.told, account.balance.currency
    things = running_costs.living(account.instances, account.volumes, now, currency)
    burn = round(running_costs.burn(things), 4)
    runway = None if amount is None else _runway(amount, burn)
    skew = (datetime.now(timezone.utc) - now).total_seconds()
    text = "Price per hour of everything that costs now"
    return [
        _one("gpuops_balance", "Money left on the account.", amount, currency=currency),
        _one("gpuops_burn_per_hour", f"{text}.", burn, currency=currency),
        _burn_by("gpuops_deployment_burn_per_hour", f"{text}, by deployment.", things),
        _one("gpuops_runway_seconds", "Time until the balance is used up at this rate.", runway),
        _one("gpuops_clock_skew_seconds", "Clock of this host minus that of the API.", skew),
    ]


def _runway(amount: float, burn: float) -> float:
    hours = _rates.runway_hours(amount, burn)
    return float("inf") if hours is None else hours * 3600


def _burn_by(name: str, text: str, things: list[running_costs.Live]) -> Family:
    """Return the burn by deployment and owner."""
    labels = ("deployment", "owner")
    rates: defaultdict[tuple[str | None, ...], float] = defaultdict(float)
    for one in things:
        rates[tuple(one.groups[label] for label in labels)] += one.rate
    family = Family(name, text)
    for row, rate in sorted(rates.items(), key=str):
        family.add(round(rate, 6), **dict(zip(labels, row, strict=True)))
    return family


def budget_families(rows: list[Budget]) -> list[Family]:
    """Return how much of each budget is used."""
    limit = Family("gpuops_budget_limit", "Budget of a period.")
    used = Family("gpuops_budget_used", "What was spent of the budget, or burns per hour.")
    share = Family("gpuops_budget_used_ratio", "Share of the budget that is used; 1 is all of it.")
    for row in rows:
        named = {"owner": row.get("owner"), "project": row.get("project")}
        whose = {key: name for key, name in named.items() if name}
        limit.add(row["limit"], period=row["period"], **whose)
        used.add(row["used"], period=row["period"], **whose)
        share.add(round(row["share_percent"] / 100, 6), period=row["period"], **whose)
    return [limit, used, share]


Name = tuple["str | None", "str | None"]


def names_of(instances: list[Instance]) -> frozenset[Name]:
    """Return the deployments and names of what exists."""
    living = [_living(row) for row in instances if row.exists]
    return frozenset((row.deployment, row.name) for row in living)


def machine_families(
    now: datetime, account: Account, elsewhere: frozenset[Name] = frozenset()
) -> list[Family]:
    """Return instances, leases and volumes, and the instances that were taken away.

    What was bought again ``elsewhere``, in another account, is not missed.
    """
    living = [_living(row) for row in account.instances if row.exists]
    names = {(row.deployment, row.name) for row in living} | elsewhere
    lost = [_living(row) for row in evicted(account.ended, None)]
    gone = {(row.deployment, row.name) for row in lost} - names
    taken = _counted(
        "gpuops_evicted_machines",
        "Spot instances that were taken away and not bought again.",
        ("deployment",),
        [(deployment,) for deployment, _name in gone],
    )
    for deployment in sorted({row.deployment or "" for row in living if row.managed}):
        if deployment not in {name for name, _host in gone}:
            taken.add(0, deployment=deployment)
    return [*_states(living), *_leases(now, living), _volumes(account.volumes), taken]


def _states(living: list[_Living]) -> list[Family]:
    labels = ("deployment", "status", "market")
    rows = [(row.deployment, row.status, row.market) for row in living]
    return [_counted("gpuops_machines", "Instances that exist, by their status.", labels, rows)]


def _leases(now: datetime, living: list[_Living]) -> list[Family]:
    left = Family("gpuops_lease_remaining_seconds", "Time left of a lease; below 0: expired.")
    mine = [row for row in living if row.managed]
    for row in mine:
        if row.lease_end:
            left.add(
                round((row.lease_end - now).total_seconds()),
                deployment=row.deployment,
                name=row.name,
                id=row.id,
                owner=row.owner,
                protected="yes" if row.protected else "no",
            )
    endless = [row for row in mine if row.lease == NO_LEASE]
    unclear = [row for row in mine if not row.lease_end and row not in endless]
    return [
        left,
        _one("gpuops_machines_without_lease", "Instances whose lease is none.", len(endless)),
        _one("gpuops_machines_unclear", "Instances whose lease cannot be read.", len(unclear)),
    ]


def _volumes(volumes: list[Volume]) -> Family:
    rows = [
        (row.deployment, "attached" if row.is_attached else "detached")
        for row in volumes
        if row.rate > 0
    ]
    text = "Volumes that cost money, by their use."
    return _counted("gpuops_volumes", text, ("deployment", "use"), rows)


def reaper_families(now: datetime, reap: Reap | None) -> list[Family]:
    """Return what a run of the reaper did; without one the earlier figures stay."""
    reaped = Family("gpuops_reaped", "Things that the reaper has ended.", "counter")
    failures = Family("gpuops_reap_failures", "Things that the reaper could not end.", "counter")
    runs = Family("gpuops_reaper_runs", "Runs of the reaper.", "counter")
    ran = Family("gpuops_reaper_last_run_timestamp_seconds", "Last run of the reaper.", kept=True)
    good = Family(
        "gpuops_reaper_last_success_timestamp_seconds",
        "Last run of the reaper that ended everything it should.",
        kept=True,
    )
    saved = Family("gpuops_reaper_saved_per_hour", "What its last run saves per hour.", kept=True)
    unclear = Family("gpuops_reaper_unclear", "Resources whose tags it cannot read.", kept=True)
    families = [reaped, failures, runs, ran, good, saved, unclear]
    if reap is None:
        return families
    failed = bool(reap.get("failed"))
    for result in ("ok", "failed"):
        runs.add(float((result == "failed") is failed), result=result)
    ran.add(now.timestamp())
    if not failed:
        good.add(now.timestamp())
    rows = reap.get("reaped") or []
    # What was only reported, or stopped, costs on.
    ended = [row for row in rows if row["outcome"] == "ended"]
    saved.add(round(sum(row.get("price_per_hour") or 0.0 for row in ended), 4))
    unclear.add(len(reap.get("unclear") or ()))
    _count_reaped(rows, reaped, failures)
    return families


def _count_reaped(rows: list[Reaped], reaped: Family, failures: Family) -> None:
    ended = Counter(
        (row["kind"], row["reason"]) for row in rows if row["outcome"] in ("ended", "stopped")
    )
    failed = Counter(row["kind"] for row in rows if row["outcome"] == "failed")
    known = {(kind, reason) for kind, reasons in REAPED.items() for reason in reasons}
    for kind, reason in sorted(known | set(ended)):
        reaped.add(ended[kind, reason], kind=kind, reason=reason)
    for kind in sorted(REAPED.keys() | set(failed)):
        failures.add(failed[kind], kind=kind)


def _reason(status: int | None) -> str | None:
    """Return why a request counts as an error, or None; a look-up may well find nothing."""
    if status is None:
        return "no_answer"
    if status == 429:
        return "rate_limited"
    if status >= 500:
        return "server"
    return "refused" if status in (400, 401, 402, 403) else None


def api_families(calls: list[Call], *, up: bool) -> list[Family]:
    """Return the requests of a run, how long they took, and what went wrong."""
    requests = Family("gpuops_api_requests", "Requests to the API.", "counter")
    errors = Family("gpuops_api_errors", "Requests without the wanted answer.", "counter")
    took = Family("gpuops_api_request_seconds", "Time from a request to its answer.", "summary")
    for call in calls:
        code = str(call.status or "none")
        requests.add(1, method=call.method, path=call.path, code=code)
        took.add((1, call.seconds), method=call.method, path=call.path)
    wrong = Counter(_reason(call.status) for call in calls)
    for reason in ERRORS:
        errors.add(wrong[reason], reason=reason)
    return [_one("gpuops_api_up", "Whether the API answered.", float(up)), requests, errors, took]
