# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing into the ledger what a run has bought and ended (private)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from . import _ledger
from ._client import Client
from ._ending import STAYS, Ending
from ._errors import GpuopsError, NotFoundError
from ._lease import read_time
from ._ledger_url import url_of
from ._spend import FREE_VOLUME
from ._statuses import DEAD, ENDED

SOURCE = "datacrunch_instance"
Event = dict[str, Any]


@dataclass(frozen=True)
class End:
    """A machine that this run has ended: its last record, its volumes, and when each bill ended."""

    row: dict[str, Any]
    volumes: list[dict[str, Any]]
    how: Ending
    at: datetime
    volumes_at: datetime
    source: str = SOURCE

    def events(self) -> Iterator[Event]:
        """Yield the ends of the machine and of the volumes that did not stay."""
        dead = self.row.get("status") in DEAD  # such an order costs nothing, or next to nothing
        more: dict[str, Any] = (
            {"cost": 0.0, "estimated": self.row["status"] != "no_capacity"} if dead else {}
        )
        more["source"] = self.source
        yield _event("end", "instance", self.row, self.at, **more)
        policies = self.how.policies(self.row)
        known = {row["id"]: row for row in self.volumes}
        for row in self.volumes:
            part = self.how.os_volume if row.get("is_os_volume") else self.how.data_volumes
            policies.setdefault(row["id"], part)
        for volume_id, policy in policies.items():
            if policy not in STAYS:
                at = self.at if policy == policies.get(str(self.row.get("os_volume_id"))) else None
                row = known.get(volume_id, {"id": volume_id})
                when, whose = at or self.volumes_at, {"machine": self.row, "source": self.source}
                yield _event("end", "volume", row, when, **whose)


def _event(name: str, kind: str, row: dict[str, Any], at: datetime, **more: Any) -> Event:
    return _ledger.event_of(name, kind, row, at, **{"source": SOURCE, **more})


def book(
    client: Client, url: str | None, bought: dict[str, dict[str, Any] | None], ends: list[End]
) -> list[str]:
    """Write down what was bought and ended; return warnings instead of raising anything.

    ``bought`` holds the record of each machine by id, or None where the wait for it has failed.
    """
    if url_of(url) is None or not (bought or ends):
        return []
    events: list[Event] = []
    warnings = []
    try:
        events += _purchases(client, bought)
    except GpuopsError as error:
        warnings.append(f"The purchase is not in the ledger yet: {error}")
    for end in ends:
        try:
            events += end.events()
        except GpuopsError as error:
            warnings.append(f"The end is not in the ledger yet: {error}")
    warnings += [_ledger.record(url, events, client.account) or ""]
    return [text for text in warnings if text]


def _purchases(client: Client, bought: dict[str, dict[str, Any] | None]) -> list[Event]:
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
        if row.get("status") in ENDED | DEAD:
            events.append(_event("end", "instance", row, client.now(), estimated=True))
        for volume in volumes:
            if volume.get("instance_id") == machine_id and volume["status"] not in FREE_VOLUME:
                made = read_time(volume.get("created_at")) or start
                events.append(_event("purchase", "volume", volume, made, machine=row))
    return events


def _look(client: Client, machine_id: str) -> dict[str, Any] | None:
    try:
        return client.instance(machine_id)
    except NotFoundError:
        return None
