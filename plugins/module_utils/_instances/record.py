# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing into the ledger what a run has bought and ended (private)."""

from __future__ import annotations

from collections.abc import Iterator

from .._core.errors import GpuopsError, NotFoundError
from .._ledger import store
from .._ledger.event import Event
from .._ledger.url import url_of
from .._lifecycle.termination_policy import STAYS, Outcome
from .._models.resources import Instance, Volume, held_by
from .._providers.base.client import Client
from .._providers.names import module_of

SOURCE = module_of("instance")


def end_events(outcome: Outcome, source: str = SOURCE) -> Iterator[Event]:
    """Yield the termination of an instance and of the volumes that did not stay."""
    row, policies = outcome.row, outcome.policies
    if outcome.at is None:
        return
    # An order that came to nothing costs nothing, or next to nothing.
    free = row.is_dead and not row.still_costs
    cost, estimated = (0.0, not row.was_free) if free else (None, False)
    yield store.event_of("end", row, outcome.at, source=source, cost=cost, estimated=estimated)
    if outcome.volumes_at is None:
        return
    known = {volume.id: volume for volume in outcome.volumes}
    for volume_id, policy in policies.items():
        if policy not in STAYS and volume_id not in outcome.left:
            with_it = policy == policies.get(str(row.boot_volume_id))
            when = outcome.at if with_it else outcome.volumes_at
            volume = known.get(volume_id, Volume(volume_id))
            yield store.event_of("end", volume, when, machine=row, source=source)


def write_to_ledger(
    client: Client, url: str | None, bought: dict[str, Instance | None], ends: list[Outcome]
) -> list[str]:
    """Write down what was bought and ended; return warnings instead of raising anything.

    ``bought`` holds the record of each instance by id, or None where the wait for it has failed.
    """
    if url_of(url) is None or not (bought or ends):
        return []
    events: list[Event] = []
    warnings = []
    try:
        events += _purchases(client, bought, {end.row.id for end in ends if end.at})
    except GpuopsError as error:
        warnings.append(f"The purchase is not in the ledger yet: {error}")
    for end in ends:
        try:
            events += end_events(end)
        except GpuopsError as error:
            warnings.append(f"The end is not in the ledger yet: {error}")
    warnings += [store.record(url, events, client.account, client.name) or ""]
    return [text for text in warnings if text]


def _purchases(client: Client, bought: dict[str, Instance | None], ended: set[str]) -> list[Event]:
    if not bought:
        return []
    volumes = client.volumes()
    events = []
    for machine_id, known in bought.items():
        row = known or _look(client, machine_id)
        if row is None:
            continue
        start = row.born or client.now()
        events.append(store.event_of("purchase", row, start, source=SOURCE))
        if not row.is_alive and machine_id not in ended:
            end = store.event_of("end", row, client.now(), source=SOURCE, estimated=True)
            events.append(end)
        events += [
            store.event_of("purchase", volume, volume.born or start, machine=row, source=SOURCE)
            for volume in held_by(volumes, machine_id)
            if volume.is_billed
        ]
    return events


def _look(client: Client, machine_id: str) -> Instance | None:
    try:
        return client.instance(machine_id)
    except NotFoundError:
        return None
