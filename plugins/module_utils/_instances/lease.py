# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Leases of instances that exist: extended, set, or over now; and their protection (private)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import TypedDict

from .._billing.affordability import Figures
from .._billing.budget import check_budget
from .._billing.extension_guard import Extension, Limits
from .._billing.purchase_guard import check_limits
from .._core.clock import refuse_strange_clock, skew_warnings
from .._core.errors import GpuopsError, InvalidError, NotFoundError
from .._core.plan import Plan, Step
from .._core.resource import Resource
from .._core.times import (
    NO_LEASE,
    check_lease_max,
    check_lease_min,
    lease_until,
    read_duration,
    read_time,
    write_time,
)
from .._ledger import store
from .._ledger.event import Event
from .._lifecycle.confirmation import refuse_unconfirmed
from .._lifecycle.instance_states import known_instance
from .._lifecycle.settings import lease_max_of, owner_of
from .._lifecycle.tagging import Marks, lend_volume, refuse_fixed
from .._lifecycle.termination import bill_of, terminate_one
from .._lifecycle.termination_policy import Ending, Outcome
from .._models.label import read_label
from .._models.ownership import NEXT_LEASE_TAG, Identity, check_name
from .._models.rates import BillRow
from .._models.resources import Instance, Volume, held_by
from .._providers.base.client import Client
from .._providers.base.views import InstanceRow, describe_instance
from .._providers.names import module_of
from .lease_options import LeaseOptions
from .record import end_events

SOURCE = module_of("lease")


@dataclass
class FoundLeases:
    """The instances that are meant, with the lease each is to have; ``changed`` by id.

    ``every`` are all instances of the account.
    """

    rows: list[Instance]
    volumes: list[Volume]
    every: list[Instance]
    money: Extension
    leases: dict[str, str] = field(default_factory=dict)
    changed: dict[str, Instance] = field(default_factory=dict)
    ends: list[Outcome] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def of(self, row: Instance) -> list[Volume]:
        """Return the volumes of an instance."""
        return held_by(self.volumes, row.id)


class LeaseResult(TypedDict):
    """What the module tells of leases."""

    instances: list[InstanceRow]
    bill: list[BillRow]
    clock_skew_seconds: int
    spend: Figures | None
    warnings: list[str]


class LeaseResource(Resource[Client, LeaseOptions, FoundLeases, LeaseResult]):
    """The lease of one instance, or of all instances of a deployment."""

    # -- find ----------------------------------------------------------------------------------

    def find(self, client: Client, want: LeaseOptions) -> FoundLeases:
        check_wish(want)
        found = look(client, want)
        refuse_foreign(found.every, want)
        if want["done"]:
            living = [row for row in found.rows if row.is_alive]
            refuse_unconfirmed(living, owner_of(want["owner"]), want["confirm"])
            return found
        if not found.rows:
            raise NotFoundError(f"Deployment {want['deployment']!r} has no {asked_for(want)}")
        give_leases(client, found, want)
        found.money.check(found.rows, found.volumes, found.leases, found.every)
        return found

    # -- plan ----------------------------------------------------------------------------------

    def plan(self, found: FoundLeases, want: LeaseOptions) -> Plan:
        before = [describe_instance(row) for row in found.rows]
        if want["done"]:
            ends = tuple(_end_step(found, row, want) for row in found.rows)
            return Plan({"instances": before}, {"instances": []}, ends, parallel=True)
        steps, after = [], []
        for row, shown in zip(found.rows, before, strict=True):
            new = _as_wanted(found, row, shown, want)
            # A run that broke off has left the new lease beside the old one.
            unfinished = row.id in found.leases and NEXT_LEASE_TAG in shown["tags"]
            if new != shown or unfinished:
                steps.append(_write_step(found, row, shown, new))
            after.append(new)
        return Plan({"instances": before}, {"instances": after}, tuple(steps), parallel=True)

    # -- result --------------------------------------------------------------------------------

    def result(
        self, client: Client, found: FoundLeases, plan: Plan, *, applied: bool
    ) -> LeaseResult:
        shown = plan.after["instances"]
        if applied and shown:
            rows = [found.changed.get(row.id, row) for row in found.rows]
            shown = [describe_instance(row) for row in rows]
        skew = client.clock_skew()
        return {
            "instances": shown,
            "bill": bill_of(found.ends),
            "clock_skew_seconds": skew,
            "spend": found.money.figures,
            "warnings": [*skew_warnings(skew), *found.money.warnings],
        }

    def record(
        self, client: Client, found: FoundLeases, want: LeaseOptions, *, applied: bool
    ) -> list[str]:
        """Write into the ledger what was done; return a warning when that failed."""
        events = [
            *found.events,
            *(event for end in found.ends for event in end_events(end, SOURCE)),
        ]
        warning = store.record(want["ledger"], events, client.account, client.name)
        return [warning] if warning else []


