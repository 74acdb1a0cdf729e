# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody else has made or listens on: named, and left alone."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._host import conflicts, firewall
from ansible_collections.gpuops.cloud.plugins.module_utils._host.commands import Commands
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import run_module
from ansible_collections.gpuops.cloud.tests.unit.roles.support import ROOT, Evaluate
from ansible_collections.gpuops.cloud.tests.unit.roles.tasks import all_tasks

UNIT = "/etc/systemd/system/vllm.service"
BY_HAND = "[Unit]\nDescription=set up by hand, do not remove\n"
NOBODYS = f"{UNIT} is there, and was not made by this role"
# It listens on an address, says on which port, and ends with its input.
LISTENER = """
import socket, sys
server = socket.create_server((sys.argv[1], 0))
print(server.getsockname()[1], flush=True)
sys.stdin.read()
"""


def put(root: Path, name: str, text: str) -> Path:
    """Write a file of a host."""
    path = root / name.lstrip("/")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_unit_made_by_hand_is_named(tmp_path: Path) -> None:
    assert conflicts.foreign_files([UNIT], [], tmp_path) == []
    put(tmp_path, UNIT, BY_HAND)
    assert conflicts.foreign_files([UNIT], [], tmp_path) == [NOBODYS]


@pytest.mark.parametrize(
    ("mark", "changed"),
    [
        ("# Ansible managed", ""),
        ("# Written by gpuops.cloud.", ""),
        ("# Made by ACME on Monday", "Made by ACME on {host} %Y"),
    ],
)
def test_what_bears_a_mark_is_ours(tmp_path: Path, mark: str, changed: str) -> None:
    put(tmp_path, UNIT, f"{mark}\n{BY_HAND}")
    assert conflicts.foreign_files([UNIT], [changed], tmp_path) == []


def test_a_mark_of_placeholders_alone_makes_nothing_ours(tmp_path: Path) -> None:
    put(tmp_path, UNIT, BY_HAND)
    assert conflicts.foreign_files([UNIT], ["{file} of %Y"], tmp_path) == [NOBODYS]


def test_folders_masked_units_and_links_to_nowhere_are_somebody_elses(tmp_path: Path) -> None:
    folder = tmp_path / "etc/systemd/system"
    folder.mkdir(parents=True)
    (folder / "vllm.service").symlink_to("/dev/null")
    (folder / "vllm-ray.service").symlink_to("/nowhere")
    (folder / "vllm-tether.service").mkdir()
    names = [f"/etc/systemd/system/{path.name}" for path in folder.iterdir()]
    assert len(conflicts.foreign_files(names, [], tmp_path)) == 3


def test_the_unit_of_a_package_would_be_hidden(tmp_path: Path) -> None:
    put(tmp_path, "/usr/lib/systemd/system/vllm.service", BY_HAND)
    found = conflicts.foreign_files([UNIT, "/etc/vllm/vllm.service"], [], tmp_path)
    assert found == ["/usr/lib/systemd/system/vllm.service is there already"]


