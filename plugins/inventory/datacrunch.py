# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: datacrunch
short_description: Inventory of DataCrunch (Verda) instances
version_added: 0.1.0
description:
  - Makes a host of each instance, with one call of the API, or none when the cache answers.
  - The file must end in C(datacrunch.yml) or C(datacrunch.yaml).
  - "Groups, all below C(datacrunch): C(tier_h100), C(gpu_h100), C(location_fin_03), C(market_on_demand), C(status_running),
    C(deployment_NAME), C(owner_NAME)."
  - "Host variables: every key of RV(gpuops.cloud.datacrunch_instance_info#module:instances) with the prefix C(datacrunch_),
    so C(datacrunch_price_per_hour), C(datacrunch_lease_end), C(datacrunch_gpu_count) and C(datacrunch_vram_gb) among them."
  - C(ansible_host) and C(ansible_user) are set. For a deployment that was brought up from this controller, its SSH settings are used,
    with its key and its pinned host keys.
  - Everything that the cloud says is data. No string of it is ever run as a template, whatever tags, host names or projects hold.
author:
  - gpuops.cloud contributors (@gpuops)
notes:
  - A host that an earlier source of the inventory has is never touched, and neither C(localhost) nor a name of a group is taken.
    Such an instance gets its id behind its name, with a warning.
  - A later source that uses the same name adds to the host, as everywhere in Ansible, and its variables win. Name the sources in the
    order in which they may speak, or keep the names apart by O(host_prefix).
extends_documentation_fragment:
  - gpuops.cloud.auth
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
options:
  plugin:
    description:
      - Tells that the file is one of this plugin.
    type: str
    required: true
    choices: [gpuops.cloud.datacrunch]
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
    version_added: 0.1.0
  host_prefix:
    description:
      - Goes in front of every host name, such as V(gpu-).
    type: str
    default: ""
    version_added: 0.1.0
  host_name:
    description:
      - Jinja2 expression that gives the name of a host, over its variables, such as V(datacrunch_deployment ~ '.' ~ datacrunch_name).
      - Without it, the host is called like the instance. Where it gives nothing that can be a host name, the instance keeps its own.
    type: str
    version_added: 0.1.0
  statuses:
    description:
      - Only instances of these statuses.
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
# inventory/datacrunch.yml: everything that runs
plugin: gpuops.cloud.datacrunch

---
# Names that no other source has
plugin: gpuops.cloud.datacrunch
host_prefix: gpu-

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

from typing import Any

from ..module_utils._providers.base.views import describe_instance
from ..module_utils._providers.registry import open_client
from ..plugin_utils.inventory_of_instances import InventoryOfInstances

_AUTH = ("client_id", "client_secret", "base_url", "profile", "timeout")


class InventoryModule(InventoryOfInstances):
    """Instances of the cloud as hosts."""

    NAME = "gpuops.cloud.datacrunch"
    word = "datacrunch"

    def fetch(self) -> list[dict[str, Any]]:
        """Return the instances of the account as plain described data."""
        client = open_client({name: self.get_option(name) for name in _AUTH})
        rows = sorted(client.instances(), key=lambda row: (row.name or "", row.id))
        return [{**describe_instance(row)} for row in rows]
