# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: datacrunch_instance
short_description: Manage GPU instances
version_added: 0.1.0
description:
  - Keeps an instance, or a fleet of equal ones, of a deployment in the wanted state on the DataCrunch (Verda) cloud.
  - An instance is found again by the tags that were written on it with the order, so no state is kept elsewhere and a second run changes nothing.
  - When an instance has to be bought, the ranked offers are walked. A refusal for lack of capacity, or an order that fails after it was accepted,
    leads to the next offer; any other refusal stops at once, since it would hold everywhere.
  - An order whose answer was lost, or is anything but a known refusal, is looked up before anything else happens, so a failed call buys at
    most one instance.
  - After an order the instance is read back. One that is surely ours and does not show its tags is terminated at once, any other is left alone; both
    are named, and nothing more is bought in that account.
  - Instances without tags, or of another deployment, are never touched.
author:
  - gpuops.cloud contributors (@gpuops)
extends_documentation_fragment:
  - gpuops.cloud.attributes
  - gpuops.cloud.auth
  - gpuops.cloud.selection
  - gpuops.cloud.wait
  - gpuops.cloud.budget
  - gpuops.cloud.ledger
options:
  state:
    description:
      - V(present) wants an instance that exists, running or stopped; V(running) one that runs; V(stopped) one that is shut down,
        which B(costs as much as a running one).
      - V(absent) terminates it and waits until it is gone. Without O(name) and O(id) it terminates every instance of the deployment.
        The cloud refuses to terminate an instance while it is built; one that is still built after O(wait_timeout) is terminated as stuck.
    type: str
    choices: [present, running, stopped, absent]
    default: present
  deployment:
    description:
      - Scope that owns the instance. Instances, volumes and keys of one deployment belong together and end together.
    type: str
    required: true
  name:
    description:
      - Host name, with at least one letter. Without it, the name of the deployment.
    type: str
  id:
    description:
      - Id of an instance of this deployment, instead of O(name).
    type: str
  count:
    description:
      - Instances wanted, bought at the same time. They are called O(name), C(name-2), C(name-3) and so on.
      - A smaller number than there are instances ends none.
    type: int
    default: 1
  min_count:
    description:
      - Instances of O(count) that are enough. With fewer the task fails; with enough, the missing ones are a warning.
      - Without it, all of O(count) are needed.
    type: int
  keep_short_fleet:
    description:
      - Whether the instances that were bought in this run stay when there are fewer than O(min_count). Otherwise they are terminated at once.
    type: bool
    default: false
  replace:
    description:
      - Whether an instance that is not what is wanted (type, tier, image, location, market) is replaced. The new one is bought first,
        the old one ended after it runs.
    type: bool
    default: false
  owner:
    description:
      - Whom the instance belongs to, written on it.
      - Without it, E(GPUOPS_OWNER) is read, then C(owner) in C(~/.config/gpuops/settings.ini) and C(/etc/gpuops/settings.ini), section C([defaults]);
        at last it is the user who runs the play.
    type: str
  lease:
    description:
      - How long the instance may live, written on it with the order; V(30m), V(12h), V(2d), a time such as V(2026-12-31T18:00:00Z), or V(none).
        At least a minute.
      - An instance that exists keeps its lease.
    type: str
    default: 12h
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
  project:
    description:
      - Project that the instance is paid for, written on it.
    type: str
  protect:
    description:
      - Whether an instance that is bought is protected, which is written on it. M(gpuops.cloud.datacrunch_reap) never terminates it, and everything
        else only with O(confirm).
    type: bool
    default: false
  hours:
    description:
      - Business hours such as V(mon-fri 08:00-19:00 Europe/Helsinki), written on an instance that is bought. Outside them,
        M(gpuops.cloud.datacrunch_reap) terminates it and retains its volumes. An end before the start lies on the next day; without a time zone, UTC.
    type: str
  confirm:
    description:
      - Whether instances are terminated that are protected, or belong to another owner than O(owner).
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
  budget_policy:
    description:
      - What happens before a purchase that would cost more than O(max_lease_cost) or O(budget) allows, or that the balance does not outlast
        at the price of everything that runs, until the lease ends. V(refuse) buys nothing, V(warn) buys and warns.
      - All instances that are missing count together, with their new volumes. Instances that exist are left alone.
      - What other leases go on to cost counts for the day, the month and the total, until they end.
      - Where a day, a month or the total is limited, and the ledger that tells what was spent of it cannot be read, is switched off, or is
        missing although instances exist, that is refused, or a warning.
      - After the order the budget is looked at again. Of what several runs have bought at the same moment, the youngest instances that break it
        are terminated by their own runs.
    type: str
    choices: [refuse, warn]
    default: refuse
  max_lease_cost:
    description:
      - Ceiling of what all instances of a purchase cost together until their lease ends.
    type: float
  ssh_keys:
    description:
      - Registered SSH keys that may log in, by name or id.
    type: list
    elements: str
  os_volume_gb:
    description:
      - Size of the volume the instance boots from, in GiB; the cloud wants at least 50.
    type: int
    default: 100
  data_volume_gb:
    description:
      - Size of a second volume for data, in GiB. It outlives its instance unless O(data_volumes) says otherwise.
      - A detached one of this instance's name is used again, which leaves only its location to choose from.
    type: int
  on_spot_discontinue:
    description:
      - What happens to the volume a spot instance boots from when the cloud takes the instance away. The data volume is always kept.
    type: str
    choices: [trash, delete, keep]
    default: trash
  startup_script_id:
    description:
      - Id of a registered startup script to run at first boot. Everyone with credentials can read it.
    type: str
  description:
    description:
      - Free text on the instance, behind the ownership string C(gpo.DEPLOYMENT.NAME.LEASE.REQUEST) that a description begins with. Together they
        have at most 60 characters, which is the shortest limit of an account; a text that is longer is left out, with a warning.
      - A text that looks like an ownership string is refused.
    type: str
  start_timeout:
    description:
      - Seconds that an instance has to start after its order. One that does not run by then is terminated, proven gone, and the next offer is
        tried.
      - With a shorter O(wait_timeout) that limit ends the wait first, and the instance is left to be adopted by the next run. Without O(wait)
        nobody watches the start.
    type: float
    default: 900
  capacity_timeout:
    description:
      - Seconds after which no further offer is tried. The time of an order that was accepted does not count.
    type: float
    default: 600
  wait_for_capacity:
    description:
      - Seconds to wait for stock when nothing that fits is free. Each round costs one stock call per market, however many instances and
        runs of this user wait for it.
    type: float
    default: 0
  capacity_interval:
    description:
      - Seconds between two looks at the stock while waiting, varied by a quarter.
    type: float
    default: 30
  observation_log:
    description:
      - File on the host where the module runs, to which each look at the stock adds a line of JSON with time, market and the types in stock
        by location. The playbook C(gpuops.cloud.observed) draws it.
    type: path
  os_volume:
    description:
      - What happens to the volume an instance boots from when the instance ends; V(trash) can be restored for 96 hours and fills the quota so long,
        V(delete) is for good, V(keep) continues to cost money. With V(keep) it is marked as retained on purpose, at the purchase and at the end.
      - With V(keep), a purchase boots from the volume that was kept under this instance's name, if there is one. Such an instance knows the
        keys that are on the volume already, not O(ssh_keys).
    type: str
    choices: [trash, delete, keep]
    default: trash
  data_volumes:
    description:
      - What happens to the other volumes of an instance when it ends. Without it they are retained, and continue to cost money, until
        M(gpuops.cloud.datacrunch_reap) finds that nobody wants them any more. V(keep) marks them as retained on purpose.
    type: str
    choices: [keep, trash, delete]
