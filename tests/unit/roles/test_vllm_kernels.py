# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""FlashInfer's kernels: installed, compiled where that is possible, or done without and told.

Programs of the test stand in for nvcc, ninja, vllm, uv and pip: no GPU and no toolkit is there.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import warm_ansible
from ansible_collections.gpuops.cloud.tests.unit.roles.support import (
    COLLECTIONS,
    HOST,
    ROOT,
    Evaluate,
    load,
)

probe = load("roles/vllm/files/probe.py")
BASE: dict[str, Any] = {"vllm_model": "m", "vllm_api_key": "key", "ansible_managed": "managed"}
LOOK = "lookup('ansible.builtin.template', role_path ~ '/templates/vllm.env.j2')"
SWITCH = 'VLLM_USE_FLASHINFER_SAMPLER="0"'
OWN = "flashinfer_python-0.7.2"
ALL = (OWN, "flashinfer_cubin-0.7.2", "flashinfer_jit_cache-0.7.2+cu130")


def program(path: Path, lines: str = "") -> Path:
    """Write a program of the shell."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{lines}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def packages(environment: Path, *names: str) -> None:
    """Leave behind what an installer notes of packages."""
    for name in names:
        folder = environment / f"lib/python3.12/site-packages/{name}.dist-info"
        folder.mkdir(parents=True)


@pytest.mark.parametrize(
    ("names", "installed"),
    [
        ((), False),
        ((OWN,), False),
        # What vLLM itself installs for a CUDA older than 12.9, with status 0.
        ((OWN, "flashinfer_cubin-0.7.2"), False),
        ((OWN, "flashinfer_cubin-0.7.2", "flashinfer_jit_cache-0.7.1+cu130"), False),
        (ALL, True),
        ((*ALL, "flashinfer_jit_cache_sm90a-0.7.2+cu130"), True),
    ],
)
def test_kernels_of_another_version_do_not_count(
    tmp_path: Path, names: tuple[str, ...], installed: bool
) -> None:
    packages(tmp_path, *names)
    found = probe.kernels(tmp_path, "")
    assert found["installed"] is installed
    assert found["there"] is False, "an installation that was broken off has no mark"
    (tmp_path / ".kernels").touch()
    assert probe.kernels(tmp_path, "")["there"] is installed


@pytest.mark.parametrize(
    ("programs", "missing"),
    [
        ([], ["nvcc", "ninja"]),
        (["environment/bin/ninja"], ["nvcc"]),
        (["cuda/bin/nvcc"], ["ninja"]),
        (["cuda/bin/nvcc", "environment/bin/ninja"], []),
        (["cuda/bin/nvcc", "usr/bin/ninja"], []),
        (["elsewhere/nvcc", "environment/bin/ninja"], ["nvcc"]),
    ],
)
def test_compilers_are_looked_for_where_the_server_looks(
    tmp_path: Path, programs: list[str], missing: list[str]
) -> None:
    for name in programs:
        program(tmp_path / name)
    path = f"{tmp_path}/cuda/bin:{tmp_path}/usr/bin"
    assert probe.kernels(tmp_path / "environment", path)["missing"] == missing


NONE = {"version": "0.7.2", "installed": False, "there": False, "missing": ["nvcc"]}
READY = {**HOST, "environment_ready": True}
ENVIRONMENTS: dict[str, tuple[dict[str, Any], bool]] = {
    "no kernels, no compiler": ({"_vllm_probe": {**READY, "kernels": NONE}}, True),
    "kernels": (
        {"_vllm_probe": {**READY, "kernels": {**NONE, "installed": True, "there": True}}},
        False,
    ),
    "compiler": ({"_vllm_probe": {**READY, "kernels": {**NONE, "missing": []}}}, False),
    "nothing installed yet": ({"_vllm_probe": {**HOST, "kernels": NONE}}, False),
    "cpu": ({"_vllm_probe": {**READY, "kernels": NONE}, "vllm_device": "cpu"}, False),
}


def test_what_nothing_can_compute_is_switched_off(vllm: Evaluate) -> None:
    cases = {name: {**BASE, **given} for name, (given, _unused) in ENVIRONMENTS.items()}
    found = vllm(cases, LOOK)
    wanted = {name: off for name, (_unused, off) in ENVIRONMENTS.items()}
    assert {name: SWITCH in text for name, text in found.items()} == wanted
    assert {name: "nvcc to compile them cannot" in text for name, text in found.items()} == wanted


def test_whoever_knows_better_decides(vllm: Evaluate) -> None:
    given = {"VLLM_USE_FLASHINFER_SAMPLER": 1}
    probed = {**READY, "kernels": NONE}
    case = {**BASE, "_vllm_probe": probed, "vllm_environment": given}
    assert 'VLLM_USE_FLASHINFER_SAMPLER="1"' in vllm({"own": case}, LOOK)["own"]


def test_the_server_finds_what_it_compiles_with(vllm: Evaluate) -> None:
    cases = {
        "gpu": BASE,
        "second": {**BASE, "vllm_unit": {"name": "small"}},
        "own toolkit": {**BASE, "vllm_environment": {"CUDA_HOME": "/opt/cuda"}},
        "cpu": {**BASE, "vllm_device": "cpu"},
    }
    paths = {}
    for name, text in vllm(cases, LOOK).items():
        (line,) = [line for line in text.splitlines() if line.startswith("PATH=")]
        paths[name] = line.removeprefix("PATH=").strip('"').split(":")
    assert paths["gpu"][:2] == ["/opt/vllm/current/bin", "/usr/local/cuda/bin"]
    assert paths["own toolkit"][1] == "/opt/cuda/bin"
    assert paths["second"][0] == "/opt/vllm/current-small/bin"
    assert paths["cpu"][0] == "/opt/vllm/current/bin"
    assert {"/usr/bin", "/bin"} <= set(paths["gpu"]) & set(paths["cpu"])


def test_servers_beside_the_engine_wait_as_long_as_the_role_does(vllm: Evaluate) -> None:
    cases = {
        "usual": BASE,
        "longer": {**BASE, "vllm_unit": {"start_timeout": 5400}},
        "older name": {**BASE, "vllm_start_timeout": 900},
    }
    found = vllm(cases, LOOK)
    for name, seconds in {"usual": 1800, "longer": 5400, "older name": 900}.items():
        assert f'VLLM_ENGINE_READY_TIMEOUT_S="{seconds}"' in found[name]


# -- the tasks, run -------------------------------------------------------------------------------

PLAY = """
- hosts: localhost
  connection: local
  gather_facts: false
  vars_files: [{role}/defaults/main.yml]
  tasks:
    # What the role itself changes must be no variable of the command line.
    - ansible.builtin.set_fact: {{_vllm_probe: {probe}}}
    - ansible.builtin.include_role:
        name: gpuops.cloud.vllm
        tasks_from: kernels
        public: true
    - ansible.builtin.copy:
        content: "{{{{ told | to_json }}}}"
        dest: {folder}/told.json
      vars:
        told:
          kernels: "{{{{ _vllm_kernels }}}}"
          without: "{{{{ _vllm_switched_off }}}}"
          note: "{{{{ _vllm_kernels_note }}}}"
