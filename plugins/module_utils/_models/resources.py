# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an account holds, as everything else sees it (private, pure).

Answers are read into these types where they arrive. One answer each to: does it exist, does it
live, does it cost, who has it, whose is it.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import ClassVar

from .._core.times import read_time
from .offer import ON_DEMAND
from .ownership import (
    OWNER_TAG,
    PROJECT_TAG,
    REQUEST_TAG,
    Identity,
    half_marks,
    has_marks,
    is_kept,
    owning_deployment,
    read_identity,
    registered_at,
)
from .price import UNKNOWN, Price
from .status import FAILED, OVER, VOLUME_ENDED, VOLUME_GONE, VOLUME_MOVING
from .status import UNKNOWN as UNKNOWN_STATE

LONG_TERM = "LONG_TERM"


@dataclass(frozen=True)
class Tag:
    """A tag of an instance or a volume; ``id`` is empty where the answer names none."""

    key: str
    value: str = ""
    id: str = ""


@dataclass(frozen=True)
class Resource:
    """Something that an account holds: with an id, a name, and tags."""

    kind: ClassVar[str] = ""

    id: str
    name: str | None = None
    tags: tuple[Tag, ...] = ()
    created_at: str | None = None

    @cached_property
    def tag_values(self) -> dict[str, str]:
        """The tags as a dictionary; of several with one key the last."""
        return {tag.key: tag.value for tag in self.tags}

    @property
    def born(self) -> datetime | None:
        """When it was made, None where nobody can read that."""
        return read_time(self.created_at)

    @property
    def age_key(self) -> tuple[str, str]:
        """What sorts the oldest first, and equal ages by their ids."""
        return self.created_at or "", self.id

    @property
    def deployment(self) -> str | None:
        """The deployment that it bears as a part, by tag or by name."""
        return owning_deployment(self.tag_values, self.name or "")

    @property
    def tagged_owner(self) -> str | None:
        return self.tag_values.get(OWNER_TAG)

    @property
    def tagged_project(self) -> str | None:
        return self.tag_values.get(PROJECT_TAG)


@dataclass(frozen=True)
class Billed(Resource):
    """Something that costs per hour: an instance or a volume."""

    status: str = "unknown"
    location: str | None = None
    price: Price = UNKNOWN
    deleted_at: str | None = None

    @property
    def is_billed(self) -> bool:
        """Whether it costs money now."""
        raise NotImplementedError

    @property
    def rate(self) -> float:
        """What it costs per hour now, 0 where nobody can tell: an end does not wait for a price."""
        return self.price.or_nothing if self.is_billed else 0.0


@dataclass(frozen=True)
class Instance(Billed):
    """A rented instance. Memory in GB, prices per hour of the whole.

    ``name`` is its host name, None for one that can be none. Sizes are None where they are not told.
    ``gpu_model`` is the provider's word for its GPU, None where the name of its type says it.
    ``status`` is the provider's word for its ``state``; ``was_free`` says that its order came to
    nothing, and its money is given back; ``still_costs`` that it costs although it failed, or was
    taken away and may come back by itself. ``ssh_host`` and ``ssh_port`` are where SSH listens
    unless that is port 22 of ``ip``; both may be others after each start. ``contract_end`` is when
    its provider stops it, whatever its lease says.
    """

    kind: ClassVar[str] = "instance"

    description: str = ""
    ip: str | None = None
    instance_type: str | None = None
    image: str | None = None
    market: str = ON_DEMAND
    state: str = UNKNOWN_STATE
    was_free: bool = False
    still_costs: bool = False
    contract: str = ""
    gpu_model: str | None = None
    gpu_count: int | None = None
    vram_gb: float | None = None
    vcpu: int | None = None
    ram_gb: float | None = None
    boot_volume_id: str | None = None
    volume_ids: tuple[str, ...] = ()
    ssh_key_ids: tuple[str, ...] = ()
    ssh_host: str | None = None
    ssh_port: int | None = None
    contract_end: str | None = None

    @property
    def exists(self) -> bool:
        """Whether something of it is left to be terminated: it lives, or its order failed."""
        return self.state not in OVER

    @property
    def is_dead(self) -> bool:
        """Whether its order came to nothing."""
        return self.state == FAILED

    @property
    def is_alive(self) -> bool:
        """Whether it runs, is built or stopped."""
        return self.exists and not self.is_dead

    @property
    def is_billed(self) -> bool:
        """Whether it costs money now; a stopped one does."""
        return self.is_alive or (self.is_dead and self.still_costs)

    @property
    def has_address(self) -> bool:
        """Whether it is known where SSH listens."""
        return bool(self.ip or self.ssh_host)

    @cached_property
    def ownership(self) -> Identity | None:
        """Whose it is; None for a foreign instance, which nothing of ours may touch."""
        return read_identity(self.tag_values, self.description)

    @property
    def deployment(self) -> str | None:
        """The deployment by its ownership, or by a tag of it."""
        if self.ownership:
            return self.ownership.deployment
        return owning_deployment(self.tag_values, "")

    @property
    def is_bound(self) -> bool:
        """Whether a long-term contract costs until its end, however long the instance lives."""
        return self.contract.upper() == LONG_TERM

    @property
    def looks_ours(self) -> bool:
        """Whether it bears anything like an ownership of ours, complete or not."""
        return has_marks(self.tag_values, self.description)

    @property
    def deployments(self) -> set[str]:
        """The deployments that its ownership names, complete or not."""
        found = half_marks(self.tag_values, self.description)
        return found | ({self.ownership.deployment} if self.ownership else set())

    def of(self, deployment: str) -> bool:
        """Tell whether it is a deployment's beyond doubt."""
        return self.ownership is not None and self.ownership.deployment == deployment


