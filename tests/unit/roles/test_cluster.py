# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role cluster: which address, whom it meets, when a server starts anew, what vLLM is told."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.gpuops.cloud.tests.unit.roles.support import (
    GPU,
    HOST,
    ROOT,
    Evaluate,
    load,
)

look = load("roles/cluster/files/look.py")
meet = load("roles/cluster/files/meet.py")
tether = load("roles/cluster/files/tether.py")

PUBLIC, PRIVATE, OTHER = ("eth0", "8.8.4.4"), ("eth1", "10.0.0.5"), ("eth2", "192.168.7.5")
ALL = [PUBLIC, PRIVATE, OTHER]
FACT = {
    "distributed": "native",
    "nodes": 2,
    "rank": 1,
    "head_address": "10.0.0.4",
    "address": "10.0.0.5",
    "interface": "eth1",
    "peers": ["10.0.0.4"],
}


@pytest.mark.parametrize(
    ("ssh", "address", "interface", "expected"),
    [
        ("8.8.4.4", "", "", PRIVATE),
        ("192.168.7.5", "", "", OTHER),
        ("a-name", "", "", PRIVATE),
        ("8.8.4.4", "8.8.4.4", "", PUBLIC),
        ("8.8.4.4", "", "eth2", OTHER),
        ("8.8.4.4", "10.0.0.5", "eth1", PRIVATE),
    ],
)
def test_private_addresses_come_first(
    ssh: str, address: str, interface: str, expected: tuple[str, str]
) -> None:
    assert look.choose(ALL, ssh, address, interface) == expected


def test_a_host_without_the_address_is_told_what_it_has() -> None:
    assert "no address 10.9.9.9, but eth0 8.8.4.4" in look.choose(ALL, "", "10.9.9.9", "")
    assert "no interface ib0" in look.choose(ALL, "", "", "ib0")
    assert "no IPv4 address" in look.choose([], "", "", "")
    assert look.choose([PUBLIC], "8.8.4.4", "", "") == PUBLIC


def test_models_with_other_files_are_told_apart(tmp_path: Path) -> None:
    assert look.model_digest(str(tmp_path)) == ""
    assert look.model_digest("Qwen/Qwen3-8B") == ""
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    bare = look.model_digest(str(tmp_path))
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    assert bare != look.model_digest(str(tmp_path)) != ""