"""
MADE = "for name in cubin-0.7.2 jit_cache-0.7.2+cu130; do mkdir -p {0}$name.dist-info; done"


@dataclass
class Installed:
    """A host with a finished environment, whose programs a test writes."""

    folder: Path

    @property
    def environment(self) -> Path:
        """Return where vLLM is installed."""
        return self.folder / "store/9.9.9-cuda"

    def get(self, **variables: Any) -> dict[str, Any]:
        """Run the tasks of the role that see to the kernels; return what it knows then."""
        playbook = self.folder / "play.yml"
        seen = {**HOST, "machine": "x86_64", "glibc": "2.36", "kernels": NONE}
        known = {"role": ROOT / "roles/vllm", "folder": self.folder, "probe": json.dumps(seen)}
        playbook.write_text(PLAY.format(**known), encoding="utf-8")
        values = {
            **BASE,
            "ansible_become": False,
            "ansible_python_interpreter": sys.executable,
            "vllm_version": "9.9.9",
            "_vllm_store": str(self.folder / "store"),
            "_vllm_programs": f"{self.folder}/cuda/bin:/usr/bin:/bin",
            **variables,
        }
        environment = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "HOME": str(self.folder),
        }
        words = (str(playbook), "-e", json.dumps(values))
        done = warm_ansible.run("playbook", words, folder=self.folder, environment=environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return dict(json.loads((self.folder / "told.json").read_text(encoding="utf-8")))


@pytest.fixture
def host(tmp_path: Path) -> Installed:
    """Provide a host on which vLLM is installed and can neither fetch nor compile kernels."""
    made = Installed(tmp_path)
    packages(made.environment, OWN)
    (made.environment / ".complete").touch()
    program(made.environment / "bin/ninja")
    words = "error: Failed to fetch: `https://wheels.example/flashinfer-cubin/`"
    program(made.environment / "bin/vllm", f"echo '{words}' >&2; exit 1")
    return made


def test_a_failed_download_is_told_and_tried_again(host: Installed) -> None:
    told = host.get()
    assert told["without"] is True
    assert "Failed to fetch: `https://wheels.example" in told["note"]
    assert "without nvcc: VLLM_USE_FLASHINFER_SAMPLER=0" in told["note"]
    assert not (host.environment / ".kernels").exists()
    site = f"{host.environment}/lib/python3.12/site-packages/flashinfer_"
    program(host.environment / "bin/vllm", MADE.format(site))
    told = host.get()
    assert told["without"] is False
    assert told["kernels"]["there"] is True
    assert (host.environment / ".kernels").read_text(encoding="utf-8") == "0.7.2\n"


def test_half_of_the_kernels_are_none(host: Installed) -> None:
    site = f"{host.environment}/lib/python3.12/site-packages/flashinfer_"
    program(host.environment / "bin/vllm", f"mkdir -p {site}cubin-0.7.2.dist-info")
    assert host.get()["without"] is True
    assert not (host.environment / ".kernels").exists()


def test_a_host_that_can_compile_needs_no_switch(host: Installed) -> None:
    program(host.folder / "cuda/bin/nvcc")
    told = host.get()
    assert told["without"] is False
    assert "compiles what it needs, which takes minutes" in told["note"]


def test_the_wheelhouse_carries_the_kernels(
    host: Installed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Python itself in place of pip: it takes the words of the filler and makes the files.
    pip = tmp_path / "pip.py"
    pip.write_text(
        "import pathlib, sys\n"
        "folder = next(a.split('=', 1)[1] for a in sys.argv if a.startswith('--dest='))\n"
        "if '--extra-index-url=https://flashinfer.ai/whl/cu130' not in sys.argv:\n"
        "    sys.exit('ERROR: No matching distribution found')\n"
        "for name in [a for a in sys.argv if '==' in a]:\n"
        "    pathlib.Path(folder, name.replace('==', '-') + '.whl').write_text(name)\n",
        encoding="utf-8",
    )
    (tmp_path / "pip").mkdir()
    (tmp_path / "pip/__init__.py").touch()
    pip.rename(tmp_path / "pip/__main__.py")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    site = f"{host.environment}/lib/python3.12/site-packages/flashinfer_"
    uv = host.folder / "store/uv-0.13.9/bin/uv"
    listed = f'ls {host.folder}/store/wheels > {tmp_path}/sent; echo "$@" > {tmp_path}/asked'
    program(uv, f"{listed}; {MADE.format(site)}")
    told = host.get(vllm_downloads={"wheelhouse": str(tmp_path / "wheelhouse")})
    sent = (tmp_path / "sent").read_text(encoding="utf-8").split()
    assert sent == ["flashinfer-cubin-0.7.2.whl", "flashinfer-jit-cache-0.7.2+cu130.whl"]
    assert "--offline" in (tmp_path / "asked").read_text(encoding="utf-8")
    assert told["kernels"]["there"] is True
    assert told["without"] is False
    assert not (host.folder / "store/wheels").exists()


def test_a_wheelhouse_that_cannot_be_filled_says_why(
    host: Installed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pip").mkdir()
    (tmp_path / "pip/__init__.py").touch()
    reason = "import sys; sys.exit('ERROR: No matching distribution found for flashinfer-cubin')"
    (tmp_path / "pip/__main__.py").write_text(reason, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    told = host.get(vllm_downloads={"wheelhouse": str(tmp_path / "wheelhouse")})
    assert told["without"] is True
    assert "No matching distribution found for flashinfer-cubin" in told["note"]
