# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The probes and the programs for GPUs as a host runs them, beside programs that are played."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import pytest

from ansible_collections.gpuops.cloud.tests.unit.roles.programs import answer, asked, play
from ansible_collections.gpuops.cloud.tests.unit.roles.support import load

reload = load("roles/cuda/files/reload.py")
mig = load("roles/cuda/files/mig.py")
cuda_probe = load("roles/cuda/files/probe.py")
PYTHON = ".".join(map(str, sys.version_info[:2]))
INSTALLED = "printf 'haproxy installed\\nnginx config-files\\ndcgm installed\\n'"
STATE = "printf 'LoadState=loaded\\nActiveState=failed\\n\\n'"
SERVES = "printf 'LoadState=loaded\\nActiveState=active\\nUnitFileState=enabled\\n'"

# A GPU whose mode changes with the next reset, as that of an A100 does.
SMI = """\
cd {folder}
case "$*" in
    --query-gpu*) echo "0, NVIDIA A100-SXM4-80GB, $(cat mode)" ;;
    --list-gpus) echo "GPU 0: NVIDIA A100 (UUID: GPU-1)"; cat parts ;;
    "-i 0 -mig 1") echo Enabled > next ;;
    "-i 0 -mig 0") echo Disabled > mode ;;
    "--gpu-reset -i 0") [ ! -e stuck ] || {{ echo "a hypervisor"; exit 4; }}; cp next mode ;;
    "mig -i 0 -cgi 3g.40gb -C") echo "  MIG 3g.40gb     Device  0: (UUID: MIG-1)" > parts ;;
    "mig -i 0 -dgi") : > parts ;;
esac
"""


def test_exporters_see_packages_and_the_unit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = 'case "$1" in --listfiles) echo /usr/lib/systemd/system/dcgm-x.service;; *) %s;; esac'
    programs = {"dpkg-query": listed % INSTALLED, "apt-cache": "echo '  Candidate: 4.5.1-1'"}
    play(tmp_path, monkeypatch, programs)
    told = answer("roles/exporters/files/probe.py", "dcgm", "haproxy", "nginx", "curl")
    del told["gpu"]  # that of this machine
    assert told == {
        "missing": ["nginx", "curl"],
        "gpu_installed": True,
        "gpu_package": True,
        "gpu_unit": "dcgm-x.service",
    }


def test_jobs_see_whether_a_program_is_there_and_which_wheels_fit(tmp_path: Path) -> None:
    told = {"python": PYTHON, "machine": platform.machine(), "glibc": platform.libc_ver()[1]}
    (tmp_path / "uv").touch()
    for name, there in (("uv", True), ("podman", False)):
        answered = answer("roles/job/files/probe.py", str(tmp_path / name))
        assert answered == {**told, "there": there}


def test_reaper_sees_what_is_ready_and_what_is_left_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(tmp_path, monkeypatch, {"dpkg-query": INSTALLED})
    root = tmp_path / "reaper"
    ready = (f"venv-2-{PYTHON}/.complete", "collection-2/.complete", f"venv-1-{PYTHON}/x")
    for name in ready:
        (root / name).parent.mkdir(parents=True)
        (root / name).touch()
    words = (str(root), "venv-2", "collection-2", "haproxy,nginx")
    told = answer("roles/reaper/files/probe.py", *words)
    assert told["environment_ready"]
    assert told["collection_ready"]
    assert told["environment"] == str(root / f"venv-2-{PYTHON}")
    assert told["stale"] == [str(root / f"venv-1-{PYTHON}")]
    assert told["missing_packages"] == ["nginx"]


