# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: datacrunch_reap
short_description: Terminate instances with an expired lease and delete their leftovers
version_added: 0.1.0
description:
  - Terminates instances whose lease and grace are over, whose work is done, that nobody uses, or that stand outside their business hours, then orders that
    failed, and volumes, keys and scripts of deployments that have no instance any more.
  - Everything it needs to know is written on the instances, so it works from anywhere and when the controller that bought them is gone. The cloud's
    clock decides.
  - It never touches what bears no complete tags of this collection, what is out of scope, what is protected, and what has a lease that cannot be
    right; what it is not sure of it reports. Each thing is looked at again right before it is terminated.
  - A volume lives as long as its deployment has an instance, then until the end of the lease it was ordered with, or for good when it is marked as
    retained on purpose. One that is attached only to instances that are proven gone counts as one that no instance has.
  - With O(budget) it is a hard limit as well. While a budget is exceeded, it terminates instances in scope, first those that nobody uses, then the others,
    the dearest first, until the budget holds. What was spent stays spent, so a budget of a day, a month or in total that is used up terminates them all.
  - A resource that cannot be terminated or deleted does not stop the rest. The module fails at its end and names each.
author:
  - gpuops.cloud contributors (@gpuops)
extends_documentation_fragment:
  - gpuops.cloud.attributes
  - gpuops.cloud.auth
  - gpuops.cloud.ledger
  - gpuops.cloud.budget
options:
  mode:
    description:
      - V(report) only tells. V(delete) ends. V(stop) shuts instances down, which B(costs as much as before), and ends nothing.
    type: str
    choices: [report, stop, delete]
    default: report
  grace:
    description:
      - How long after the end of a lease, or of business hours, an instance may live, and how old an order or a volume must be to count as left.
    type: str
    default: 15m
  deployments:
    description:
      - Only these deployments. This, O(owner) or O(everything) is needed.
    type: list
    elements: str
  owner:
    description:
      - Only instances and volumes of this owner. Keys and scripts bear no owner, so they are left.
    type: str
  everything:
    description:
      - All instances with tags of this collection, whosever they are.
    type: bool
    default: false
  os_volume:
    description:
      - What happens to the volume an instance boots from, unless it is retained on purpose; V(trash) can be restored for 96 hours.
      - An instance that is terminated outside its business hours leaves its volumes, whatever this says.
    type: str
    choices: [trash, delete, keep]
    default: trash
  data_volumes:
    description:
      - What happens to other volumes of its deployment, unless they are retained on purpose. Volumes of others are never touched, and those of a job
        are retained, since its results may lie there.
    type: str
    choices: [trash, delete, keep]
    default: trash
  idle_reports:
    description:
      - What instances say of their use, each with the C(id) of its instance, as the role C(gpuops.cloud.idle_guard) writes it. One that is older
        than ten minutes is not used.
    type: list
    elements: dict
    default: []
  idle_after:
    description:
      - How long an instance must be idle before it is terminated, such as V(30m). What an instance says itself, as bring-up lets it, counts where it is
        shorter; V(never) and nothing leave it to the instances.
    type: str
  orphan_age:
    description:
      - How old keys and scripts must be to be removed after the last instance of their deployment. They cost nothing, and a bring-up registers its
        key long before it gets an instance, so this should be longer than anybody waits for one.
    type: str
    default: 24h
  trust_cloud_clock:
    description:
      - Whether the cloud's clock counts although it is more than a day off the controller's. Without it, nothing is terminated or stopped then, since a
        wrong time makes every lease look as if it were over. O(mode=report) tells all the same.
    type: bool
    default: false
    version_added: 0.1.0
  note_round:
    description:
      - Whether a run with O(mode=delete) notes that it was there, in O(config_dir) and in O(ledger) where one is named, so that bring-up and
        status know that somebody terminates what is over. V(false) is for a run by hand, which nobody can rely on to come back.
    type: bool
    default: true
    version_added: 0.1.0
  config_dir:
    description:
      - Folder on the controller for that note; without it E(GPUOPS_HOME), or C(~/.config/gpuops).
    type: path
    version_added: 0.1.0
  wait_timeout:
    description:
      - Seconds until a wait for one instance to be gone gives up.
    type: float
    default: 900
  wait_interval:
    description:
      - Seconds between two looks; the first looks come sooner.
    type: float
    default: 5
