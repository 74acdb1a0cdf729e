# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role cuda reads out of a host, and what it says about it.

The texts stand for what nvidia-smi prints, in its documented format; no GPU was asked.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.roles.support import Evaluate, load

probe = load("roles/cuda/files/probe.py")


H100 = "GPU-3f6b8a1e-0d2c-4c55-9f43-1a2b3c4d5e6f"
TWO_GPUS = (
    f"0, NVIDIA H100 80GB HBM3, {H100}, 580.95.05, 81559, 9.0\n"
    "1, NVIDIA H100 80GB HBM3, GPU-7, 580.95.05, 81559, 9.0\n"
)
HEADER = "| NVIDIA-SMI 580.95.05    Driver Version: 580.95.05    CUDA Version: 13.0     |"
MISMATCH = "Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 580.9"
FABRIC = "Fabric Manager version is : 580.95.05"
H100_PCI = ("0x10de", "0x030200", "0x2330")
SWITCH_PCI = ("0x10de", "0x068000", "0x22a3")
FAILED = "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."


def host(root: Path, *devices: tuple[str, str, str]) -> Path:
    """Make the files of a host with a PCI bus of (vendor, class, number)."""
    bus = root / "sys/bus/pci/devices"
    for place, (vendor, kind, number) in enumerate(devices):
        device = bus / str(place)
        device.mkdir(parents=True)
        for name, text in (("vendor", vendor), ("class", kind), ("device", number)):
            (device / name).write_text(f"{text}\n", encoding="ascii")
    (bus / "unreadable").mkdir(parents=True)
    (root / "etc").mkdir()
    text = 'NAME="Ubuntu"\nVERSION_ID="24.04"\nID=ubuntu\nID_LIKE=debian\n'
    (root / "etc/os-release").write_text(text, encoding="ascii")
    return root


def look(
    monkeypatch: pytest.MonkeyPatch, root: Path, answer: tuple[int | None, str]
) -> dict[str, Any]:
    """Look at a host whose nvidia-smi gives this answer."""
    others = {"nv-fabricmanager": (0, FABRIC), "systemctl": (3, "inactive"), "nvidia-smi": answer}
    monkeypatch.setattr(
        probe,
        "run",
        lambda *command: (0, HEADER) if command == ("nvidia-smi",) else others[command[0]],
    )
    return dict(probe.probe(root))


def test_gpus_are_read_with_their_figures() -> None:
    first, second = probe.parse_gpus(TWO_GPUS)
    assert first == {
        "index": 0,
        "name": "NVIDIA H100 80GB HBM3",
        "uuid": H100,
        "driver_version": "580.95.05",
        "memory_mb": 81559,
        "compute_cap": "9.0",
    }
    assert second["index"] == 1


def test_figures_that_the_driver_does_not_know_are_zero() -> None:
    assert probe.parse_gpus("0, NVIDIA A, GPU-1, 580.1, [N/A], 9.0")[0]["memory_mb"] == 0


@pytest.mark.parametrize(("text", "version"), [(HEADER, "13.0"), ("", ""), ("CUDA", "")])
def test_cuda_version_is_read_from_the_header(text: str, version: str) -> None:
    assert probe.cuda_version(text) == version


def test_only_graphics_of_nvidia_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    audio, other = ("0x10de", "0x040300", "0x22ba"), ("0x1af4", "0x030000", "0x1050")
    vga = ("0x10de", "0x030000", "0x2330")
    root = host(tmp_path, H100_PCI, vga, SWITCH_PCI, audio, other)
    assert look(monkeypatch, root, (None, "no"))["pci"] == 2


@pytest.mark.parametrize(
    ("number", "may"),
    [
        ("0x1db5", {"open": False, "proprietary": True}),  # V100
        ("0x1e30", {"open": True, "proprietary": True}),  # Turing
        ("0x2330", {"open": True, "proprietary": True}),  # H100
        ("0x2901", {"open": True, "proprietary": False}),  # B200
        ("0x2bb5", {"open": True, "proprietary": False}),  # RTX PRO 6000
    ],
)
def test_generation_decides_which_modules_there_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: str, may: dict[str, bool]
) -> None:
    root = host(tmp_path, ("0x10de", "0x030200", number))
    assert look(monkeypatch, root, (None, "no"))["modules"] == may


