# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances: find by our tags, plan purchase, start, stop and end (private)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

from .._access.key_check import refuse_locked_out
from .._billing.affordability import Figures
from .._billing.purchase_guard import check_limits
from .._catalog import stock
from .._core.business_hours import read_hours
from .._core.errors import GpuopsError, InvalidError, NotFoundError
from .._core.plan import Plan
from .._core.resource import Resource
from .._core.times import read_time, write_time
from .._hardware import gpus
from .._lifecycle.confirmation import refuse_others, refuse_unconfirmed
from .._lifecycle.instance_states import twins
from .._lifecycle.proof import is_proven_gone
from .._lifecycle.retained_volumes import evicted
from .._lifecycle.settings import lease_max_of, owner_of
from .._lifecycle.termination import bill_of
from .._models.offer import Choice, ChoiceRow
from .._models.ownership import check_name, check_project
from .._models.rates import BillRow
from .._models.resources import Instance
from .._providers.base.client import Client
from .._providers.base.views import InstanceRow, describe_instance
from .fleet import FleetRow, accept_or_end, fleet_names, fleet_report
from .journal import taken_away
from .offer_queue import Trace
from .options import InstanceOptions
from .order_check import check_description
from .plan import plan_instances
from .prepare import look_at_the_market
from .record import write_to_ledger
from .state import Found, differences, refuse_difference


def check(want: InstanceOptions) -> None:
    """Refuse what cannot be meant before any request, and complete what is left out."""
    check_name(want["deployment"], "deployment")
    want["owner"] = owner_of(want["owner"])
    want["lease_max"] = lease_max_of(want["lease_max"], override=want["lease_max_override"])
    if not want["start_timeout"] > 0:
        raise InvalidError(f"start_timeout must be above zero (got {want['start_timeout']:g})")
    if want["count"] < 1:
        raise InvalidError(f"count must be at least 1 (got {want['count']})")
    if not want["name"] and not want["id"] and want["state"] != "absent":
        want["name"] = want["deployment"]
    if want["name"]:
        check_name(want["name"], "name")
        check_name(fleet_names(want["name"], want["count"])[-1], "name")  # the longest
    if want["project"]:
        check_project(want["project"])
    if want["hours"]:
        want["hours"] = read_hours(want["hours"]).text
    check_limits(want["budget"], want["max_lease_cost"])
    check_description(want["description"])
    stock.wish_of(stock.selection_from(want))  # a misspelt tier costs no request


class InstanceAnswer(ChoiceRow):
    """What the module tells of instances, and of the purchase where there was one."""

    instance: InstanceRow | None
    instances: list[InstanceRow]
    fleet: list[FleetRow]
    evicted: list[InstanceRow]
    attempts: list[Trace]
    bill: list[BillRow]
    spend: Figures | None


class InstanceResult(InstanceAnswer):
    """The same, with warnings."""

    warnings: list[str]


class InstanceResource(Resource[Client, InstanceOptions, Found, InstanceResult]):
    """One instance, or a fleet of equal ones, of a deployment."""

    # -- find ----------------------------------------------------------------------------------

    def find(self, client: Client, want: InstanceOptions) -> Found:
        check(want)
        names = fleet_names(want["name"], want["count"]) if want["name"] else []
        found = Found(names, gpus.tiers_from(want["tiers"]))
        if want["id"]:
            self._find_by_id(client, found, want["id"], want)
        else:
            found.rows = client.instances()
            self.find_by_marks(found.rows, found, want["deployment"])
        if want["state"] == "absent":
            self._ask([*found.have, *found.surplus], want)
            return found
        refuse_others([*found.have, *found.surplus], want["owner"], want["confirm"])
        refuse_locked_out(client, found.have, want["ssh_keys"] or [])
        self._sort_out_differences(found, want)
        self._ask([*found.old.values()], want)
        if found.missing:
            if want["state"] == "stopped":
                raise NotFoundError(f"No instance {', '.join(found.missing)} to stop")
            look_at_the_market(client, found, want)
        return found

    @staticmethod
    def _ask(rows: list[Instance], want: InstanceOptions) -> None:
        refuse_unconfirmed(rows, want["owner"], want["confirm"])

    @staticmethod
    def _sort_out_differences(found: Found, want: InstanceOptions) -> None:
        """Refuse instances that are not what is wanted, or note that they are to be replaced."""
        selection = stock.selection_from(want)
        for row in [*found.have]:
            if not want["replace"]:
                refuse_difference(row, selection)
            elif next(differences(describe_instance(row, found.tiers), selection), None):
                found.have.remove(row)
                name = row.ownership.name if row.ownership else str(row.name)
                found.old[name] = row
                found.missing.append(name)

    @staticmethod
    def _find_by_id(client: Client, found: Found, wanted_id: str, want: InstanceOptions) -> None:
        try:
            row = client.instance(wanted_id)
        except NotFoundError:
            if want["state"] != "absent":
                raise
            if is_proven_gone(client, wanted_id, min(want["wait_interval"], 1)):
                return
            row = client.instance(wanted_id)
        marks = row.ownership
        if not marks or marks.deployment != want["deployment"]:
            whose = f"deployment {marks.deployment!r}" if marks else "somebody who is not us"
            raise InvalidError(
                f"Instance {wanted_id} belongs to {whose}, not to deployment {want['deployment']!r}",
                hint="Instances of others are never changed.",
            )
        found.names = [marks.name]
        if row.exists:
            found.have = [row]
        elif want["state"] != "absent":
            raise NotFoundError(f"Instance {wanted_id} ({marks.name}) is {row.status}")

    @staticmethod
    def find_by_marks(rows: list[Instance], found: Found, deployment: str) -> None:
        marked = [(row, marks) for row in rows if (marks := row.ownership)]
        ours = [(row, marks) for row, marks in marked if marks.deployment == deployment]
        if not found.names:  # the whole deployment, which only state=absent means
            found.names = sorted({marks.name for _row, marks in ours})
        found.dead = [row for row, marks in ours if marks.name in found.names and row.is_dead]
        for name in found.names:
            same = twins(rows, deployment, name)
            found.have += same[:1]
            found.surplus += same[1:]
            if not same:
                found.missing.append(name)

    # -- plan ----------------------------------------------------------------------------------

    def plan(self, found: Found, want: InstanceOptions) -> Plan:
        return plan_instances(found, want)

    def on_partial_failure(
        self,
        client: Client,
        found: Found,
        want: InstanceOptions,
        done: list[str],
        errors: list[GpuopsError],
    ) -> list[str]:
        return accept_or_end(client, found, want, done, errors)

    def record(
        self, client: Client, found: Found, want: InstanceOptions, *, applied: bool
    ) -> list[str]:
        bought = [row["id"] for row in found.outcomes.values() if row["id"]]
        rows = {one: found.changed.get(one) for one in bought}
        return write_to_ledger(client, want["ledger"], rows, found.ends)

    # -- result --------------------------------------------------------------------------------

    def result(self, client: Client, found: Found, plan: Plan, *, applied: bool) -> InstanceResult:
        after = plan.after["instances"]
        if applied and after:
            kept = {row.id: row for row in found.have}
            rows = {**kept, **found.changed}.values()
            order = {name: number for number, name in enumerate(found.names)}
            after = sorted(
                (describe_instance(row, found.tiers) for row in rows),
                key=lambda row: order.get(row["name"] or "", len(order)),
            )
        choice = found.walk.choice if found.walk else found.choice
        return {
            "instance": after[0] if after else None,
            "instances": after,
            "fleet": fleet_report(found) if after else [],
            "evicted": [describe_instance(row, found.tiers) for row in found.lost],
            "attempts": found.walk.attempts if found.walk else [],
            **(choice or Choice((), ())).as_result(),
            "bill": bill_of(found.ends),
            "spend": found.guard.figures if found.guard else None,
            "warnings": [
                *money_warnings(found),
                *short_warnings(found),
                *standing_warnings(after, client),
            ],
        }


