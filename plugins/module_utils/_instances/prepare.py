# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be bought for instances that are missing, and whether the money allows it (private)."""

from __future__ import annotations

import dataclasses

from .._billing.purchase_guard import guard_for
from .._catalog import stock
from .._core.data import Data
from .._core.errors import InvalidError, NoCapacityError, NotFoundError
from .._core.times import lease_until, read_time
from .._lifecycle.retained_volumes import Kept, evicted, find_kept, place_of
from .._models.offer import MARKETS, SPOT
from .._providers.base.client import Client
from .._providers.base.currency import Purse
from .._providers.base.shapes import is_uuid
from .journal import taken_away
from .offer_queue import Patience, Walk
from .options import InstanceOptions
from .order_check import check_orderable
from .order_fallbacks import Fallbacks
from .state import Found


def what_to_give(model: dict[str, Data] | None) -> str:
    """Return what would say what to buy, and why a model did not."""
    problem = (model or {}).get("problem")
    unread = (
        f"The model {model['name']} could not be read: {str(problem).rstrip('.')}. "
        if model and problem
        else ""
    )
    return unread + "Give tier (for example h100_or_less), gpus, instance_type or model."


def look_at_the_market(client: Client, found: Found, want: InstanceOptions) -> None:
    """Add to what was found what can be bought, what was kept, and whether the money allows it.

    Raises NoCapacityError, OverBudgetError, and InvalidError when nothing says what to buy.
    """
    selection = stock.selection_from(want)
    if not selection.named:
        raise InvalidError(
            f"There is no instance {', '.join(found.missing)} yet, and nothing says what to buy",
            hint=what_to_give(want["model"]),
        )
    # A lease that cannot be read costs no order.
    found.lease = lease_until(want["lease"], client.now(), want["lease_max"])
    look_at_what_was_kept(client, found, want)
    check_orderable(client, found, want)
    lost = frozenset(place_of(row) for row in found.lost)
    selection = dataclasses.replace(selection, lost=lost, until=read_time(found.lease))
    purse = Purse(client)
    mixed = want["budget_policy"] == "warn"
    log = want["observation_log"]
    market = stock.Market(client, selection, log, purse=purse, mixed=mixed)
    guard = found.guard = guard_for(client, found, want, purse)
    choice, found.ssh_key_ids, _seen = client.together(
        market.look,
        lambda: key_ids(client, want["ssh_keys"] or []),
        lambda: guard.look(found.rows),
    )
    found.choice = choice
    if not choice.offers and not want["wait_for_capacity"]:
        raise NoCapacityError(
            choice.why_nothing(),
            hint="Widen the tier, the locations or the price, take market=spot_first, "
            "let it wait with wait_for_capacity, or run the same again later: stock changes "
            "by the minute.",
            details={**choice.as_result()},
        )
    times = (want["capacity_timeout"], want["wait_for_capacity"], want["capacity_interval"])
    walk = found.walk = Walk(choice, market, client.clock, Patience(*times), ends=found.ends)
    walk.fallbacks = Fallbacks.of(client)
    places = {name: found.kept.get(name, Kept()).location for name in found.missing}
    best = {name: walk.best(place) for name, place in places.items()}
    guard.check({name: offer for name, offer in best.items() if offer})
    walk.ceiling, walk.look_again = guard.limit(), guard.look_again
    walk.bought = guard.check_bought


def look_at_what_was_kept(client: Client, found: Found, want: InstanceOptions) -> None:
    """Find disks to use again, and places where spot instances of these names were lost."""
    boot = want["os_volume"] == "keep"
    spot = SPOT in MARKETS[want["market"]]
    volumes, ended = client.together(
        lambda: client.volumes() if boot or want["data_volume_gb"] else [],
        lambda: client.ended_instances() if spot else [],
    )
    lost = [row for row in evicted(ended, want["deployment"]) if row.name in found.missing]
    found.lost = taken_away(client, lost)
    if volumes:
        for name in found.missing:
            found.kept[name] = find_kept(volumes, want["deployment"], name, boot=boot)
        for kept in found.kept.values():
            kept.check()  # disks at two places cost no order


def key_ids(client: Client, keys: list[str]) -> tuple[str, ...]:
    """Return the ids of the SSH keys that may log in. Raises NotFoundError."""
    wanted = [client.unregistered_key(key) or key for key in keys]
    if all(is_uuid(key) or client.unregistered_key(key) for key in wanted):
        return tuple(wanted)
    rows = client.ssh_keys()
    ids = []
    for key in wanted:
        match = next((row.id for row in rows if key in (row.id, row.name)), None)
        match = match or client.unregistered_key(key)
        if match is None:
            known = ", ".join(sorted(row.name for row in rows if row.name)) or "none"
            raise NotFoundError(f"No SSH key {key!r} is registered; known: {known}")
        ids.append(match)
    return tuple(ids)
