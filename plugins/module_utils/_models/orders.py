# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a provider is asked to make or to end, in words that every provider has (private, pure)."""

from __future__ import annotations

from dataclasses import dataclass

from .resources import Tag


@dataclass(frozen=True)
class NewDisk:
    """A disk that comes with an instance. Size in GiB.

    ``on_eviction`` is what becomes of it when a spot instance is taken away: ``trash``, ``delete`` or
    ``keep``; empty for an instance on demand.
    """

    name: str
    size_gb: int
    tags: tuple[Tag, ...] = ()
    on_eviction: str = ""


@dataclass(frozen=True)
class InstanceOrder:
    """One instance to make. ``image`` may be the id of a volume to boot from.

    A new disk to boot from, a new data disk, and volumes that are there already come along. Empty
    tags and an empty description are left out of what is sent. ``most_per_hour`` is what it may cost: a bid
    is never higher, and what has become dearer is not ordered; None for whatever it costs.
    """

    name: str
    instance_type: str
    location: str
    market: str
    image: str
    description: str = ""
    tags: tuple[Tag, ...] = ()
    ssh_key_ids: tuple[str, ...] = ()
    startup_script_id: str | None = None
    boot_disk: NewDisk | None = None
    data_disk: NewDisk | None = None
    volume_ids: tuple[str, ...] = ()
    most_per_hour: float | None = None


@dataclass(frozen=True)
class VolumeOrder:
    """One volume to make. Size in GiB."""

    name: str
    type: str
    size_gb: int
    location: str
    tags: tuple[Tag, ...] = ()


@dataclass(frozen=True)
class Disposal:
    """Which volumes go with an instance that is terminated, and whether for good.

    Without ``volume_ids`` it is the volume that it boots from, whose id nobody knows yet.
    """

    volume_ids: tuple[str, ...] | None = None
    for_good: bool = False


def tags_from(values: list[dict[str, str]]) -> tuple[Tag, ...]:
    """Return the tags of pairs of key and value."""
    return tuple(Tag(one["key"], one["value"]) for one in values)
