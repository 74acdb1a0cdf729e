# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is ordered, whatever the offer: the body of the purchase (private, pure)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from .._core.times import lease_until, read_time, write_time
from .._lifecycle.retained_volumes import Kept
from .._lifecycle.termination_policy import Ending
from .._models.label import LIMIT
from .._models.offer import SPOT, Offer
from .._models.orders import InstanceOrder, NewDisk, tags_from
from .._models.ownership import KEEP_SUFFIX, Identity, part_name, part_tags
from .._models.resources import Volume

_ENOUGH_OF_AN_ID = 8


@dataclass(frozen=True)
class Order:
    """What to buy: names, keys, disks in GiB, times in seconds; ``replaces`` is a instance's id.

    ``keep`` holds the parts, ``os`` and ``data``, whose disks are to outlive the instance on purpose.
    ``longest`` is how many characters of a description are tried: more than any limit only to find one.
    """

    deployment: str
    name: str
    owner: str
    lease: str
    lease_max: str | None = None
    project: str = ""
    protected: bool = False
    hours: str = ""
    keep: frozenset[str] = frozenset()
    ssh_key_ids: tuple[str, ...] = ()
    os_volume_gb: int = 100
    data_volume_gb: int | None = None
    on_eviction: str = "trash"
    startup_script_id: str | None = None
    description: str = ""
    longest: int = LIMIT
    kept: Kept = field(default_factory=Kept)
    replaces: str | None = None
    wait: bool = True
    timeout: float = 900
    interval: float = 5
    start_timeout: float = 900

    @property
    def location(self) -> str | None:
        """The only location that will do, or None: kept disks cannot move."""
        return self.kept.location

    def identity(self, request: str, now: datetime, most: datetime | None = None) -> Identity:
        """Return the tags of an instance that is ordered now; ``request`` tells the order.

        No lease is longer than ``most``, the end of a contract.
        """
        lease = lease_until(self.lease, now, self.lease_max)
        end = read_time(lease)
        if most and (end is None or most < end):
            lease = write_time(most)
        who = (self.deployment, self.name, self.owner)
        replaces = (self.replaces or "")[:_ENOUGH_OF_AN_ID]
        return Identity(*who, lease, request, self.project, self.protected, self.hours, replaces)

    def text(self, identity: Identity) -> str:
        """Return the description: the ownership string first, a user's text only where it fits."""
        label = identity.label()
        whole = f"{label} {self.description}".strip()
        return whole if len(whole) <= self.longest else label

    def for_offer(self, offer: Offer, identity: Identity) -> InstanceOrder:
        """Return what is asked of the provider: kept disks as they are, the others new and tagged."""
        root, data = self.kept.os_volume, self.kept.data_volume
        spot = offer.market == SPOT
        new_data = self.data_volume_gb if not data else None
        return InstanceOrder(
            name=self.name,
            instance_type=offer.instance_type,
            location=offer.location or "",
            market=offer.market,
            image=root.id if root else offer.image or "",
            description=self.text(identity),
            tags=tags_from(identity.tags()),
            ssh_key_ids=self.ssh_key_ids,
            startup_script_id=self.startup_script_id,
            boot_disk=None
            if root
            else self._disk("os", self.os_volume_gb, identity, self.on_eviction if spot else ""),
            data_disk=self._disk("data", new_data, identity, "keep" if spot else "")
            if new_data
            else None,
            volume_ids=(data.id,) if data else (),
            most_per_hour=offer.price_per_hour,
        )

    def _disk(self, part: str, size: int, identity: Identity, on_eviction: str) -> NewDisk:
        name = part_name(self.deployment, self.name, part)
        return NewDisk(name, size, tags_from(self.disk_tags(part, identity)), on_eviction)

    def disk_tags(self, part: str, identity: Identity) -> list[dict[str, str]]:
        """Return the tags of a new disk."""
        keep = {"keep": "yes"} if part in self.keep else {"lease": identity.lease}
        return part_tags(self.deployment, owner=self.owner, project=self.project, **keep)

    def part_of(self, volume: Volume) -> str | None:
        """Return which new disk of this order a volume is, None for any other."""
        name = (volume.name or "").removesuffix(KEEP_SUFFIX)
        names = {part_name(self.deployment, self.name, part): part for part in ("os", "data")}
        before = [row.id for row in self.kept.volumes]
        return None if volume.id in before else names.get(name)

    def undo(self, *, stuck: bool = False) -> Ending:
        """Return how an order ends that came to nothing: new disks go, kept ones stay."""
        return self.kept.undo(self.timeout, self.interval, stuck=stuck)
