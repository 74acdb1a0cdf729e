# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: datacrunch_balance
short_description: Gather information about balance, burn rate, runway and budgets
version_added: 0.1.0
description:
  - Returns the balance of the account, the price per hour of everything that costs now, and the hours until the balance is used up.
  - Running and stopped instances count, and attached and detached volumes; the trash does not.
  - Costs count exact time. The cloud takes ten minutes in advance and gives back the unused rest at the end.
author:
  - gpuops.cloud contributors (@gpuops)
extends_documentation_fragment:
  - gpuops.cloud.attributes.info
  - gpuops.cloud.auth
  - gpuops.cloud.budget
  - gpuops.cloud.ledger
options:
  config_dir:
    description:
      - Folder on the controller in which reapers note their rounds; without it E(GPUOPS_HOME), or C(~/.config/gpuops).
    type: path
    version_added: 0.1.0
seealso:
  - module: gpuops.cloud.datacrunch_cost_info
"""

EXAMPLES = r"""
- name: Read the balance
  gpuops.cloud.datacrunch_balance:
  register: balance

- name: Stop when the money does not last for a day
  ansible.builtin.assert:
    that: balance.runway_hours is none or balance.runway_hours > 24

- name: Look at the budget
  gpuops.cloud.datacrunch_balance:
    budget:
      per_hour: 20
      per_month: 3000
  register: balance

- name: Tell when most of it is spent
  ansible.builtin.debug:
    msg: "The budget of the {{ item.period }} is {{ item.share_percent }} % used."
  loop: "{{ balance.budgets | rejectattr('state', 'equalto', 'ok') }}"
"""

RETURN = r"""
amount: {type: float, description: Balance., returned: success, sample: 482.5}
currency: {type: str, description: Currency of all figures., returned: success, sample: usd}
burn_per_hour: {type: float, description: Price per hour of everything that costs now., returned: success, sample: 3.58}
runway_hours: {type: float, description: Hours until the balance is used up; null when nothing costs., returned: success, sample: 134.7}
machines: {type: int, description: Instances that cost now., returned: success, sample: 1}
volumes: {type: int, description: Volumes that cost now., returned: success, sample: 1}
cost_so_far: {type: float, description: What the instances and volumes that exist have cost since they were ordered., returned: success, sample: 14.33}
cost_until_lease_end:
  description: What they go on to cost until their leases end. A volume has the lease of its instance; what has no lease does not count.
  returned: success
  type: float
  sample: 28.66
endless_per_hour: {type: float, description: Price per hour of what has no lease and continues to cost money., returned: success, sample: 0.0274}
by:
  description: The same for whom it is.
  returned: success
  type: dict
  contains:
    deployment:
      description: For each deployment, what burns most first.
      returned: success
      type: list
      elements: dict
      contains:
        name: {type: str, description: "Name; null for what bears no such mark.", returned: success, sample: llm}
        burn_per_hour: {type: float, description: Price per hour now., returned: success, sample: 3.58}
        machines: {type: int, description: Instances that cost now., returned: success, sample: 1}
        volumes: {type: int, description: Volumes that cost now., returned: success, sample: 1}
        cost_so_far: {type: float, description: What they have cost since they were ordered., returned: success, sample: 14.33}
        cost_until_lease_end: {type: float, description: What they go on to cost until their leases end., returned: success, sample: 28.66}
    owner:
      description: For each owner, what burns most first.
      returned: success
      type: list
      elements: dict
      contains:
        name: {type: str, description: "Name; null for what bears no such mark.", returned: success, sample: llm}
        burn_per_hour: {type: float, description: Price per hour now., returned: success, sample: 3.58}
        machines: {type: int, description: Instances that cost now., returned: success, sample: 1}
        volumes: {type: int, description: Volumes that cost now., returned: success, sample: 1}
        cost_so_far: {type: float, description: What they have cost since they were ordered., returned: success, sample: 14.33}
        cost_until_lease_end: {type: float, description: What they go on to cost until their leases end., returned: success, sample: 28.66}
    project:
      description: For each project, what burns most first.
      returned: success
      type: list
      elements: dict
      contains:
        name: {type: str, description: "Name; null for what bears no such mark.", returned: success, sample: llm}
        burn_per_hour: {type: float, description: Price per hour now., returned: success, sample: 3.58}
        machines: {type: int, description: Instances that cost now., returned: success, sample: 1}
        volumes: {type: int, description: Volumes that cost now., returned: success, sample: 1}
        cost_so_far: {type: float, description: What they have cost since they were ordered., returned: success, sample: 14.33}
        cost_until_lease_end: {type: float, description: What they go on to cost until their leases end., returned: success, sample: 28.66}
reapers:
  description:
    - Runs of M(gpuops.cloud.datacrunch_reap) with C(mode=delete) that can be relied on to come back, by the notes of this controller, of the role
      P(gpuops.cloud.reaper#role) on it, and of O(ledger) where one is named. Each used the same client id.
    - The last is not longer ago than twice the time between it and the one before, or a day where there was one only.
  returned: success
  type: list
  elements: dict
  contains:
    at: {type: str, description: "When, in UTC.", returned: success, sample: "2026-11-22T11:55:00Z"}
    host: {type: str, description: Controller that it ran on., returned: success, sample: controller}
    deployments: {type: list, elements: str, description: Deployments that it looked at; null for all., returned: success, sample: null}
    owner: {type: str, description: Owner whose things it looked at; null for all., returned: success, sample: ada}
budgets:
  description: For each limit of O(budget), what is used of it.
  returned: success
  type: list
  elements: dict
  contains:
    period: {type: str, description: "V(hour), V(day), V(month) or V(total).", returned: success, sample: month}
    owner: {type: str, description: "Owner whose budget it is; null for other budgets.", returned: success, sample: null}
    project: {type: str, description: "Project whose budget it is; null for other budgets.", returned: success, sample: null}
    limit: {type: float, description: "The limit, growth and season included.", returned: success, sample: 3000}
    used: {type: float, description: "What is used of it - price per hour, or cost of its span.", returned: success, sample: 2451.2}
    share_percent: {type: float, description: The same in percent., returned: success, sample: 81.71}
    state: {type: str, description: "V(ok), V(warning), V(critical) or V(exceeded).", returned: success, sample: warning}
state: {type: str, description: The worst state of all limits., returned: success, sample: warning}
"""

from ..module_utils._billing.reports import balance
from ..module_utils._core.argspecs import BUDGET_SPEC, LEDGER_SPEC
from ..module_utils._runner.cloud import CLOUD
from ..module_utils._runner.engine import run_info

SPEC = {**BUDGET_SPEC, **LEDGER_SPEC, "config_dir": {"type": "path"}}


def main() -> None:
    """Ask for the money."""
    run_info(SPEC, balance, CLOUD)


if __name__ == "__main__":
    main()
