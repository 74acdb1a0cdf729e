# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances at several providers: found at all of them, bought at one, ended everywhere (private)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TypedDict

from .._billing.affordability import Figures
from .._catalog import stock
from .._catalog.selection import Selection
from .._catalog.several import LeftOutRow
from .._core.errors import GpuopsError, InvalidError, NotFoundError
from .._core.plan import Plan, Step
from .._core.resource import Resource
from .._hardware import gpus
from .._instances.deployment import LeftoverRow, survey
from .._instances.fleet import FleetRow, accept_or_end, fleet_names, fleet_report
from .._instances.offer_queue import Trace
from .._instances.other_deployments import OtherRow
from .._instances.plan import buy_sentence, order_of, plan_instances, planned
from .._instances.record import write_to_ledger
from .._instances.resource import check, money_warnings, short_warnings, standing_warnings
from .._instances.state import refuse_difference
from .._lifecycle.confirmation import refuse_others, refuse_unconfirmed
from .._lifecycle.termination import bill_of
from .._models.offer import Choice, OfferRow, RejectedRow
from .._models.resources import Instance
from .._providers.accounts import Accounts
from .keys import look_at_registrations
from .market import best_of, look_at_the_markets
from .options import GroupedOptions, SeveralOptions, flat, in_groups, saying_groups
from .purchase import purchase
from .state import Everywhere, PlacedBillRow, PlacedRow, SshRow, placed, placed_row, step_at
from .where import (
    client_of,
    look,
    name_of,
    refuse_doubles,
    refuse_locked_out_anywhere,
    refuse_unknown,
    silent_warnings,
    unproven,
)


class PlacedFleetRow(FleetRow):
    """One instance of a fleet, what became of it, and where."""

    provider: str | None


class PlacedFigures(Figures):
    """What a purchase costs, and in which account."""

    provider: str


class PlacedLeftoverRow(LeftoverRow):
    """Something that is left of a deployment, and where."""

    provider: str


class PlacedOtherRow(OtherRow):
    """Another deployment of ours, what it costs, and where."""

    provider: str


class TrashRow(TypedDict):
    """A volume in the trash, and where."""

    provider: str
    id: str | None
    name: str | None


class SeveralProof(TypedDict, total=False):
    """What is left of a deployment that was to end, whether anybody knows it, and names that are near."""

    leftovers: list[PlacedLeftoverRow]
    others: list[PlacedOtherRow]
    trash: list[TrashRow]
    known: bool
    nearest: list[str]


class SeveralResult(SeveralProof):
    """What the module tells of instances, and of the purchase where there was one."""

    instance: PlacedRow | None
    instances: list[PlacedRow]
    fleet: list[PlacedFleetRow]
    evicted: list[PlacedRow]
    attempts: list[Trace]
    offers: list[OfferRow]
    rejected: list[RejectedRow | LeftOutRow]
    cheapest_free: OfferRow | None
    bill: list[PlacedBillRow]
    spend: PlacedFigures | None
    warnings: list[str]


