# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: request
short_description: Gather and validate the variables of a playbook
version_added: 0.1.0
description:
  - The first step of every playbook of this collection. It gathers the variables of the playbook, checks names, types, ranges and choices, and
    returns them. It asks no host and no API.
  - A short name such as C(count) or C(owner) counts only where somebody has written it for this run, in this order, in what is given with C(-e),
    also as a file; in the C(vars) of the play, or of the C(import_playbook) that calls the playbook; in the project file. What inventories,
    groups, hosts and facts say under these names is meant for something else.
  - A C(--limit) that leaves out the instances that a playbook is to work on is refused.
  - The same name with C(gpuops_) before it counts from anywhere, last of all. So do the variables of the roles, and C(datacrunch_client_id) and
    the other credentials.
  - The project file is a C(gpuops.yml) in the current folder or the nearest one above it, a dictionary of short names. One that belongs to
    somebody else, or that everybody may write, does not count, and neither does a playbook of that name.
  - Where nobody names a deployment, it is C(gpuops-OWNER), or C(gpuops) where the controller has a folder of that name from an earlier release.
    Which one was taken is told.
  - On the command line, a name that neither the playbooks nor the roles know is refused, with the nearest. Where a playbook was called that is
    not of this collection, only names within two letters of ours are. Names that begin with C(ansible_), C(awx_), C(tower_) or C(molecule_) are
    let through, and so are those that the variable C(gpuops_extra_names) lists.
  - A text of several words may stand on the command line as it is, such as C(hours=mon-fri 08:00-19:00 Europe/Helsinki).
author:
  - gpuops.cloud contributors (@gpuops)
extends_documentation_fragment:
  - gpuops.cloud.attributes.changes_nothing
options:
  playbook:
    description: Whose variables are gathered.
    type: str
    required: true
    choices: [benchmark, bringup, capacity, cost, demo, demo_job, demo_stop, gateway, hibernate, job, job_cancel, job_logs, job_result, job_status,
      lease, metrics, monitor, observed, preflight, reap, reaper, restore, scheduled, status, teardown, tunnel, verify_account, wizard]
