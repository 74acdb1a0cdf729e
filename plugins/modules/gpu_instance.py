# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gpu_instance
short_description: Manage GPU instances at several providers
version_added: 0.1.0
description:
  - Keeps an instance, or a fleet of equal ones, of a deployment in the wanted state, at whichever of several providers offers it first by rank.
  - An instance is found again at all providers by what was written on it with the order. One that exists is kept where it is, and a second run
    changes nothing.
  - When an instance has to be bought, the offers of all providers are one ranked list, as M(gpuops.cloud.gpu_offers) shows it, and each is ordered at
    its own provider. A refusal for lack of capacity leads to the next offer, at whichever provider.
  - An order whose answer was lost, or is anything but a known refusal, is looked up at its provider before anything is bought anywhere.
  - An account that refuses for its own reasons (credentials, quota, money), or lacks what is asked for, is left out, with a row in RV(rejected) and a
    warning; the others go on.
  - Nothing is bought while a provider of O(providers) does not answer, as the instance may be there. One without credentials is passed over, unless
    the ledger knows of something there.
  - Of one name there is one instance. Where another run has bought it first at another provider, the younger one is terminated by its own run.
    A name that is found at two providers is an error that names both, and nothing is changed.
  - A provider that rents out containers is taken for a purchase only where O(providers) names it, since most roles need a whole instance.
  - One budget holds for all providers together. Two currencies are never added, so that is refused.
author:
  - gpuops.cloud contributors (@gpuops)
extends_documentation_fragment:
  - gpuops.cloud.attributes.keeps_several
  - gpuops.cloud.accounts
  - gpuops.cloud.ledger
