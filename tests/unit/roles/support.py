# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load the programs that roles send to hosts, and render what roles would write."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
# In a checkout, and where ansible-test has copied the collection to.
COLLECTIONS = ROOT / ".collections" if (ROOT / ".collections").exists() else ROOT.parents[2]
Evaluate = Callable[[dict[str, dict[str, Any]], str], dict[str, Any]]

# What the role vllm finds on a host that has all it needs.
GPU = {
    "name": "NVIDIA H100 80GB HBM3",
    "driver_version": "580.95.05",
    "compute_cap": "9.0",
    "memory_mb": 81559,
}
HOST = {"environment_ready": False, "free_gb": 200.0, "model_missing": False, "python": "3.12"}

PLAY = """
- hosts: localhost
  connection: local
  gather_facts: false
  vars_files: [{place}/defaults/main.yml, {place}/vars/main.yml]
  tasks:
{tasks}
    - ansible.builtin.copy:
        content: "{{{{ results | to_json }}}}"
        dest: {target}
"""
TASK = """
    - ansible.builtin.set_fact:
        results: "{{{{ results | default({{}}) | combine({{'{name}': {expression}}}) }}}}"
      vars: {variables}
"""


def load(path: str) -> ModuleType:
    """Import a program of a role by its path below the root."""
    name = path.replace("/", "_").removesuffix(".py")
    spec = importlib.util.spec_from_file_location(name, ROOT / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def evaluate(
    folder: Path, role: str, cases: dict[str, dict[str, Any]], expression: str
) -> dict[str, Any]:
    """Let Ansible itself evaluate an expression in a role, once for each set of variables."""
    place = ROOT / "roles" / role
    common = {"role_path": str(place)}
    tasks = [
        TASK.format(name=name, expression=expression, variables=json.dumps({**common, **given}))
        for name, given in cases.items()
    ]
    playbook, target = folder / "play.yml", folder / "results.json"
    text = PLAY.format(place=place, tasks="".join(tasks), target=target)
    playbook.write_text(text, encoding="utf-8")
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "HOME": str(folder),
        "COVERAGE_PROCESS_START": "",  # not measured: filters have their own tests
    }
    command = [sys.executable, "-m", "ansible", "playbook", str(playbook)]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(json.loads(target.read_text(encoding="utf-8")))
