# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every example in the documentation runs, against the simulator."""

from __future__ import annotations

import ast
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import warm_ansible
from gpuops_simulator import Simulator

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "plugins/modules").glob("datacrunch_*.py"))
INVENTORIES = sorted((ROOT / "plugins/inventory").glob("*.py"))
TYPES = ("1H100.80S.32V", "1A100.22V", "1L40S.20V", "1A6000.10V")
SHELF = {"on_demand": dict.fromkeys(TYPES, 4), "spot": dict.fromkeys(TYPES, 4)}
SECRET = "the-secret-of-the-examples"


@pytest.fixture
def simulator() -> Iterator[Any]:
    """Provide a cloud with something of every kind in stock."""
    with Simulator(scenario={"stock": {"FIN-01": SHELF, "FIN-03": SHELF}}) as running:
        yield running


def examples(path: Path) -> str:
    """Return the EXAMPLES of a plugin."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "EXAMPLES":
            return str(ast.literal_eval(node.value))
    raise AssertionError(f"{path.name} has no EXAMPLES")


def run(program: str, *arguments: object, cwd: Path, url: str) -> str:
    """Run a program of Ansible with the simulator as the cloud; returns its output."""
    kept = ("PATH", "LANG", "COVERAGE_PROCESS_START")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    environment |= {
        "HOME": str(cwd),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        # Its default is in the real home, whatever HOME is.
        "ANSIBLE_REMOTE_TMP": str(cwd / "tmp"),
        "DATACRUNCH_BASE_URL": f"{url}/v1",
        "DATACRUNCH_CLIENT_ID": "examples",
        "DATACRUNCH_CLIENT_SECRET": SECRET,
    }
    words = [*map(str, arguments)]
    done = warm_ansible.run(program, words, folder=cwd, environment=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert SECRET not in done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in MODULES])
def test_examples_of_module_run(path: Path, simulator: Any, tmp_path: Path) -> None:
    tasks = yaml.safe_load(examples(path))
    assert any(f"gpuops.cloud.{path.stem}" in task for task in tasks)
    play = [{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]
    (tmp_path / "play.yml").write_text(yaml.safe_dump(play), encoding="utf-8")
    run("playbook", "-vvv", "--diff", "play.yml", cwd=tmp_path, url=simulator.url)


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in INVENTORIES])
def test_examples_of_inventory_plugin_run(path: Path, simulator: Any, tmp_path: Path) -> None:
    example_play = yaml.safe_load(examples(MODULES[0].with_name("datacrunch_instance.py")))
    play = [{"hosts": "localhost", "gather_facts": False, "tasks": example_play[:2]}]
    (tmp_path / "play.yml").write_text(yaml.safe_dump(play), encoding="utf-8")
    run("playbook", "play.yml", cwd=tmp_path, url=simulator.url)
    sources = list(yaml.safe_load_all(examples(path)))
    assert sources
    for number, source in enumerate(sources):
        file = tmp_path / f"{number}.{path.stem}.yml"
        file.write_text(yaml.safe_dump(source), encoding="utf-8")
        output = run("inventory", "--list", "-i", file, cwd=tmp_path, url=simulator.url)
        assert json.loads(output)["_meta"]["hostvars"], output
