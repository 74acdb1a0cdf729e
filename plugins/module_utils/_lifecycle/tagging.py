# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changing the tags of what exists (private).

A tag cannot be updated, only removed and added. A lease is therefore written beside the old one
first: whoever reads in between, or after a crash, finds complete tags and one of the two leases,
never none and never an older one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from .._core.errors import (
    AuthError,
    ConflictError,
    ForbiddenError,
    GpuopsError,
    InvalidError,
    NotFoundError,
)
from .._core.write_once import write_once
from .._models.label import read_label
from .._models.ownership import (
    KEEP_SUFFIX,
    KEEP_TAG,
    LEASE_TAG,
    NEXT_LEASE_TAG,
    PROTECT_TAG,
    read_identity,
)
from .._models.resources import Instance, Tag, Volume
from .._providers.base.client import Client
from .instance_states import known_instance

# What an account answers that knows no tags, or may not use them.
REFUSALS = (AuthError, ForbiddenError, InvalidError, NotFoundError)
# A change takes four writes; the rest is for others who change the same instance meanwhile.
_ROUNDS = 16
_ATTEMPTS = 3


def set_tag(
    client: Client,
    kind: str,
    item_id: str,
    key: str,
    value: str,
    known: Instance | Volume | None = None,
) -> None:
    """Give an instance or a volume a tag, instead of one with another value if there is one.

    Some accounts link a second tag of the same key: ``known``, the resource as it was listed, tells
    which one is to go then.
    """
    if _add_or_replace(client, kind, item_id, key, value):
        return
    for tag in known.tags if known else ():
        if tag.key == key and tag.value != value:
            untag(client, kind, item_id, tag)


def _add_or_replace(client: Client, kind: str, item_id: str, key: str, value: str) -> bool:
    """Write a tag; return whether the account holds that there is one of each key."""
    unique = False
    for last in (*[False] * (_ATTEMPTS - 1), True):
        try:
            client.tag(kind, item_id, key, value)
            break
        except GpuopsError as error:
            conflict = isinstance(error, ConflictError)
            if not (conflict or error.unclear):
                raise
            unique = unique or conflict
            old = [tag for tag in _tags_of(client, kind, item_id) if tag.key == key]
            if value in [tag.value for tag in old]:
                break
            if last:
                raise (error if old or not conflict else _hidden(kind, item_id, key)) from None
            for tag in old if conflict else ():
                untag(client, kind, item_id, tag)
    return unique


def _hidden(kind: str, item_id: str, key: str) -> GpuopsError:
    return GpuopsError(
        f"POST /{kind}/{item_id}/tags: the account says that there is a tag {key} already, but does "
        "not show it",
        hint="Nothing can be changed that is not shown. Look at the tags in the console.",
    )


def _tags_of(client: Client, kind: str, item_id: str) -> tuple[Tag, ...]:
    """Return the tags as they are now."""
    if kind == "instances":
        return known_instance(client, item_id).tags
    return client.volume(item_id).tags


def untag(client: Client, kind: str, item_id: str, tag: Tag) -> None:
    """Take a tag away: by its id, as the API documents it, or by its key, as the vendor's SDK does.

    An id that is refused may be one that is gone already, so the tags are looked at in between.
    """
    try:
        client.untag(kind, item_id, tag.id or tag.key)
        return
    except (InvalidError, NotFoundError):
        there = [row.id for row in _tags_of(client, kind, item_id)]
    if tag.id in there:
        client.untag(kind, item_id, tag.key)


def keep_volume(client: Client, volume_id: str) -> None:
    """Mark a volume as retained on purpose; where tags are refused its name says so."""
    try:
        set_tag(client, "volumes", volume_id, KEEP_TAG, "yes")
    except REFUSALS:
        name = client.volume(volume_id).name or ""
        if not name.endswith(KEEP_SUFFIX):
            client.rename_volume(volume_id, name + KEEP_SUFFIX)


def lend_volume(client: Client, volume: Volume, lease: str) -> None:
    """Write on a volume for how long it is wanted, unless it is retained on purpose anyway.

    Where that fails the volume is used all the same: an instance that has it protects it as well.
    """
    if not volume.is_kept and volume.tag_values.get(LEASE_TAG) != lease:
        with contextlib.suppress(GpuopsError):
            set_tag(client, "volumes", volume.id, LEASE_TAG, lease, volume)


def refuse_fixed(client: Client, row: Instance, what: Literal["lease", "protection"]) -> None:
    """Raise ForbiddenError where a provider lets nobody change this of an instance, before any write."""
    written = client.capabilities.ownership
    if written.tags == "mutable" or (what == "lease" and written.relabel):
        return
    raise ForbiddenError(
        f"The {what} of {row.name} ({row.id}) cannot be changed: at {client.name} it is written with "
        "the order, and stays",
        hint="Buy a new instance with what is wanted, and terminate this one.",
    )


