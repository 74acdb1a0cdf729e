# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of the playbooks: their types, who takes them, what they become (private, pure).

Types and choices are those of the modules that the values go to; a test compares.
"""

from __future__ import annotations

from typing import Any

from .._core.argspecs import BUDGET_SPEC, LEDGER_SPEC, SELECTION_SPEC
from .._notify.receivers import RECEIVERS_SPEC
from .._providers.base.options import ON_EVICTION
from .._providers.names import PROVIDERS, module_of

Spec = dict[str, Any]


def _each(kind: str, names: str, **more: Any) -> Spec:
    return {name: {"type": kind, **more} for name in names.split()}


_CHOOSE: Spec = {name: spec for name, spec in SELECTION_SPEC.items() if name != "model"}
_POLICY = ["trash", "delete", "keep"]

# Of every variable, without defaults: those are the modules'.
VARIABLES: Spec = {
    **_CHOOSE,
    **BUDGET_SPEC,
    **LEDGER_SPEC,
    "gpuops_notify": RECEIVERS_SPEC,
    **_each("bool", "ask confirm done everything keep_short_fleet lease_max_override missing_ok"),
    **_each("bool", "model_fit protect purge_trash replace spend ssh_include trust_cloud_clock"),
    **_each("bool", "demo_keep fail_if_none notify_test"),
    **_each("int", "count min_count os_volume_gb data_volume_gb vllm_nodes max_tokens"),
    **_each("int", "requests input_tokens output_tokens port local_port"),
    **_each("float", "max_lease_cost start_timeout capacity_timeout wait_for_capacity"),
    **_each("float", "capacity_interval wait_timeout wait_interval idle_timeout"),
    **_each("str", "deployment machine_name owner project lease lease_max extend hours grace"),
    **_each("str", "idle_after orphan_age since until prompt file_mode folder_group ssh_user"),
    **_each(
        "str", "gateway_host reaper_host vllm_distributed demo_providers demo_scenario demo_tier"
    ),
    **_each("str", "model_config observation_log ssh_private_key_file file folder compare"),
    **_each("str", "metrics_file gpuops_home gpuops_report_dir address"),
    **_each("str", "job job_name run time results"),
    **_each("float", "cost"),
    **_each("bool", "follow again waiting"),
    **_each("dict", "array"),
    **_each("int", "task"),
    **_each("raw", "request_rates"),
    **_each("list", "providers", elements="str", choices=[*PROVIDERS]),
    **_each("list", "deployments ssh_keys prometheus_sources", elements="str"),
    **_each("str", "purpose", choices=["serve", "shell"]),
    **_each("str", "state", choices=["present", "absent"]),
    **_each("str", f"os_volume {ON_EVICTION}", choices=_POLICY),
    **_each("str", "data_volumes", choices=["keep", "trash", "delete"]),
    **_each("str", "budget_policy", choices=["refuse", "warn"]),
    **_each("str", "mode", choices=["report", "stop", "delete"]),
    **_each("str", "format", choices=["table", "json", "csv", "html"]),
    **_each("str", "list", choices=["offers", "tiers"]),
    **_each("str", "by", choices=["deployment", "job", "owner", "project", "gpu_model"]),
}
# They may hold a password, so they never stand in a result: a playbook reads the variable itself.
SECRET = frozenset({"ledger", "gpuops_notify"})
# They bear the name of the collection or of a role, which no estate uses for something else.
ANYWHERE_BEGINS = ("gpuops_", "vllm_", "gateway_", "reaper_", "demo_", "prometheus_")

_BUY = f"""
    machine_name min_count keep_short_fleet replace owner lease lease_max lease_max_override project
    protect hours confirm os_volume_gb os_volume data_volume_gb data_volumes {ON_EVICTION} budget
    budget_policy max_lease_cost wait_timeout wait_interval wait_for_capacity start_timeout
    capacity_timeout capacity_interval
"""
_LEASE = """
    machine_name extend lease done protect lease_max lease_max_override trust_cloud_clock owner confirm
    budget budget_policy max_lease_cost os_volume data_volumes wait_timeout wait_interval
"""
_END = "os_volume data_volumes wait_timeout wait_interval owner"
_REAP = """
    mode grace deployments owner everything os_volume data_volumes idle_after orphan_age
    trust_cloud_clock budget wait_timeout wait_interval