notes:
  - C(benchmark) measures a server; it takes C(compare), C(deployment), C(gpuops_home), C(input_tokens), C(output_tokens), C(owner),
    C(request_rates), C(requests).
  - C(bringup) buys instances and serves a model; it takes C(ask), C(budget), C(budget_policy), C(capacity_interval), C(capacity_timeout),
    C(confidential), C(confirm), C(count), C(data_volume_gb), C(data_volumes), C(deployment), C(exclude), C(gpu_count), C(gpuops_home),
    C(gpuops_notify), C(gpus), C(hours), C(idle_after), C(image), C(instance_type), C(keep_short_fleet), C(lease), C(lease_max),
    C(lease_max_override), C(ledger), C(locations), C(machine_name), C(market), C(max_lease_cost), C(max_price_per_hour), C(max_tokens), C(min_count),
    C(min_gpu_count), C(min_ram_gb), C(min_tier), C(min_vcpu), C(min_vram_gb), C(min_vram_gb_each), C(model_config), C(model_fit), C(notify_test),
    C(objective), C(observation_log), C(on_spot_discontinue), C(os_volume), C(os_volume_gb), C(owner), C(project), C(prompt), C(protect),
    C(providers), C(purpose), C(replace), C(ssh_include), C(ssh_private_key_file), C(start_timeout), C(tier), C(tiers), C(vllm_distributed),
    C(vllm_nodes), C(wait_for_capacity), C(wait_interval), C(wait_timeout).
  - C(capacity) tells what can be bought; it takes C(confidential), C(exclude), C(fail_if_none), C(file), C(format), C(gpu_count), C(gpus),
    C(image), C(instance_type), C(list), C(locations), C(market), C(max_price_per_hour), C(min_gpu_count), C(min_ram_gb), C(min_tier),
    C(min_vcpu), C(min_vram_gb), C(min_vram_gb_each), C(model_config), C(model_fit), C(objective), C(observation_log), C(providers), C(tier),
    C(tiers), C(vllm_distributed), C(vllm_nodes).
  - C(cost) tells what it costs; it takes C(budget), C(by), C(deployment), C(file), C(format), C(ledger), C(owner), C(project), C(since),
    C(until).
  - C(demo) runs the whole path in a simulated cloud; it takes C(demo_keep), C(demo_providers), C(demo_scenario), C(demo_tier).
  - C(demo_job) runs a job in a simulated cloud, through an eviction; it takes none.
  - C(demo_stop) ends a demo; it takes none.
  - C(gateway) opens one endpoint; it takes C(deployment), C(gateway_host), C(gpuops_home), C(owner).
  - C(hibernate) terminates the instances and retains their disks; it takes C(confirm), C(deployment), C(format), C(gpuops_home), C(ledger),
    C(owner), C(wait_interval), C(wait_timeout).
  - C(job) runs a command to its end on an instance of its own; it takes C(again), C(array), C(ask), C(budget), C(budget_policy),
    C(capacity_interval), C(capacity_timeout), C(confidential), C(confirm), C(cost), C(data_volume_gb), C(exclude), C(follow), C(gpu_count),
    C(gpuops_home), C(gpus), C(image), C(instance_type), C(job), C(job_name), C(lease_max), C(ledger), C(locations), C(market), C(max_lease_cost),
    C(max_price_per_hour), C(min_gpu_count), C(min_ram_gb), C(min_tier), C(min_vcpu), C(min_vram_gb), C(min_vram_gb_each), C(objective),
    C(os_volume_gb), C(owner), C(project), C(results), C(run), C(ssh_private_key_file), C(start_timeout), C(tier), C(tiers), C(time),
    C(wait_for_capacity), C(wait_interval), C(wait_timeout).
  - C(job_cancel) stops a job and terminates its instance; it takes C(follow), C(gpuops_home), C(job), C(job_name), C(ledger), C(owner),
    C(wait_interval), C(wait_timeout), C(waiting).
  - C(job_logs) shows what a job has printed; it takes C(follow), C(gpuops_home), C(job), C(job_name), C(owner), C(task).
  - C(job_result) fetches the results of a job; it takes C(gpuops_home), C(job), C(job_name), C(owner), C(results).
  - C(job_status) tells how a job stands; it takes C(gpuops_home), C(job), C(job_name), C(owner).
  - C(lease) changes leases; it takes C(budget), C(budget_policy), C(confirm), C(data_volumes), C(deployment), C(done), C(extend), C(format),
    C(gpuops_home), C(lease), C(lease_max), C(lease_max_override), C(ledger), C(machine_name), C(max_lease_cost), C(os_volume), C(owner), C(protect),
    C(providers), C(trust_cloud_clock), C(wait_interval), C(wait_timeout).
  - C(metrics) writes metrics; it takes C(budget), C(file), C(file_mode), C(ledger), C(providers).
  - C(monitor) lets Prometheus in; it takes C(deployment), C(folder), C(folder_group), C(gpuops_home), C(owner), C(prometheus_sources).
  - C(observed) draws what was in stock; it takes C(file), C(observation_log).
  - C(preflight) checks what bringup would need, and buys nothing; it takes C(ask), C(budget), C(budget_policy), C(capacity_interval),
    C(capacity_timeout), C(confidential), C(confirm), C(count), C(data_volume_gb), C(data_volumes), C(deployment), C(exclude), C(gpu_count),
    C(gpuops_home), C(gpuops_notify), C(gpus), C(hours), C(idle_after), C(image), C(instance_type), C(keep_short_fleet), C(lease), C(lease_max),
    C(lease_max_override), C(ledger), C(locations), C(machine_name), C(market), C(max_lease_cost), C(max_price_per_hour), C(max_tokens),
    C(min_count), C(min_gpu_count), C(min_ram_gb), C(min_tier), C(min_vcpu), C(min_vram_gb), C(min_vram_gb_each), C(model_config), C(model_fit),
    C(notify_test), C(objective), C(observation_log), C(on_spot_discontinue), C(os_volume), C(os_volume_gb), C(owner), C(project), C(prompt),
    C(protect), C(purpose), C(replace), C(ssh_include), C(ssh_private_key_file), C(start_timeout), C(tier), C(tiers), C(vllm_distributed),
    C(vllm_nodes), C(wait_for_capacity), C(wait_interval), C(wait_timeout).
  - C(reap) terminates what is over; it takes C(budget), C(data_volumes), C(deployments), C(everything), C(format), C(gpuops_home), C(gpuops_notify),
    C(grace), C(idle_after), C(idle_timeout), C(ledger), C(metrics_file), C(mode), C(notify_test), C(orphan_age), C(os_volume), C(owner),
    C(providers), C(ssh_private_key_file), C(ssh_user), C(trust_cloud_clock), C(wait_interval), C(wait_timeout).
  - C(reaper) sets up what terminates what is over; it takes C(deployments), C(everything), C(gpuops_home), C(idle_after), C(owner),
    C(providers), C(reaper_host).
  - C(restore) boots from the disks that hibernate has retained; it takes C(ask), C(budget), C(budget_policy), C(capacity_interval),
    C(capacity_timeout), C(confidential), C(confirm), C(count), C(data_volume_gb), C(data_volumes), C(deployment), C(exclude), C(gpu_count),
    C(gpuops_home), C(gpuops_notify), C(gpus), C(hours), C(idle_after), C(image), C(instance_type), C(keep_short_fleet), C(lease), C(lease_max),
    C(lease_max_override), C(ledger), C(locations), C(machine_name), C(market), C(max_lease_cost), C(max_price_per_hour), C(max_tokens),
    C(min_count), C(min_gpu_count), C(min_ram_gb), C(min_tier), C(min_vcpu), C(min_vram_gb), C(min_vram_gb_each), C(model_config), C(model_fit),
    C(notify_test), C(objective), C(observation_log), C(on_spot_discontinue), C(os_volume), C(os_volume_gb), C(owner), C(project), C(prompt),
    C(protect), C(purpose), C(replace), C(ssh_include), C(ssh_private_key_file), C(start_timeout), C(tier), C(tiers), C(vllm_distributed),
    C(vllm_nodes), C(wait_for_capacity), C(wait_interval), C(wait_timeout).
  - C(scheduled) follows business hours; it takes C(ask), C(budget), C(budget_policy), C(capacity_interval), C(capacity_timeout), C(confidential),
    C(confirm), C(count), C(data_volume_gb), C(data_volumes), C(deployment), C(exclude), C(format), C(gpu_count), C(gpuops_home), C(gpuops_notify),
    C(gpus), C(hours), C(idle_after), C(image), C(instance_type), C(keep_short_fleet), C(lease), C(lease_max), C(lease_max_override), C(ledger),
    C(locations), C(machine_name), C(market), C(max_lease_cost), C(max_price_per_hour), C(max_tokens), C(min_count), C(min_gpu_count), C(min_ram_gb),
    C(min_tier), C(min_vcpu), C(min_vram_gb), C(min_vram_gb_each), C(missing_ok), C(model_config), C(model_fit), C(notify_test), C(objective),
    C(observation_log), C(on_spot_discontinue), C(os_volume), C(os_volume_gb), C(owner), C(project), C(prompt), C(protect), C(providers),
    C(purge_trash), C(purpose), C(replace), C(ssh_include), C(ssh_private_key_file), C(start_timeout), C(tier), C(tiers), C(vllm_distributed),
    C(vllm_nodes), C(wait_for_capacity), C(wait_interval), C(wait_timeout).
  - C(status) tells how things stand; it takes C(deployment), C(format), C(gpuops_home), C(owner), C(providers).
  - C(teardown) terminates a deployment; it takes C(confirm), C(data_volumes), C(deployment), C(format), C(gpuops_home), C(ledger), C(missing_ok),
    C(os_volume), C(owner), C(providers), C(purge_trash), C(wait_interval), C(wait_timeout).
  - C(tunnel) opens and closes a tunnel; it takes C(address), C(deployment), C(gpuops_home), C(local_port), C(machine_name), C(owner), C(port),
    C(state).
  - C(verify_account) tells which dialect of the API an account speaks; it takes C(budget), C(file), C(gpuops_report_dir), C(ledger),
    C(locations), C(max_price_per_hour), C(owner), C(project), C(spend), C(ssh_keys).
  - C(wizard) asks what is wanted, and does what C(bringup) does; it takes C(lease), C(max_price_per_hour), C(purpose), C(tier).
  - Of type bool are C(ask), C(confidential), C(confirm), C(demo_keep), C(done), C(everything), C(keep_short_fleet), C(lease_max_override),
    C(missing_ok), C(model_fit), C(notify_test), C(protect), C(purge_trash), C(replace), C(spend), C(ssh_include), C(trust_cloud_clock).
  - Of type dict are C(budget).
  - Of type float are C(capacity_interval), C(capacity_timeout), C(idle_timeout), C(max_lease_cost), C(max_price_per_hour), C(min_ram_gb),
    C(min_vram_gb), C(min_vram_gb_each), C(start_timeout), C(wait_for_capacity), C(wait_interval), C(wait_timeout).
  - Of type int are C(count), C(data_volume_gb), C(gpu_count), C(input_tokens), C(local_port), C(max_tokens), C(min_count), C(min_gpu_count),
    C(min_vcpu), C(os_volume_gb), C(output_tokens), C(port), C(requests), C(vllm_nodes).
  - Of type list of dict are C(gpuops_notify), C(tiers).
  - Of type list of str are C(deployments), C(exclude), C(gpus), C(locations), C(prometheus_sources), C(ssh_keys).
  - Of type raw are C(request_rates).
  - Of type str are C(address), C(compare), C(demo_providers), C(demo_scenario), C(demo_tier), C(deployment), C(extend), C(file), C(file_mode), C(folder),
    C(folder_group), C(gateway_host), C(gpuops_home), C(gpuops_report_dir), C(grace), C(hours), C(idle_after), C(image), C(instance_type),
    C(lease), C(lease_max), C(ledger), C(machine_name), C(metrics_file), C(min_tier), C(model_config), C(observation_log), C(orphan_age),
    C(owner), C(project), C(prompt), C(reaper_host), C(since), C(ssh_private_key_file), C(ssh_user), C(tier), C(until), C(vllm_distributed).
  - C(budget_policy) is one of V(refuse), V(warn).
  - C(by) is one of V(deployment), V(owner), V(project), V(gpu_model).
  - C(data_volumes) is one of V(keep), V(trash), V(delete).
  - C(format) is one of V(table), V(json), V(csv), V(html).
  - C(market) is one of V(on_demand), V(spot), V(spot_first), V(any).
  - C(mode) is one of V(report), V(stop), V(delete).
  - C(objective) is one of V(best), V(cheapest), V(value).
  - C(on_spot_discontinue) is one of V(trash), V(delete), V(keep).
  - C(os_volume) is one of V(trash), V(delete), V(keep).
  - C(purpose) is one of V(serve), V(shell).
  - C(state) is one of V(present), V(absent).