class Marks:
    """The tags of one instance on their way to others."""

    def __init__(self, client: Client, machine: Instance) -> None:
        self.client = client
        self.id, self.name = machine.id, machine.name
        self.identity = machine.ownership
        # Then a lease tag alone says the lease.
        tags_only = read_identity(machine.tag_values, "")
        self.complete = bool(tags_only or read_label(machine.description))
        self.tags = {tag.key: tag for tag in machine.tags}
        self._added: set[str] = set()

    def _value(self, key: str) -> str | None:
        return self.tags[key].value if key in self.tags else None

    def _look(self) -> None:
        self.tags = {tag.key: tag for tag in _tags_of(self.client, "instances", self.id)}
        self._added.clear()

    def _listed(self, key: str) -> Tag | None:
        """Return a tag; the id in the answer to a write is believed only where it is listed, too."""
        if key in self._added:
            self._look()
        return self.tags.get(key)

    @contextlib.contextmanager
    def _seen_again(self, *also: type[GpuopsError]) -> Iterator[None]:
        """Look at the tags again where it is not clear what a change did, or after other errors."""
        try:
            yield
        except GpuopsError as error:
            if not (error.unclear or isinstance(error, also)):
                raise
            self._look()

    def _complete(self) -> None:
        """Write out what only the first release's description says; the lease comes last.

        Beside such a description the tags count only when they are complete, beside an ownership string each.
        """
        if self.identity is None or self.complete:
            return
        for tag in self.identity.tags():
            if tag["key"] != LEASE_TAG and self._value(tag["key"]) != tag["value"]:
                set_tag(self.client, "instances", self.id, tag["key"], tag["value"])
                self._look()

    def write_lease(self, lease: str) -> None:
        """Write a lease. Raises ForbiddenError where neither tags nor label can be changed."""
        if self.client.capabilities.ownership.relabel:
            self._relabel(lease)
            return
        with self._refusing("lease"):
            self._complete()
            noted = False
            for _round in range(_ROUNDS):
                now, new = self._value(LEASE_TAG), self._value(NEXT_LEASE_TAG)
                if new is None and (noted or now == lease):
                    return
                noted = noted or new == lease
                if new is None or now is None:
                    key, value = (NEXT_LEASE_TAG, lease) if new is None else (LEASE_TAG, new)
                    with self._seen_again(ConflictError):  # somebody else was first
                        self.tags[key] = self.client.tag("instances", self.id, key, value)
                        self._added.add(key)
                        noted = noted or new is None
                elif old := self._listed(LEASE_TAG if now != new else NEXT_LEASE_TAG):
                    with self._seen_again():
                        untag(self.client, "instances", self.id, old)
                        del self.tags[old.key]
            if not self.tags:
                raise _hidden("instances", self.id, NEXT_LEASE_TAG)
        raise GpuopsError(
            f"The lease of {self.name} ({self.id}) could not be written: conflicting concurrent updates",
            hint="Run the same again.",
        )

    def _relabel(self, lease: str) -> None:
        """Write the lease into the label; after an unclear answer once more, unless it stands there."""
        if self.identity is None:
            return
        label = replace(self.identity, lease=lease).label()

        def ask() -> bool:
            self.client.relabel(self.id, label)
            return True

        def look(_problem: GpuopsError) -> bool | None:
            return known_instance(self.client, self.id).description == label or None

        write_once(ask, look)

    def write_protection(self, protected: bool) -> None:
        """Protect an instance, or no longer. Raises ForbiddenError where tags are refused."""
        with self._refusing("protection"):
            if protected:
                set_tag(self.client, "instances", self.id, PROTECT_TAG, "yes")
                return
            self._complete()
            if LEASE_TAG not in self.tags and NEXT_LEASE_TAG not in self.tags and self.identity:
                with self._seen_again(ConflictError):
                    self.client.tag("instances", self.id, LEASE_TAG, self.identity.lease)
            if old := self._listed(PROTECT_TAG):
                with self._seen_again():
                    untag(self.client, "instances", self.id, old)

    @contextlib.contextmanager
    def _refusing(self, what: str) -> Iterator[None]:
        """Say of what the account refuses tags. Raises ForbiddenError."""
        try:
            yield
        except REFUSALS as error:
            raise self._refused(error, what) from None

    def _refused(self, error: GpuopsError, what: str) -> ForbiddenError:
        return ForbiddenError(
            f"The {what} of {self.name} ({self.id}) cannot be changed, because the account refuses "
            f"tags: {error.message}",
            status=error.status,
            request=error.request,
            hint="It is stored in the description, which is immutable. Buy a new instance with "
            "what is wanted and terminate this one; a retained volume can be used again.",
        )