seealso:
  - module: gpuops.cloud.datacrunch_instance_info
  - module: gpuops.cloud.datacrunch_capacity
  - module: gpuops.cloud.datacrunch_deployment_info
"""

EXAMPLES = r"""
- name: Keep one H100, or the next best GPU that is free, for eight hours
  gpuops.cloud.datacrunch_instance:
    deployment: llm
    tier: h100_or_less
    lease: 8h
  register: instance

- name: Keep three small instances on spot below 0.5 per hour each
  gpuops.cloud.datacrunch_instance:
    deployment: batch
    name: worker
    count: 3
    tier: a6000_or_less
    market: spot_first
    max_price_per_hour: 0.5

- name: Stop an instance, which continues to cost money
  gpuops.cloud.datacrunch_instance:
    deployment: llm
    state: stopped

- name: End everything of a deployment for good
  gpuops.cloud.datacrunch_instance:
    deployment: llm
    state: absent
    os_volume: delete
    data_volumes: delete
"""

RETURN = r"""
instance:
  description: First of the instances; null when there is none. In check mode, values that are not known yet are null.
  returned: success
  type: dict
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
instances:
  description: All instances that were meant, as RV(instance).
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
actions:
  description: What was done, or in check mode would be done, as sentences.
  returned: success, and on failure what was done before
  type: list
  elements: str
  sample: ["buy llm: 1H100.80S.32V (1 x H100) in FIN-03, on-demand, 3.555 usd/h, ubuntu-24.04-cuda-13.0-open, lease 8h"]
