# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role cuda exchanges kernel modules and divides GPUs; the programs it starts are played."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.gpuops.cloud.tests.unit.roles.support import load

reload = load("roles/cuda/files/reload.py")
mig = load("roles/cuda/files/mig.py")


def processes(root: Path, *rows: tuple[int, str, str]) -> Path:
    """Make the files of (process, name, open file), and of two loaded modules."""
    for number, name, target in rows:
        (root / f"{number}/fd").mkdir(parents=True)
        (root / f"{number}/comm").write_text(f"{name}\n", encoding="utf-8")
        (root / f"{number}/fd/3").symlink_to(target)
    lines = "nvidia_uvm 1 0 - Live 0x0\nnvidia 1 1 nvidia_uvm, Live 0x0\next4 1 0 - Live 0x0\n"
    (root / "modules").write_text(lines, encoding="utf-8")
    return root


class Commands:
    """Plays the programs that a reload starts; some of them may fail."""

    def __init__(self, **fails: str) -> None:
        self.fails, self.ran = fails, []

    def __call__(self, *command: str) -> tuple[int, str]:
        self.ran: list[str] = [*self.ran, " ".join(command)]
        said = self.fails.get(command[0])
        return (1, said) if said else (0, "GPU 0: NVIDIA H100 80GB HBM3")


def test_modules_are_exchanged_in_order(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    commands = Commands()
    monkeypatch.setattr(reload, "run", commands)
    rows = [(12, "nvidia-persiste", "/dev/nvidiactl"), (13, "bash", "/dev/null")]
    assert reload.reload(processes(tmp_path, *rows)) == {"works": True, "users": [], "why": ""}
    done = [line for line in commands.ran if "is-active" not in line]
    services = list(reload.SERVICES.values())
    assert done == [
        *(f"systemctl stop {name}" for name in services),
        "rmmod nvidia_uvm",
        "rmmod nvidia",
        "modprobe nvidia",
        "modprobe nvidia_uvm",
        *(f"systemctl start {name}" for name in services),
        "nvidia-smi --list-gpus",
    ]


def test_a_gpu_in_use_is_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    commands = Commands()
    monkeypatch.setattr(reload, "run", commands)
    found = reload.reload(processes(tmp_path, (77, "VLLM::EngineCor", "/dev/nvidia0")))
    assert found["users"] == ["VLLM::EngineCor (77)"]
    assert not found["works"]
    assert commands.ran == []


def test_a_module_that_stays_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    commands = Commands(rmmod="Module nvidia_uvm is in use", **{"nvidia-smi": "mismatch"})
    monkeypatch.setattr(reload, "run", commands)
    found = reload.reload(processes(tmp_path))
    assert found == {
        "works": False,
        "users": [],
        "why": "rmmod nvidia_uvm: Module nvidia_uvm is in use",
    }


class Smi:
    """Plays nvidia-smi for GPUs with a MIG mode and instances each."""

    def __init__(self, modes: list[str], layouts: list[list[str]], users: str = "") -> None:
        self.modes, self.layouts, self.users = modes, layouts, users
        self.stuck = False
        self.ran: list[str] = []

    def __call__(self, *arguments: str) -> str:
        line = " ".join(arguments)
        if line.startswith("--query-gpu"):
            return "".join(f"{n}, NVIDIA A100, {mode}\n" for n, mode in enumerate(self.modes))
        if line.startswith("--query-compute"):
            return self.users
        if line == "--list-gpus":
            return "".join(self._list(n) for n in range(len(self.modes)))
        self.ran.append(line)
        if "-mig" in arguments and not self.stuck:
            mode = "Enabled" if arguments[-1] == "1" else "Disabled"
            self.modes[int(arguments[1])] = mode
        if "-cgi" in arguments:
            self.layouts[int(arguments[2])] = sorted(arguments[4].split(","))
        if "-dgi" in arguments:
            self.layouts[int(arguments[2])] = []
        if "--gpu-reset" in arguments:
            raise mig.MigError("no reset in this virtual machine")
        return ""

    def _list(self, number: int) -> str:
        parts = "".join(
            f"  MIG {name}     Device  {n}: (UUID: MIG-{n})\n"
            for n, name in enumerate(self.layouts[number])
        )
        return f"GPU {number}: NVIDIA A100 (UUID: GPU-{number})\n{parts}"


def test_gpus_are_divided_once(monkeypatch: pytest.MonkeyPatch) -> None:
    smi = Smi(["Disabled", "Enabled"], [[], ["1g.10gb"]])
    monkeypatch.setattr(mig, "smi", smi)
    first = mig.main("3g.40gb,3g.40gb", "yes")
    assert first["changed"]
    assert first["problem"] == ""
    assert smi.layouts == [["3g.40gb", "3g.40gb"]] * 2
    assert not mig.main("3g.40gb,3g.40gb", "yes")["changed"]


def test_check_mode_only_says_what_would_be_divided(monkeypatch: pytest.MonkeyPatch) -> None:
    smi = Smi(["Disabled"], [[]])
    monkeypatch.setattr(mig, "smi", smi)
    found = mig.main("7g.80gb", "no")
    assert found["changed"]
    assert found["actions"] == ["GPU 0: divide it into 7g.80gb"]
    assert smi.ran == []


def test_mig_is_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    smi = Smi(["Enabled"], [["3g.40gb"]])
    monkeypatch.setattr(mig, "smi", smi)
    assert mig.main("off", "yes")["changed"]
    assert smi.modes == ["Disabled"]
    assert not mig.main("off", "yes")["changed"]


@pytest.mark.parametrize(
    ("modes", "users", "words"),
    [(["[N/A]"], "", "A100, H100 or newer"), (["Disabled"], "77, vllm\n", "in use by 77, vllm")],
)
def test_what_cannot_be_divided_is_refused(
    monkeypatch: pytest.MonkeyPatch, modes: list[str], users: str, words: str
) -> None:
    smi = Smi(modes, [[]], users)
    monkeypatch.setattr(mig, "smi", smi)
    assert words in mig.main("3g.40gb", "yes")["problem"]
    assert smi.ran == []


def test_a_mode_that_takes_a_reboot_asks_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    smi = Smi(["Disabled"], [[]])
    smi.stuck = True
    monkeypatch.setattr(mig, "smi", smi)
    assert mig.main("3g.40gb", "yes")["reboot"]


def test_off_does_nothing_where_there_is_no_mig(monkeypatch: pytest.MonkeyPatch) -> None:
    smi = Smi(["[N/A]"], [[]])
    monkeypatch.setattr(mig, "smi", smi)
    assert json.dumps(mig.main("off", "yes")["actions"]) == "[]"
