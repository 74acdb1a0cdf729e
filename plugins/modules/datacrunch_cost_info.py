# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: datacrunch_cost_info
short_description: Gather information about costs of instances and volumes
version_added: 0.1.0
description:
  - Returns what each instance and volume has cost in a span of time, and sums by deployment, job, owner, project, GPU model, month and day.
  - The past is read from the ledger, the present from the cloud. What the cloud shows and the ledger lacks is counted and not written down;
    M(gpuops.cloud.datacrunch_ledger) does that.
  - Costs count exact time. The cloud takes ten minutes in advance and gives back the unused rest at the end, so the balance is lower by up to
    ten minutes of everything that runs.
author:
  - gpuops.cloud contributors (@gpuops)
extends_documentation_fragment:
  - gpuops.cloud.attributes.info
  - gpuops.cloud.auth
  - gpuops.cloud.budget
  - gpuops.cloud.ledger
options:
  since:
    description:
      - Begin of the span, as a time such as V(2026-11-01T00:00:00Z), or as how long ago such as V(30d). Without it, when the first thing began.
    type: str
  until:
    description:
      - End of the span, in the same words. Without it, now.
    type: str
  deployment:
    description:
      - Only what belongs to this deployment.
    type: str
  owner:
    description:
      - Only what belongs to this owner.
    type: str
  project:
    description:
      - Only what is paid for by this project.
    type: str
seealso:
  - module: gpuops.cloud.datacrunch_balance
  - module: gpuops.cloud.datacrunch_ledger
"""

EXAMPLES = r"""
- name: Ask what the last thirty days have cost
  gpuops.cloud.datacrunch_cost_info:
    since: 30d
  register: cost

- name: Show it by owner
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.cost }} {{ cost.currency }} for {{ item.hours }} hours"
  loop: "{{ cost.by.owner }}"
"""

RETURN = r"""
currency: {type: str, description: Currency of all figures., returned: success, sample: usd}
since: {type: str, description: Begin of the span in UTC., returned: success, sample: "2026-11-01T00:00:00Z"}
until: {type: str, description: End of the span in UTC., returned: success, sample: "2026-11-22T12:00:00Z"}
total: {type: float, description: Cost of everything within the span., returned: success, sample: 431.2}
by:
  description: The same by what it was for. Volumes count for the cost, instances alone for the hours.
  returned: success
  type: dict
  contains:
    deployment:
      description: For each deployment, the dearest first.
      returned: success
      type: list
      elements: dict
      contains:
        name: {type: str, description: The deployment; null for what has none., returned: success, sample: llm}
        cost: {type: float, description: Cost within the span., returned: success, sample: 28.44}
        hours: {type: float, description: Hours of instances within the span., returned: success, sample: 8}
    job:
      description: For each job, the dearest first.
      returned: success
      type: list
      elements: dict
      contains:
        name: {type: str, description: The job; null for what belongs to none., returned: success, sample: tiny-sft}
        cost: {type: float, description: Cost within the span., returned: success, sample: 28.44}
        hours: {type: float, description: Hours of instances within the span., returned: success, sample: 8}
    owner:
      description: For each owner, the dearest first.
      returned: success
      type: list
      elements: dict
      contains:
        name: {type: str, description: The owner; null for what has none., returned: success, sample: ml-team}
        cost: {type: float, description: Cost within the span., returned: success, sample: 28.44}
        hours: {type: float, description: Hours of instances within the span., returned: success, sample: 8}
    project:
      description: For each project, the dearest first.
      returned: success
      type: list
      elements: dict
      contains:
        name: {type: str, description: The project; null for what has none., returned: success, sample: research}
        cost: {type: float, description: Cost within the span., returned: success, sample: 28.44}
        hours: {type: float, description: Hours of instances within the span., returned: success, sample: 8}
    gpu_model:
      description: For each GPU model, the dearest first.
      returned: success
      type: list
      elements: dict
      contains:
        name: {type: str, description: The GPU model; null for what has none., returned: success, sample: H100}
        cost: {type: float, description: Cost within the span., returned: success, sample: 28.44}
        hours: {type: float, description: Hours of instances within the span., returned: success, sample: 8}
    month:
      description: For each month of the span, in order.
      returned: success
      type: list
      elements: dict
      contains:
        name: {type: str, description: The month in UTC., returned: success, sample: "2026-11"}
        cost: {type: float, description: Cost within the span., returned: success, sample: 28.44}
        hours: {type: float, description: Hours of instances within the span., returned: success, sample: 8}