fleet:
  description: What became of each instance in this run.
  returned: success, and on failure of a fleet
  type: list
  elements: dict
  contains:
    name: {type: str, description: Host name., returned: success, sample: worker-2}
    outcome:
      description: >-
        V(exists), V(bought), V(adopted) from another run, V(failed), V(ended) because the fleet fell short, or V(planned) in check mode.
      returned: success
      type: str
      sample: bought
    id: {type: str, description: Id; null when there is none., returned: success, sample: 5f1c2a60-7d5e-4c0e-9d0b-0a4b6f3b9c11}
    detail: {type: str, description: What came back., returned: success, sample: bought}
evicted:
  description: Spot instances of these names that the cloud has taken away; their places are tried last. Looked for before a purchase on spot.
  returned: success
  type: list
  elements: dict
  sample: []
attempts:
  description: Offers that were tried in this run, in order.
  returned: success, and on failure when nothing could be bought
  type: list
  elements: dict
  contains:
    instance_type: {type: str, description: Type by the cloud., returned: success, sample: 1H100.80S.32V}
    location: {type: str, description: Location code; null when it is free nowhere., returned: success, sample: FIN-03}
    market: {type: str, description: V(on_demand) or V(spot)., returned: success, sample: on_demand}
    gpu_model: {type: str, description: GPU model., returned: success, sample: H100}
    gpu_count: {type: int, description: Number of GPUs., returned: success, sample: 1}
    vram_gb: {type: float, description: Memory of all GPUs together in GB., returned: success, sample: 80}
    vram_gb_each: {type: float, description: Memory of one GPU in GB., returned: success, sample: 80}
    bandwidth_gb_s: {type: float, description: Memory bandwidth of all GPUs together in GB/s; null for an unknown model., returned: success, sample: 3350}
    value: {type: float, description: "GB/s of memory bandwidth per price of an hour; null for an unknown model.", returned: success, sample: 942.3}
    saving_percent: {type: float, description: Percent that it costs less than the same type on demand; null unless it is spot., returned: success, sample: 65}
    vcpu: {type: int, description: Virtual CPUs., returned: success, sample: 32}
    ram_gb: {type: float, description: Memory in GB., returned: success, sample: 170}
    price_per_hour: {type: float, description: Price per hour of the whole instance., returned: success, sample: 3.555}
    currency: {type: str, description: Currency of the price., returned: success, sample: usd}
    tier: {type: str, description: Tier of the GPU; null for a model that no tier knows., returned: success, sample: h100}
    image: {type: str, description: Image that would be booted., returned: success, sample: ubuntu-24.04-cuda-13.0-open}
    name: {type: str, description: Instance that was to be bought., returned: success, sample: llm}
    outcome:
      description: V(taken), V(refused) by the API, V(failed) after it was accepted, V(not_started) in time, or V(adopted) from another run.
      returned: success
      type: str
      sample: taken
    detail: {type: str, description: What came back., returned: success, sample: bought}
    id: {type: str, description: Id of the order if there was one., returned: when the order was accepted, sample: 5f1c2a60-7d5e-4c0e-9d0b-0a4b6f3b9c11}
