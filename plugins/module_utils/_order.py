# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is ordered, whatever the offer: the body of the purchase (private, pure)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ._ending import Ending
from ._kept import Kept
from ._lease import KEEP_SUFFIX, Identity, is_kept, lease_until, part_name, part_tags
from ._machine import REPLACES_TAG
from ._offer import SPOT, Offer

# What the API calls the policies for disks of a spot machine that is taken away.
ON_EVICTION = {"trash": "move_to_trash", "delete": "delete_permanently", "keep": "keep_detached"}


@dataclass(frozen=True)
class Order:
    """What to buy: names, keys, disks in GiB, times in seconds; ``replaces`` is a machine's id.

    ``keep`` holds the parts, ``os`` and ``data``, whose disks are to outlive the machine on purpose.
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
    kept: Kept = field(default_factory=Kept)
    replaces: str | None = None
    wait: bool = True
    timeout: float = 900
    interval: float = 5

    @property
    def location(self) -> str | None:
        """The only location that will do, or None: kept disks cannot move."""
        return self.kept.location

    def identity(self, request: str, now: datetime) -> Identity:
        """Return the marks of a machine that is ordered now; ``request`` tells the order."""
        lease = lease_until(self.lease, now, self.lease_max)
        who = (self.deployment, self.name, self.owner)
        return Identity(*who, lease, request, self.project, self.protected, self.hours)

    def body(self, offer: Offer, identity: Identity) -> dict[str, Any]:
        """Return the order as the API wants it."""
        tags = identity.tags()
        if self.replaces:
            tags.append({"key": REPLACES_TAG, "value": self.replaces})
        return {
            "instance_type": offer.instance_type,
            "image": self.kept.os_volume["id"] if self.kept.os_volume else offer.image,
            "hostname": self.name,
            "description": f"{self.description} {identity.marker()}".strip(),
            "location_code": offer.location,
            "ssh_key_ids": list(self.ssh_key_ids),
            "startup_script_id": self.startup_script_id,
            "is_spot": offer.market == SPOT,
            "tags": tags,
            **self._disks(offer.market == SPOT, identity),
        }

    def _disks(self, spot: bool, identity: Identity) -> dict[str, Any]:
        """Return the disks: kept ones as they are, the others new and with our marks."""
        found: dict[str, Any] = {}
        if not self.kept.os_volume:
            disk = self._disk("os", self.os_volume_gb, identity)
            # Left out, an evicted machine leaves a disk that bills on. Refused without spot.
            found["os_volume"] = {
                **disk,
                **({"on_spot_discontinue": ON_EVICTION[self.on_eviction]} if spot else {}),
            }
        if self.kept.data_volume:
            found["existing_volumes"] = [self.kept.data_volume["id"]]
        elif self.data_volume_gb:
            disk = {**self._disk("data", self.data_volume_gb, identity), "type": "NVMe"}
            policy = {"on_spot_discontinue": ON_EVICTION["keep"]} if spot else {}
            found["volumes"] = [{**disk, **policy}]
        return found

    def _disk(self, part: str, size: int, identity: Identity) -> dict[str, Any]:
        keep = {"keep": "yes"} if part in self.keep else {"lease": identity.lease}
        tags = part_tags(self.deployment, owner=self.owner, project=self.project, **keep)
        return {"name": part_name(self.deployment, self.name, part), "size": size, "tags": tags}

    def undo(self) -> Ending:
        """Return how an order ends that came to nothing: new disks go, kept ones stay."""
        return self.kept.undo(self.timeout, self.interval)


def without_tags(body: dict[str, Any]) -> dict[str, Any]:
    """Return an order for an account that refuses tags: then names say which disks are kept."""
    found = {key: value for key, value in body.items() if key != "tags"}
    if found.get("os_volume"):
        found["os_volume"] = _bare(found["os_volume"])
    if found.get("volumes"):
        found["volumes"] = [_bare(disk) for disk in found["volumes"]]
    return found


def _bare(disk: dict[str, Any]) -> dict[str, Any]:
    kept = is_kept(disk)
    bare = {key: value for key, value in disk.items() if key != "tags"}
    return {**bare, "name": bare["name"] + (KEEP_SUFFIX if kept else "")}
