# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs that the role vllm runs on a host, and the model of the demo."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.gpuops.cloud.tests.unit.roles.support import ROOT, load

probe = load("roles/vllm/files/probe.py")
ACTIVE = {"ActiveState": "active", "ActiveEnterTimestamp": "@1000"}


def files(folder: Path, **times: int) -> list[Path]:
    """Make files with these times of change, and name one that does not exist."""
    for name, when in times.items():
        (folder / name).touch()
        os.utime(folder / name, (when, when))
    return [*(folder / name for name in times), folder / "missing"]


@pytest.mark.parametrize(
    ("state", "changed", "reason"),
    [
        (ACTIVE, 999, ""),
        (ACTIVE, 1001, ""),
        (ACTIVE, 1002, "older than"),
        ({"ActiveState": "failed"}, 999, "has failed"),
        ({"ActiveState": "inactive", "ActiveEnterTimestamp": "@1000"}, 2000, ""),
        ({**ACTIVE, "ActiveEnterTimestamp": ""}, 2000, ""),
        ({}, 2000, ""),
    ],
)
def test_restart_is_owed_after_a_broken_run(
    tmp_path: Path, state: dict[str, str], changed: int, reason: str
) -> None:
    found = probe.restart_reason(state, files(tmp_path, settings=changed, unit=900))
    assert reason in found
    assert bool(found) == bool(reason)


def test_a_changed_link_counts_and_not_what_it_points_to(tmp_path: Path) -> None:
    (tmp_path / "environment").mkdir()
    link = tmp_path / "current"
    link.symlink_to(tmp_path / "environment")
    os.utime(link, (900, 900), follow_symlinks=False)
    assert probe.restart_reason(ACTIVE, [link]) == ""


def test_free_space_is_that_of_the_nearest_folder(tmp_path: Path) -> None:
    assert probe.free_gb(tmp_path / "not" / "there") == probe.free_gb(tmp_path)


def test_the_distribution_gets_the_name_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    naming = load("roles/vllm/files/name_distribution.py")
    naming.name_distribution(tmp_path, "0.32.0+cpu")
    naming.name_distribution(tmp_path, "0.32.0+cpu")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert importlib.metadata.version("vllm") == "0.32.0+cpu"


def test_question_and_sentence_of_the_demo_are_those_of_its_model() -> None:
    known = json.loads((ROOT / "tests/simulator/demo_model.json").read_text(encoding="utf-8"))
    made = load("tests/simulator/demo_model.py")
    assert known == {"prompt": made.PROMPT, "sentence": made.SENTENCE}


def test_the_model_is_never_made_over_another(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "tests/simulator/demo_model.py"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "exists already" in done.stderr


def test_other_servers_are_known_by_what_they_take(tmp_path: Path) -> None:
    def serve(name: str, text: str) -> None:
        settings = tmp_path / f"{name}.yaml"
        settings.write_text(text, encoding="utf-8")
        unit = f"[Service]\nExecStart=/opt/vllm/current/bin/vllm serve --config {settings}\n"
        (tmp_path / f"{name}.service").write_text(unit, encoding="utf-8")

    serve("vllm", "# For cuda\nport: 8000\n")
    serve("vllm-small", "# For cuda, GPUs 1\ngpu-memory-utilization: 0.3\nport: 8001\n")
    serve("vllm-cpu", "# For cpu\nport: 8002\n")
    serve("vllm-trial", "# For cuda\nport: 8003\n")
    (tmp_path / "vllm-health.service").write_text("[Service]\nExecStart=x\n", encoding="utf-8")
    (tmp_path / "vllm-gone.service").write_text("ExecStart=x serve --config /no", encoding="utf-8")

    def seen(own: str, gpus: str) -> dict[str, tuple[int, float]]:
        found = probe.neighbours(tmp_path / own, gpus)
        return {row["name"]: (row["port"], row["share"]) for row in found}

    small, cpu = ("vllm-small", (8001, 0.3)), ("vllm-cpu", (8002, 0))
    assert seen("vllm.service", "") == dict([small, cpu])
    assert seen("vllm.service", "0,1") == dict([small, cpu])
    assert seen("vllm.service", "0")["vllm-small"] == (8001, 0)
    trial = ("vllm-trial", (8003, 0.92))
    assert seen("vllm-small.service", "1") == dict([("vllm", (8000, 0.92)), cpu, trial])


def test_a_unit_that_cannot_be_read_is_no_server_of_ours(tmp_path: Path) -> None:
    (tmp_path / "vllm-old.service").mkdir()
    (tmp_path / "vllm-gone.service").symlink_to(tmp_path / "nowhere")
    (tmp_path / "vllm-latin.service").write_bytes(b"Description=caf\xe9\n")
    unread = tmp_path / "settings"
    unread.mkdir()
    good = tmp_path / "vllm-small.service"
    good.write_text(f"ExecStart=vllm serve --config {unread}\n", encoding="utf-8")
    assert probe.neighbours(tmp_path / "vllm.service", "") == []
    settings = tmp_path / "config.yaml"
    settings.write_text("port: 8001\ngpu-memory-utilization: 0.3\n", encoding="utf-8")
    good.write_text(f"ExecStart=vllm serve --config {settings}\n", encoding="utf-8")
    found = probe.neighbours(tmp_path / "vllm.service", "")
    assert found == [{"name": "vllm-small", "port": 8001, "share": 0.3}]