def test_vllm_sees_the_model_and_the_unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    play(tmp_path, monkeypatch, {"dpkg-query": INSTALLED, "systemctl": STATE})
    model, environment = tmp_path / "tiny", tmp_path / "venv"
    for folder in (model, environment):
        folder.mkdir()
    (model / "config.json").write_text('{"model_type": "llama"}', encoding="utf-8")
    (model / "model.safetensors").write_bytes(b"12345")
    (environment / ".complete").touch()
    rest = ("vllm-of-the-tests.service", "", "/usr/bin")
    program, unit = "roles/vllm/files/probe.py", str(tmp_path / "tests.service")
    file = f"{tmp_path / 'file'},{tmp_path / 'env'},{unit}"
    told = answer(program, str(environment), str(model), file, "haproxy,curl", *rest)
    assert told["model"] == {
        "name": "tiny",
        "config": {"model_type": "llama"},
        "weight_bytes": 5,
    }
    assert (told["python"], told["machine"]) == (PYTHON, platform.machine())
    assert (told["environment_ready"], told["model_missing"]) == (True, False)
    assert (told["unit_exists"], told["watchdog_exists"]) == (True, False)
    assert (told["serves"], told["unproven"]) == (False, False)
    assert told["missing_packages"] == ["curl"]
    assert told["restart_reason"] == "the unit has failed"
    assert "systemctl show vllm-of-the-tests.service" in asked(tmp_path)[0] + asked(tmp_path)[1]
    nothing = answer(program, str(tmp_path / "no"), str(tmp_path / "no"), file, "haproxy", *rest)
    assert (nothing["model"], nothing["model_missing"]) == ({}, True)
    assert not nothing["environment_ready"]
    assert nothing["kernels"]["missing"]
    (tmp_path / "before").mkdir()
    play(tmp_path, monkeypatch, {"systemctl": SERVES})
    served = answer(program, str(environment), str(model), file, "haproxy,curl", *rest)
    assert (served["serves"], served["unproven"]) == (True, True)


def test_modules_are_exchanged_by_the_programs_of_the_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = dict.fromkeys(("rmmod", "systemctl"), "exit 0")
    programs |= {"nvidia-smi": "exit 9", "modprobe": "echo no such device >&2; exit 1"}
    play(tmp_path, monkeypatch, programs)
    processes = tmp_path / "proc"
    # One has ended meanwhile, and the kernel tells nothing of its modules.
    (processes / "12").mkdir(parents=True)
    assert reload.reload(processes) == {
        "works": False,
        "users": [],
        "why": "modprobe nvidia: no such device",
    }
    (tmp_path / "modprobe").unlink()
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "asked").unlink()
    assert "No such file" in reload.reload(processes)["why"]


def test_reload_tells_what_it_did_as_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("rmmod", "modprobe", "systemctl", "nvidia-smi")
    play(tmp_path, monkeypatch, dict.fromkeys(names, "echo GPU 0"))
    told = answer("roles/cuda/files/reload.py")
    assert told["works"] or told["users"]  # this machine may have a GPU that is in use


def gpu(folder: Path, monkeypatch: pytest.MonkeyPatch, mode: str) -> Path:
    """Play a GPU that is not divided."""
    play(folder, monkeypatch, {"nvidia-smi": SMI.format(folder=folder)})
    (folder / "mode").write_text(f"{mode}\n", encoding="utf-8")
    (folder / "parts").touch()
    return folder


def test_a_gpu_is_divided_after_its_reset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gpu(tmp_path, monkeypatch, "Disabled")
    done = {"changed": True, "problem": "", "reboot": False}
    told = answer("roles/cuda/files/mig.py", "3g.40gb", "yes")
    assert told == {**done, "actions": ["GPU 0: divide it into 3g.40gb"]}
    assert "nvidia-smi --gpu-reset -i 0" in asked(tmp_path)
    assert answer("roles/cuda/files/mig.py", "3g.40gb", "yes")["changed"] is False
    told = answer("roles/cuda/files/mig.py", "off", "yes")
    assert told == {**done, "actions": ["GPU 0: switch MIG off"]}
    assert (tmp_path / "mode").read_text(encoding="utf-8") == "Disabled\n"


def test_a_gpu_that_cannot_be_reset_takes_a_reboot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpu(tmp_path, monkeypatch, "Disabled")
    (tmp_path / "stuck").touch()
    assert mig.main("3g.40gb", "yes")["reboot"] is True
    assert (tmp_path / "parts").read_text(encoding="utf-8") == ""


def test_words_of_nvidia_smi_say_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(tmp_path, monkeypatch, {"nvidia-smi": "echo no driver; exit 9"})
    problem = mig.main("off", "no")["problem"]
    assert problem.startswith("nvidia-smi --query-gpu=")
    assert problem.endswith(": no driver")
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert "No such file" in mig.main("off", "no")["problem"]
    assert cuda_probe.run("nvidia-smi")[0] is None


def test_the_cuda_probe_answers_on_any_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = "echo 0, NVIDIA H100 80GB HBM3, GPU-1, 580.95.05, 81559, 9.0, Disabled"
    play(tmp_path, monkeypatch, {"nvidia-smi": line})
    told = answer("roles/cuda/files/probe.py", str(tmp_path))
    assert (told["state"], told["gpus"][0]["memory_mb"]) == ("works", 81559)