def money_warnings(found: Found) -> list[str]:
    """Return what to tell of the money, and of what an account does not take."""
    told = found.walk.fallbacks.warnings if found.walk else []
    return [*(found.guard.warnings if found.guard else []), *found.notes, *told]


def short_warnings(found: Found) -> list[str]:
    """Return a warning for each instance of a fleet that is good enough without it."""
    failed = [(name, row) for name, row in found.outcomes.items() if row["outcome"] == "failed"]
    return [f"{name} could not be provisioned: {row['detail']}" for name, row in failed]


def standing_warnings(rows: Sequence[InstanceRow], client: Client) -> list[str]:
    """Return a warning for what costs although it is stopped, or its lease is over."""
    texts = []
    for row in rows:
        if row["status"] == "offline":
            texts.append(
                f"{row['name']} is stopped and still costs {row['price_per_hour']} per hour, "
                "as much as when it runs; only state=absent ends the cost."
            )
        end = read_time(row["lease_end"])
        if end and end < client.now():
            texts.append(f"The lease of {row['name']} ended at {row['lease_end']}; it still costs.")
    return texts


@dataclass(frozen=True)
class Listed:
    """Instances that exist, and spot instances that were taken away and not bought again."""

    there: list[Instance]
    lost: list[Instance]


def listed(client: Client, deployment: str | None, *, with_lost: bool) -> Listed:
    """Return the instances of the account, those that were taken away of a deployment alone."""
    rows, ended = client.together(
        client.instances, lambda: client.ended_instances() if with_lost else []
    )
    living = {(one.deployment, one.name) for one in (row.ownership for row in rows) if one}
    lost = [
        row
        for row in evicted(ended, deployment)
        if row.ownership and (row.ownership.deployment, row.ownership.name) not in living
    ]
    return Listed(rows, taken_away(client, lost))


class ListOptions(TypedDict):
    """Which instances are to be listed."""

    id: str | None
    name: str | None
    deployment: str | None
    evicted: bool


class InstanceList(TypedDict):
    """Instances, those that were taken away, and the time of the cloud."""

    instances: list[InstanceRow]
    evicted: list[InstanceRow]
    now: str


def list_instances(client: Client, want: ListOptions) -> InstanceList:
    """Return the instances of the account, of a deployment, or of one id or name."""
    if want["id"]:
        try:
            found = Listed([client.instance(want["id"])], [])
        except NotFoundError:
            found = Listed([], [])
    else:
        found = listed(client, want["deployment"], with_lost=want["evicted"])
    there, lost = (
        [describe_instance(row) for row in meant(rows, want["deployment"], want["name"])]
        for rows in (found.there, found.lost)
    )
    return {"instances": there, "evicted": lost, "now": write_time(client.now())}


def meant(rows: list[Instance], deployment: str | None, name: str | None = None) -> list[Instance]:
    """Return the instances of a deployment and of a name, where they are given, by name."""

    def called(row: Instance) -> str:
        return row.name or (row.ownership.name if row.ownership else "")

    found = [row for row in rows if not deployment or row.of(deployment)]
    found = [row for row in found if not name or called(row) == name]
    return sorted(found, key=lambda row: (called(row), row.id))