@pytest.fixture
def other() -> Iterator[Any]:
    """Provide what starts another program that listens; it gives the port and the process."""
    started = []

    def start(address: str) -> tuple[int, int]:
        program = subprocess.Popen(
            [sys.executable, "-c", LISTENER, address],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(program)
        assert program.stdout is not None
        return int(program.stdout.readline()), program.pid

    yield start
    for program in started:
        program.communicate()


def test_who_listens_is_named(other: Any) -> None:
    port, pid = other("127.0.0.1")
    for address in ("127.0.0.1", ""):
        (found,) = conflicts.taken_ports([{"port": port, "address": address}], [])
        assert found.startswith(f"port {port} is taken by python")
        assert f"(pid {pid}" in found


def test_another_address_is_no_obstacle(other: Any) -> None:
    port, _pid = other("127.0.0.2")
    assert conflicts.taken_ports([{"port": port, "address": "127.0.0.1"}], []) == []
    assert len(conflicts.taken_ports([{"port": port}], [])) == 1


def test_our_own_server_may_hold_its_port(other: Any, tmp_path: Path) -> None:
    port, pid = other("127.0.0.1")
    wanted = [{"port": port, "address": "127.0.0.1"}]
    # The process as it is, but in the control group of a unit.
    proc = tmp_path / "proc"
    put(proc, f"{pid}/cgroup", "0::/system.slice/vllm.service\n")
    put(proc, f"{pid}/comm", "vllm\n")
    (proc / str(pid) / "fd").symlink_to(f"/proc/{pid}/fd")
    (proc / "net").symlink_to("/proc/net")
    assert conflicts.taken_ports(wanted, ["vllm.service"], proc) == []
    (found,) = conflicts.taken_ports(wanted, ["vllm-small.service"], proc)
    assert found == f"port {port} is taken by vllm (pid {pid}, vllm.service)"


@pytest.mark.parametrize(
    ("opened_by", "runs_as", "is_ours"), [(993, 993, True), (993, 994, False), (0, 108, True)]
)
def test_our_own_server_is_known_where_root_may_not_see_what_it_has_open(
    other: Any, tmp_path: Path, opened_by: int, runs_as: int, is_ours: bool
) -> None:
    port, _pid = other("127.0.0.1")
    place = f"0: 0100007F:{port:04X} 00000000:0000 0A 00000000:00000000 00:00000000 00000000"
    put(tmp_path, "net/tcp", f"sl local_address ...\n{place} {opened_by} 0 4242 1\n")
    put(tmp_path, "7/cgroup", "0::/system.slice/vllm.service\n")
    put(tmp_path, "7/status", f"Name:\tvllm\nUid:\t{runs_as}\t0\t0\t0\n")
    put(tmp_path, "7/fd", "cannot be listed")
    wanted = [{"port": port, "address": "127.0.0.1"}]
    assert (conflicts.taken_ports(wanted, ["vllm.service"], tmp_path) == []) is is_ours
    assert len(conflicts.taken_ports(wanted, ["vllm-small.service"], tmp_path)) == 1


def test_a_port_that_nobody_names_is_taken_all_the_same(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        wanted = [{"port": port, "address": "127.0.0.1"}]
        assert conflicts.taken_ports(wanted, [], tmp_path) == [
            f"port {port} is taken by an unknown program"
        ]
    assert conflicts.taken_ports(wanted, []) == []


@pytest.mark.every_core("host_conflicts")
def test_the_module_says_all_of_it_with_a_way_out(other: Any, tmp_path: Path) -> None:
    port, pid = other("127.0.0.1")
    unit = put(tmp_path, "vllm.service", BY_HAND)
    wish = {"files": [str(unit)], "ports": [{"port": port}], "hint": "Choose another vllm_port"}
    failed, _printed = run_module("host_conflicts", wish)
    assert failed["failed"]
    assert (
        f"{unit} is there, and was not made by this role; port {port} is taken by" in failed["msg"]
    )
    assert failed["msg"].endswith("Nothing was changed. Choose another vllm_port")
    assert f"pid {pid}" in failed["conflicts"][1]
    good, _printed = run_module("host_conflicts", {"files": [], "ports": []})
    assert good["conflicts"] == []


def test_a_firewall_made_by_hand_is_neither_replaced_nor_removed(tmp_path: Path) -> None:
    unit = put(tmp_path, "/etc/systemd/system/gpuops-firewall.service", BY_HAND)
    want = {"ssh_ports": ["22"], "ssh_sources": [], "open": [], "peers": [], "interfaces": []}
    options: Any = {**want, "ping": True, "rollback": 9}
    host = firewall.Rules(firewall.Files(tmp_path), Commands(_no_commands), options)
    for change in (firewall.attempt, firewall.remove):
        with pytest.raises(firewall.FirewallError, match="was not made by this role"):
            change(host)
    assert unit.read_text(encoding="utf-8") == BY_HAND


def _no_commands(command: list[str]) -> tuple[int, str, str]:
    raise AssertionError(command)


def written_units(role: str) -> set[str]:
    """Return what the templates of a role's units are called, without the ending of a template."""
    names = [path.name for path in (ROOT / f"roles/{role}/templates").glob("*.*.j2")]
    return {name for name in names if "service" in name or "timer" in name}


@pytest.mark.parametrize(
    "role", ["cluster", "exporters", "gateway", "idle_guard", "reaper", "vllm"]
)
def test_a_role_that_writes_units_looks_before_it_does_anything(role: str) -> None:
    assert written_units(role)
    tasks = [task for task in all_tasks() if task.role == role]
    looks = [task for task in tasks if task.action == "gpuops.cloud.host_conflicts"]
    assert looks
    assert all("hint" in task.arguments and "marks" in task.arguments for task in looks)
    assert all(task.says("when") is None for task in looks)


def test_a_server_looks_for_its_own_unit_files_and_port(vllm: Evaluate) -> None:
    cases = {"plain": {}, "named": {"vllm_unit": {"name": "small"}}}
    found = vllm(cases, "_vllm_files")
    assert UNIT in found["plain"]
    assert "/etc/vllm/config.yaml" in found["plain"]
    assert "/etc/systemd/system/vllm-small.service" in found["named"]
    assert UNIT not in found["named"]


def test_ports_of_gateway_and_exporters_are_looked_at(
    gateway: Evaluate, exporters: Evaluate
) -> None:
    cases = {"plain": {}, "acme": {"gateway_acme": {"email": "a@b.example"}}}
    found = gateway(cases, "_gateway_ports | map(attribute='port') | map('int') | list")
    assert found == {"plain": [443], "acme": [443, 80]}
    probe = {"gpu": True, "gpu_package": True, "gpu_unit": "nvidia-dcgm-exporter.service"}
    given = {"plain": {"_exporters_probe": probe}}
    ports = exporters(given, "_exporters_ports | map(attribute='port') | map('int') | list")
    assert ports == {"plain": [9443, 9100, 9400]}
    assert "nvidia-dcgm-exporter.service" in json.dumps(exporters(given, "_exporters_units"))


def test_this_process_is_told_by_its_name() -> None:
    assert f"(pid {os.getpid()}" in conflicts._named(Path("/proc"), os.getpid())