def test_surroundings_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    root = host(tmp_path, H100_PCI)
    plain = look(monkeypatch, root, (None, "no"))
    assert plain["distribution"] == "ubuntu2404"
    assert not plain["secure_boot"]
    assert not plain["persistenced"]
    variable = root / probe.SECURE_BOOT
    variable.parent.mkdir(parents=True)
    variable.write_bytes(b"\x06\x00\x00\x00\x01")
    unit = root / "usr/lib/systemd/system/nvidia-persistenced.service"
    unit.parent.mkdir(parents=True)
    unit.touch()
    (root / "etc/apt").mkdir()
    (root / "etc/apt/sources.list").write_text("deb http://mirror/debian bookworm main\n")
    found = look(monkeypatch, root, (None, "no"))
    assert found["secure_boot"]
    assert found["persistenced"]
    assert found["no_contrib"] == ["/etc/apt/sources.list"]


@pytest.mark.parametrize("means", ["bridge", "card"])
def test_switches_ask_for_a_fabric_manager(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, means: str
) -> None:
    root = host(tmp_path, H100_PCI, *([SWITCH_PCI] if means == "bridge" else []))
    device = root / "sys/class/infiniband/mlx5_0/device"
    device.mkdir(parents=True)
    if means == "card":
        (device / "vpd").write_bytes(b"\x82..SMDL=SW_MNG\xff")
    found = look(monkeypatch, root, (0, TWO_GPUS))["fabric"]
    told = {"needed": True, "card": means == "card", "version": "580.95.05", "active": False}
    assert found == told


def test_without_switches_no_fabric_manager_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = look(monkeypatch, host(tmp_path, H100_PCI), (0, TWO_GPUS))["fabric"]
    assert found == {"needed": False, "card": False, "version": "", "active": False}


def test_a_divided_gpu_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lines = TWO_GPUS.splitlines()
    text = f"{lines[0]}, Enabled\n{lines[1]}, Disabled\n"
    found = look(monkeypatch, host(tmp_path, H100_PCI), (0, text))
    assert found["mig"] is True
    assert [gpu["mig"] for gpu in found["gpus"]] == ["Enabled", "Disabled"]


@pytest.mark.parametrize(
    ("devices", "answer", "state"),
    [
        (1, (0, TWO_GPUS), "works"),
        (0, (None, "No such file or directory: 'nvidia-smi'"), "absent"),
        (2, (None, "No such file or directory: 'nvidia-smi'"), "no_driver"),
        (1, (18, MISMATCH), "mismatch"),
        (1, (9, FAILED), "broken"),
        (0, (9, FAILED), "absent"),
        (1, (0, ""), "broken"),
    ],
)
def test_state_tells_causes_apart(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    devices: int,
    answer: tuple[int | None, str],
    state: str,
) -> None:
    found = look(monkeypatch, host(tmp_path, *[H100_PCI] * devices), answer)
    assert found["state"] == state
    assert found["pci"] == devices
    assert bool(found["gpus"]) == (state == "works")
    assert found["cuda"] == ("13.0" if state == "works" else "")


def test_every_state_has_a_sentence(cuda: Evaluate) -> None:
    states = ("works", "absent", "no_driver", "mismatch", "broken")
    cases = {state: {"_cuda_probe": {"state": state, "pci": 2, "said": FAILED}} for state in states}
    found = cuda(cases, "_cuda_problem")
    assert found["works"] == ""
    words = {
        "absent": "vllm_device: cpu",
        "no_driver": "2 NVIDIA GPU(s)",
        "mismatch": "reboot the host",
        "broken": FAILED,
    }
    assert {state: word for state, word in words.items() if word not in found[state]} == {}


GOOD = {
    "state": "no_driver",
    "pci": 8,
    "said": "",
    "distribution": "ubuntu2404",
    "machine": "x86_64",
    "kernel": "6.8.0-90-generic",
    "secure_boot": False,
    "modules": {"open": True, "proprietary": True},
}
VOLTA = {**GOOD, "modules": {"open": False, "proprietary": True}}
BLACKWELL = {**GOOD, "modules": {"open": True, "proprietary": False}}