offers:
  description: What can be bought now, ranked, best first. Empty when no purchase was needed.
  returned: success, and on failure when nothing could be bought
  type: list
  elements: dict
  contains:
    instance_type: {type: str, description: Type by the cloud., returned: success, sample: 1H100.80S.32V}
    location: {type: str, description: Location code; null when it is free nowhere., returned: success, sample: FIN-03}
    market: {type: str, description: V(on_demand) or V(spot)., returned: success, sample: on_demand}
    gpu_model: {type: str, description: GPU model., returned: success, sample: H100}
    gpu_count: {type: int, description: Number of GPUs., returned: success, sample: 1}
    vram_gb: {type: float, description: Memory of all GPUs together in GB., returned: success, sample: 80}
    vram_gb_each: {type: float, description: Memory of one GPU in GB., returned: success, sample: 80}
    bandwidth_gb_s: {type: float, description: Memory bandwidth of all GPUs together in GB/s; null for an unknown model., returned: success, sample: 3350}
    value: {type: float, description: "GB/s of memory bandwidth per price of an hour; null for an unknown model.", returned: success, sample: 942.3}
    saving_percent: {type: float, description: Percent that it costs less than the same type on demand; null unless it is spot., returned: success, sample: 65}
    vcpu: {type: int, description: Virtual CPUs., returned: success, sample: 32}
    ram_gb: {type: float, description: Memory in GB., returned: success, sample: 170}
    price_per_hour: {type: float, description: Price per hour of the whole instance., returned: success, sample: 3.555}
    currency: {type: str, description: Currency of the price., returned: success, sample: usd}
    tier: {type: str, description: Tier of the GPU; null for a model that no tier knows., returned: success, sample: h100}
    image: {type: str, description: Image that would be booted., returned: success, sample: ubuntu-24.04-cuda-13.0-open}
rejected:
  description: Every other offer that was meant, with the reason why it is not taken.
  returned: success, and on failure when nothing could be bought
  type: list
  elements: dict
  contains:
    instance_type: {type: str, description: Type by the cloud., returned: success, sample: 1H100.80S.32V}
    location: {type: str, description: Location code; null when it is free nowhere., returned: success, sample: FIN-03}
    market: {type: str, description: V(on_demand) or V(spot)., returned: success, sample: on_demand}
    gpu_model: {type: str, description: GPU model., returned: success, sample: H100}
    gpu_count: {type: int, description: Number of GPUs., returned: success, sample: 1}
    vram_gb: {type: float, description: Memory of all GPUs together in GB., returned: success, sample: 80}
    vram_gb_each: {type: float, description: Memory of one GPU in GB., returned: success, sample: 80}
    bandwidth_gb_s: {type: float, description: Memory bandwidth of all GPUs together in GB/s; null for an unknown model., returned: success, sample: 3350}
    value: {type: float, description: "GB/s of memory bandwidth per price of an hour; null for an unknown model.", returned: success, sample: 942.3}
    saving_percent: {type: float, description: Percent that it costs less than the same type on demand; null unless it is spot., returned: success, sample: 65}
    vcpu: {type: int, description: Virtual CPUs., returned: success, sample: 32}
    ram_gb: {type: float, description: Memory in GB., returned: success, sample: 170}
    price_per_hour: {type: float, description: Price per hour of the whole instance., returned: success, sample: 3.555}
    currency: {type: str, description: Currency of the price., returned: success, sample: usd}
    tier: {type: str, description: Tier of the GPU; null for a model that no tier knows., returned: success, sample: h100}
    image: {type: str, description: Image that would be booted., returned: success, sample: ubuntu-24.04-cuda-13.0-open}
    reason:
      description: >-
        Reason for programs, one of V(not_in_stock), V(other_location), V(unknown_model), V(too_few_gpus), V(too_expensive),
        V(gpu_count), V(too_little_vram), V(too_few_vcpu),
        V(too_little_ram), V(no_price), V(excluded), V(confidential), V(no_fitting_image),
        and for O(model) V(model_too_large), V(gpu_unsupported), V(context_too_long).
      returned: success
      type: str
      sample: too_expensive
    detail: {type: str, description: Reason for people., returned: success, sample: "9.72 per hour, the ceiling is 4"}
