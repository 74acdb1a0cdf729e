# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What inventory plugins of rented instances have in common: groups, variables, names that are free."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from ansible.errors import AnsibleError, AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible.utils.unsafe_proxy import wrap_var

from ..module_utils._core.errors import GpuopsError
from ..module_utils._providers.base.shapes import is_host_name

# Group prefix and the described key it comes from.
GROUPS = {
    "tier": "tier",
    "gpu": "gpu_model",
    "location": "location",
    "market": "market",
    "status": "status",
    "deployment": "deployment",
    "owner": "owner",
}
# Names that mean something else: to Ansible, and the groups that playbooks of ours make.
_RESERVED = frozenset(
    {
        *("all", "ungrouped", "localhost", "127.0.0.1", "datacrunch", "gpuops_machines"),
        *("gpuops_front", "gpuops_measured", "gpuops_monitored", "gpuops_replicas"),
    }
)


@cache
def _group(prefix: str, value: str) -> str:
    return re.sub(r"\W", "_", f"{prefix}_{value}".lower(), flags=re.ASCII)


def _address(machine: dict[str, Any]) -> str | None:
    """Return where an instance is reached, None where it is not yet."""
    return machine.get("ssh_host") or machine["ip"]


def _plain(value: Any) -> Any:
    """Return a value whose strings are no templates: ansible-core 2.18 would run one of the cloud.

    What has no brace is none.
    """
    return wrap_var(value) if _has_brace(value) else value


def _has_brace(value: Any) -> bool:
    """Tell whether any string within holds a brace."""
    if isinstance(value, dict):
        return any(map(_has_brace, value)) or any(map(_has_brace, value.values()))
    if isinstance(value, list):
        return any(map(_has_brace, value))
    return isinstance(value, str) and "{" in value


class InventoryOfInstances(BaseInventoryPlugin, Constructable, Cacheable):
    """Instances as hosts. ``word`` is the group of all, the prefix of variables and the end of file names."""

    word = ""
    group_keys: ClassVar[dict[str, str]] = GROUPS
    # Whether what was fetched is all there is, and so may be kept.
    is_complete = True
    _groups: set[str]
    _settings: dict[str | None, str | None]

    def verify_file(self, path: str) -> bool:
        """Take only files of our ending, so that no other plugin's file is tried."""
        return super().verify_file(path) and path.endswith(
            (f"{self.word}.yml", f"{self.word}.yaml")
        )

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Fill the inventory."""
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        try:
            machines = self._machines(path, cache)
        except GpuopsError as error:
            raise AnsibleParserError(str(error)) from None
        self.inventory.add_group(self.word)
        wanted = [machine for machine in machines if self._wanted(machine)]
        # A group that comes with a later instance is no name for an earlier one.
        self._settings = {}
        self._groups = {group for machine in wanted for group in self._groups_of(machine)}
        for group in sorted(self._groups):
            self.inventory.add_group(group)
            self.inventory.add_child(self.word, group)
        for machine in wanted:
            self._add(machine)

    def fetch(self) -> list[dict[str, Any]]:
        """Return all instances as plain described data. Raises GpuopsError."""
        raise NotImplementedError

    def status_of(self, machine: dict[str, Any]) -> str:
        """Return the status by which an instance is chosen."""
        return str(machine["status"])

    def _machines(self, path: str, cache: bool) -> list[dict[str, Any]]:
        """Return all instances as plain described data, from the cache when it may answer."""
        key = self.get_cache_key(path)
        use = self.get_option("cache")
        if use and cache:
            try:
                return self._cache[key]
            except KeyError:
                pass
        machines = self.fetch()
        if use and self.is_complete:
            self._cache[key] = machines
        return machines

    def _wanted(self, machine: dict[str, Any]) -> bool:
        deployments = self.get_option("deployments")
        return (
            self.status_of(machine) in self.get_option("statuses")
            and bool(machine["managed"] or self.get_option("foreign"))
            and bool(_address(machine) or not self.get_option("only_reachable"))
            and (not deployments or machine["deployment"] in deployments)
        )

    def _groups_of(self, machine: dict[str, Any]) -> list[str]:
        """Return the groups of an instance, whose names are nothing but letters, digits and ``_``."""
        keys = self.group_keys.items()
        return [_group(prefix, str(machine[key])) for prefix, key in keys if machine[key]]

    def _add(self, machine: dict[str, Any]) -> None:
        variables = {name: _plain(value) for name, value in self._variables(machine).items()}
        host = self._free(self._name(machine, variables), machine["id"])
        if host is None:
            return
        self.inventory.add_host(host, group=self.word)
        for name, value in variables.items():
            self.inventory.set_variable(host, name, value)
        for group in self._groups_of(machine):
            self.inventory.add_child(group, host)
        self._construct(host)

    def _name(self, machine: dict[str, Any], variables: dict[str, Any]) -> str:
        """Return what an instance is to be called."""
        name = machine["name"] if is_host_name(machine["name"]) else machine["id"]
        expression = self.get_option("host_name")
        if expression:
            try:
                found = self._compose(expression, variables)
            except AnsibleError as error:
                found = None
                self.display.warning(f"host_name says nothing of {name}: {error}")
            if is_host_name(found):
                name = found
            elif found is not None:
                self.display.warning(f"host_name gives {found!r} for {name}, which is no host name")
        return str(self.get_option("host_prefix")) + str(name)

    def _free(self, name: str, machine_id: str) -> str | None:
        """Return a name that nobody else has: this one, or with the id behind it."""
        if not self._taken(name):
            return name
        other = f"{name}-{machine_id}"
        if self._taken(other):
            self.display.warning(f"{name} ({machine_id}) is left out: {other} is taken as well")
            return None
        self.display.warning(
            f"{name} is taken by another host or group; the instance {machine_id} is {other} in the inventory"
        )
        return other

    def _taken(self, name: str) -> bool:
        known = (_RESERVED, (self.word,), self._groups, self.inventory.hosts, self.inventory.groups)
        return any(name in names for names in known) or not is_host_name(name)

    def _variables(self, machine: dict[str, Any]) -> dict[str, Any]:
        found = {f"{self.word}_{key}": value for key, value in machine.items() if value is not None}
        address = _address(machine)
        if address:
            found["ansible_host"] = address
        if machine.get("ssh_port"):
            found["ansible_port"] = machine["ssh_port"]
        found["ansible_user"] = machine.get("ssh_user", "root")
        settings = self._settings_of(machine["deployment"])
        if settings:
            found["ansible_ssh_common_args"] = settings
        return found

    def _settings_of(self, deployment: str | None) -> str | None:
        """Return the words that name the SSH settings of a deployment, None where it has none here."""
        if deployment not in self._settings:
            path = (
                Path(self.get_option("config_dir")).expanduser() / (deployment or "") / "ssh_config"
            )
            there = deployment and path.is_file()
            self._settings[deployment] = f"-F {shlex.quote(str(path))}" if there else None
        return self._settings[deployment]

    def _construct(self, host: str) -> None:
        if not any(map(self.get_option, ("compose", "groups", "keyed_groups"))):
            return
        strict = self.get_option("strict")
        variables = self.inventory.get_host(host).get_vars()
        self._set_composite_vars(self.get_option("compose"), variables, host, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), variables, host, strict=strict)
        keyed = self.get_option("keyed_groups")
        self._add_host_to_keyed_groups(keyed, variables, host, strict=strict)