class SeveralInstanceResource(Resource[Accounts, GroupedOptions, Everywhere, SeveralResult]):
    """One instance, or a fleet of equal ones, of a deployment, wherever it is."""

    # -- find ----------------------------------------------------------------------------------

    def find(self, accounts: Accounts, params: GroupedOptions) -> Everywhere:
        with saying_groups():
            return self._find(accounts, flat(params))

    @staticmethod
    def _find(accounts: Accounts, want: SeveralOptions) -> Everywhere:
        check(want)
        names = fleet_names(want["name"], want["count"]) if want["name"] else []
        tiers = gpus.tiers_from(want["tiers"])
        found = Everywhere(names, tiers, want=want, accounts=accounts)
        look(accounts, found, want["deployment"])
        rows = [*found.have, *found.surplus]
        if want["state"] == "absent":
            refuse_unconfirmed(rows, want["owner"], want["confirm"])
            if not want["name"]:
                look_at_registrations(accounts, found)
            return found
        refuse_doubles({provider: here.have for provider, here in found.at.items()})
        refuse_others(rows, want["owner"], want["confirm"])
        refuse_locked_out_anywhere(found, want["ssh_keys"] or [])
        selection = stock.selection_from(want)
        for row in found.have:
            _refuse_difference(row, selection)
        if found.missing:
            refuse_unknown(found, found.missing, want["deployment"], want["ledger"])
            if want["state"] == "stopped":
                raise NotFoundError(f"No instance {', '.join(found.missing)} to stop")
            look_at_the_markets(found)
        return found

    # -- plan ----------------------------------------------------------------------------------

    def plan(self, found: Everywhere, params: GroupedOptions) -> Plan:
        before: list[PlacedRow] = []
        after: list[PlacedRow] = []
        steps: list[Step] = []
        for provider, here in found.at.items():
            part = plan_instances(here, found.want)
            client = client_of(found, provider)
            known = {row.id: row for row in here.have}
            for rows, shown in ((before, part.before), (after, part.after)):
                rows += [
                    placed_row(row, client, known.get(row["id"])) for row in shown["instances"]
                ]
            steps += [step_at(client, step) for step in part.steps]
        if found.want["state"] == "absent" and not found.want["name"]:
            steps += found.removals
        if found.want["state"] != "absent":
            steps += [_buy_step(found, name) for name in found.missing]
            after += [_planned(found, name) for name in found.missing]
        ordered = sorted(after, key=partial(_rank, found.names))
        return Plan({"instances": before}, {"instances": ordered}, tuple(steps), parallel=True)

    def on_partial_failure(
        self,
        accounts: Accounts,
        found: Everywhere,
        params: GroupedOptions,
        done: list[str],
        errors: list[GpuopsError],
    ) -> list[str]:
        lost = self._unproven(found)
        bought = [
            (desk.client, found.bought_at(provider)) for provider, desk in found.desks.items()
        ]
        some = next(iter(found.at))
        every = [*errors, *([lost] if lost else [])]
        with saying_groups():
            return accept_or_end(client_of(found, some), found, found.want, done, every, bought)

    def record(
        self, accounts: Accounts, found: Everywhere, params: GroupedOptions, *, applied: bool
    ) -> list[str]:
        warnings: list[str] = []
        for provider, here in found.at.items():
            mine = found.bought_at(provider).outcomes.values()
            rows = {row["id"]: found.changed.get(row["id"]) for row in mine if row["id"]}
            client = client_of(found, provider)
            warnings += write_to_ledger(client, found.want["ledger"], rows, here.ends)
        return warnings

    # -- result --------------------------------------------------------------------------------

    def result(
        self, accounts: Accounts, found: Everywhere, plan: Plan, *, applied: bool
    ) -> SeveralResult:
        after = plan.after["instances"]
        if applied and after:
            after = _as_they_are(found)
        choice = (found.walk.choice if found.walk else found.choice) or Choice((), ())
        told = choice.as_result()
        left_out = [one.as_row() for one in found.left_out]
        result: SeveralResult = {
            "instance": after[0] if after else None,
            "instances": after,
            "fleet": [_at_home(found, row) for row in fleet_report(found)] if after else [],
            "evicted": [
                placed(desk.client, row, found.tiers)
                for desk in found.desks.values()
                for row in desk.found.lost
            ],
            "attempts": found.walk.attempts if found.walk else [],
            "offers": told["offers"],
            "rejected": [*left_out, *told["rejected"]],
            "cheapest_free": told["cheapest_free"],
            "bill": [
                {"provider": provider, **row}
                for provider, here in found.at.items()
                for row in bill_of(here.ends)
            ],
            "spend": _spend(found),
            "warnings": list(map(in_groups, self._warnings(found, after))),
        }
        if found.want["state"] == "absent":
            return {**result, **self._proven(found, result["bill"], plan)}
        return result

    def _proven(self, found: Everywhere, bill: list[PlacedBillRow], plan: Plan) -> SeveralProof:
        """Return what is left of the deployment anywhere; raises where nobody can say it."""
        lost = self._unproven(found)
        asked = found.accounts.ask(partial(survey, want=found.want), tuple(found.at))
        surveys = [(one.provider, one.answer) for one in asked if one.answer]
        told: SeveralProof = {
            "leftovers": [
                {"provider": at, **row} for at, seen in surveys for row in seen["leftovers"]
            ],
            "others": [{"provider": at, **row} for at, seen in surveys for row in seen["others"]],
            "trash": [
                {"provider": at, "id": row["id"], "name": row["name"]}
                for at, seen in surveys
                for row in seen["trash"]
            ],
        }
        lost = lost or next((one.error for one in asked if one.error), None)
        if lost:
            lost.details.update(told, bill=bill, changed=plan.changed, actions=plan.actions)
            raise lost
        near = [name for _at, seen in surveys for name in seen["nearest"]]
        known = any(seen["known"] for _at, seen in surveys)
        return {**told, "known": known, "nearest": list(dict.fromkeys(near))}

    @staticmethod
    def _unproven(found: Everywhere) -> GpuopsError | None:
        want = found.want
        if want["state"] != "absent":
            return None
        return unproven(found.silent, want["deployment"], want["ledger"])

    @staticmethod
    def _warnings(found: Everywhere, after: list[PlacedRow]) -> Iterator[str]:
        yield from silent_warnings(found.silent, found.want["providers"])
        yield from (f"{one}. Nothing is bought there." for one in found.left_out)
        yield from money_warnings(found)
        for desk in found.desks.values():
            yield from (f"{desk.client.name}: {text}" for text in desk.fallbacks.warnings)
            yield from desk.found.notes
        yield from short_warnings(found)
        for provider in found.at:
            rows = [row for row in after if row["provider"] == provider]
            yield from standing_warnings(rows, client_of(found, provider))


