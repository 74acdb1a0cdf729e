# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The imitated cloud: one account, its clock, its catalogue and its hosts, behind one lock."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import lifecycle
from .auth import Tokens
from .catalogue import Catalogue
from .clock import Clock, iso
from .errors import forbidden, invalid
from .hosting import Hosts
from .limits import Limits
from .model import Account, Instance
from .scenario import Scenario, exact_stock
from .tags import tags_from

# What an account starts with; no habit of the cloud.
FIXED = frozenset({"balance", "currency", "stock", "faults", "instance_types", "providers"})
NETWORKS = ("192.0.2", "198.51.100", "203.0.113")  # set aside for examples: nobody answers there


class Cloud:
    """Everything behind the API. Hold `lock` while reading or changing it."""

    def __init__(
        self,
        scenario: Scenario,
        clock: Clock,
        hosts: Any = None,
        say: Callable[[str], None] = lambda line: None,
        state_file: Path | None = None,
    ) -> None:
        self.lock = threading.RLock()
        self.clock = clock
        self.notes: list[str] = []
        self._say = say
        self._state_file = state_file
        self.tokens = Tokens(clock.real)
        self.hosts = Hosts(hosts, self._host_changed, self.note, self._disks_of)
        self.begin(scenario)
        if state_file and state_file.exists():
            self._restore(json.loads(state_file.read_text(encoding="utf-8")))

    def begin(self, scenario: Scenario) -> None:
        """Start afresh with a scenario: its balance, its stock, its faults, the present time."""
        catalogue = Catalogue(scenario.instance_types, scenario.currency)
        given = scenario.stock
        stock = catalogue.default_stock() if given is None else given
        account = Account(scenario.balance, exact_stock(stock, catalogue))
        account.faults = [dict(fault) for fault in scenario.faults]
        self.hosts.remove_all()
        self.start_scenario = self.scenario = scenario
        self.catalogue, self.account = catalogue, account
        self.limits = Limits(scenario.rate_limits, self.clock.real)
        self.clock.restart()
        self.moment = self.clock.now()

    def switch(self, changes: dict[str, Any]) -> None:
        """Change some habits of the cloud without touching the account."""
        fixed = changes.keys() & FIXED
        if fixed:
            raise ValueError(f"not a switch: {', '.join(sorted(fixed))}")
        self.scenario = self.scenario.switched(changes)
        if "rate_limits" in changes:
            self.limits = Limits(self.scenario.rate_limits, self.clock.real)

    def now(self) -> float:
        """Return the simulated time in seconds since the epoch."""
        return self.clock.now()

    def date(self) -> float:
        """Return the time that answers bear in their header, which may be a wrong one."""
        return self.now() + self.scenario.dialect.date_offset_seconds

    def settle(self) -> None:
        """Bring the account up to the present."""
        lifecycle.settle(self)

    def note(self, line: str) -> None:
        """Keep and print one line about what the simulator did by itself."""
        self.notes.append(f"{iso(self.now())} {line}")
        self._say(line)

    def tags_from(self, raw: Any) -> list[dict[str, str]]:
        """Return checked tags with their ids."""
        return tags_from(self.account, raw, self.scenario.tags_supported)

    def order_tags(self, raw: Any, *, disk: bool = False) -> list[dict[str, str]]:
        """Return the checked tags of an order, as this account takes them there."""
        habit = self.scenario.dialect.order_tags
        if raw is not None and habit == "refused_403":
            raise forbidden("Insufficient scope")
        if raw is not None and (habit == "refused_400" or (habit == "refused_on_disks" and disk)):
            raise invalid("property tags should not exist")
        return self.tags_from(raw)

    def next_address(self) -> str:
        """Return an address from the networks that are set aside for examples."""
        number = self.account.addresses
        self.account.addresses += 1
        return f"{NETWORKS[number // 254 % len(NETWORKS)]}.{number % 254 + 1}"

    def market(self, location: str, is_spot: bool) -> dict[str, int]:
        """Return the free instances of one market at one location, by type."""
        return self.account.stock[location]["spot" if is_spot else "on_demand"]

    def give_back_stock(self, instance: Instance) -> None:
        """Return an instance to the stock, once."""
        if instance.holds_stock:
            instance.holds_stock = False
            market = self.market(instance.location, instance.is_spot)
            market[instance.instance_type] = market.get(instance.instance_type, 0) + 1

    def _host_changed(self, instance_id: str, host: str, ip: str | None) -> None:
        with self.lock:
            instance = self.account.instances.get(instance_id)
            if instance is None:
                return
            instance.host, instance.host_at = host, self.now()
            instance.ip = ip or instance.ip

    def save(self) -> None:
        """Write the account to the state file, if there is one, readable by its owner alone."""
        if self._state_file is None:
            return
        data = {"clock_offset": self.clock.offset(), "account": self.account.dump()}
        fresh = self._state_file.with_name(self._state_file.name + ".new")
        fresh.touch(0o600)
        fresh.chmod(0o600)
        fresh.write_text(json.dumps(data, default=str), encoding="utf-8")
        fresh.replace(self._state_file)

    def _restore(self, data: dict[str, Any]) -> None:
        self.account = Account.load(data["account"])
        self.clock.restart(data["clock_offset"])
        self.moment = self.now()
        for instance in self.account.instances.values():
            self._restore_host(instance)

    def _disks_of(self, instance: Instance) -> list[tuple[str, int]]:
        """Return id and size in GiB of the data volumes that an instance sees as disks."""
        volumes = [self.account.volumes[i] for i in instance.volume_ids]
        return [(v.id, v.size) for v in volumes if v.target and not v.is_os_volume]

    def _restore_host(self, instance: Instance) -> None:
        instance.host = "none"
        alive = instance.status in {"ordered", "provisioning", "running"}
        if self.hosts.real and alive:
            if instance.status == "running":
                instance.status, instance.plan = "provisioning", [[self.moment, "running"]]
            self.hosts.start(instance)
