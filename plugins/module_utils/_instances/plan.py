# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do with instances: end, start, stop, buy (private)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from .._core.errors import FailedStateError, GpuopsError, OwnershipError
from .._core.plan import Plan, Step
from .._core.times import read_time
from .._ledger import store
from .._lifecycle.instance_states import is_first, wait_off, wait_running
from .._lifecycle.power import act
from .._lifecycle.retained_volumes import Kept
from .._lifecycle.termination import terminate_one
from .._lifecycle.termination_policy import Ending
from .._models.label import LIMIT
from .._models.offer import OfferRow
from .._models.resources import Instance
from .._models.status import OFF, RUNNING
from .._providers.base.client import Client
from .._providers.base.options import ON_EVICTION
from .._providers.base.views import InstanceRow, describe_instance, planned_instance
from .offer_queue import Trace, Walk
from .options import InstanceOptions
from .order import Order
from .purchase import Counter, buy, lend_volumes
from .state import Found

# The option state: what it means, and which status a result tells of it before it is so.
_STATES = {"running": RUNNING, "stopped": OFF}
_WORDS = {"running": "running", "stopped": "offline"}


def plan_instances(found: Found, want: InstanceOptions) -> Plan:
    before = {"instances": [describe_instance(row, found.tiers) for row in found.have]}
    if want["state"] == "absent":
        gone = [*found.have, *found.surplus, *found.dead]
        steps = tuple(_end_step(found, row, want) for row in gone)
        return Plan(before, {"instances": []}, steps, parallel=True)
    todo: list[Step] = []
    after: list[InstanceRow] = []
    for row in found.have:
        step = _power_step(found, row, want)
        todo += [step] if step else []
        status = _WORDS.get(want["state"])
        seen = describe_instance(row, found.tiers)
        after.append({**seen, "status": status if step else seen["status"]})
    todo += [_end_step(found, row, want, is_first) for row in found.surplus]
    todo += [_end_step(found, row, want) for row in found.dead]
    for name in found.missing:
        todo.append(_buy_step(found, name, want))
        after.append(planned(found, name, want))
    return Plan(before, {"instances": after}, tuple(todo), parallel=True)


def _end_step(
    found: Found,
    row: Instance,
    want: InstanceOptions,
    stays: Callable[[Instance, list[Instance]], bool] = lambda _row, _rows: False,
) -> Step:
    """Return the step that terminates an instance, unless a later list shows that it ``stays``."""

    def end(client: Client) -> str | None:
        how = replace(Ending.of(want), wanted=lambda: stays(row, client.instances()))
        gone = terminate_one(client, row, how, found.ends)
        return None if gone else f"leave {row.name} ({row.id}): the older one of this name failed"

    what = f"{row.instance_type} in {row.location}, {row.status}"
    # What may come back by itself is gone before anything is bought in its place.
    return Step(f"terminate {row.name} ({what}, {row.id})", end, first=row.still_costs)


def _power_step(found: Found, row: Instance, want: InstanceOptions) -> Step | None:
    target = _STATES.get(want["state"])
    state = row.state
    if target is None or state == target:
        return None
    action = "start" if target == RUNNING and state == OFF else None
    action = "shutdown" if target == OFF else action

    def switch(client: Client) -> None:
        if action and state not in (RUNNING, OFF):  # an instance that is built stays on
            _wait_for(client, row, want)
        if action:
            act(client, action, row.id)
        if want["wait"]:
            wait = wait_running if target == RUNNING else wait_off
            found.changed[row.id] = _wait_for(client, row, want, wait)

    return Step(f"{action or 'wait for'} {row.name} ({row.id})", switch)


def _wait_for(
    client: Client,
    row: Instance,
    want: InstanceOptions,
    wait: Callable[..., Instance] = wait_running,
) -> Instance:
    """Return an instance once it runs, or is off; an error names it, and says what to do."""
    timing = (want["wait_timeout"], want["wait_interval"])
    try:
        return wait(client, row.id, str(row.name), *timing)
    except GpuopsError as error:
        if isinstance(error, FailedStateError):
            error.hint = (
                "Run the same again: what is left of it is terminated then, and another bought."
            )
        error.details.setdefault("instance_id", row.id)
        raise