@pytest.fixture
def port() -> int:
    """Find a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_hosts_meet_by_name(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meet, "REACH_SECONDS", 1.0)
    place = f"127.0.0.1:{port}"
    assert "alice does not answer" in meet.reach([f"alice={place}"])
    program = (ROOT / "roles/cluster/files/meet.py").read_text(encoding="utf-8")
    program = program.replace("LISTEN_SECONDS = 120", "LISTEN_SECONDS = 5")
    for _again in range(2):
        command = [sys.executable, "-", "listen", place, "alice"]
        subprocess.run(command, input=program, text=True, check=True, timeout=30)
    assert meet.reach([f"alice={place}"]) == ""
    assert meet.reach([f"bob={place}", f"alice={place}"]) == f"bob at {place} is alice"


@pytest.fixture
def head() -> Iterator[Any]:
    """Provide a head that can be killed: its listening socket, and the connections to it."""
    server = socket.create_server(("127.0.0.1", 0))
    taken: list[socket.socket] = []

    def take() -> None:
        while True:
            try:
                taken.append(server.accept()[0])
            except OSError:
                return

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    yield server, taken
    server.close()


def test_a_head_that_is_gone_is_noticed(head: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tether.time, "sleep", lambda _seconds: None)
    server, taken = head
    place = server.getsockname()
    watcher = threading.Thread(target=tether.watch, args=place, daemon=True)
    watcher.start()
    while not taken:
        watcher.join(0.01)
    # It turns one connection away, but takes another: it is still there.
    taken.pop().close()
    while not taken:
        watcher.join(0.01)
    assert watcher.is_alive()
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    taken.pop().close()
    watcher.join(10)
    assert not watcher.is_alive()


CHECKS: dict[str, tuple[dict[str, Any], str]] = {
    "fine": ({}, ""),
    "as many": ({"vllm_nodes": 1}, ""),
    "too few": ({"vllm_nodes": 3}, "3 hosts are wanted, and the play has 1: localhost"),
    "unknown": ({"vllm_distributed": "slurm"}, "native or ray, not slurm"),
    "failed": ({"_cluster_hosts": ["localhost", "two"]}, "two failed, and a cluster needs all"),
}


def test_options_that_make_no_cluster_are_refused(cluster: Evaluate) -> None:
    cases = {name: given for name, (given, _said) in CHECKS.items()}
    wrong = "_cluster_option_checks | rejectattr('good') | map(attribute='otherwise') | list"
    found = cluster(cases, wrong)
    for name, (_given, said) in CHECKS.items():
        assert len(found[name]) == bool(said), name
        assert said in "".join(found[name])


def test_hosts_that_strangers_reach_are_refused(cluster: Evaluate) -> None:
    good = {"problem": "", "private": True, "firewall": True}
    good |= {"address": "10.0.0.5", "interface": "eth0"}
    cases: dict[str, dict[str, Any]] = {
        "fine": {"_cluster_seen": good},
        "address of two lines": {"_cluster_seen": {**good, "address": "10.0.0.5\nHost *"}},
        "name that is an option": {"_cluster_seen": {**good, "address": "-oProxyCommand=id"}},
        "interface of two words": {"_cluster_seen": {**good, "interface": "eth0 lo"}},
        "public": {"_cluster_seen": {**good, "private": False}},
        "named": {"_cluster_seen": {**good, "private": False}, "cluster_interface": "wg0"},
        "open": {"_cluster_seen": {**good, "firewall": False}},
        "closed by others": {
            "_cluster_seen": {**good, "firewall": False},
            "cluster_firewall": False,
        },
    }
    cases = {name: {**given, "ansible_check_mode": False} for name, given in cases.items()}
    found = cluster(cases, "_cluster_host_checks | map(attribute='good') | list")
    refused = {"public", "open", "address of two lines", "name that is an option"}
    refused |= {"interface of two words"}
    assert {name for name, good in found.items() if False in good} == refused


def test_vllm_is_told_its_place(vllm: Evaluate) -> None:
    base = {"vllm_model": "/models/tiny", "vllm_device": "cpu", "vllm_api_key": "key"}
    cases = {
        "worker": {**base, "gpuops_cluster": FACT},
        "head": {**base, "gpuops_cluster": {**FACT, "rank": 0}},
        "alone": {**base, "gpuops_cluster": {**FACT, "rank": 0, "nodes": 1}},
        "without": base,
    }
    cases = {name: {**given, "ansible_managed": "managed"} for name, given in cases.items()}
    template = "lookup('ansible.builtin.template', role_path ~ '/templates/%s')"
    settings = vllm(cases, template % "config.yaml.j2")
    found = {name: yaml.safe_load(text) for name, text in settings.items()}
    together = {
        "distributed-executor-backend": "mp",
        "nnodes": 2,
        "master-addr": "10.0.0.4",
        "tensor-parallel-size": 2,
    }
    assert found["without"] == found["alone"]
    assert found["head"] == {**found["alone"], **together, "node-rank": 0}
    assert found["worker"] == {**found["alone"], **together, "node-rank": 1, "headless": True}
    environment = vllm(cases, template % "vllm.env.j2")
    assert 'VLLM_HOST_IP="10.0.0.5"' in environment["worker"]
    assert 'GLOO_SOCKET_IFNAME="eth1"' in environment["worker"]
    assert 'VLLM_HOST_IP="127.0.0.1"' in environment["alone"]
    assert environment["alone"] == environment["without"]


def test_places_in_a_cluster_are_not_taken_from_the_user(vllm: Evaluate) -> None:
    base = {"vllm_model": "m", "vllm_settings": {"node_rank": 5, "tensor-parallel-size": 2}}
    cases = {"cluster": {**base, "gpuops_cluster": FACT}, "without": base}
    assert vllm(cases, "_vllm_taken") == {"cluster": ["node-rank"], "without": []}


RAY = {**FACT, "distributed": "ray"}


def test_ray_starts_the_others_and_is_refused_without_gpus(vllm: Evaluate) -> None:
    # Older releases of ansible-core evaluate all checks where one is asked for.
    host = {"gpuops_gpus": [GPU], "_vllm_probe": HOST}
    base = {"vllm_model": "m", "vllm_device": "cuda", "gpuops_cluster": RAY, **host}
    cases = {
        "worker": base,
        "head": {**base, "gpuops_cluster": {**RAY, "rank": 0}},
        "cpu": {**base, "vllm_device": "cpu"},
        "native": {**base, "gpuops_cluster": FACT},
    }
    found = vllm(cases, "[_vllm_serves, _vllm_settings_cluster, _vllm_host_checks[1].good]")
    alone = {"distributed-executor-backend": "ray"}
    assert found["worker"] == [False, alone, True]
    assert found["head"] == [True, alone, True]
    assert found["cpu"] == [False, alone, False]
    assert found["native"][0] is True


def test_ray_listens_at_the_head_and_nowhere_for_browsers(cluster: Evaluate) -> None:
    cases = {
        "worker": {"gpuops_cluster": RAY, "ansible_managed": "managed"},
        "head": {"gpuops_cluster": {**RAY, "rank": 0}, "ansible_managed": "managed"},
    }
    look_up = "lookup('ansible.builtin.template', role_path ~ '/templates/ray.service.j2')"
    found = cluster(cases, look_up)
    assert "--address=10.0.0.4:6379" in found["worker"]
    assert "--head --port=6379 --include-dashboard=false" in found["head"]
    assert "--head" not in found["worker"]
    assert all("--node-ip-address=10.0.0.5" in text for text in found.values())
