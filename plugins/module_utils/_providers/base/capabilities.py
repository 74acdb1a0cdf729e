# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a provider has and what it lacks, as data: the floors above ask this, never its name (private, pure)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Ownership:
    """Where it is written whose an instance is, besides the label in its name or description.

    ``tags`` can be changed later (``mutable``), come with the order alone (``at_order``), or there are
    none. ``label`` is the field that holds the ownership string, of at most ``label_limit`` characters;
    ``relabel`` says that it can be changed later, and so holds the lease.
    """

    tags: Literal["mutable", "at_order", "none"] = "none"
    label: Literal["description", "name"] = "name"
    label_limit: int = 60
    relabel: bool = False


@dataclass(frozen=True)
class Ssh:
    """How a host is reached: which user, and on port 22 of an address of its own or on a mapped one."""

    user: str = "root"
    port: Literal["own", "mapped"] = "own"


@dataclass(frozen=True)
class Capabilities:
    """What can be rented, and what an account can do with it. Times in seconds, sizes in GiB.

    ``spot``: an instance may be taken away (``evicted``), or goes to who bids more. ``stop``: what a
    stopped instance costs. ``volumes``: none, disks that live and end with their instance
    (``of_instance``), or volumes of their own, which an instance may get with its order alone
    (``at_order``). ``trash_hours`` is how long a deleted volume can be
    restored. ``billing_step_s`` is what is paid in advance or rounded up to. ``balance`` tells whether
    the API says what is left; ``pace`` is how many requests a second it takes, zero where its answers
    tell. ``is_market`` says that single offers come and go: what can be rented is read anew with the stock.
    """

    rents: Literal["vm", "container"] = "vm"
    ownership: Ownership = Ownership()
    ssh: Ssh = Ssh()
    spot: Literal["none", "evicted", "bid"] = "none"
    stop: Literal["none", "full_price", "storage_only"] = "none"
    volumes: Literal["none", "of_instance", "at_order", "own"] = "none"
    volume_type: str = ""
    least_boot_gb: int = 0
    trash_hours: int = 0
    keys: bool = False
    scripts: bool = False
    billing_step_s: int = 60
    balance: bool = False
    native_lease: bool = False
    idempotency_key: bool = False
    pace: float = 0.0
    is_market: bool = False