seealso:
  - module: gpuops.cloud.datacrunch_lease
  - module: gpuops.cloud.datacrunch_instance
"""

EXAMPLES = r"""
- name: See what would be ended, in the whole account
  gpuops.cloud.datacrunch_reap:
    everything: true
  register: reaped

- name: Show it
  gpuops.cloud.show:
    text: "{{ reaped.lines | join('\n') }}"

- name: End what is over in two deployments
  gpuops.cloud.datacrunch_reap:
    mode: delete
    deployments: [llm, batch]
    grace: 30m

- name: Never burn more than 20 an hour, whatever leases say
  gpuops.cloud.datacrunch_reap:
    mode: delete
    everything: true
    budget:
      per_hour: 20
"""

RETURN = r"""
reaped:
  description: What is over, and what became of it.
  returned: success, and on failure when something could not be terminated
  type: list
  elements: dict
  contains: &thing
    kind: {type: str, description: "V(instance), V(volume), V(ssh_key) or V(startup_script).", returned: success, sample: instance}
    id: {type: str, description: Id., returned: success, sample: 5f1c2a60-7d5e-4c0e-9d0b-0a4b6f3b9c11}
    name: {type: str, description: Name., returned: success, sample: llm}
    deployment: {type: str, description: Deployment by its tags., returned: success, sample: llm}
    owner: {type: str, description: Owner by its tags; null for keys and scripts., returned: success, sample: ml-team}
    reason:
      description: >-
        V(expired), V(done), V(idle), V(hours) for an instance outside its business hours, V(dead) for an order that failed, V(orphan) for what is left
        of a deployment without instances, V(budget) for an instance that the budget does not allow, V(kept) for a volume that is retained on purpose;
        null when it is unclear.
      returned: success
      type: str
      sample: expired
    lease_end: {type: str, description: End of its lease in UTC; null without one., returned: success, sample: "2026-11-22T20:00:00Z"}
    price_per_hour: {type: float, description: What it costs per hour., returned: success, sample: 3.555}
    outcome:
      description: >-
        V(ended), V(stopped), V(would_end) and V(would_stop) where nothing was done, V(protected), or V(failed); null for what was not to be ended.
      returned: success
      type: str
      sample: ended
    detail: {type: str, description: Why it is over or could not be terminated., returned: success, sample: "its lease ended at 2026-11-22T20:00:00Z"}
unclear:
  description: What bears tags of this collection that cannot be right, and is left, as RV(reaped).
  returned: success, and on failure when something could not be terminated
  type: list
  elements: dict
  contains: *thing
kept:
  description: Volumes that are retained on purpose, of deployments in scope without an instance, as RV(reaped).
  returned: success, and on failure when something could not be terminated
  type: list
  elements: dict
  contains: *thing
saved_per_hour:
  description: What the end of all that costs less per hour; with O(mode) V(report) or V(stop), what it would.
  returned: success, and on failure when something could not be terminated
  type: float
  sample: 3.5824
burn_per_hour:
  description: What instances and volumes in scope cost per hour after it.
  returned: success, and on failure when something could not be terminated
  type: float
  sample: 1.797
machines:
  description: Instances in scope that live on.
  returned: success, and on failure when something could not be terminated
  type: int
  sample: 1
