# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which devices a server may open, who makes them, and over what its NCCL talks to others.

The lines of NCCL are as published in its own issues and documentation; none was run here.
tests/e2e/test_devices.py starts the units.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.roles.programs import play
from ansible_collections.gpuops.cloud.tests.unit.roles.support import GPU, Evaluate, load

network = load("roles/vllm/files/network.py")
BASE: dict[str, Any] = {"vllm_model": "m", "vllm_api_key": "key", "ansible_managed": "managed"}
CLUSTER = {
    "distributed": "native",
    "nodes": 2,
    "rank": 0,
    "head_address": "10.0.0.4",
    "address": "10.0.0.4",
    "interface": "eth1",
    "peers": ["10.0.0.5"],
}
LOOK = "lookup('ansible.builtin.template', role_path ~ '/templates/%s')"
ELSEWHERE = {
    "char-infiniband_verbs rw",
    "/dev/infiniband/rdma_cm rw",
    "char-nvidia-caps-imex-channels rw",
}


def lines(text: str, name: str) -> list[str]:
    """Return what a unit says under a name."""
    return re.findall(rf"^{name}=(.*)$", text, re.MULTILINE)


@pytest.fixture(scope="module")
def units(vllm: Evaluate) -> dict[str, str]:
    """Render the unit of a server alone, in a cluster, of either without rules, and on a CPU."""
    together = {**BASE, "gpuops_cluster": CLUSTER}
    cases = {
        "alone": BASE,
        "cluster": together,
        "cluster of one": {**BASE, "gpuops_cluster": {**CLUSTER, "nodes": 1}},
        "no rules": {**together, "vllm_unit": {"hardening": "basic"}},
        "cpu": {**together, "vllm_device": "cpu"},
    }
    return vllm(cases, LOOK % "vllm.service.j2")


def test_devices_are_made_outside_of_what_may_not_make_them(units: dict[str, str]) -> None:
    for name in ("alone", "cluster", "no rules"):
        assert "vllm-devices.service" in " ".join(lines(units[name], "Wants")).split()
        assert "vllm-devices.service" in " ".join(lines(units[name], "After")).split()
        assert "modprobe" not in units[name]
    assert "vllm-devices.service" not in units["cpu"]


def test_the_unit_that_makes_them_is_bound_by_no_device_rules(vllm: Evaluate) -> None:
    cases = {
        "unknown": BASE,
        "four": {**BASE, "gpuops_gpus": [GPU] * 4},
        # Other servers of the host have other GPUs, and the unit is for all of them.
        "one of four": {
            **BASE,
            "gpuops_gpus": [GPU] * 4,
            "vllm_environment": {"CUDA_VISIBLE_DEVICES": "3"},
        },
    }
    found = vllm(cases, LOOK % "devices.service.j2")
    assert lines(found["unknown"], "ExecStart") == ["/usr/bin/nvidia-modprobe -u -c0"]
    assert lines(found["four"], "ExecStart") == ["/usr/bin/nvidia-modprobe -u -c0 -c1 -c2 -c3"]
    assert found["one of four"] == found["four"]
    for text in found.values():
        assert lines(text, "Type") == ["oneshot"]
        # Kept as active, it would not run again with a server that starts again.
        assert lines(text, "RemainAfterExit") == []
        assert not re.search("^(Device|Protect|NoNew|User|Capability)", text, re.MULTILINE)
    assert "\nnvidia-uvm\n" in vllm({"it": BASE}, LOOK % "devices.conf.j2")["it"]


def test_what_leads_to_other_hosts_is_let_in_in_a_cluster_only(units: dict[str, str]) -> None:
    allowed = {name: set(lines(text, "DeviceAllow")) for name, text in units.items()}
    assert allowed["cluster"] - allowed["alone"] == ELSEWHERE
    assert allowed["cluster of one"] == allowed["alone"]
    assert allowed["no rules"] == allowed["cpu"] == set()


def test_nccl_is_asked_to_tell_in_a_cluster_only(vllm: Evaluate) -> None:
    together = {**BASE, "gpuops_cluster": CLUSTER}
    cases = {
        "alone": BASE,
        "cluster": together,
        "own": {**together, "vllm_environment": {"NCCL_DEBUG": "WARN"}},
        "cpu": {**together, "vllm_device": "cpu"},
    }
    found = vllm(cases, LOOK % "vllm.env.j2")
    assert 'NCCL_DEBUG="INFO"\nNCCL_DEBUG_SUBSYS="INIT,NET"\n' in found["cluster"]
    assert 'NCCL_DEBUG="WARN"' in found["own"]
    assert "NCCL_DEBUG" not in found["alone"] + found["cpu"]


WHO = "(Worker_TP0 pid=7) gpu-1:912:912 [0] NCCL INFO"
NEW_IB = f"""{WHO} Bootstrap: Using eth1:10.0.0.4<0>
{WHO} NCCL version 2.29.3+cuda13.0
{WHO} NET/IB : Using [0]mlx5_0:1/IB [1]mlx5_1:1/IB [RO]; OOB eth1:10.0.0.4<0>
{WHO} Initialized NET plugin IB
{WHO} Assigned NET plugin IB to comm
"""
OLD_SOCKET = f"""{WHO} NET/IB : No device found.
{WHO} NET/Socket : Using [0]eth1:10.0.0.4<0>
{WHO} Using network Socket
"""
BEFORE = f"{WHO} NET/Socket : Using [0]eth1:10.0.0.4<0>\n"


@pytest.mark.parametrize(
    ("said", "fast", "sentence"),
    [
        (NEW_IB, ["mlx5_0"], "hosts by IB ([0]mlx5_0:1/IB [1]mlx5_1:1/IB [RO])"),
        (OLD_SOCKET, [], "hosts by Socket ([0]eth1:10.0.0.4<0>)"),
        (
            OLD_SOCKET,
            ["mlx5_0"],
            "([0]eth1:10.0.0.4<0>), which is slow, though mlx5_0 of InfiniBand has a link here",
        ),
        (BEFORE, [], "hosts by Socket ([0]eth1:10.0.0.4<0>)"),
        (f"{WHO} Using network AWS Libfabric\n", [], "hosts by AWS"),
        ("INFO: nothing of the kind\n", ["mlx5_0"], "NCCL has not said which network it takes"),
    ],
)
def test_the_network_is_told_by_its_name(said: str, fast: list[str], sentence: str) -> None:
    assert network.sentence(network.networks(said), fast).endswith(sentence)


def test_only_a_link_of_infiniband_counts(tmp_path: Path) -> None:
    for name, state, layer in (
        ("mlx5_0", "4: ACTIVE", "InfiniBand"),
        ("mlx5_1", "1: DOWN", "InfiniBand"),
        ("mlx5_2", "4: ACTIVE", "Ethernet"),
    ):
        port = tmp_path / name / "ports/1"
        port.mkdir(parents=True)
        (port / "state").write_text(f"{state}\n", encoding="ascii")
        (port / "link_layer").write_text(f"{layer}\n", encoding="ascii")
    assert network.infiniband(tmp_path) == ["mlx5_0"]
    assert network.infiniband(tmp_path / "nowhere") == []


def test_the_journal_is_read_since_the_last_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = '[ "$3" = _SYSTEMD_INVOCATION_ID=abc ] && echo "NCCL INFO Using network IB"; true'
    play(tmp_path, monkeypatch, {"systemctl": "echo abc", "journalctl": words})
    assert network.networks(network.journal("vllm.service")) == {"IB": ""}
    play(tmp_path, monkeypatch, {"systemctl": "echo", "journalctl": "echo of all units"})
    assert network.journal("vllm.service") == ""