cheapest_free:
  description: Cheapest instance with a GPU that is free now, whether or not it was asked for; null when none is.
  returned: success, and on failure when nothing could be bought
  type: dict
  contains:
    instance_type: {type: str, description: Type by the cloud., returned: success, sample: 1H100.80S.32V}
    location: {type: str, description: Location code; null when it is free nowhere., returned: success, sample: FIN-03}
    market: {type: str, description: V(on_demand) or V(spot)., returned: success, sample: on_demand}
    gpu_model: {type: str, description: GPU model., returned: success, sample: H100}
    gpu_count: {type: int, description: Number of GPUs., returned: success, sample: 1}
    vram_gb: {type: float, description: Memory of all GPUs together in GB., returned: success, sample: 80}
    vram_gb_each: {type: float, description: Memory of one GPU in GB., returned: success, sample: 80}
    bandwidth_gb_s: {type: float, description: Memory bandwidth of all GPUs together in GB/s; null for an unknown model., returned: success, sample: 3350}
    value: {type: float, description: "GB/s of memory bandwidth per price of an hour; null for an unknown model.", returned: success, sample: 942.3}
    saving_percent: {type: float, description: Percent that it costs less than the same type on demand; null unless it is spot., returned: success, sample: 65}
    vcpu: {type: int, description: Virtual CPUs., returned: success, sample: 32}
    ram_gb: {type: float, description: Memory in GB., returned: success, sample: 170}
    price_per_hour: {type: float, description: Price per hour of the whole instance., returned: success, sample: 3.555}
    currency: {type: str, description: Currency of the price., returned: success, sample: usd}
    tier: {type: str, description: Tier of the GPU; null for a model that no tier knows., returned: success, sample: h100}
    image: {type: str, description: Image that would be booted., returned: success, sample: ubuntu-24.04-cuda-13.0-open}
spend:
  description: What a purchase would cost, and what is there to pay it; null when nothing had to be bought, or when nothing was in stock.
  returned: success, and on failure when it would cost too much
  type: dict
  contains:
    machines: {type: int, description: Instances to be bought., returned: success, sample: 1}
    price_per_hour: {type: float, description: "Price per hour of all of them, with their new volumes.", returned: success, sample: 3.5824}
    lease_hours: {type: float, description: Hours until their lease ends; null without one., returned: success, sample: 4}
    lease_cost: {type: float, description: What they cost until then., returned: success, sample: 14.3296}
    max_lease_cost: {type: float, description: The ceiling of that., returned: success, sample: 20}
    balance: {type: float, description: Money left in the account., returned: success, sample: 482.5}
    currency: {type: str, description: Currency of all figures., returned: success, sample: usd}
    burn_per_hour: {type: float, description: Price per hour of all that costs before the purchase., returned: success, sample: 1.2}
    burn_after_per_hour: {type: float, description: The same after it., returned: success, sample: 4.7824}
    runway_hours: {type: float, description: Hours that the balance lasts after it., returned: success, sample: 100.9}
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
    max_price_per_hour: {type: float, description: Price per hour of an instance at which all would hold; null without limit., returned: success, sample: 8.15}
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
error:
  description: What went wrong, for programs.
  returned: failure
  type: dict
  contains:
    code: {type: str, description: Kind of error., returned: failure, sample: no_capacity}
    status: {type: int, description: HTTP status if there was one., returned: failure, sample: 503}
    api_code: {type: str, description: Code by the API., returned: failure, sample: service_unavailable}
    request: {type: str, description: Request that failed., returned: failure, sample: POST /instances}
    hint: {type: str, description: What to do next. The end of the message says the same., returned: failure, sample: Widen the tier.}