def order_of(found: Found, name: str, want: InstanceOptions) -> Order:
    parts = {"os": want["os_volume"], "data": want["data_volumes"]}
    return Order(
        deployment=want["deployment"],
        name=name,
        owner=want["owner"],
        lease=want["lease"],
        lease_max=want["lease_max"],
        project=want["project"] or "",
        protected=bool(want["protect"]),
        hours=want["hours"] or "",
        keep=frozenset(part for part, policy in parts.items() if policy == "keep"),
        ssh_key_ids=found.ssh_key_ids,
        os_volume_gb=want["os_volume_gb"],
        data_volume_gb=want["data_volume_gb"],
        on_eviction=want[ON_EVICTION],
        startup_script_id=want["startup_script_id"],
        description=want["description"] or "",
        longest=want.get("description_limit", LIMIT),
        kept=found.kept.get(name, Kept()),
        replaces=found.old[name].id if name in found.old else None,
        wait=want["wait"],
        timeout=want["wait_timeout"],
        interval=want["wait_interval"],
        start_timeout=want["start_timeout"],
    )


def _buy_step(found: Found, name: str, want: InstanceOptions) -> Step:
    walk = found.walk
    if walk is None:
        raise AssertionError("a purchase is planned only after a look at the market")
    order = order_of(found, name, want)
    purchase = partial(_purchase, found, order, walk, want)
    best = walk.best(order.location)
    if best is None:
        where = f" in {order.location}" if order.location else ""
        return Step(f"buy {name} when {walk.choice.wanted} is in stock{where}", purchase)
    return Step(buy_sentence(order, best.as_dict()), purchase)


def _purchase(found: Found, order: Order, walk: Walk, want: InstanceOptions, client: Client) -> str:
    """Buy an instance, note what became of it, and return that as a sentence."""
    name = order.name
    store.begin(want["ledger"])
    try:
        lend_volumes(client, order)
        row = buy(name, order.location, walk, lambda _offer: Counter(client, order, walk))
    except GpuopsError as error:
        note_failure(found, name, error)
        raise
    taken = note_purchase(found, name, walk, row)
    if order.replaces:
        _end_replaced(client, found, name, want, row.id)
    if taken["outcome"] == "adopted":
        return f"adopt {name}, which another run has bought ({row.id})"
    return buy_sentence(order, taken)


def note_failure(found: Found, name: str, error: GpuopsError) -> None:
    """Note that an instance was not provisioned, and what may exist of it nevertheless."""
    machine = error.details.get("instance_id")
    found.outcomes[name] = {"outcome": "failed", "id": machine, "detail": str(error)}
    found.unclear |= {name} if error.unclear else set()
    # One whose ownership did not hold is terminated already, or none of ours.
    settled = isinstance(error, OwnershipError) or error.details.get("terminated")
    if machine and error.details.get("changed") and not settled:
        found.bought.add(machine)


def note_purchase(found: Found, name: str, walk: Walk, row: Instance) -> Trace:
    """Note an instance that was bought, or adopted of another run, and return its line of the trace."""
    found.changed[row.id] = row
    taken = next(r for r in reversed(walk.attempts) if r.get("id") == row.id)
    outcome = "adopted" if taken["outcome"] == "adopted" else "bought"
    found.outcomes[name] = {"outcome": outcome, "id": row.id, "detail": taken["detail"]}
    if outcome == "bought":
        found.bought.add(row.id)
    return taken


def _end_replaced(client: Client, found: Found, name: str, want: InstanceOptions, new: str) -> None:
    """Terminate the instance that a new one has replaced; an error names both."""
    try:
        _end_step(found, found.old[name], want).call(client)
    except GpuopsError as error:
        error.message = f"{new} has replaced {name}, which could not be terminated: {error.message}"
        error.details["changed"] = True
        raise


def planned(found: Found, name: str, want: InstanceOptions) -> InstanceRow:
    """Return what results show of an instance that is to be bought."""
    best = found.walk.best(order_of(found, name, want).location) if found.walk else None
    known = planned_instance({}).keys()
    offer = best.as_dict().items() if best else ()
    values: dict[str, object] = {key: value for key, value in offer if key in known}
    end = found.lease if read_time(found.lease) else None
    values.update(name=name, deployment=want["deployment"], owner=want["owner"])
    values.update(lease=found.lease, lease_end=end, project=want["project"])
    values.update(protected=bool(want["protect"]), hours=want["hours"])
    return planned_instance(values)


def buy_sentence(order: Order, offer: OfferRow) -> str:
    """Return a purchase in words."""
    market = offer["market"].replace("_", "-")
    image = order.kept.os_volume.name if order.kept.os_volume else offer["image"]
    return (
        f"buy {order.name}: {offer['instance_type']} ({offer['gpu_count']} x {offer['gpu_model']}) "
        f"in {offer['location']}, {market}, {offer['price_per_hour']:g} {offer['currency']}/h, "
        f"{image}, lease {order.lease}"
        + (f", with {order.kept.data_volume.name}" if order.kept.data_volume else "")
        + (f", then terminate {order.replaces}" if order.replaces else "")
    )
