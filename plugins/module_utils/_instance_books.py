# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing into the ledger what a run has bought and ended (private)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from . import _ledger
from ._client import Client
from ._ending import STAYS
from ._errors import GpuopsError, NotFoundError
from ._lease import read_time
from ._ledger_url import url_of
from ._statuses import DEAD, held_by, is_alive, volume_is_billed
from ._terminate import Outcome

SOURCE = "datacrunch_instance"
Event = dict[str, Any]


def end_events(outcome: Outcome, source: str = SOURCE) -> Iterator[Event]:
    """Yield the ends of an instance and of the volumes that did not stay."""
    row, how = outcome.row, outcome.how
    if outcome.at is None:
        return
    dead = row.get("status") in DEAD  # such an order costs nothing, or next to nothing
    more: dict[str, Any] = (
        {"cost": 0.0, "estimated": row["status"] != "no_capacity"} if dead else {}
    )
    yield _event("end", "instance", row, outcome.at, source=source, **more)
    if outcome.volumes_at is None:
        return
    policies = how.policies(row)
    known = {v["id"]: v for v in outcome.volumes}
    for volume_id, policy in policies.items():
        if policy not in STAYS and volume_id not in outcome.left:
            with_it = policy == policies.get(str(row.get("os_volume_id")))
            when = outcome.at if with_it else outcome.volumes_at
            volume = known.get(volume_id, {"id": volume_id})
            yield _event("end", "volume", volume, when, machine=row, source=source)


def _event(name: str, kind: str, row: dict[str, Any], at: datetime, **more: Any) -> Event:
    return _ledger.event_of(name, kind, row, at, **{"source": SOURCE, **more})


def book(
    client: Client, url: str | None, bought: dict[str, dict[str, Any] | None], ends: list[Outcome]
) -> list[str]:
    """Write down what was bought and ended; return warnings instead of raising anything.

    ``bought`` holds the record of each machine by id, or None where the wait for it has failed.
    """
    if url_of(url) is None or not (bought or ends):
        return []
    events: list[Event] = []
    warnings = []
    try:
        events += _purchases(client, bought, {end.row["id"] for end in ends if end.at})
    except GpuopsError as error:
        warnings.append(f"The purchase is not in the ledger yet: {error}")
    for end in ends:
        try:
            events += end_events(end)
        except GpuopsError as error:
            warnings.append(f"The end is not in the ledger yet: {error}")
    warnings += [_ledger.record(url, events, client.account) or ""]
    return [text for text in warnings if text]


def _purchases(
    client: Client, bought: dict[str, dict[str, Any] | None], ended: set[str]
) -> list[Event]:
    if not bought:
        return []
    volumes = client.volumes()
    events = []
    for machine_id, known in bought.items():
        row = known or _look(client, machine_id)
        if row is None:
            continue
        start = read_time(row.get("created_at")) or client.now()
        events.append(_event("purchase", "instance", row, start))
        if not is_alive(row) and machine_id not in ended:
            events.append(_event("end", "instance", row, client.now(), estimated=True))
        for volume in filter(volume_is_billed, held_by(volumes, machine_id)):
            made = read_time(volume.get("created_at")) or start
            events.append(_event("purchase", "volume", volume, made, machine=row))
    return events


def _look(client: Client, machine_id: str) -> dict[str, Any] | None:
    try:
        return client.instance(machine_id)
    except NotFoundError:
        return None