"""
_PROBE = "spend max_price_per_hour locations ssh_keys budget owner project"
_MODEL = "model_config model_fit vllm_nodes vllm_distributed"
_CHOICE = " ".join(_CHOOSE)

# What a module takes of the variables, as they are or under another name.
OPTIONS = {
    module_of("instance"): f"{_CHOICE} {_BUY}".replace(" confirm ", " "),
    module_of("capacity"): _CHOICE,
    "gpu_offers": f"{_CHOICE} providers",
    "gpu_balance": "providers",
    "gpu_instance_info": "providers",
    "gpu_instance": f"{_CHOICE} {_BUY} providers".replace(" confirm ", " ").replace(
        " replace ", " "
    ),
    "gpu_lease": f"{_LEASE} providers".replace(" confirm\n", "\n"),
    "gpu_reap": f"{_REAP} providers",
    module_of("balance"): "budget",
    module_of("lease"): _LEASE.replace(" confirm\n", "\n"),
    module_of("reap"): _REAP,
    module_of("metrics"): "budget file_mode",
    "gpu_metrics": "budget file_mode providers",
    module_of("cost_info"): "deployment owner project budget since until",
    module_of("account_probe"): _PROBE,
}
RENAMED = {"machine_name": "name", "file_mode": "mode"}

_BRINGUP = (
    f"{_CHOICE} {_BUY} {_MODEL} deployment count ledger observation_log ask prompt max_tokens"
)
_BRINGUP += " purpose ssh_include ssh_private_key_file gpuops_home gpuops_notify notify_test"
_BRINGUP += " idle_after"
_PAUSE = "wait_timeout wait_interval owner"
_TEARDOWN = f"{_END} providers deployment ledger confirm missing_ok purge_trash gpuops_home format"

_JOB = f"{_CHOICE} job job_name run array time cost results again follow ask owner project data_volume_gb"
_JOB += " os_volume_gb budget budget_policy lease_max max_lease_cost wait_timeout wait_interval"
_JOB += " wait_for_capacity start_timeout capacity_timeout capacity_interval ledger gpuops_home"
_JOB += " ssh_private_key_file confirm"

_TAKES = {
    "bringup": f"{_BRINGUP} providers",
    "preflight": _BRINGUP,
    "teardown": _TEARDOWN,
    "scheduled": f"{_BRINGUP} {_TEARDOWN}",
    "demo": "demo_keep demo_providers demo_scenario demo_tier",
    "demo_stop": "",
    "demo_job": "",
    "job": _JOB,
    "job_status": "job job_name gpuops_home owner",
    "job_logs": "job job_name gpuops_home owner follow task",
    "job_cancel": "job job_name gpuops_home owner follow ledger wait_timeout wait_interval waiting",
    "job_result": "job job_name gpuops_home owner results",
    "status": "deployment owner providers gpuops_home format",
    "capacity": f"{_CHOICE} {_MODEL} providers format file observation_log list fail_if_none",
    "cost": "since until by deployment owner project budget ledger format file",
    "lease": f"{_LEASE} providers deployment ledger gpuops_home format",
    "reap": f"{_REAP} providers ledger metrics_file ssh_private_key_file ssh_user idle_timeout gpuops_home format"
    " gpuops_notify notify_test",
    "reaper": "deployments owner everything idle_after providers gpuops_home reaper_host",
    "metrics": "file file_mode budget providers ledger",
    "benchmark": "deployment owner gpuops_home request_rates requests input_tokens output_tokens compare",
    "gateway": "deployment owner gpuops_home gateway_host",
    "monitor": "deployment owner gpuops_home folder folder_group prometheus_sources",
    "observed": "observation_log file",
    "hibernate": f"{_PAUSE} deployment ledger confirm gpuops_home format",
    "restore": _BRINGUP,
    "tunnel": "deployment owner machine_name gpuops_home port local_port address state",
    "verify_account": f"{_PROBE} file ledger gpuops_report_dir",
    "wizard": "purpose tier max_price_per_hour lease",
}
TAKES = {book: tuple(dict.fromkeys(names.split())) for book, names in _TAKES.items()}
# Those that work on one deployment, so that one is meant where none is named.
ON_ONE = frozenset(
    {
        *("bringup", "preflight", "teardown", "hibernate", "restore", "scheduled"),
        *("lease", "benchmark", "gateway", "monitor", "tunnel"),
    }
)
# Those that go on to instances, and the groups that they make of them.
ON_HOSTS = {
    **dict.fromkeys(("bringup", "preflight", "scheduled"), ("gpuops_machines",)),
    **dict.fromkeys(("job", "job_cancel", "job_logs", "job_result"), ("gpuops_machines",)),
    "benchmark": ("gpuops_measured",),
    "gateway": ("gpuops_replicas", "gpuops_front"),
    "monitor": ("gpuops_monitored",),
}
# Those that buy, terminate or check at the first provider alone.
AT_THE_FIRST = frozenset(
    {"preflight", "hibernate", "restore", "job", "job_cancel", "job_result", "verify_account"}
)
# What no module over several providers takes, and where it is as if it were not given.
OF_THE_FIRST: Spec = {
    **dict.fromkeys(("replace", "purge_trash"), False),
    "observation_log": None,
    "vllm_nodes": 1,
}
# Those that work on one job, each of which has a deployment of its own.
ON_A_JOB = frozenset({"job", "job_status", "job_logs", "job_cancel", "job_result"})
# The roles that a playbook runs: what is wrong with their variables is told before a purchase.
_SERVING = (
    "ssh_ready",
    "firewall",
    "storage",
    "cuda",
    "cluster",
    "vllm",
    "workbench",
    "idle_guard",
)
ROLES = {
    "bringup": _SERVING,
    "restore": _SERVING,
    "preflight": _SERVING,
    "scheduled": _SERVING,
    "job": ("ssh_ready", "firewall", "storage", "cuda", "idle_guard"),
    "gateway": ("gateway",),
    "reaper": ("reaper",),
    "monitor": ("exporters",),
}
# A playbook may know fewer words than another for the same variable.
CHOICES = {
    ("capacity", "format"): ["table", "json", "html"],
    **{(book, "format"): ["table", "json"] for book in ("status", "lease", "teardown", "reap")},
    ("scheduled", "format"): ["table", "json"],
    ("hibernate", "format"): ["table", "json"],
}


def spec_of(book: str) -> Spec:
    """Return the argument spec of a playbook; nothing has a default."""
    found = {}
    for name in TAKES[book]:
        spec = {key: value for key, value in VARIABLES[name].items() if key != "default"}
        choices = CHOICES.get((book, name))
        found[name] = {**spec, **({"choices": choices} if choices else {})}
    return found


def options_for(given: Spec) -> dict[str, Spec]:
    """Return by module which of its options were given."""
    return {
        module: {RENAMED.get(name, name): given[name] for name in names.split() if name in given}
        for module, names in OPTIONS.items()
    }
