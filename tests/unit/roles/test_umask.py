# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts whose logins have umask 077: what a server's user has to read, it can read."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._core.apply import apply
from ansible_collections.gpuops.cloud.plugins.module_utils._core.plan import Plan
from ansible_collections.gpuops.cloud.plugins.module_utils._host import data_disk, firewall
from ansible_collections.gpuops.cloud.plugins.module_utils._host.commands import Commands
from ansible_collections.gpuops.cloud.tests.unit.roles.kept import kept
from ansible_collections.gpuops.cloud.tests.unit.roles.support import load
from ansible_collections.gpuops.cloud.tests.unit.roles.tasks import all_tasks

candidate = load("roles/vllm/files/candidate.py")
packing = load("roles/reaper/files/pack_collection.py")
PROBES = {role: load(f"roles/{role}/files/probe.py") for role in ("vllm", "reaper")}
WRITERS = ("copy", "template", "get_url", "lineinfile", "file")


@pytest.fixture(autouse=True)
def strict() -> Iterator[None]:
    """Let everything that is made be closed to others, as hardening guides want it."""
    before = os.umask(0o077)
    yield
    os.umask(before)


def closed(folder: Path) -> list[str]:
    """Return what in a folder others cannot read, or enter."""
    seen = [folder, *folder.rglob("*")]
    needed = {path: 0o5 if path.is_dir() else 0o4 for path in seen}
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in seen}
    return [str(path) for path in seen if modes[path] & needed[path] != needed[path]]


def environment(folder: Path) -> Path:
    """Make what pip and uv leave: an environment, and the Python that uv has brought."""
    made = folder / "0.32.0-cpu"
    (made / "bin").mkdir(parents=True)
    (made / "lib/python3.12/site-packages/torch").mkdir(parents=True)
    (made / "lib/python3.12/site-packages/six.py").touch()
    (made / "bin/vllm").touch()
    (folder / "python/cpython-3.12/bin").mkdir(parents=True)
    (folder / "python/cpython-3.12/bin/python3.12").touch()
    (made / "bin/python").symlink_to(folder / "python/cpython-3.12/bin/python3.12")
    (made / ".complete").touch()
    return made


@pytest.mark.parametrize("role", ["vllm", "reaper"])
def test_an_environment_that_others_cannot_read_is_seen(role: str, tmp_path: Path) -> None:
    probe, made = PROBES[role], environment(tmp_path)
    assert not probe.readable(made)
    subprocess.run(["chmod", "-R", "a+rX", made, tmp_path / "python"], check=True)
    assert probe.readable(made)
    for part in (
        "bin",
        "lib/python3.12/site-packages/torch",
        "lib/python3.12/site-packages/six.py",
    ):
        (made / part).chmod(0o600)
        assert not probe.readable(made), part
        (made / part).chmod(0o755)


def test_a_python_that_others_cannot_read_is_seen(tmp_path: Path) -> None:
    made = environment(tmp_path)
    subprocess.run(["chmod", "-R", "a+rX", made, tmp_path / "python"], check=True)
    (tmp_path / "python/cpython-3.12").chmod(0o700)
    assert not PROBES["vllm"].readable(made)


def test_an_environment_that_is_not_there_yet_is_no_obstacle(tmp_path: Path) -> None:
    assert all(probe.readable(tmp_path / "none") for probe in PROBES.values())


@pytest.mark.parametrize("role", ["vllm", "reaper"])
def test_a_role_mends_an_environment_that_an_earlier_run_has_spoilt(role: str) -> None:
    tasks = [
        task
        for task in all_tasks()
        if task.role == role and "environment_readable" in str(task.row)
    ]
    (mends,) = tasks
    assert mends.arguments["argv"][0] == "chmod" or "'chmod'" in mends.arguments["argv"]
    assert f"_{role}_probe.environment_ready and" in mends.says("when")


def test_the_server_can_read_the_settings_of_its_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidate, "TRIALS", tmp_path / "units")
    monkeypatch.setattr(candidate.Server, "systemctl", lambda *_words, **_more: "")
    following = tmp_path / "etc/next"
    following.mkdir(parents=True)
    for name, mode in {"config.yaml": 0o644, "vllm.env": 0o600, "server.service": 0o644}.items():
        (following / name).write_text("port: 8000\n", encoding="utf-8")
        (following / name).chmod(mode)
    places = [tmp_path / "etc", tmp_path / "vllm.service", tmp_path / "current"]
    candidate.main("try", *map(str, places), "cpu", "900")
    assert closed(tmp_path / "etc/trial") == [str(tmp_path / "etc/trial/vllm.env")]


def test_the_collection_of_the_reaper_can_be_read_where_it_is_unpacked(tmp_path: Path) -> None:
    archive, place = tmp_path / "reaper-collection-1.tar", tmp_path / "place"
    packing.pack({"ansible_collections/gpuops/cloud/plugins/modules/one.py": b"1"}, archive)
    place.mkdir(mode=0o755)
    place.chmod(0o755)
    subprocess.run(["tar", "-xp", "-C", place, "-f", archive], check=True)
    assert closed(place) == []


def test_folders_for_data_can_be_entered(tmp_path: Path) -> None:
    wish: dict[str, Any] = {"owner": None, "group": None, "mode": None}
    data = tmp_path / "srv/data"
    want = {**wish, "path": str(data), "device": None, "volume_ids": []}
    want["folders"] = [{**wish, "name": "weights/vllm"}]
    kept(data_disk.DataDisk(), lambda _words: (0, "", ""), want)
    assert closed(tmp_path / "srv") == []


def test_folders_of_the_firewall_can_be_entered(tmp_path: Path) -> None:
    door = {"ports": ["443"], "protocol": "tcp", "sources": []}
    want = {"part": "gateway", "open": [door], "rollback": 60}
    options: Any = want
    commands = Commands(lambda _words: (1, "", ""))
    found = firewall.open_part(firewall.Rules(firewall.Files(tmp_path), commands, options))
    apply(commands, Plan(steps=(found.step,) if found.step else ()))
    assert (tmp_path / "etc/gpuops/firewall.d/gateway.json").exists()
    assert closed(tmp_path / "etc") == []


def test_what_a_role_writes_has_its_mode() -> None:
    found = []
    for task in all_tasks():
        state = task.arguments.get("state") if isinstance(task.arguments, dict) else None
        kind = task.action.removeprefix("ansible.builtin.")
        makes = kind in WRITERS and state not in ("absent", "link")
        edits = kind == "lineinfile" and "create" not in task.arguments
        if makes and not edits and "mode" not in task.arguments:
            found.append(str(task))
    assert found == []