attributes:
  check_mode:
    support: full
    description: Looks in check mode too.
"""

EXAMPLES = r"""
- name: Check the request
  gpuops.cloud.request:
    playbook: status
  register: request
"""

RETURN = r"""
given:
  description: The variables that were given, by their short names, in their types. What may hold a secret, such as the ledger, is not among them.
  returned: success
  type: dict
  sample: {"tier": "h100_or_less", "max_price_per_hour": 2.5}
options:
  description: What each module takes of them, by the names of its options.
  returned: success
  type: dict
deployment:
  description: The deployment that is meant, empty where the playbook works on none.
  returned: success
  type: str
  sample: gpuops-ada
named:
  description: Whether somebody has named the deployment.
  returned: success
  type: bool
owner:
  description: Whose things are meant.
  returned: success
  type: str
  sample: ada
home:
  description: Folder on the controller for keys and settings of all deployments.
  returned: success
  type: str
folder:
  description: Folder of the deployment.
  returned: success
  type: str
group:
  description: Inventory group for the hosts of the deployment.
  returned: success
  type: str
  sample: gpuops_of_gpuops_ada
ledger_variable:
  description: Name of the variable that names the ledger, where there is one.
  returned: success
  type: str
  sample: gpuops_ledger
notify_variable:
  description: Name of the variable that says who is notified, empty where nobody is.
  returned: success
  type: str
  sample: gpuops_notify
interactive:
  description: Whether somebody sits at a terminal who can be asked.
  returned: success
  type: bool
job:
  description: The job that is meant, with everything that its file says; empty for a playbook that knows none.
  returned: success
  type: dict
  sample: {name: tiny-sft, command: [python, train.py], time_s: 7200}
told:
  description: What was said of the deployment where nobody has named it.
  returned: success
  type: str
unknown:
  description: Names that are not known, each with the nearest ones of ours.
  returned: on failure because of them
  type: list
  elements: dict
  contains:
    name:
      description: A name that was given.
      returned: failure
      type: str
      sample: max_price_per_huor
    nearest:
      description: Names of ours at most two letters off.
      returned: failure
      type: list
      elements: str
      sample: [max_price_per_hour]
"""
