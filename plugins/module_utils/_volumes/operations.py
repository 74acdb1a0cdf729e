# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done to a volume: created once, changed, removed, each until it is so (private)."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from .._core.errors import (
    GpuopsError,
    InvalidError,
    NotFoundError,
    UnavailableError,
    WrongStateError,
)
from .._core.wait import wait_until
from .._core.write_once import write_once
from .._lifecycle.create_once import create_once
from .._lifecycle.power import Timing
from .._models.orders import VolumeOrder, tags_from
from .._models.ownership import part_tags
from .._models.resources import Volume
from .._models.status import VOLUME_ENDED
from .._models.volumes import is_meant
from .._providers.base.client import Client

Test = Callable[[Volume], bool]
# A record may lag behind its order for this many looks before it counts as lost.
_MISSING_LOOKS = 5
# And must be missing in so many in a row, and in the list, to count as gone.
_GONE_LOOKS = 3
_LOST = "notfound"
# In these a volume will not become what was wanted of it.
_DEAD = VOLUME_ENDED | {_LOST}


def settled(row: Volume) -> bool:
    """Tell whether a volume is not on its way to another status."""
    return row.is_settled


def gone(row: Volume) -> bool:
    """Tell whether a volume is in the trash, or no more."""
    return row.is_gone


def gone_for_good(row: Volume) -> bool:
    """Tell whether a volume is no more, and not in the trash either."""
    return row.is_gone_for_good


@dataclass(frozen=True)
class NewVolume:
    """What to create; size in GiB."""

    name: str
    deployment: str
    size_gb: int
    type: str
    location: str
    request: str = field(default_factory=lambda: uuid.uuid4().hex)

    def order(self) -> VolumeOrder:
        """Return the order, with tags that say whose it is and that it is kept."""
        tags = tags_from(part_tags(self.deployment, request=self.request, keep="yes"))
        return VolumeOrder(self.name, self.type, self.size_gb, self.location, tags)

    def twins(self, rows: list[Volume]) -> list[Volume]:
        """Return the volumes of this name, the one that stays first: oldest, then smallest id."""
        same = [r for r in rows if r.is_alive and is_meant(r, self.name, self.deployment)]
        return sorted(same, key=lambda row: row.age_key)

    def made(self, rows: list[Volume]) -> str | None:
        """Return the id of what this order made; without tags, of the volume of its name."""
        twins = self.twins(rows)
        ours = [row.id for row in twins if row.request == self.request]
        ours += [row.id for row in twins if not row.tags]
        return ours[0] if ours else None


