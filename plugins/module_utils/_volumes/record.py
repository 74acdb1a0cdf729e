# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing into the ledger what became of a volume (private)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from .._core.errors import GpuopsError
from .._ledger import store
from .._ledger.event import Event
from .._ledger.url import url_of
from .._models.resources import Volume
from .._providers.base.client import Client
from .._providers.names import module_of
from .plan import FoundVolumes

_SOURCE = module_of("volume")


def book_volume(client: Client, found: FoundVolumes, url: str | None) -> list[str]:
    """Write down what was created, restored, resized and removed; return warnings."""
    if url_of(url) is None or not found.work:
        return []
    try:
        rows = {row.id: row for row in client.volumes() if row.is_alive}
    except GpuopsError as error:
        return [f"The volume is not in the ledger yet: {error}"]
    events = _events(client, found, rows, found.work.id)
    warning = store.record(url, events, client.account, client.name)
    return [warning] if warning else []


def _events(
    client: Client, found: FoundVolumes, rows: dict[str, Volume], volume_id: str
) -> list[Event]:
    now = client.now()
    event = partial(store.event_of, source=_SOURCE)
    events = [event("end", row=row, at=now) for row in found.living if row.id not in rows]
    after = rows.get(volume_id)
    if after is None:
        return events
    before = next((row for row in found.living if row.id == volume_id), None)
    if before and before.price.amount != after.price.amount:
        events += [_first(before, event, now), event("price", row=after, at=now)]
    elif before is None and any(row.id == volume_id for row in found.trashed):
        events.append(event("restore", row=after, at=now))
    elif before is None:
        events.append(_first(after, event, now))
    return events


def _first(row: Volume, event: Callable[..., Event], now: datetime) -> Event:
    """Return the purchase of a volume, which a ledger that knows it passes over."""
    return event("purchase", row=row, at=row.born or now)
