# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances of one name, the states they end in, and waiting until one runs (private)."""

from __future__ import annotations

from collections.abc import Callable

from .._core.errors import NotFoundError, UnavailableError
from .._core.wait import steady, wait_until
from .._models.resources import Instance
from .._models.status import GONE, OFF, RUNNING, UNKNOWN
from .._providers.base.client import Client
from .._providers.base.shared_reads import Look

# A record may lag behind its order for this many looks before it counts as lost.
_MISSING_LOOKS = 5


def twins(
    rows: list[Instance], deployment: str, name: str, without: str | None = None
) -> list[Instance]:
    """Return the living instances of one name, the one that stays first.

    That is the oldest, then the smallest id; one that another was bought to replace comes last.
    ``without`` leaves out one id.
    """
    found = []
    replaced: tuple[str, ...] = ()
    for row in rows:
        marks = row.ownership
        if row.id == without or not marks or not row.is_alive:
            continue
        if (marks.deployment, marks.name) == (deployment, name):
            found.append(row)
            replaced += (marks.replaces,) if marks.replaces else ()
    return sorted(found, key=lambda row: (row.id.startswith(replaced), *row.age_key))


def is_first(row: Instance, rows: list[Instance]) -> bool:
    """Tell whether an instance is the one that stays of its name in a list."""
    marks = row.ownership
    same = twins(rows, marks.deployment, marks.name) if marks else []
    return bool(same) and same[0].id == row.id


class _Watch:
    """Looks at one instance: by its id, or where others are waited for at the same time, in the list.

    ``known`` is what was seen of it just now.
    """

    def __init__(self, client: Client, instance_id: str, known: Instance | None) -> None:
        self._client, self._id, self._known = client, instance_id, known
        self._listed: Look[list[Instance]] | None = None
        self._missing = 0

    def rest(self, seconds: float) -> None:
        """Pause; where several wait, until one of them has read the list."""
        if not self._client.is_crowded:
            self._client.clock.sleep(seconds)
            return
        seen = self._listed.number if self._listed else self._client.listed.number
        self._listed = self._client.listed.after_pause(seconds, seen)

    def look(self) -> Instance:
        """Return what is seen of it; a look that fails is told as its status."""
        try:
            found = self._known or self._shown() or known_instance(self._client, self._id)
            self._known, self._missing = None, 0
            return found
        except NotFoundError:
            self._missing += 1
            if self._missing >= _MISSING_LOOKS:
                return Instance(self._id, status="notfound", state=GONE)
            seen = "not listed yet"
        except UnavailableError as error:
            seen = f"not readable ({error.message})"
        return Instance(self._id, status=seen, state=UNKNOWN)

    def _shown(self) -> Instance | None:
        rows = self._listed.told() if self._listed else []
        return next((row for row in rows if row.id == self._id), None)


def _wait_for(
    client: Client,
    instance_id: str,
    what: str,
    reached: Callable[[Instance], bool],
    timeout: float,
    interval: float,
    known: Instance | None = None,
) -> Instance:
    """Return the record of an instance once ``reached``; a look that fails is no end of the wait."""
    watch = _Watch(client, instance_id, known)
    return wait_until(
        watch.look,
        reached,
        failed=lambda row: not row.is_alive,
        what=what,
        timeout=timeout,
        interval=interval,
        clock=client.clock,
        seen=lambda row: row.status,
        pauses=steady,
        rest=watch.rest,
    )


def wait_running(
    client: Client,
    instance_id: str,
    name: str,
    timeout: float,
    interval: float,
    known: Instance | None = None,
) -> Instance:
    """Return an instance once it runs and has an address; ``known`` is what was seen of it just now.

    Raises FailedStateError at once when it ended, WaitTimeoutError with the last status.
    """

    def runs(row: Instance) -> bool:
        return row.state == RUNNING and row.has_address

    what = f"{name} ({instance_id}) to run"
    return _wait_for(client, instance_id, what, runs, timeout, interval, known)


def wait_off(
    client: Client, instance_id: str, name: str, timeout: float, interval: float
) -> Instance:
    """Return an instance once it is off; raises as ``wait_running`` does."""

    def is_off(row: Instance) -> bool:
        return row.state == OFF

    what = f"{name} ({instance_id}) to be off"
    return _wait_for(client, instance_id, what, is_off, timeout, interval)


def known_instance(client: Client, instance_id: str) -> Instance:
    """Return an instance as it is now: by its id, else as the list shows it.

    A new instance can be unknown by its id for a while, and be listed. Raises NotFoundError where
    neither knows it.
    """
    try:
        return client.instance(instance_id)
    except NotFoundError:
        for row in client.instances():
            if row.id == instance_id:
                return row
        raise
