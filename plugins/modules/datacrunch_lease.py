# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: datacrunch_lease
short_description: Manage the lease and protection of instances
version_added: 0.1.0
description:
  - Changes how long instances of a deployment may live. The lease stands on the instance, where M(gpuops.cloud.datacrunch_reap) reads it.
  - While a lease is rewritten, and after a run that broke off in between, the instance always bears complete tags and one of the two leases.
  - Without O(name) and O(id), all instances of the deployment are meant.
author:
  - gpuops.cloud contributors (@gpuops)
extends_documentation_fragment:
  - gpuops.cloud.attributes
  - gpuops.cloud.auth
  - gpuops.cloud.budget
  - gpuops.cloud.ledger
attributes:
  idempotent:
    support: partial
    description: O(extend), and a O(lease) that is a duration, count from now or from the end of the lease, so each run changes something.
options:
  deployment:
    description:
      - Deployment of the instances.
    type: str
    required: true
  name:
    description:
      - Only the instance of this host name.
    type: str
  id:
    description:
      - Only the instance of this id.
    type: str
  extend:
    description:
      - How much longer an instance may live, such as V(2h) or V(+2h), from the end of its lease or from now, whichever is later.
      - A longer lease passes the same checks of money as the purchase of an instance with that lease.
    type: str
  lease:
    description:
      - New lease, V(30m), V(12h), V(2d), a time such as V(2026-12-31T18:00:00Z), or V(none).
    type: str
  done:
    description:
      - Whether the instances are terminated now, as M(gpuops.cloud.datacrunch_instance) does it with C(state=absent).
    type: bool
    default: false
  lease_max:
    description:
      - Longest lease that is allowed, from now, such as V(24h). A longer one, or none, is refused.
      - What is set once, by E(GPUOPS_LEASE_MAX) or as C(lease_max) in the section C([defaults]) of C(~/.config/gpuops/settings.ini) or
        C(/etc/gpuops/settings.ini), is a hard maximum - the shortest of all counts, unless O(lease_max_override) is set.
    type: str
  lease_max_override:
    description:
      - Whether O(lease_max) alone counts, and not what is set once for all runs, by E(GPUOPS_LEASE_MAX) or C(lease_max) in a settings file.
    type: bool
    default: false
  budget_policy:
    description:
      - What happens to a longer lease that a purchase of it would be refused for, by O(max_lease_cost), O(budget), the balance or a
        missing history. V(refuse) leaves the lease as it is, V(warn) makes it longer and warns.
    type: str
    choices: [refuse, warn]
    default: refuse
  max_lease_cost:
    description:
      - Ceiling of what the instances cost together from now until the new lease ends.
    type: float
  protect:
    description:
      - Whether the instances are protected. M(gpuops.cloud.datacrunch_reap) never ends a protected instance, and everything else only after
        confirmation. Without it, that stays as it is.
    type: bool
  owner:
    description:
      - Who asks for the end.
      - Without it, E(GPUOPS_OWNER) is read, then C(owner) in C(~/.config/gpuops/settings.ini) and C(/etc/gpuops/settings.ini), section C([defaults]);
        at last it is the user who runs the play.
    type: str
  confirm:
    description:
      - Whether O(done) terminates instances that are protected, or belong to another owner than O(owner).
    type: bool
    default: false
  on_unconfirmed:
    description:
      - What happens where O(confirm) would be needed. With V(report) nothing is done either, but the module does not fail and returns
        RV(unconfirmed), so that a play can ask somebody.
    type: str
    choices: [fail, report]
    default: fail
    version_added: 0.1.0
  os_volume:
    description:
      - With O(done), what happens to the volume an instance boots from; V(trash) can be restored for 96 hours, V(keep) continues to cost money.
    type: str
    choices: [trash, delete, keep]
    default: trash
  data_volumes:
    description:
      - With O(done), what happens to the other volumes of an instance. Without it they are retained, and continue to cost money, until
        M(gpuops.cloud.datacrunch_reap) finds that nobody wants them any more.
    type: str
    choices: [keep, trash, delete]
  trust_cloud_clock:
    description:
      - Whether O(extend), and a O(lease) that is a duration, count by the cloud's clock although it is more than a day off the controller's. Without
        it, they are refused then.
    type: bool
    default: false
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
  - module: gpuops.cloud.datacrunch_reap
  - module: gpuops.cloud.datacrunch_instance
"""

EXAMPLES = r"""
- name: Buy an instance for an hour
  gpuops.cloud.datacrunch_instance:
    deployment: llm
    tier: h100_or_less
    lease: 1h