living:
  description: Those instances.
  returned: success, and on failure when something could not be terminated
  type: list
  elements: dict
  contains:
    id: {type: str, description: Id., returned: success, sample: 5f1c2a60-7d5e-4c0e-9d0b-0a4b6f3b9c11}
    name: {type: str, description: Name., returned: success, sample: llm}
    deployment: {type: str, description: Deployment by its tags., returned: success, sample: llm}
    owner: {type: str, description: Owner by its tags., returned: success, sample: ml-team}
    project: {type: str, description: Project by its tags; null without one., returned: success, sample: research}
    protected: {type: bool, description: Whether it is terminated only after confirmation., returned: success, sample: false}
    lease_end: {type: str, description: End of its lease in UTC; null without one., returned: success, sample: "2026-11-22T20:00:00Z"}
    gpu_model: {type: str, description: GPU model., returned: success, sample: H100}
    gpu_count: {type: int, description: Number of GPUs., returned: success, sample: 1}
    instance_type: {type: str, description: Type by the cloud., returned: success, sample: 1H100.80S.32V}
    market: {type: str, description: V(on_demand) or V(spot)., returned: success, sample: on_demand}
    location: {type: str, description: Location code., returned: success, sample: FIN-03}
    price_per_hour: {type: float, description: Price per hour., returned: success, sample: 3.555}
budgets:
  description: Each limit of O(budget), and how much of it is used after that. Instances and volumes out of scope count, too.
  returned: success, and on failure when something could not be terminated
  type: list
  elements: dict
  contains:
    period: {type: str, description: "V(hour), V(day), V(month) or V(total).", returned: success, sample: hour}
    owner: {type: str, description: "Owner whose budget it is; null for other budgets.", returned: success, sample: null}
    project: {type: str, description: "Project whose budget it is; null for other budgets.", returned: success, sample: null}
    limit: {type: float, description: "Limit, with growth and season.", returned: success, sample: 10}
    used: {type: float, description: What burns per hour or was spent., returned: success, sample: 8.2}
    share_percent: {type: float, description: Share of the limit that is used., returned: success, sample: 82}
    state: {type: str, description: "V(ok), V(warning), V(critical) or V(exceeded).", returned: success, sample: warning}
currency: {type: str, description: Currency of all figures., returned: "success, and on failure when something could not be terminated", sample: usd}
at:
  description: When the account was looked at, in UTC by the clock of the cloud.
  returned: success, and on failure when something could not be terminated
  type: str
  sample: "2026-11-22T20:15:02Z"
clock_skew_seconds:
  description: By how much the controller's clock is ahead of the cloud's. Beyond a minute it is a warning, too.
  returned: success, and on failure when something could not be terminated
  type: int
  sample: 0
lines:
  description: All of it as sentences, for a journal.
  returned: success, and on failure when something could not be terminated
  type: list
  elements: str
  sample: ["Terminated instance llm (5f1c2a60-7d5e-4c0e-9d0b-0a4b6f3b9c11, deployment llm, owner me, 3.555 per hour): its lease ended at 2026-11-22T20:00:00Z"]
actions:
  description: What was done, or in check mode would be done, as sentences.
  returned: success, and on failure what was done before
  type: list
  elements: str
  sample: ["terminate instance llm (5f1c2a60-7d5e-4c0e-9d0b-0a4b6f3b9c11): its lease ended at 2026-11-22T20:00:00Z"]
error:
  description: What went wrong, for programs.
  returned: failure
  type: dict
  contains:
    code: {type: str, description: Kind of error., returned: failure, sample: timeout}
    status: {type: int, description: HTTP status if there was one., returned: failure, sample: 503}
    api_code: {type: str, description: Code by the API., returned: failure, sample: service_unavailable}
    request: {type: str, description: Request that failed., returned: failure, sample: PUT /instances}
    hint: {type: str, description: What to do next. The end of the message says the same., returned: failure, sample: Run the same again.}
errors:
  description: Every error, when several resources could not be terminated.
  returned: on failure of more than one thing
  type: list
  elements: str
  sample: ["instance llm (5f1c2a60-7d5e-4c0e-9d0b-0a4b6f3b9c11): PUT /instances: the API answered 503"]
"""

from ..module_utils._reaper.options import SPEC
from ..module_utils._reaper.resource import ReapResource
from ..module_utils._runner.cloud import CLOUD
from ..module_utils._runner.engine import run


def main() -> None:
    """End what is over."""
    run(SPEC, ReapResource(), CLOUD)


if __name__ == "__main__":
    main()