def _refuse_difference(row: Instance, selection: Selection) -> None:
    """Raise InvalidError where an instance is not what is asked for; none is replaced here."""
    try:
        refuse_difference(row, selection)
    except InvalidError as error:
        error.hint = "Terminate it with state=absent, or choose another name or deployment."
        raise


def _rank(names: list[str], row: PlacedRow) -> tuple[int, str]:
    order = {name: number for number, name in enumerate(names)}
    return order.get(row["name"] or "", len(order)), row["id"] or ""


def _buy_step(found: Everywhere, name: str) -> Step:
    call = partial(purchase, found, name)
    best = best_of(found, name)
    if best is None:
        wanted = found.choice.wanted if found.choice else "it"
        return Step(f"buy {name} when {wanted} is in stock", call)
    order = order_of(found.desks[best.provider].found, name, found.want)
    return Step(f"{best.provider}: {buy_sentence(order, best.as_dict())}", call)


def _planned(found: Everywhere, name: str) -> PlacedRow:
    best = best_of(found, name)
    desk = found.desks[best.provider] if best else next(iter(found.desks.values()))
    desk.found.walk = found.walk
    row = planned(desk.found, name, found.want)
    if best:
        return placed_row(row, desk.client)
    nowhere: SshRow = {"rents": None, "ssh_user": None, "ssh_host": None, "ssh_port": None}
    return {**row, "provider": None, **nowhere}


def _as_they_are(found: Everywhere) -> list[PlacedRow]:
    """Return the instances after the steps, in the order of their names."""
    rows: dict[str, tuple[str, Instance]] = {}
    for provider, here in found.at.items():
        rows |= {row.id: (provider, row) for row in [*here.have, *here.changed.values()]}
    for row in found.changed.values():
        rows[row.id] = (found.homes[name_of(row)], row)
    told = [placed(client_of(found, provider), row, found.tiers) for provider, row in rows.values()]
    return sorted(told, key=partial(_rank, found.names))


def _at_home(found: Everywhere, row: FleetRow) -> PlacedFleetRow:
    return {**row, "provider": found.homes.get(row["name"])}


def _spend(found: Everywhere) -> PlacedFigures | None:
    guard = found.guard
    if guard is None or guard.figures is None:
        return None
    return {"provider": guard.client.name, **guard.figures}
