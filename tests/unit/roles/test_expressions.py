# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Expressions have the same values in this process and in a run of ansible-playbook."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.inventory.programs import in_process
from ansible_collections.gpuops.cloud.tests.unit.roles import conftest
from ansible_collections.gpuops.cloud.tests.unit.roles.expressions import (
    Cases,
    Way,
    evaluate_by_playbook,
)
from ansible_collections.gpuops.cloud.tests.unit.roles.gateway_support import variables
from ansible_collections.gpuops.cloud.tests.unit.roles.support import GPU, HOST, ROOT

MANAGED = {"ansible_managed": "managed"}
WRONG = "rejectattr('good') | map(attribute='otherwise') | list"


def template(name: str) -> str:
    """Return the expression that renders a template of the role."""
    return f"lookup('ansible.builtin.template', role_path ~ '/templates/{name}')"


def vllm(_folder: Path) -> tuple[Cases, str]:
    """Filters of the collection, settings of every type, text that looks like something else."""
    base = {**MANAGED, "vllm_model": "m", "gpuops_gpus": [GPU], "_vllm_probe": HOST}
    odd = {"a": None, "b": "0123", "c": True, "d": 1.5, "e": "{{ vllm_port }}", "f": ["x", {}]}
    cases = {
        "plain": base,
        "odd": {**base, "vllm_settings": odd, "vllm_port": "8123", "vllm_version": "0.9"},
    }
    checks = f"(_vllm_option_checks + _vllm_host_checks) | {WRONG}"
    texts = f"{template('config.yaml.j2')}, {template('vllm.service.j2')}"
    own = "_vllm_taken, _vllm_settings_cluster, vllm_port, (1, 2), vllm_settings"
    return (
        cases,
        f"[{own}, {checks}, {texts}]",
    )


def cuda(_folder: Path) -> tuple[Cases, str]:
    """Text of several parts."""
    cases = {
        state: {"_cuda_probe": {"state": state, "pci": 2, "said": "{{ x }} 'a' é"}}
        for state in ("works", "broken")
    }
    return cases, "_cuda_problem"


def cluster(_folder: Path) -> tuple[Cases, str]:
    """What Ansible itself knows of hosts and plays."""
    cases: Cases = {"fine": {}, "few": {"vllm_nodes": 3}, "one": {"_cluster_hosts": ["a"]}}
    return cases, f"[_cluster_option_checks | {WRONG}, ansible_play_hosts, inventory_hostname]"


def gateway(folder: Path) -> tuple[Cases, str]:
    """Files of the controller, and a template whose text is JSON."""
    cases = {"good": variables(folder), "bad": variables(folder, gateway_paths=["PUT /x"])}
    checks = f"_gateway_option_checks | {WRONG}"
    return (
        cases,
        f"dict(a={template('replicas.json.j2')}, b={template('keys.conf.j2')}, c={checks})",
    )


def reaper(_folder: Path) -> tuple[Cases, str]:
    """JSON inside of text, and files of the collection."""
    good = {"reaper_client_id": "id", "reaper_client_secret": "s", "reaper_deployments": ["llm"]}
    cases = {"good": good, "bad": {**good, "reaper_everything": True, "reaper_settings": {"x": 1}}}
    account = {"reaper_providers": ["verda", "vast"], "reaper_accounts": {"vast": {"api_key": "k"}}}
    cases |= {"several": {**good, **account}}
    return cases, f"[_reaper_secrets, _reaper_requirements, _reaper_option_checks | {WRONG}]"


def exporters(_folder: Path) -> tuple[Cases, str]:
    """A template of a role, and one of a playbook."""
    probe = {"missing": ["haproxy"], "gpu": True, "gpu_installed": False, "gpu_package": True}
    cases = {"one": {"_exporters_probe": {**probe, "gpu_unit": "x.service"}, "_told": []}}
    targets = f"lookup('ansible.builtin.template', '{ROOT}/playbooks/templates/targets.json.j2')"
    return cases, f"[_exporters_sources, {template('haproxy.cfg.j2')}, {targets}]"


def job(_folder: Path) -> tuple[Cases, str]:
    """Numbers in text, and a list that depends on a variable."""
    cases: Cases = {"plain": {}, "wrong": {"job_service_manager": "x", "job_nodes": "2"}}
    return cases, f"[_job_units, _job_programs, _job_option_checks | {WRONG}]"


ROLES: dict[str, Callable[[Path], tuple[Cases, str]]] = {
    function.__name__: function
    for function in (vllm, cuda, cluster, gateway, reaper, exporters, job)
}


@pytest.mark.parametrize("role", ROLES)
def test_both_ways_agree(role: str, expressions: Way, tmp_path: Path) -> None:
    cases, expression = ROLES[role](tmp_path)
    here: dict[str, Any] = expressions(tmp_path, role, cases, expression)
    there = evaluate_by_playbook(tmp_path, role, cases, expression)
    # As text: 1 and true, and keys in another order, are not the same.
    assert json.dumps(here) == json.dumps(there)


def test_nothing_is_left_of_a_program_that_ran_before(expressions: Way, tmp_path: Path) -> None:
    assert (
        in_process("--list", "-i", "here,", "-e", "cluster_port=1", home=tmp_path).returncode == 0
    )
    asked = "[ansible_check_mode, cluster_port | default(2), groups]"
    found = expressions(tmp_path, "cluster", {"x": {}}, asked)
    assert found == {"x": [False, 2, {"all": [], "ungrouped": []}]}


def test_every_role_whose_expressions_are_asked_for_is_compared() -> None:
    assert set(ROLES) == conftest.ROLES
