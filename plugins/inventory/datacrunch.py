# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: datacrunch
short_description: Hosts from the machines of the DataCrunch (Verda) cloud
version_added: 0.1.0
description:
  - Makes a host of each machine, with one call of the API, or none when the cache answers.
  - The file must end in C(datacrunch.yml) or C(datacrunch.yaml).
  - "Groups, all below C(datacrunch): C(tier_h100), C(gpu_h100), C(location_fin_03), C(market_on_demand), C(status_running),
    C(deployment_NAME), C(owner_NAME)."
  - "Host variables: every key of RV(gpuops.cloud.datacrunch_instance_info#module:instances) with the prefix C(datacrunch_),
    so C(datacrunch_price_per_hour), C(datacrunch_lease_end), C(datacrunch_gpu_count) and C(datacrunch_vram_gb) among them."
  - C(ansible_host) and C(ansible_user) are set. For a deployment that was brought up from this controller, its SSH settings are used,
    with its key and its pinned host keys.
author:
  - gpuops.cloud contributors (@gpuops)
extends_documentation_fragment:
  - gpuops.cloud.auth
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
options:
  plugin:
    description:
      - Marks the file as one of this plugin.
    type: str
    required: true
    choices: [gpuops.cloud.datacrunch]
  deployments:
    description:
      - Only machines of these deployments. Without it, all machines of the account, foreign ones included.
    type: list
    elements: str
    default: []
  statuses:
    description:
      - Only machines of these statuses.
    type: list
    elements: str
    default: [running]
  only_reachable:
    description:
      - Whether machines without an address are left out.
    type: bool
    default: true
  config_dir:
    description:
      - Folder on the controller where bring-up keeps the SSH settings of deployments.
    type: path
    default: ~/.config/gpuops
    env:
      - name: GPUOPS_HOME
"""

EXAMPLES = r"""
# inventory/datacrunch.yml: everything that runs
plugin: gpuops.cloud.datacrunch

---
# One deployment, answers kept for a minute, one group more
plugin: gpuops.cloud.datacrunch
deployments: [llm]
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/gpuops.cloud/inventory
cache_timeout: 60
keyed_groups:
  - key: datacrunch_instance_type
    prefix: type
"""

import shlex
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable

from ..module_utils._client import Client
from ..module_utils._describe import describe_instance
from ..module_utils._errors import GpuopsError

# Group prefix and the described key it comes from.
_GROUPS = {
    "tier": "tier",
    "gpu": "gpu_model",
    "location": "location",
    "market": "market",
    "status": "status",
    "deployment": "deployment",
    "owner": "owner",
}
_AUTH = ("client_id", "client_secret", "base_url", "profile", "timeout")


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """Machines of the cloud as hosts."""

    NAME = "gpuops.cloud.datacrunch"

    def verify_file(self, path: str) -> bool:
        """Take only files of our ending, so that no other plugin's file is tried."""
        return super().verify_file(path) and path.endswith(("datacrunch.yml", "datacrunch.yaml"))

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Fill the inventory."""
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        try:
            machines = self._machines(path, cache)
        except GpuopsError as error:
            raise AnsibleParserError(str(error)) from None
        self.inventory.add_group("datacrunch")
        taken: set[str] = set()
        for machine in machines:
            if self._wanted(machine):
                self._add(machine, taken)

    def _machines(self, path: str, cache: bool) -> list[dict[str, Any]]:
        """Return all machines as plain described data, from the cache when it may answer."""
        key = self.get_cache_key(path)
        use = self.get_option("cache")
        if use and cache:
            try:
                return self._cache[key]
            except KeyError:
                pass
        client = Client.from_params({name: self.get_option(name) for name in _AUTH})
        rows = sorted(client.instances(), key=lambda row: (row.get("hostname") or "", row["id"]))
        machines = [describe_instance(row) for row in rows]
        if use:
            self._cache[key] = machines
        return machines

    def _wanted(self, machine: dict[str, Any]) -> bool:
        deployments = self.get_option("deployments")
        return (
            machine["status"] in self.get_option("statuses")
            and bool(machine["ip"] or not self.get_option("only_reachable"))
            and (not deployments or machine["deployment"] in deployments)
        )

    def _add(self, machine: dict[str, Any], taken: set[str]) -> None:
        host = machine["name"] or machine["id"]
        if host in taken:
            host = f"{host}-{machine['id']}"
            self.display.warning(
                f"Two machines are called {machine['name']}; one is now {host} in the inventory"
            )
        taken.add(host)
        self.inventory.add_host(host, group="datacrunch")
        for name, value in self._variables(machine).items():
            self.inventory.set_variable(host, name, value)
        for prefix, key in _GROUPS.items():
            if machine[key]:
                group = self._sanitize_group_name(f"{prefix}_{machine[key]}".lower())
                self.inventory.add_group(group)
                self.inventory.add_child("datacrunch", group)
                self.inventory.add_host(host, group=group)
        self._construct(host)

    def _variables(self, machine: dict[str, Any]) -> dict[str, Any]:
        found = {f"datacrunch_{key}": value for key, value in machine.items() if value is not None}
        if machine["ip"]:
            found["ansible_host"] = machine["ip"]
        found["ansible_user"] = "root"
        if machine["deployment"]:
            home = Path(self.get_option("config_dir")).expanduser()
            settings = home / machine["deployment"] / "ssh_config"
            if settings.is_file():
                found["ansible_ssh_common_args"] = f"-F {shlex.quote(str(settings))}"
        return found

    def _construct(self, host: str) -> None:
        strict = self.get_option("strict")
        variables = self.inventory.get_host(host).get_vars()
        self._set_composite_vars(self.get_option("compose"), variables, host, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), variables, host, strict=strict)
        keyed = self.get_option("keyed_groups")
        self._add_host_to_keyed_groups(keyed, variables, host, strict=strict)