things:
  description: Every instance and volume that existed within the span, in the order of their beginnings.
  returned: success
  type: list
  elements: dict
  contains:
    kind: {type: str, description: V(instance) or V(volume)., returned: success, sample: instance}
    id: {type: str, description: Id., returned: success, sample: 5f1c2a60-7d5e-4c0e-9d0b-0a4b6f3b9c11}
    name: {type: str, description: "Host name, or name of the volume.", returned: success, sample: llm}
    deployment: {type: str, description: Deployment by its tags., returned: success, sample: llm}
    job: {type: str, description: Job that it was for; null for none., returned: success, sample: tiny-sft}
    owner: {type: str, description: Owner by its tags., returned: success, sample: ml-team}
    project: {type: str, description: Project by its tags., returned: success, sample: research}
    gpu_model: {type: str, description: GPU model; null for a volume., returned: success, sample: H100}
    gpu_count: {type: int, description: Number of GPUs., returned: success, sample: 1}
    instance_type: {type: str, description: Type by the cloud., returned: success, sample: 1H100.80S.32V}
    market: {type: str, description: V(on_demand) or V(spot)., returned: success, sample: on_demand}
    location: {type: str, description: Location code., returned: success, sample: FIN-03}
    from: {type: str, description: Time of the order in UTC., returned: success, sample: "2026-11-22T08:00:00Z"}
    until: {type: str, description: "When its bill ended, in UTC; null while it exists.", returned: success, sample: "2026-11-22T16:00:00Z"}
    lease_end: {type: str, description: End of the lease in UTC; null without one., returned: success, sample: "2026-11-22T20:00:00Z"}
    hours: {type: float, description: Hours within the span., returned: success, sample: 8}
    price_per_hour: {type: float, description: "Price per hour, the last one if it has changed.", returned: success, sample: 3.555}
    cost: {type: float, description: Cost within the span., returned: success, sample: 28.44}
    estimated: {type: bool, description: "Whether its end is an estimate, since nobody was told of it.", returned: success, sample: false}
    protected: {type: bool, description: Whether it is an instance that is terminated only after confirmation., returned: success, sample: false}
daily:
  description: Cost of each day of the span, in UTC.
  returned: success
  type: list
  elements: dict
  contains:
    day: {type: str, description: The day., returned: success, sample: "2026-11-22"}
    cost: {type: float, description: Its cost., returned: success, sample: 85.32}
now:
  description: What is there now, of the whole account.
  returned: success
  type: dict
  contains:
    balance: {type: float, description: Money left., returned: success, sample: 482.5}
    burn_per_hour: {type: float, description: Price per hour of all that costs., returned: success, sample: 3.58}
    runway_hours: {type: float, description: Hours that the balance lasts; null when nothing costs., returned: success, sample: 134.7}
    machines: {type: int, description: Instances that cost., returned: success, sample: 1}
month:
  description: This month in UTC, of the whole account.
  returned: success
  type: dict
  contains:
    until: {type: str, description: When it ends., returned: success, sample: "2026-12-01T00:00:00Z"}
    spent: {type: float, description: What was spent in it so far., returned: success, sample: 251.8}
    as_leased: {type: float, description: What it will have cost if leases end as written; what has none goes on., returned: success, sample: 260.3}
    unchanged: {type: float, description: What it will have cost if all that costs now goes on., returned: success, sample: 982.1}
budgets:
  description: For each limit of O(budget), what the whole account has used of it.
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
"""

from ..module_utils._billing.reports import costs
from ..module_utils._core.argspecs import BUDGET_SPEC, LEDGER_SPEC
from ..module_utils._runner.cloud import CLOUD
from ..module_utils._runner.engine import run_info

SPEC = {
    **BUDGET_SPEC,
    **LEDGER_SPEC,
    "since": {"type": "str"},
    "until": {"type": "str"},
    "deployment": {"type": "str"},
    "owner": {"type": "str"},
    "project": {"type": "str"},
}


def main() -> None:
    """Ask what things have cost."""
    run_info(SPEC, costs, CLOUD)


if __name__ == "__main__":
    main()