@dataclass(frozen=True)
class Volume(Billed):
    """A volume. Size in GiB, ``price`` per hour.

    ``holders`` are the ids of the instances that have it: a shared file system has several.
    ``is_permanently_deleted`` is None where that is not told, ``trash_hours`` is how long it can be
    restored, ``device`` where it is in an instance, None for a shared file system.
    """

    kind: ClassVar[str] = "volume"

    type: str | None = None
    size_gb: float | None = None
    is_boot: bool = False
    holders: tuple[str, ...] = ()
    price_per_month: float | None = None
    is_permanently_deleted: bool | None = None
    mount_command: str | None = None
    trash_hours: int = 0
    device: str | None = None

    @property
    def is_alive(self) -> bool:
        """Whether it exists, and not in the trash."""
        return self.status not in VOLUME_ENDED and not self.deleted_at

    @property
    def is_billed(self) -> bool:
        """Whether it costs money now; a detached one does."""
        return self.is_alive

    @property
    def is_gone(self) -> bool:
        """Whether it is in the trash, or no more."""
        return self.status in VOLUME_GONE

    @property
    def is_gone_for_good(self) -> bool:
        """Whether it is no more, and not in the trash either."""
        return self.is_gone and self.is_permanently_deleted is not False

    @property
    def is_settled(self) -> bool:
        """Whether it is not on its way to another status."""
        return self.status not in VOLUME_MOVING

    @property
    def is_attached(self) -> bool:
        """Whether an instance has it, or is about to."""
        return bool(self.holders) or self.status in ("attached", "attaching")

    @property
    def is_shared(self) -> bool:
        """Whether it is a shared file system, which many instances can have at a time."""
        return "shared" in (self.type or "").lower()

    @property
    def is_kept(self) -> bool:
        """Whether it is retained on purpose."""
        return is_kept(self.tag_values, self.name or "")

    @property
    def request(self) -> str | None:
        """The request id that an order wrote on it."""
        return self.tag_values.get(REQUEST_TAG) or None

    def others(self, instance_id: str) -> list[str]:
        """Return the other instances that have it."""
        return [one for one in self.holders if one != instance_id]

    def is_stranded(self, there: Container[str]) -> bool:
        """Tell whether it names only instances that are not among those that exist, by id."""
        free = not any(one in there for one in self.holders)
        return bool(self.holders) and free and self.status in ("attached", "detached")

    def holder_among(self, instances: dict[str, Instance]) -> Instance | None:
        """Return the first instance of those given, by id, that has it."""
        return next((instances[one] for one in self.holders if one in instances), None)


@dataclass(frozen=True)
class SshKey(Resource):
    """A registered public key."""

    kind: ClassVar[str] = "ssh_key"

    public_key: str | None = None
    fingerprint: str | None = None

    @property
    def registered_at(self) -> datetime | None:
        """When it was registered, by its name: keys bear no time of their own."""
        return registered_at(self.name or "")


@dataclass(frozen=True)
class StartupScript(Resource):
    """A registered startup script; ``content`` is None where a list leaves it out."""

    kind: ClassVar[str] = "startup_script"

    content: str | None = None


def held_by(volumes: Iterable[Volume], instance_id: str) -> list[Volume]:
    """Return the volumes that are attached to an instance, alone or with others."""
    return [volume for volume in volumes if instance_id in volume.holders]


def living_deployments(instances: Iterable[Instance]) -> set[str]:
    """Return the deployments that have an instance; half of an ownership is enough for that."""
    found: set[str] = set()
    for instance in instances:
        if instance.is_alive:
            found |= instance.deployments
    return found
