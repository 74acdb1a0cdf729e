# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The purchase that shows what reading does not: what is chosen, and within which limits (private)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from .._catalog.stock import places_of
from .._core.errors import InvalidError, NoCapacityError
from .._core.plan import Plan, Step
from .._core.resource import Resource
from .._core.run import Run
from .._hardware import gpus
from .._instances.resource import InstanceResource
from .._models.offer import Offer, offer_from
from .._models.ownership import check_name
from .._providers.base.client import Client
from .._providers.base.currency import Purse
from .._providers.names import module_of
from .trial import Trial
from .trial_log import TrialLog
from .trial_options import PREFIX, Want, purchase_of

# So many of the cheapest types are tried while none of them is there any more.
_TYPES = 3
# The cloud takes the money of ten minutes at a time.
_STEP_H = 1 / 6


class Report(TypedDict):
    """What the module tells."""

    account: list[dict[str, str]]
    warnings: list[str]


@dataclass
class FoundTrial:
    """What is to be bought, and what comes of it."""

    trial: Trial
    offer: Offer


class TrialResource(Resource[Client, Want, FoundTrial, Report]):
    """The cheapest instance, bought once to see what the account makes of it."""

    def find(self, client: Client, want: Want) -> FoundTrial:
        _check(want)
        log = TrialLog(want["deployment"], client.clock)
        client.listen(log.note)
        _refuse_used_name(client, want)
        offers = _cheapest(client, want)
        while True:
            offer = offers.pop(0)
            try:
                run = Run.of(InstanceResource(), client, purchase_of(want, offer.instance_type))
            except NoCapacityError:
                if not offers:
                    raise
                continue
            others = [other.instance_type for other in offers]
            return FoundTrial(Trial(client, want, log, run, others), offer)

    def plan(self, found: FoundTrial, want: Want) -> Plan:
        offer = found.offer

        def live(_client: Client) -> None:
            found.trial.run()

        most = f"{offer.price_per_hour * _STEP_H:.4f} {offer.currency} and its disks"
        summary = (
            f"buy {want['deployment']}: {offer.instance_type} at {offer.price_per_hour:g} "
            f"{offer.currency}/h, tag, extend and terminate it: at most one step of ten minutes, {most}"
        )
        shown = ("instance_type", "market", "price_per_hour", "currency")
        bought = {key: value for key, value in offer.as_dict().items() if key in shown}
        return Plan(None, {"bought_and_terminated": bought}, (Step(summary, live),))

    def result(self, client: Client, found: FoundTrial, plan: Plan, *, applied: bool) -> Report:
        rows = found.trial.rows() if applied else []
        return {"account": rows, "warnings": found.trial.warnings}


def _check(want: Want) -> None:
    if not want["spend"]:
        raise InvalidError(
            "spend: true is required to buy anything",
            hint=f"{module_of('account_info')} tells what reading alone shows, and costs nothing.",
        )
    check_name(want["deployment"], "deployment")
    if not want["deployment"].startswith(PREFIX):
        raise InvalidError(
            f"deployment must begin with {PREFIX}, since all that bears it is removed at the end "
            f"(got {want['deployment']!r})"
        )


def _refuse_used_name(client: Client, want: Want) -> None:
    """Raise InvalidError where something of that name is there, which would be removed at the end."""
    name = want["deployment"]
    rows, volumes = client.together(client.instances, client.volumes)
    used = [row.id for row in rows if row.name == name]
    used += [row.id for row in volumes if row.deployment == name]
    if used:
        raise InvalidError(
            f"Something of the name {name} is there already ({used[0]})",
            hint="Take another deployment, or remove it first: playbooks/teardown.yml.",
        )


def _cheapest(client: Client, want: Want) -> list[Offer]:
    """Return the cheapest types that are in stock on demand, in the currency of the account."""
    purse = Purse(client)
    catalogue, stock, _problem = client.together(
        client.instance_types, lambda: client.availability("on_demand"), purse.problem
    )
    catalogue = purse.listed(catalogue, client.instance_types)
    places = places_of({row.location: list(row.types) for row in stock})
    allowed = {one.upper() for one in want["locations"] or ()}
    offers = [offer_from(row, "on_demand", gpus.TIERS) for row in catalogue]
    free = [
        offer
        for offer in sorted(offers, key=lambda one: (one.price_per_hour, one.instance_type))
        if not offer.problem
        and offer.price_per_hour > 0
        and _is_in(places.get(offer.instance_type, set()), allowed)
    ]
    most = want["max_price_per_hour"]
    found = [offer for offer in free if most is None or offer.price_per_hour <= most]
    if not found:
        raise _nothing(free)
    return found[:_TYPES]


def _is_in(places: set[str], allowed: set[str]) -> bool:
    return bool(places & allowed if allowed else places)


def _nothing(free: list[Offer]) -> NoCapacityError:
    least = f": the cheapest is {free[0]}" if free else ""
    return NoCapacityError(
        f"There is no type in stock that may be bought{least}",
        hint="Raise max_price_per_hour, name other locations, or run again later.",
    )