INSTALLATIONS: dict[str, dict[str, Any]] = {
    "good": {"_cuda_probe": GOOD},
    "blackwell": {"_cuda_probe": BLACKWELL},
    "system": {"_cuda_probe": {**GOOD, "distribution": "debian11"}},
    "machine": {"_cuda_probe": {**GOOD, "machine": "aarch64"}},
    "secure": {"_cuda_probe": {**GOOD, "secure_boot": True}},
    "old": {"_cuda_probe": GOOD, "cuda_driver_branch": 570, "cuda_min_driver": 580.65},
    "closed": {"_cuda_probe": BLACKWELL, "cuda_kernel_modules": "proprietary"},
    "opened": {
        "_cuda_probe": VOLTA,
        "cuda_kernel_modules": "open",
        "cuda_min_compute_capability": "7.0",
    },
    "volta": {"_cuda_probe": VOLTA},
    "volta_allowed": {"_cuda_probe": VOLTA, "cuda_min_compute_capability": "7.0"},
    "volta_late": {
        "_cuda_probe": VOLTA,
        "cuda_min_compute_capability": "7.0",
        "cuda_driver_branch": "595",
    },
    "mirror": {"_cuda_probe": GOOD, "cuda_repository_url": "file:///srv/mirror/"},
}
REFUSALS: dict[str, list[str]] = {
    "good": [],
    "blackwell": [],
    "system": ["debian11"],
    "machine": ["aarch64"],
    "secure": ["Secure Boot is on"],
    "old": ["570 is older than cuda_min_driver 580.65"],
    "closed": ["no proprietary kernel modules"],
    "opened": ["no open kernel modules"],
    "volta": ["7.5 is needed"],
    "volta_allowed": [],
    "volta_late": ["580 was the last branch"],
    "mirror": ["cuda_repository_key"],
}


def test_an_installation_is_refused_before_anything_is_touched(cuda: Evaluate) -> None:
    checks = "_cuda_install_checks | rejectattr('good') | map(attribute='otherwise') | list"
    found = cuda(INSTALLATIONS, checks)
    wrong = {
        case: found[case]
        for case, parts in REFUSALS.items()
        if len(found[case]) != len(parts)
        or any(part not in text for part, text in zip(parts, found[case], strict=True))
    }
    assert wrong == {}


def test_packages_follow_generation_and_system(cuda: Evaluate) -> None:
    cases = {
        "hopper": {"_cuda_probe": GOOD},
        "volta": {"_cuda_probe": VOLTA},
        "debian": {"_cuda_probe": {**GOOD, "distribution": "debian12"}},
    }
    headers = "linux-headers-6.8.0-90-generic"
    assert cuda(cases, "_cuda_packages") == {
        "hopper": [headers, "nvidia-open"],
        "volta": [headers, "cuda-drivers"],
        "debian": [headers, "nvidia-open", "nvidia-persistenced"],
    }


def test_one_switch_says_that_there_is_no_gpu(cuda: Evaluate) -> None:
    cases: dict[str, dict[str, Any]] = {
        "nothing said": {},
        "on gpus": {"vllm_device": "cuda"},
        "on the cpu": {"vllm_device": "cpu"},
        "on the cpu, but wanted": {"vllm_device": "cpu", "cuda_required": True},
        "on gpus, but not wanted": {"vllm_device": "cuda", "cuda_required": False},
    }
    assert cuda(cases, "[cuda_required | bool, _cuda_may_mend]") == {
        "nothing said": [True, True],
        "on gpus": [True, True],
        "on the cpu": [False, False],
        "on the cpu, but wanted": [True, True],
        "on gpus, but not wanted": [False, False],
    }


def test_fabric_manager_is_named_as_its_branch_names_it(cuda: Evaluate) -> None:
    cases = {
        name: {"gpuops_gpus": [{"driver_version": version}]}
        for name, version in (("old", "580.95.05"), ("new", "595.45.04"))
    }
    found = cuda(cases, "_cuda_fabric_manager")
    assert found == {"old": "nvidia-fabricmanager-580", "new": "nvidia-fabricmanager"}
