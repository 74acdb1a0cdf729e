# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: gpu
short_description: Inventory of instances at several providers
version_added: 0.1.0
description:
  - Makes a host of each instance, with one call of the API of each provider, all at the same time, or none when the cache answers.
  - The file must end in C(gpu.yml) or C(gpu.yaml).
  - "Groups, all below C(gpu): C(provider_verda), C(tier_h100), C(gpu_h100), C(location_fin_03), C(market_on_demand), C(status_running),
    C(deployment_NAME), C(owner_NAME)."
  - "Host variables: every key of RV(gpuops.cloud.gpu_instance#module:instances) with the prefix C(gpu_), so C(gpu_provider), C(gpu_price_per_hour),
    C(gpu_lease_end) and C(gpu_gpu_count) among them, and C(gpu_state), which is V(running) at every provider for what runs."
  - C(ansible_host), C(ansible_port) and C(ansible_user) are set, as each provider has them. For a deployment that was brought up from this
    controller, its SSH settings are used, with its key and its pinned host keys.
  - Everything that the cloud says is data. No string of it is ever run as a template, whatever tags, host names or projects hold.
author:
  - gpuops.cloud contributors (@gpuops)
notes:
  - A host that an earlier source of the inventory has is never touched, and neither C(localhost) nor a name of a group is taken.
    Such an instance gets its id behind its name, with a warning.
  - A later source that uses the same name adds to the host, as everywhere in Ansible, and its variables win. Name the sources in the
    order in which they may speak, or keep the names apart by O(host_prefix).
extends_documentation_fragment:
  - gpuops.cloud.accounts
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
options:
  plugin:
    description:
      - Tells that the file is one of this plugin.
    type: str
    required: true
    choices: [gpuops.cloud.gpu]
  strict_providers:
    description:
      - Whether a provider that does not answer is an error. Without it that is a warning, the hosts of the others are there, and nothing is cached.
      - A provider without credentials is left out either way, unless none has any.
    type: bool
    default: true
  deployments:
    description:
      - Only instances of these deployments. Without it, the instances of all deployments.
    type: list
    elements: str
    default: []
  foreign:
    description:
      - Whether to take instances of the account, too, that this collection has not bought.
      - Whoever can rent in the account can name those as he likes.
    type: bool
    default: false
  host_prefix:
    description:
      - Goes in front of every host name, such as V(gpu-).
    type: str
    default: ""
  host_name:
    description:
      - Jinja2 expression that gives the name of a host, over its variables, such as V(gpu_provider ~ '.' ~ gpu_name).
      - Without it, the host is called like the instance. Where it gives nothing that can be a host name, the instance keeps its own.
    type: str
  statuses:
    description:
      - Only instances in these states, in words that are the same for all providers - V(running), V(building), V(off), V(ending), V(failed)
        and V(unknown).
    type: list
    elements: str
    default: [running]
  only_reachable:
    description:
      - Whether instances without an address are left out.
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
# inventory/gpu.yml: everything that runs, wherever
plugin: gpuops.cloud.gpu

---
# Two providers, answers kept for a minute
plugin: gpuops.cloud.gpu
providers: [verda, lambda]
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/gpuops.cloud/inventory
cache_timeout: 60

---
# What one provider has, although another is down
plugin: gpuops.cloud.gpu
strict_providers: false
host_name: gpu_provider ~ '-' ~ gpu_name
"""

from typing import Any, ClassVar

from ..module_utils._core.errors import UnavailableError
from ..module_utils._providers.accounts import NO_CREDENTIALS, Accounts, nobody_answered
from ..module_utils._providers.base.client import Client
from ..module_utils._providers.base.views import describe_instance
from ..module_utils._several.state import where_ssh
from ..plugin_utils.inventory_of_instances import GROUPS, InventoryOfInstances

Row = dict[str, Any]


class InventoryModule(InventoryOfInstances):
    """Instances of all providers as hosts."""

    NAME = "gpuops.cloud.gpu"
    word = "gpu"
    group_keys: ClassVar[dict[str, str]] = {**GROUPS, "status": "state", "provider": "provider"}

    def fetch(self) -> list[Row]:
        """Return the instances of all accounts as plain described data."""
        options = ("providers", "accounts", "timeout")
        accounts = Accounts({name: self.get_option(name) for name in options})
        asked = accounts.ask(_described)
        failed = [one for one in asked if one.error and one.reason != NO_CREDENTIALS]
        if all(one.error for one in asked):
            raise nobody_answered(asked)
        if failed and self.get_option("strict_providers"):
            raise UnavailableError(
                f"Not every provider answered: {'; '.join(map(str, failed))}",
                hint="Run the same again, or set strict_providers to false to see the others alone.",
            )
        self.is_complete = not failed
        for one in failed:
            self.display.warning(f"Its hosts are left out: {one}")
        rows = [row for one in asked for row in one.answer or []]
        return sorted(rows, key=lambda row: (row["name"] or "", row["id"]))

    def status_of(self, machine: Row) -> str:
        """Return the state, which is one word for all providers."""
        return str(machine["state"])


def _described(client: Client) -> list[Row]:
    return [
        {
            **describe_instance(row),
            "state": row.state,
            "provider": client.name,
            **where_ssh(row, client),
        }
        for row in client.instances()
    ]
