# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a deployment is as wanted already, by one look at the account (private)."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from functools import cache
from typing import cast

from .._access.ssh_keys import KeyOptions, SshKeyResource
from .._billing.reports import BalanceResult, BalanceWant, balance
from .._core.errors import GpuopsError
from .._lifecycle.instance_states import twins
from .._providers.base.client import Client
from .fleet import fleet_names
from .options import InstanceOptions
from .resource import InstanceAnswer, InstanceResource

# The keys are asked for only where there are instances: a purchase lists them itself.
_READS = ("balance", "instances", "volumes")


def read_once(client: Client) -> None:
    """Read what a bring-up asks of an account at the same time, and let the client answer from that.

    Raises the first error.
    """
    for name in (*_READS, "ssh_keys"):
        setattr(client, name, cache(getattr(client, name)))
    client.together(*(getattr(client, name) for name in _READS))


class SettledInstance(InstanceAnswer):
    """What the module for instances would tell, with nothing to do."""

    actions: list[str]
    changed: bool


@dataclass(frozen=True)
class Wanted:
    """The options of the modules for balance, SSH keys and instances; None for those that a module would refuse itself."""

    balance: BalanceWant
    key: KeyOptions | None
    instance: InstanceOptions | None


@dataclass
class Standing:
    """What was seen: the results for the balance, and for the instance where that
    has nothing to do.
    """

    balance: BalanceResult
    instance: SettledInstance | None = None
    warnings: list[str] = field(default_factory=list)


def look(client: Client, want: Wanted) -> Standing:
    """Return how the account stands, by the options of three modules. Raises what cannot be read.

    Whatever a module would refuse, or ask about, is left to that module.
    """
    read_once(client)
    money = balance(client, want.balance)
    seen = Standing(money, warnings=money.pop("warnings"))
    with contextlib.suppress(GpuopsError):
        _compare(client, want, seen)
    return seen


def _compare(client: Client, wanted: Wanted, seen: Standing) -> None:
    """Tell of the instances when neither they nor their key need anything."""
    if wanted.key is None or wanted.instance is None:
        return
    want, rows = wanted.instance, client.instances()
    names = fleet_names(want["name"] or want["deployment"], want["count"])
    there = all(twins(rows, want["deployment"], name) for name in names)
    if want["replace"] or want["id"] or not there:  # which may ask for more than was read
        return
    keys = SshKeyResource()
    found_keys = keys.find(client, wanted.key)
    if keys.plan(found_keys, wanted.key).changed:
        return
    want = {**want, "ssh_keys": [found_keys.keys[0].id]}
    resource = InstanceResource()
    found = resource.find(client, want)
    plan = resource.plan(found, want)
    if plan.changed:
        return
    told = resource.result(client, found, plan, applied=False)
    seen.warnings += told["warnings"]
    answer = {key: value for key, value in told.items() if key != "warnings"}
    seen.instance = cast(SettledInstance, {**answer, "actions": [], "changed": False})