- name: Work two hours longer
  gpuops.cloud.datacrunch_lease:
    deployment: llm
    extend: +2h
    lease_max: 24h

- name: Protect the instance
  gpuops.cloud.datacrunch_lease:
    deployment: llm
    name: llm
    protect: true

- name: Terminate it now, protected or not
  gpuops.cloud.datacrunch_lease:
    deployment: llm
    done: true
    confirm: true
"""

RETURN = r"""
instances:
  description: The instances as they are then; none after O(done). In check mode, as they would be.
  returned: success
  type: list
  elements: dict
  contains:
    id: {type: str, description: Id of the instance., returned: success, sample: 5f1c2a60-7d5e-4c0e-9d0b-0a4b6f3b9c11}
    name: {type: str, description: Host name., returned: success, sample: llm}
    deployment: {type: str, description: Deployment by the instance's tags; null for a foreign instance., returned: success, sample: llm}
    owner: {type: str, description: Owner by the instance's tags., returned: success, sample: ml-team}
    managed: {type: bool, description: Whether the instance bears tags of this collection., returned: success, sample: true}
    status: {type: str, description: Status by the cloud., returned: success, sample: running}
    ip: {type: str, description: Public address; null until there is one., returned: success, sample: 192.0.2.10}
    instance_type: {type: str, description: Type by the cloud., returned: success, sample: 1H100.80S.32V}
    gpu_model: {type: str, description: GPU model., returned: success, sample: H100}
    gpu_count: {type: int, description: Number of GPUs., returned: success, sample: 1}
    compute_capability: {type: str, description: CUDA compute capability of the GPU model; null when unknown., returned: success, sample: "9.0"}
    vram_gb: {type: float, description: Memory of all GPUs together in GB., returned: success, sample: 80}
    vcpu: {type: int, description: Virtual CPUs., returned: success, sample: 32}
    ram_gb: {type: float, description: Memory in GB., returned: success, sample: 170}
    tier: {type: str, description: Tier of the GPU., returned: success, sample: h100}
    location: {type: str, description: Location code., returned: success, sample: FIN-03}
    market: {type: str, description: V(on_demand) or V(spot)., returned: success, sample: on_demand}
    price_per_hour: {type: float, description: Price per hour of the whole instance., returned: success, sample: 3.555}
    cost_per_hour_now: {type: float, description: What the instance costs per hour in its present status., returned: success, sample: 3.555}
    contract:
      description: V(pay_as_you_go), V(spot) or V(long_term) as the cloud says; null where it does not. A long-term contract costs until its end.
      returned: success
      type: str
      sample: pay_as_you_go
    image: {type: str, description: Image it was made from., returned: success, sample: ubuntu-24.04-cuda-13.0-open}
    lease: {type: str, description: Lease as written on the instance; V(none) when it has none on purpose., returned: success, sample: "2026-11-22T20:00:00Z"}
    lease_end: {type: str, description: End of the lease in UTC; null without one., returned: success, sample: "2026-11-22T20:00:00Z"}
    created_at: {type: str, description: Time of the order in UTC., returned: success, sample: "2026-11-22T08:00:00.000Z"}
    os_volume_id: {type: str, description: Id of the volume it boots from., returned: success, sample: 0c41a7d2-55ad-4a36-a2a7-b1c5b8e8a001}
    volume_ids: {type: list, elements: str, description: Ids of all its volumes., returned: success, sample: [0c41a7d2-55ad-4a36-a2a7-b1c5b8e8a001]}
    ssh_key_ids: {type: list, elements: str, description: Ids of the SSH keys that log in., returned: success, sample: []}
    project: {type: str, description: Project by the instance's tags; null without one., returned: success, sample: research}
    protected: {type: bool, description: Whether the instance is terminated only after confirmation., returned: success, sample: false}
    hours: {type: str, description: Business hours by the instance's tags; null without any., returned: success, sample: "mon-fri 08:00-19:00 Europe/Helsinki"}
    tags: {type: dict, description: Tags., returned: success, sample: {gpuops-deployment: llm}}
spend:
  description: What a longer lease costs from now on, and what is there to pay it; null when no lease becomes longer.
  returned: success, and on failure when it would cost too much
  type: dict
  contains:
    machines: {type: int, description: Instances whose lease becomes longer., returned: success, sample: 1}
    price_per_hour: {type: float, description: "Price per hour of all of them, with their volumes.", returned: success, sample: 3.5824}
    lease_hours: {type: float, description: Hours until their lease ends; null without one., returned: success, sample: 4}
    lease_cost: {type: float, description: What they cost until then., returned: success, sample: 14.3296}
    max_lease_cost: {type: float, description: The ceiling of that., returned: success, sample: 20}
    balance: {type: float, description: Money left in the account., returned: success, sample: 482.5}
    currency: {type: str, description: Currency of all figures., returned: success, sample: usd}
    burn_per_hour: {type: float, description: Price per hour of all else., returned: success, sample: 1.2}
    burn_after_per_hour: {type: float, description: Price per hour of everything., returned: success, sample: 4.7824}
    runway_hours: {type: float, description: Hours that the balance lasts at that., returned: success, sample: 100.9}
    budgets:
      description: For each limit of O(budget), what would be used of it by the ends of all leases.
      returned: success
      type: list
      elements: dict
      contains:
        period: {type: str, description: "V(hour), V(day), V(month) or V(total).", returned: success, sample: month}
        owner: {type: str, description: "Owner whose budget it is; null for other budgets.", returned: success, sample: null}
        project: {type: str, description: "Project whose budget it is; null for other budgets.", returned: success, sample: null}
        limit: {type: float, description: "The limit, growth and season included.", returned: success, sample: 3000}
        used: {type: float, description: What would be used of it; null where no lease bounds it., returned: success, sample: 2451.2}
        share_percent: {type: float, description: The same in percent., returned: success, sample: 81.71}
        state: {type: str, description: "V(ok), V(warning), V(critical) or V(exceeded).", returned: success, sample: warning}
    broken: {type: list, elements: str, description: What would not hold., returned: success, sample: []}
bill:
  description: What the terminated instances and their volumes have cost. The cloud takes money in steps of ten minutes and gives back the unused rest.
  returned: success
  type: list
  elements: dict
  contains:
    kind: {type: str, description: V(instance) or V(volume)., returned: success, sample: instance}
    id: {type: str, description: Id., returned: success, sample: 5f1c2a60-7d5e-4c0e-9d0b-0a4b6f3b9c11}
    name: {type: str, description: Name., returned: success, sample: llm}
    from: {type: str, description: Since when., returned: success, sample: "2026-11-22T08:00:00.000Z"}
    hours: {type: float, description: Billed hours., returned: success, sample: 1.5}
    price_per_hour: {type: float, description: Price per hour., returned: success, sample: 3.555}
    cost: {type: float, description: Hours times price., returned: success, sample: 5.3325}
clock_skew_seconds:
  description: By how much the controller's clock is ahead of the cloud's, which counts. Beyond a minute it is a warning, too.
  returned: success
  type: int
  sample: 0
actions:
  description: What was done, or in check mode would be done, as sentences.
  returned: success, and on failure what was done before
  type: list
  elements: str
  sample: ["mark llm (5f1c2a60-7d5e-4c0e-9d0b-0a4b6f3b9c11, lease 2026-11-22T20:00:00Z): lease until 2026-11-22T22:00:00Z"]
unconfirmed:
  description: Instances that are not terminated without O(confirm).
  returned: when some are protected or belong to another owner, on failure or with O(on_unconfirmed=report)
  type: list
  elements: dict
  contains:
    id: {type: str, description: Id of the instance., returned: failure, sample: 5f1c2a60-7d5e-4c0e-9d0b-0a4b6f3b9c11}
    name: {type: str, description: Host name., returned: failure, sample: llm}
    owner: {type: str, description: Owner by its tags., returned: failure, sample: ml-team}
    protected: {type: bool, description: Whether it is protected., returned: failure, sample: true}
    price_per_hour: {type: float, description: What it costs per hour., returned: failure, sample: 3.555}
error:
  description: What went wrong, for programs.
  returned: failure
  type: dict
  contains:
    code: {type: str, description: Kind of error., returned: failure, sample: needs_confirmation}
    status: {type: int, description: HTTP status if there was one., returned: failure, sample: 503}
    api_code: {type: str, description: Code by the API., returned: failure, sample: service_unavailable}
    request: {type: str, description: Request that failed., returned: failure, sample: PUT /instances}
    hint: {type: str, description: What to do next. The end of the message says the same., returned: failure, sample: Set confirm to true.}
"""

from ..module_utils._instances.lease import LeaseResource
from ..module_utils._instances.lease_options import EXCLUSIVE, SPEC
from ..module_utils._runner.cloud import CLOUD
from ..module_utils._runner.engine import run


def main() -> None:
    """Change leases."""
    run(SPEC, LeaseResource(), CLOUD, mutually_exclusive=EXCLUSIVE)


if __name__ == "__main__":
    main()
