# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is tried on the one instance of a trial, beside what the collection does anyway (private).

Each of it is harmless whatever comes back, and none of it costs anything.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from .._core.errors import GpuopsError
from .._models.orders import Disposal
from .._providers.base.client import Client
from .rows import Fact
from .trial_facts import status_of
from .trial_log import Exchange, TrialLog

_KEYS = ("verify-one", "verify-two")
# Looks at the trash, with pauses in seconds in between.
_PAUSES_S = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)


class Probes:
    """Requests about the instance of a trial, and what their answers tell."""

    def __init__(self, client: Client, log: TrialLog) -> None:
        self._client = client
        self._log = log

    def _asked(self, *call: Any, **more: Any) -> Exchange:
        """Send a request, and return it with its answer; a refusal is an answer."""
        do, *args = call
        with contextlib.suppress(GpuopsError):
            do(*args, **more)
        return self._log.last

    # -- tags ----------------------------------------------------------------------------------

    def tags(self, instance_id: str) -> Iterator[Fact]:
        """Yield how tags are added to an instance and taken away, and take away what was added."""
        tag = self._client.tag
        first = self._asked(tag, "instances", instance_id, _KEYS[0], "one")
        value = "accepted" if first.is_good else f"refused ({status_of(first)})"
        yield Fact("later_tags", value, "purchase", first.request, first.words)
        if not first.is_good:
            return
        second = self._asked(tag, "instances", instance_id, _KEYS[0], "two")
        value = f"tag ({second.status})" if second.is_good else f"key ({status_of(second)})"
        yield Fact("tag_conflict", value, "purchase", second.request, second.words)
        yield self._untag(instance_id)

    def _untag(self, instance_id: str) -> Fact:
        """Return by what a tag is taken away: by its id as documented, or by its key."""
        client = self._client
        by_key = self._asked(client.untag, "instances", instance_id, _KEYS[0])
        made = ""
        with contextlib.suppress(GpuopsError):
            made = client.tag("instances", instance_id, _KEYS[1], "one").id
        by_id = self._asked(client.untag, "instances", instance_id, made or "none")
        ways = {"key": by_key, "id": by_id}
        taken = [way for way, asked in ways.items() if asked.is_good]
        value = "both" if len(taken) == 2 else taken[0] if taken else "neither"
        refused = next((asked for asked in ways.values() if not asked.is_good), None)
        words = f"{status_of(refused)}: {refused.words}" if refused else ""
        self._tidy(instance_id, by_key=by_key.is_good)
        return Fact("untag", value, "purchase", by_key.request, words)

    def _tidy(self, instance_id: str, *, by_key: bool) -> None:
        """Take away what is left of our tags: an instance bears ten, and a lease needs one more."""
        with contextlib.suppress(GpuopsError):
            for tag in self._client.instance(instance_id).tags:
                if tag.key in _KEYS:
                    with contextlib.suppress(GpuopsError):
                        word = tag.key if by_key else tag.id
                        self._client.untag("instances", instance_id, word)

    # -- refusals ------------------------------------------------------------------------------

    def volume_refusal(self, volume_id: str) -> Fact:
        """Return how an action is refused that a volume's state forbids: to restore what is there."""
        asked = self._asked(self._client.restore_volume, volume_id)
        return _refusal("refused_volume_action", asked)

    def instance_refusal(self, instance_id: str) -> Fact:
        """Return how it is refused to terminate an instance that has ended already."""
        asked = self._asked(self._client.terminate, instance_id, Disposal())
        return _refusal("refused_instance_action", asked)

    # -- trash ---------------------------------------------------------------------------------

    def trash(self, volume_id: str) -> Fact:
        """Return when a volume that was just deleted is seen in the trash."""
        client, start = self._client, self._client.clock.monotonic()
        words, passed = "", 0.0
        for pause in _PAUSES_S:
            client.clock.sleep(pause)
            there = False
            try:
                there = any(row.id == volume_id for row in client.trashed_volumes())
            except GpuopsError as error:
                words = error.words or error.message
            passed = client.clock.monotonic() - start
            if there:
                value = f"late, within {passed:.0f} s" if pause else "immediate"
                return Fact("trash", value, "purchase", "GET /volumes/trash", words)
        value = f"not seen within {passed:.0f} s"
        return Fact("trash", value, "purchase", "GET /volumes/trash", words)


def _refusal(name: str, asked: Exchange) -> Fact:
    value = f"accepted ({asked.status})" if asked.is_good else status_of(asked)
    return Fact(name, value, "purchase", asked.request, asked.words)
