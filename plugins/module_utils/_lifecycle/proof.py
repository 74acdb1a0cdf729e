# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof that an instance is gone: it says so itself, again and again, and no list shows it (private)."""

from __future__ import annotations

from .._core.errors import NotFoundError, UnavailableError, WaitTimeoutError
from .._core.wait import wait_until
from .._models.status import GONE, UNKNOWN
from .._providers.base.client import Client

PROVEN = "gone"
UNREAD = "not readable"
# So many looks in a row must agree. A record may lag behind its order, so one that is only missing,
# of an instance that nobody was seen to terminate, must be missing for longer.
_LOOKS, _MISSING_LOOKS = 3, 5


class Proof:
    """What was seen of one instance so far. ``accepted`` says that the cloud took its termination."""

    def __init__(self, client: Client, instance_id: str) -> None:
        self._client = client
        self._id = instance_id
        self._looks = 0
        self._listed = ""
        self.accepted = False
        self.state = UNKNOWN
        self.is_missing = self.is_unread = False

    def look(self, *, listed_first: bool = False) -> str:
        """Look once; return PROVEN when that completes the proof, else what was seen, in words.

        ``listed_first`` spares the look by its id while the list, which many share, shows it.
        """
        seen = (listed_first and self._look_in_list()) or self._look_by_id()
        if self.state != GONE:
            self._looks = 0
            return seen
        self._looks += 1
        missing = self.is_missing and not self.accepted
        if self._looks < (_MISSING_LOOKS if missing else _LOOKS):
            return f"{seen} by its id, to be seen again{self._listed}"
        listed = self._look_in_list()
        if listed is None:
            return PROVEN
        self._looks, self._listed = 0, f", but {listed} in the list"
        return f"{seen} by its id{self._listed}"

    def _look_by_id(self) -> str:
        try:
            row = self._client.instance(self._id)
        except NotFoundError:
            return self._note("notfound", GONE, missing=True)
        except UnavailableError as error:
            return self._note(f"{UNREAD} ({error.message})", UNKNOWN, unread=True)
        return self._note(row.status, row.state)

    def _look_in_list(self) -> str | None:
        """Return the status that the list shows, None when it does not show the instance any more."""
        try:
            rows = self._client.instances()
        except UnavailableError as error:
            return self._note(f"{UNREAD} ({error.message})", UNKNOWN, unread=True)
        listed = next((row for row in rows if row.id == self._id), None)
        if listed is None or listed.state == GONE:
            return None
        return self._note(listed.status, listed.state)

    def _note(self, status: str, state: str, *, missing: bool = False, unread: bool = False) -> str:
        """Keep what a look has shown, and return it in words."""
        self.state, self.is_missing, self.is_unread = state, missing, unread
        return status


def is_proven_gone(client: Client, instance_id: str, interval: float) -> bool:
    """Tell whether an instance is gone; takes a few looks, ``interval`` seconds apart at most."""
    proof = Proof(client, instance_id)
    try:
        wait_until(
            proof.look,
            lambda seen: seen == PROVEN or proof.state != GONE,
            what=f"the proof that {instance_id} is gone",
            timeout=interval * 2 * _MISSING_LOOKS,
            interval=interval,
            clock=client.clock,
        )
    except WaitTimeoutError:
        return False
    return proof.state == GONE