instance_id:
  description: Instance that exists although the run failed, and continues to cost money.
  returned: on failure after an order was accepted
  type: str
  sample: 5f1c2a60-7d5e-4c0e-9d0b-0a4b6f3b9c11
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
instance_name:
  description: Host name of that instance.
  returned: on failure after an order was accepted
  type: str
  sample: llm
errors:
  description: Every error, when several instances of a fleet failed.
  returned: on failure of more than one instance
  type: list
  elements: str
  sample: ["Waiting for llm-2 to run: not reached within 900 s, last seen provisioning."]
"""

from ..module_utils._core.argspecs import BUDGET_SPEC, LEDGER_SPEC, SELECTION_SPEC, WAIT_SPEC
from ..module_utils._instances.resource import InstanceResource
from ..module_utils._runner.cloud import CLOUD
from ..module_utils._runner.engine import run

SPEC = {
    **SELECTION_SPEC,
    **WAIT_SPEC,
    **BUDGET_SPEC,
    **LEDGER_SPEC,
    "state": {
        "type": "str",
        "choices": ["present", "running", "stopped", "absent"],
        "default": "present",
    },
    "deployment": {"type": "str", "required": True},
    "name": {"type": "str"},
    "id": {"type": "str"},
    "count": {"type": "int", "default": 1},
    "min_count": {"type": "int"},
    "keep_short_fleet": {"type": "bool", "default": False},
    "replace": {"type": "bool", "default": False},
    "owner": {"type": "str"},
    "lease": {"type": "str", "default": "12h"},
    "lease_max": {"type": "str"},
    "lease_max_override": {"type": "bool", "default": False},
    "project": {"type": "str"},
    "protect": {"type": "bool", "default": False},
    "hours": {"type": "str"},
    "confirm": {"type": "bool", "default": False},
    "on_unconfirmed": {"type": "str", "choices": ["fail", "report"], "default": "fail"},
    "budget_policy": {"type": "str", "choices": ["refuse", "warn"], "default": "refuse"},
    "max_lease_cost": {"type": "float"},
    "ssh_keys": {"type": "list", "elements": "str", "no_log": False},
    "os_volume_gb": {"type": "int", "default": 100},
    "data_volume_gb": {"type": "int"},
    "on_spot_discontinue": {
        "type": "str",
        "choices": ["trash", "delete", "keep"],
        "default": "trash",
    },
    "startup_script_id": {"type": "str"},
    "description": {"type": "str"},
    "start_timeout": {"type": "float", "default": 900},
    "capacity_timeout": {"type": "float", "default": 600},
    "wait_for_capacity": {"type": "float", "default": 0},
    "capacity_interval": {"type": "float", "default": 30},
    "observation_log": {"type": "path"},
    "os_volume": {"type": "str", "choices": ["trash", "delete", "keep"], "default": "trash"},
    "data_volumes": {"type": "str", "choices": ["keep", "trash", "delete"]},
}


def main() -> None:
    """Keep instances in the wanted state."""
    run(SPEC, InstanceResource(), CLOUD, mutually_exclusive=[("name", "id")])


if __name__ == "__main__":
    main()