def check_wish(want: LeaseOptions) -> None:
    """Refuse what cannot be meant before any request, and complete what is left out."""
    check_name(want["deployment"], "deployment")
    if want["name"]:
        check_name(want["name"], "name")
    if not (want["extend"] or want["lease"] or want["done"]) and want["protect"] is None:
        raise InvalidError("One of the following is required: extend, lease, done, protect")
    given = {key: want[key] for key in ("extend", "lease", "protect")}
    more = [key for key, value in given.items() if value is not None]
    if want["done"] and more:
        raise InvalidError(f"done is mutually exclusive with {more[0]}")
    if want["extend"] and not _length(want["extend"]):
        raise InvalidError(
            f"extend {want['extend']!r} asks for nothing", hint="Write for example 2h."
        )
    want["lease_max"] = lease_max_of(want["lease_max"], override=want["lease_max_override"])
    check_limits(want["budget"], want["max_lease_cost"])


def asked_for(want: LeaseOptions) -> str:
    """Return in words which instance of the deployment is meant."""
    which = want["name"] or want["id"]
    return f"instance {which}" if which else "instance"


def _length(extend: str) -> timedelta:
    """Return how much longer a lease is to be."""
    return read_duration(extend.strip().removeprefix("+"), "extend")


def look(client: Client, want: LeaseOptions) -> FoundLeases:
    """Return the instances that are meant, oldest first, and what is known of the money."""
    limits = Limits(
        check_budget(want["budget"]),
        want["max_lease_cost"],
        want["ledger"],
        want["budget_policy"] == "warn",
    )
    money = Extension(client, limits, asked=bool(want["extend"] or want["lease"]))
    rows, volumes, *_asked = client.together(client.instances, client.volumes, *money.questions)
    found = [row for row in rows if row.ownership and _is_meant(row, row.ownership, want)]
    return FoundLeases(sorted(found, key=lambda row: row.age_key), volumes, rows, money)


def refuse_foreign(rows: list[Instance], want: LeaseOptions) -> None:
    """Raise InvalidError where the id that is named is that of an instance of others."""
    for row in rows:
        if want["id"] == row.id and not row.of(want["deployment"]):
            raise InvalidError(
                f"Instance {want['id']} is not of deployment {want['deployment']!r}",
                hint="Instances of others are never changed.",
            )


def give_leases(client: Client, found: FoundLeases, want: LeaseOptions) -> None:
    """Note the lease that each instance is to have. Raises what forbids it, before any write."""
    if want["extend"] or (want["lease"] and read_time(want["lease"]) is None):
        trusted, what = want["trust_cloud_clock"], "no lease is counted from it"
        refuse_strange_clock(client.clock_skew(), what, trusted=trusted)
    for row in found.rows:
        lease, marks = _lease_of(row, want, client), row.ownership
        if lease:
            found.leases[row.id] = lease
        if lease and marks and lease != marks.lease:
            refuse_fixed(client, row, "lease")
        if marks and want["protect"] not in (None, marks.protected):
            refuse_fixed(client, row, "protection")


def _is_meant(row: Instance, marks: Identity, want: LeaseOptions) -> bool:
    if not row.exists or (row.is_dead and not want["done"]):
        return False
    named = want["id"] in (None, row.id) and want["name"] in (None, marks.name)
    return named and marks.deployment == want["deployment"]


def _lease_of(row: Instance, want: LeaseOptions, client: Client) -> str | None:
    """Return the lease that an instance is to have, None when it keeps its own.

    Raises InvalidError for one that is longer than the contract behind the instance.
    """
    lease = _asked_lease(row, want, client)
    last, end = read_time(row.contract_end), read_time(lease)
    if lease and last and (end is None or end > last):
        raise InvalidError(
            f"{row.name} ({row.id}) is stopped by its provider at {write_time(last)}, so no lease of it "
            f"ends later (asked for {lease})",
            hint=f"Give a lease until then, or buy another instance: lease={write_time(last)}.",
        )
    return _as_written(row, lease, client) if lease else None


