# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an account owns, as plain data that can be written to a file and read again."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from decimal import Decimal
from typing import Any

Plan = list[list[Any]]  # what is still to come: [time, status], soonest first
Tags = list[dict[str, str]]

ENDED = frozenset({"discontinued", "no_capacity", "error", "installation_failed"})
BUILDING = frozenset({"new", "ordered", "validating", "provisioning"})


@dataclass
class Instance:
    """One order and the instance that came of it; times in simulated epoch seconds."""

    id: str
    hostname: str
    instance_type: str
    location: str
    image: str
    os_name: str
    is_spot: bool
    contract: str
    price_per_hour: str
    created_at: float
    description: str = ""
    status: str = "ordered"
    ip: str | None = None
    ssh_key_ids: list[str] = field(default_factory=list)
    startup_script_id: str | None = None
    os_volume_id: str | None = None
    volume_ids: list[str] = field(default_factory=list)
    disks_shown: bool = False
    tags: Tags = field(default_factory=list)
    plan: Plan = field(default_factory=list)
    authorized_keys: list[str] = field(default_factory=list)
    keys_injected: bool = True
    host: str = "none"  # none, starting, up, stopped, failed
    host_at: float = 0.0
    holds_stock: bool = True
    ended_at: float | None = None
    end_reason: str | None = None
    delete_seen: bool = False
    looks: int = 0  # how often it was asked for by its id


@dataclass
class Volume:
    """One disk, attached, detached, in the trash or gone for good."""

    id: str
    name: str
    size: int
    type: str
    location: str
    created_at: float
    is_os_volume: bool = False
    status: str = "ordered"
    instance_ids: list[str] = field(default_factory=list)
    target: str | None = None
    ssh_key_ids: list[str] = field(default_factory=list)
    authorized_keys: list[str] = field(default_factory=list)
    on_spot_discontinue: str = "keep_detached"
    ordered_with: str | None = None
    tags: Tags = field(default_factory=list)
    plan: Plan = field(default_factory=list)
    deleted_at: float | None = None
    permanent: bool = False


@dataclass
class Meter:
    """What one instance or volume has cost so far, in USD."""

    id: str
    kind: str
    name: str
    price_per_hour: Decimal
    since: float
    paid_until: float
    until: float | None = None
    charged: Decimal = Decimal(0)
    refunded: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        self.price_per_hour = Decimal(self.price_per_hour)
        self.charged, self.refunded = Decimal(self.charged), Decimal(self.refunded)


@dataclass
class Account:
    """Everything that one project owns."""

    balance: Decimal
    stock: dict[str, dict[str, dict[str, int]]]
    faults: list[dict[str, Any]] = field(default_factory=list)
    instances: dict[str, Instance] = field(default_factory=dict)
    volumes: dict[str, Volume] = field(default_factory=dict)
    keys: dict[str, dict[str, Any]] = field(default_factory=dict)
    scripts: dict[str, dict[str, Any]] = field(default_factory=dict)
    tag_ids: dict[str, str] = field(default_factory=dict)
    meters: dict[str, Meter] = field(default_factory=dict)
    addresses: int = 0

    def dump(self) -> dict[str, Any]:
        """Return plain data; money as text, so that nothing is lost."""
        return asdict(self)

    @classmethod
    def load(cls, data: dict[str, Any]) -> Account:
        """Return the account that `dump` described."""
        plain = {f.name: data[f.name] for f in fields(cls) if f.name in data}
        plain["balance"] = Decimal(plain["balance"])
        for name, kind in (("instances", Instance), ("volumes", Volume), ("meters", Meter)):
            plain[name] = {key: kind(**value) for key, value in plain.get(name, {}).items()}
        return cls(**plain)