@dataclass
class VolumeWork:
    """One volume on its way; ``id`` is known from the first step on."""

    timing: Timing
    id: str = ""
    label: str = ""
    shared: bool = False
    row: Volume = field(default_factory=lambda: Volume(""))

    # -- looks ---------------------------------------------------------------------------------

    def _look(self, client: Client) -> Volume:
        try:
            return client.volume(self.id)
        except NotFoundError:
            return Volume(self.id, status=_LOST)

    def reach(self, client: Client, what: str, done: Test, dead: frozenset[str] = _DEAD) -> None:
        """Wait until the volume is as wanted, and keep what was seen then.

        Raises FailedStateError in a status of ``dead``, WaitTimeoutError with the last status.
        """
        missing = 0

        def look() -> Volume | str:
            """Return the volume, or in words why it was not seen."""
            nonlocal missing
            try:
                found = self._look(client)
            except UnavailableError as error:
                return f"not readable ({error.message})"
            missing = missing + 1 if found.status == _LOST and dead else 0
            return "not listed yet" if 0 < missing < _MISSING_LOOKS else found

        def met(seen: Volume | str) -> bool:
            return isinstance(seen, Volume) and done(seen)

        def failed(seen: Volume | str) -> bool:
            return isinstance(seen, Volume) and seen.status in dead

        def words(seen: Volume | str) -> str:
            return seen.status if isinstance(seen, Volume) else seen

        reached = wait_until(
            look,
            met,
            failed=failed,
            what=f"volume {self.label} ({self.id}) to be {what}",
            timeout=self.timing.timeout,
            interval=self.timing.interval,
            clock=client.clock,
            seen=words,
        )
        if isinstance(reached, Volume):
            self.row = reached

    def settle(self, client: Client) -> None:
        """Wait until the volume is on its way to no other status."""
        self.reach(client, "settled", settled)

    def _act(self, client: Client, send: Callable[[], None], done: Test) -> None:
        """Ask for a change; after an unclear answer look whether it was made, else ask once more."""

        def ask() -> bool:
            try:
                send()
            except WrongStateError:
                if not done(self._look(client)):  # it may be so already, by somebody else
                    raise
            return True

        def look(_problem: GpuopsError) -> bool | None:
            row = self._look(client)
            return done(row) or not row.is_settled or None

        write_once(ask, look)

    # -- steps ---------------------------------------------------------------------------------

    def create(self, client: Client, new: NewVolume, *, wait: bool) -> str | None:
        """Create the volume; returns a sentence when another run had done so first."""
        self.label = new.name
        self.id = create_once(
            client, lambda: _post(client, new), lambda: new.made(client.volumes()), "volume"
        )
        mine = self.id
        try:
            self._yield_to_older(client, new)
            if wait:
                self.settle(client)
        except GpuopsError as error:
            error.details.update(volume_id=self.id, changed=True)
            error.hint = (
                f"{error.hint} The volume {new.name} ({self.id}) exists and costs money: "
                "run the same again to adopt it, or remove it with state=absent."
            ).strip()
            raise
        if self.id == mine:
            return None
        return f"use volume {new.name}, which another run has created ({self.id})"

    def _yield_to_older(self, client: Client, new: NewVolume) -> None:
        """Apply the race rule: of equal names the oldest stays; what we made, still blank, goes."""
        rows = new.twins(client.volumes())
        if not any(row.id == self.id for row in rows):
            return
        mine, self.id = self.id, rows[0].id
        for row in rows[1:]:
            if row.id == mine or row.request == new.request:
                blank = VolumeWork(self.timing, row.id, new.name)
                blank.settle(client)
                blank.remove(client, for_good=True, wait=False)

    def restore(self, client: Client, *, wait: bool) -> None:
        """Bring the volume back from the trash."""
        self._act(client, partial(client.restore_volume, self.id), lambda row: row.is_alive)
        if wait:
            back = frozenset({_LOST})
            self.reach(client, "restored", lambda row: row.is_alive and row.is_settled, back)

    def rename(self, client: Client, name: str, *, wait: bool) -> None:
        """Give the volume another name."""
        send = partial(client.rename_volume, self.id, name)
        self._change(client, "rename", send, lambda row: row.name == name, wait)

    def grow(self, client: Client, size_gb: int, *, wait: bool) -> None:
        """Make the volume bigger; size in GiB."""
        send = partial(client.resize_volume, self.id, size_gb)
        self._change(client, "resize", send, lambda row: row.size_gb == size_gb, wait)

    def _change(
        self, client: Client, action: str, send: Callable[[], None], done: Test, wait: bool
    ) -> None:
        self.settle(client)
        self._act(client, send, done)
        if wait:
            self.reach(client, f"changed ({action})", done)

    def attach(self, client: Client, machine_id: str, *, wait: bool) -> None:
        """Attach the volume to an instance that is off."""

        def done(row: Volume) -> bool:
            return machine_id in row.holders and row.is_settled

        send = partial(client.attach_volume, self.id, machine_id)
        self._change(client, "attach", send, done, wait)

    def detach(self, client: Client, machine_id: str, *, wait: bool) -> None:
        """Detach the volume from an instance that is off."""

        def done(row: Volume) -> bool:
            return machine_id not in row.holders and row.is_settled

        # A shared file system leaves one instance, any other volume the only one that has it.
        send = partial(client.detach_volume, self.id, machine_id if self.shared else None)
        self._change(client, "detach", send, done, wait)

    def let_go(self, client: Client, machine_id: str, *, wait: bool = True) -> None:
        """Detach the volume from an instance that is gone; what is asked next tells whether it worked."""
        with contextlib.suppress(InvalidError, NotFoundError, WrongStateError):
            self.detach(client, machine_id, wait=wait)

    def remove(self, client: Client, *, for_good: bool, wait: bool) -> None:
        """Move the volume to the trash, or delete it for good, also out of the trash."""
        done = gone_for_good if for_good else gone
        looks = 0
        while True:
            try:
                send = partial(client.delete_volume, self.id, for_good=for_good)
                self._act(client, send, lambda r: done(r) or r.status == "deleting")
                break
            except (
                NotFoundError
            ):  # no proof: the look by its id and the list say whether it is gone
                looks += 1
                if self._is_gone(client, done) and looks >= _GONE_LOOKS:
                    return
                if looks >= _MISSING_LOOKS:
                    raise
            client.clock.sleep(self.timing.interval)
        if wait:
            self.reach(client, "gone", done, frozenset())

    def _is_gone(self, client: Client, done: Test) -> bool:
        listed = [row for row in client.volumes() if row.id == self.id]
        return done(self._look(client)) and not any(row.is_alive for row in listed)


def _post(client: Client, new: NewVolume) -> str:
    order = new.order()
    try:
        return client.add_volume(order)
    except InvalidError as error:
        # Nothing was made by a 400. Where tags are refused the name says whose it is.
        if "tag" not in error.message.lower():
            raise
        return client.add_volume(replace(order, tags=()))