def _as_written(row: Instance, lease: str, client: Client) -> str:
    """Return a lease as it is read again: a label holds whole minutes, rounded up."""
    if row.ownership is None or not client.capabilities.ownership.relabel:
        return lease
    label = read_label(replace(row.ownership, lease=lease).label())
    return label.lease if label else lease


def _asked_lease(row: Instance, want: LeaseOptions, client: Client) -> str | None:
    now, most = client.now(), want["lease_max"]
    if want["lease"]:
        return lease_until(want["lease"], now, most)
    if not want["extend"]:
        return None
    marks = row.ownership
    end = marks.lease_end if marks else None
    if marks is None or end is None:
        lease = marks.lease if marks else ""
        why = "no end" if lease == NO_LEASE else f"a lease that cannot be read: {lease!r}"
        raise InvalidError(
            f"{row.name} ({row.id}) has {why}, so there is nothing to extend",
            hint="Write lease instead, for example 12h.",
        )
    try:
        new = max(now, end) + _length(want["extend"])
    except OverflowError:
        raise InvalidError(f"extend {want['extend']!r} is too long") from None
    check_lease_min(new, now, f"extend {want['extend']!r}: the lease")
    check_lease_max(new, now, most)
    return write_time(new)


def _as_wanted(
    found: FoundLeases, row: Instance, shown: InstanceRow, want: LeaseOptions
) -> InstanceRow:
    """Return an instance as results show it, with the lease and the protection that it is to have."""
    new = shown.copy()
    lease = found.leases.get(row.id)
    if lease:
        new["lease"], new["lease_end"] = lease, None if read_time(lease) is None else lease
    if want["protect"] is not None:
        new["protected"] = want["protect"]
    return new


def _write_step(found: FoundLeases, row: Instance, old: InstanceRow, new: InstanceRow) -> Step:
    words = ["finish the change of its lease"] if NEXT_LEASE_TAG in old["tags"] else []
    if new["lease"] != old["lease"]:
        words.append(f"lease until {new['lease']}" if new["lease_end"] else "lease without an end")
    if new["protected"] != old["protected"]:
        words.append("protected" if new["protected"] else "no longer protected")

    what = ", ".join(words)
    return Step(
        f"mark {row.name} ({row.id}, lease {old['lease']}): {what}",
        partial(_write, found, row, old, new),
    )


def _write(
    found: FoundLeases, row: Instance, old: InstanceRow, new: InstanceRow, client: Client
) -> None:
    marks, other_lease = Marks(client, row), new["lease"] != old["lease"]
    if other_lease or NEXT_LEASE_TAG in old["tags"]:
        lease = str(new["lease"])
        marks.write_lease(lease)
        for volume in found.of(row):
            if volume.deployment == old["deployment"]:
                lend_volume(client, volume, lease)
    if new["protected"] != old["protected"]:
        marks.write_protection(new["protected"])
    found.changed[row.id] = now = known_instance(client, row.id)
    _refuse_unwritten(now, old, new)
    if other_lease and new["lease_end"]:
        event = store.event_of("extend", now, client.now(), source=SOURCE)
        found.events.append(event)


def _refuse_unwritten(now: Instance, old: InstanceRow, new: InstanceRow) -> None:
    """Raise GpuopsError when the cloud accepted the tags and shows the old ones nevertheless."""
    shown = describe_instance(now)
    for key in ("lease", "protected"):
        if new[key] != old[key] and shown[key] == old[key]:
            raise GpuopsError(
                f"The cloud has accepted another {key} of {old['name']} ({old['id']}), but shows "
                f"the old one: {old[key]}",
                hint="Look at the tags of the instance in the console, and run the same again.",
            )


def _end_step(found: FoundLeases, row: Instance, want: LeaseOptions) -> Step:
    how = Ending.of(want)

    def end(client: Client) -> None:
        terminate_one(client, row, how, found.ends)

    what = f"{row.instance_type} in {row.location}, {row.status}"
    return Step(f"terminate {row.name} ({what}, {row.id})", end)