options:
  state:
    description:
      - V(present) wants an instance that exists, running or stopped; V(running) one that runs; V(stopped) one that is shut down, where the provider
        can do that.
      - V(absent) terminates it at every provider, waits until it is gone, and returns what is left of the deployment. Without O(name) it terminates
        every instance of the deployment, and removes its SSH keys and startup scripts. It fails at its end where a provider does not answer, since
        nothing proves then that nothing is left there.
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
  count:
    description:
      - Instances wanted, bought at the same time, if need be at several providers. They are called O(name), C(name-2), C(name-3) and so on.
      - A smaller number than there are instances ends none.
    type: int
    default: 1
  min_count:
    description:
      - Instances of O(count) that are enough. With fewer the task fails; with enough, the missing ones are a warning.
    type: int
  keep_short_fleet:
    description:
      - Whether the instances that were bought in this run stay when there are fewer than O(min_count). Otherwise they are terminated at once.
    type: bool
    default: false
  owner:
    description:
      - Whom the instance belongs to, written on it. Found as M(gpuops.cloud.datacrunch_instance) finds it.
    type: str
  project:
    description:
      - Project that the instance is paid for, written on it.
    type: str
  lease:
    description:
      - How long the instance may live, written on it with the order; V(30m), V(12h), V(2d), a time such as V(2026-12-31T18:00:00Z), or V(none).
      - An instance that exists keeps its lease.
    type: str
    default: 12h
  lease_max:
    description:
      - Longest lease that is allowed, from now, such as V(24h). A longer one, or none, is refused.
      - What is set once for all runs counts as well, as for M(gpuops.cloud.datacrunch_instance).
    type: str
  lease_max_override:
    description:
      - Whether O(lease_max) alone counts, and not what is set once for all runs.
    type: bool
    default: false
  protect:
    description:
      - Whether an instance that is bought is protected, which is written on it. M(gpuops.cloud.gpu_reap) never terminates it, and everything
        else only with O(confirm).
    type: bool
    default: false
  hours:
    description:
      - Business hours such as V(mon-fri 08:00-19:00 Europe/Helsinki), written on an instance that is bought. Outside them, M(gpuops.cloud.gpu_reap)
        terminates it.
    type: str
  confirm:
    description:
      - Whether instances are terminated that are protected, or belong to another owner than O(owner).
    type: bool
    default: false
  on_unconfirmed:
    description:
      - What happens where O(confirm) would be needed. With V(report) nothing is done either, but the module does not fail and returns
        RV(unconfirmed).
    type: str
    choices: [fail, report]
    default: fail
  ssh_keys:
    description:
      - SSH keys that may log in, by name, by id where the provider has ids, or as public keys. One that is named must be registered under that name
        at each provider; one where it is not is left out. Lambda Cloud takes exactly one key.
      - A public key is registered at the provider at which an instance is bought, right before the order, as a key of O(deployment); RunPod takes it with
        the order.
    type: list
    elements: str
  startup_script_id:
    description:
      - Id of a registered startup script to run at first boot. Providers without startup scripts are left out then.
    type: str
  offer:
    description:
      - What the instance has to be, by the options of M(gpuops.cloud.gpu_offers).
    type: dict
    suboptions:
      tier:
        description:
          - Which GPUs match, as a rank. V(h100_or_less) means an H100 or the next best that is free;
            V(any_h100) any instance with H100s, V(any_1h100) one with a single H100, V(h100) the same as V(any_1h100).
          - Case, hyphens and underscores do not matter.
          - "Tiers, best first: V(gb300), V(b300), V(b200), V(h200), V(h100), V(a100_80), V(a100_40), V(rtx_pro_6000), V(rtx_6000_ada),
            V(l40s), V(a6000), V(v100)."
          - A tier means instances with one GPU unless O(offer.gpu_count) says otherwise.
        type: str
      gpus:
        description:
          - GPU models that match, in order of preference, for example V(H200).
        type: list
        elements: str
      instance_type:
        description:
          - Exactly this type of the cloud, for example V(1H100.80S.32V), at any location where it is free.
        type: str
      gpu_count:
        description:
          - GPUs in the instance.
        type: int
      min_gpu_count:
        description:
          - GPUs that the instance must have at least, instead of O(offer.gpu_count).
        type: int
      min_tier:
        description:
          - Lowest tier that still matches, for example V(a100_40), as a floor for O(offer.tier).
        type: str
      confidential:
        description:
          - Whether confidential computing types are wanted. Unless named by O(offer.instance_type), only those, or only others, are taken.
        type: bool
        default: false
      min_vram_gb:
        description:
          - GPU memory that the instance must have at least, all its GPUs together, in GB.
        type: float
      min_vram_gb_each:
        description:
          - Memory that each GPU must have at least, in GB.
        type: float
      min_vcpu:
        description:
          - Virtual CPUs that the instance must have at least.
        type: int
      min_ram_gb:
        description:
          - Memory that the instance must have at least, in GB.
        type: float
      locations:
        description:
          - Locations that match, in order of preference. Without it, any.
        type: list
        elements: str
      market:
        description:
          - V(on_demand) buys instances that stay, V(spot) cheaper ones that may be taken away at any moment.
          - V(spot_first) prefers spot inside a tier, V(any) takes the cheaper of both inside a tier.
        type: str
        choices: [on_demand, spot, spot_first, any]
        default: on_demand
      max_price_per_hour:
        description:
          - Ceiling of the price per hour for the whole instance, in the account's currency.
        type: float
      objective:
        description:
          - V(best) takes the best tier that is free and within the ceiling, V(cheapest) the cheapest of all matching offers.
          - Without it V(best), or V(cheapest) when only O(offer.model) says what is wanted.
          - V(value) takes the most memory bandwidth per money, since reading the weights bounds how fast a model generates;
            the bandwidths are those of NVIDIA's data sheets, and a model without a figure comes last.
        type: str
        choices: [best, cheapest, value]
      exclude:
        description:
          - Instance types, GPU models or locations that are not taken.
        type: list
        elements: str
      model:
        description:
          - A language model that the instance must be able to serve, as RV(gpuops.cloud.model_info#module:model) returns it.
          - Instances that are too small for it are rejected as V(model_too_large), with the arithmetic, and GPUs that vLLM does not run on as
            V(gpu_unsupported).
          - It alone says what is wanted, too. With O(offer.tier), O(offer.gpus) or O(offer.instance_type) it is a further demand; a tier still means
            one GPU unless O(offer.gpu_count) or O(offer.min_gpu_count) says otherwise.
          - One that could not be read, with C(problem) instead of the facts, demands nothing but a driver for vLLM.
        type: dict
      image:
        description:
          - Image to boot, by name or id. Without it, the type's newest Ubuntu with a CUDA 13 driver and without Docker,
            or the nearest to that.
          - Where O(offer.model) says that vLLM is to serve, one with a CUDA older than 13 is not taken, because its driver is too old, and the role
            P(gpuops.cloud.cuda#role) installs one on a plain Ubuntu only.
          - A type that does not boot the named image is rejected with this reason.
        type: str
      tiers:
        description:
          - Ranks of your own, best first, instead of the built-in ones.
        type: list
        elements: dict
        suboptions:
          name:
            description: Name of the rank, which O(offer.tier) uses.
            type: str
            required: true
          models:
            description: GPU models that belong to it.
            type: list
            elements: str
            required: true
          min_vram_gb:
            description: Least memory of one GPU that belongs to it, in GB.
            type: float
          max_vram_gb:
            description: Most memory of one GPU that belongs to it, in GB.
            type: float
  budget:
    description:
      - What may be spent at all providers together, in the one currency in which all accounts pay. Each limit is optional.
      - Running and stopped instances count, and attached and detached volumes, at every provider of O(providers) that has credentials.
      - What has ended counts by the ledger.
    type: dict
    suboptions:
      per_hour:
        description: Price per hour of everything together.
        type: float
      per_day:
        description: Cost of a day in UTC.
        type: float
      per_month:
        description: Cost of a month in UTC.
        type: float
      total:
        description: Cost of everything in the ledger.
        type: float
      thresholds:
        description: Percentages of a limit at which the state becomes V(warning), V(critical) and V(exceeded).
        type: list
        elements: float
        default: [80, 90, 100]
      growth:
        description: Factor on every limit, such as V(1.1) for a tenth more than planned.
        type: float
        default: 1
      season:
        description: Factor on every limit, such as V(0.5) for a quiet time of the year.
        type: float
        default: 1
      owners:
        description:
          - "Budgets of owners beside that of the account, by name, each with the limits above, such as C({ada: {per_hour: 5}})."
          - Thresholds and factors of the account hold for them unless they have their own.
          - A purchase is paid from the budgets of the account, of its owner and of its project, and has to fit into all.
        type: dict
      projects:
        description: Budgets of projects, as O(budget.owners).
        type: dict
      policy:
        description:
          - What happens before a purchase that would cost more than the limits or O(budget.max_lease_cost) allow, or that the balance of its own account
            does not outlast. V(refuse) buys nothing, V(warn) buys and warns.
          - An account whose balance alone does not suffice is left out, as long as there are others.
        type: str
        choices: [refuse, warn]
        default: refuse
      max_lease_cost:
        description: Ceiling of what all instances of a purchase cost together until their lease ends.
        type: float
  volumes:
    description:
      - Disks of the instance. What a provider does not have, such as a data volume, leaves that provider out.
    type: dict
    suboptions:
      os_gb:
        description: Size of the volume the instance boots from, in GiB, where the provider lets choose.
        type: int
        default: 100
      data_gb:
        description:
          - Size of a second volume for data, in GiB. It outlives its instance unless O(volumes.data) says otherwise.
          - A detached one of this instance's name is used again, which leaves only its provider and its location to choose from.
        type: int
      on_eviction:
        description: What happens to the volume a spot instance boots from when the cloud takes the instance away.
        type: str
        choices: [trash, delete, keep]
        default: trash
      os:
        description:
          - What happens to the volume an instance boots from when the instance ends; V(trash) can be restored where the provider has a trash,
            V(delete) is for good, V(keep) continues to cost money and needs a provider whose volumes outlive instances.
        type: str
        choices: [trash, delete, keep]
        default: trash
      data:
        description: What happens to the other volumes of an instance when it ends. Without it they are retained, and continue to cost money.
        type: str
        choices: [keep, trash, delete]
  waiting:
    description:
      - What is waited for, and how long, in seconds.
    type: dict
    suboptions:
      until_running:
        description: Whether to wait until the instance runs.
        type: bool
        default: true
      timeout:
        description: Until a wait for one instance gives up.
        type: float
        default: 900
      interval:
        description: Between two looks.
        type: float
        default: 5
      start_timeout:
        description: That an instance has to start after its order. One that does not is terminated, proven gone, and the next offer is tried.
        type: float
        default: 900
      capacity_timeout:
        description: After which no further offer is tried.
        type: float
        default: 600
      for_capacity:
        description: To wait for stock when nothing that fits is free at any provider.
        type: float
        default: 0
      capacity_interval:
        description: Between two looks at the stock while waiting, varied by a quarter.
        type: float
        default: 30
notes:
  - It was tried with imitations of all five providers, and never on real accounts of several.
seealso:
  - module: gpuops.cloud.gpu_offers
  - module: gpuops.cloud.gpu_balance
  - module: gpuops.cloud.gpu_reap
  - module: gpuops.cloud.datacrunch_instance
"""

EXAMPLES = r"""
- name: Keep one A100 or the next best GPU, wherever it is cheapest
  gpuops.cloud.gpu_instance:
    providers: [verda, lambda]
    deployment: llm
    lease: 8h
    ssh_keys: [mine]
    offer:
      tier: a100_80_or_less
      objective: cheapest
  register: instance

- name: Keep two workers, and burn no more than 5 an hour at all providers together
  gpuops.cloud.gpu_instance:
    deployment: batch
    name: worker
    count: 2
    ssh_keys: [mine]
    offer:
      tier: any_a100_80
    budget:
      per_hour: 5

- name: End everything of a deployment at all providers
  gpuops.cloud.gpu_instance:
    deployment: llm
    state: absent
    volumes:
      os: delete
      data: delete
  register: ended

- name: Fail where something of it goes on to cost money
  ansible.builtin.assert:
    that: ended.leftovers | length == 0
"""

RETURN = r"""
instance:
  description: First of the instances; null when there is none. In check mode, values that are not known yet are null.
  returned: success
  type: dict
  contains:
    provider: {type: str, description: Provider of the instance; null where it is not known yet., returned: success, sample: lambda}
    rents:
      description: V(vm), or V(container) without systemd and a driver of its own; null where it is not known yet.
      returned: success
      type: str
      sample: vm
    ssh_user: {type: str, description: User that logs in there., returned: success, sample: ubuntu}
    ssh_host: {type: str, description: Address at which SSH listens; null until there is one., returned: success, sample: 192.0.2.10}
    ssh_port: {type: int, description: Port at which SSH listens; null until it is known., returned: success, sample: 22}
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
    provider: {type: str, description: Provider of the instance; null where it is not known yet., returned: success, sample: lambda}
    rents:
      description: V(vm), or V(container) without systemd and a driver of its own; null where it is not known yet.
      returned: success
      type: str
      sample: vm
    ssh_user: {type: str, description: User that logs in there., returned: success, sample: ubuntu}
    ssh_host: {type: str, description: Address at which SSH listens; null until there is one., returned: success, sample: 192.0.2.10}
    ssh_port: {type: int, description: Port at which SSH listens; null until it is known., returned: success, sample: 22}
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
    provider: {type: str, description: Provider at which it is; null when there is none., returned: success, sample: lambda}
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
    provider: {type: str, description: Provider that was asked., returned: success, sample: lambda}
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
    terms:
      description: What else is known of an offer of a market as M(gpuops.cloud.gpu_offers) tells it; else null.
      returned: success
      type: dict
      sample: null
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
    provider: {type: str, description: Provider that offers it., returned: success, sample: lambda}
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
    terms:
      description: What else is known of an offer of a market as M(gpuops.cloud.gpu_offers) tells it; else null.
      returned: success
      type: dict
      sample: null
rejected:
  description: Every other offer that was meant, with the reason why it is not taken.
  returned: success, and on failure when nothing could be bought
  type: list
  elements: dict
  contains:
    provider: {type: str, description: Provider; without an instance type the row tells why it is left out or told nothing., returned: success, sample: lambda}
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
    terms:
      description: What else is known of an offer of a market as M(gpuops.cloud.gpu_offers) tells it; else null.
      returned: success
      type: dict
      sample: null
    reason:
      description: >-
        Reason for programs, one of V(no_answer), V(auth), V(forbidden), V(invalid), V(not_found), V(no_funds), V(over_budget) and V(quota)
        of a provider that is left out, V(not_in_stock), V(other_location), V(other_currency), V(unreadable),
        V(unknown_model), V(too_few_gpus), V(too_expensive),
        V(gpu_count), V(too_little_vram), V(too_few_vcpu),
        V(too_little_ram), V(no_price), V(excluded), V(confidential), V(no_fitting_image), V(contract_ends),
        and for O(offer.model) V(model_too_large), V(gpu_unsupported), V(context_too_long).
      returned: success
      type: str
      sample: too_expensive
    detail: {type: str, description: Reason for people., returned: success, sample: "9.72 per hour, the ceiling is 4"}
cheapest_free:
  description: Cheapest instance with a GPU that is free now, whether or not it was asked for; null when none is.
  returned: success, and on failure when nothing could be bought
  type: dict
  contains:
    provider: {type: str, description: Provider that offers it., returned: success, sample: lambda}
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
    terms:
      description: What else is known of an offer of a market as M(gpuops.cloud.gpu_offers) tells it; else null.
      returned: success
      type: dict
      sample: null
spend:
  description: What a purchase would cost, and what is there to pay it; null when nothing had to be bought, or when nothing was in stock.
  returned: success, and on failure when it would cost too much
  type: dict
  contains:
    provider: {type: str, description: Provider at which it is bought., returned: success, sample: lambda}
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
  description: What the terminated instances and their volumes have cost. Providers round by steps of their own.
  returned: success, and on failure when something may be left
  type: list
  elements: dict
  contains:
    provider: {type: str, description: Provider., returned: success, sample: lambda}
    kind: {type: str, description: V(instance) or V(volume)., returned: success, sample: instance}
    id: {type: str, description: Id., returned: success, sample: 5f1c2a60-7d5e-4c0e-9d0b-0a4b6f3b9c11}
    name: {type: str, description: Name., returned: success, sample: llm}
    from: {type: str, description: Since when., returned: success, sample: "2026-11-22T08:00:00.000Z"}
    hours: {type: float, description: Billed hours., returned: success, sample: 1.5}
    price_per_hour: {type: float, description: Price per hour., returned: success, sample: 3.555}
    cost: {type: float, description: Hours times price., returned: success, sample: 5.3325}
leftovers:
  description: What of the deployment is left at the providers that answered, and may go on to cost money.
  returned: success with O(state=absent), and on failure when something may be left
  type: list
  elements: dict
  contains:
    provider: {type: str, description: Provider., returned: success, sample: verda}
    kind: {type: str, description: "V(instance), V(os_volume), V(data_volume), V(ssh_key) or V(startup_script).", returned: success, sample: data_volume}
    id: {type: str, description: Id., returned: success, sample: 5f1c2a60-7d5e-4c0e-9d0b-0a4b6f3b9c11}
    name: {type: str, description: Name., returned: success, sample: gpuops.llm.llm.data}
    status: {type: str, description: Status by the cloud; null for keys and scripts., returned: success, sample: detached}
    price_per_hour: {type: float, description: What it costs per hour., returned: success, sample: 0.0274}
    kept: {type: bool, description: Whether it is retained on purpose., returned: success, sample: false}
trash:
  description: Volumes of the deployment that can be had back for a while, and cost nothing.
  returned: success with O(state=absent), and on failure when something may be left
  type: list
  elements: dict
  contains:
    provider: {type: str, description: Provider., returned: success, sample: verda}
    id: {type: str, description: Id., returned: success, sample: 0c41a7d2-55ad-4a36-a2a7-b1c5b8e8a001}
    name: {type: str, description: Name., returned: success, sample: gpuops.llm.llm.os}
known:
  description: Whether anything of the deployment is left, in the trash, was ended before or stands in the ledger.
  returned: success with O(state=absent)
  type: bool
  sample: true
nearest:
  description: Names of other deployments of this collection that cost now and are near this one's.
  returned: success with O(state=absent)
  type: list
  elements: str
  sample: []
others:
  description: What other deployments of this collection cost now.
  returned: success with O(state=absent), and on failure when something may be left
  type: list
  elements: dict
  contains:
    provider: {type: str, description: Provider., returned: success, sample: lambda}
    deployment: {type: str, description: Name of the deployment., returned: success, sample: batch}
    cost_per_hour: {type: float, description: Price per hour of everything of it there., returned: success, sample: 2.58}
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

from ..module_utils._runner.cloud import ACCOUNTS
from ..module_utils._runner.engine import run
from ..module_utils._several.instances import SeveralInstanceResource
from ..module_utils._several.options import SPEC


def main() -> None:
    """Keep instances in the wanted state, wherever they are."""
    run(SPEC, SeveralInstanceResource(), ACCOUNTS)


if __name__ == "__main__":
    main()
