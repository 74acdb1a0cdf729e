# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module of the controller starts from the collection there, and answers as if it were packed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible.release import __version__ as core

from ansible_collections.gpuops.cloud.tests.unit.doors import STARTERS
from gpuops_simulator import Simulator

ROOT = Path(__file__).resolve().parents[4]
SECRET = "a-secret-of-the-controller"
# Run on the controller and nowhere else; those of the first cloud besides.
OTHERS = (
    "gpu_balance",
    "gpu_instance",
    "gpu_instance_info",
    "gpu_lease",
    "gpu_metrics",
    "gpu_offers",
    "gpu_reap",
    "model_info",
    "notify",
    "ssh_tunnel",
)
# What is started without an archive is a page of Python.
PAGE = 5000


def test_each_module_of_the_controller_starts_there() -> None:
    modules = {path.stem for path in (ROOT / "plugins/modules").glob("datacrunch_*.py")}
    assert modules | set(OTHERS) == STARTERS


def asked(base_url: str, **more: Any) -> dict[str, Any]:
    """Return a task that asks for the instances."""
    keys = {"client_id": "x", "client_secret": SECRET, "base_url": base_url}
    return {"gpuops.cloud.datacrunch_instance_info": keys, **more}


def play(folder: Path, tasks: list[dict[str, Any]]) -> dict[str, Any]:
    """Run tasks on the controller; return by the names of their results what they answered."""
    ends = [
        {
            "ansible.builtin.copy": {
                "dest": f"{folder}/results.json",
                "content": "{{ dict(_names | zip(query('vars', *_names))) | to_json }}",
                "mode": "0600",
            }
        }
    ]
    names = [task["register"] for task in tasks]
    hosts = [{"hosts": "localhost", "gather_facts": False, "vars": {"_names": names}}]
    site = folder / "site.yml"
    site.write_text(json.dumps([hosts[0] | {"tasks": tasks + ends}]), encoding="utf-8")
    kept = ("PATH", "LANG", "COVERAGE_PROCESS_START")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    environment |= {
        "HOME": str(folder),
        "ANSIBLE_CONFIG": os.environ["ANSIBLE_CONFIG"],
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
        "ANSIBLE_REMOTE_TMP": f"{folder}/sent",
        "ANSIBLE_ASYNC_DIR": f"{folder}/later",
        "ANSIBLE_PIPELINING": "false",
        "ANSIBLE_KEEP_REMOTE_FILES": "true",
    }
    command = [sys.executable, "-m", "ansible", "playbook", str(site)]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, cwd=folder
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert SECRET not in done.stdout + done.stderr
    found: dict[str, Any] = json.loads((folder / "results.json").read_text())
    return found


@pytest.mark.every_core
def test_it_answers_the_same_however_it_is_started(tmp_path: Path) -> None:
    place = Path(sys.executable)
    other = f"{place.parent}/./{place.name}"
    with Simulator() as sim:
        url = f"{sim.url}/v1"
        tasks = [
            asked(url, register="here"),
            asked(url, register="delegated", delegate_to="localhost"),
            asked(url, register="another", vars={"ansible_python_interpreter": other}),
            asked(url, register="later", **{"async": 60, "poll": 1}),
            asked("http://127.0.0.1:1/v1", register="refused", ignore_errors=True),
        ]
        tasks[0]["gpuops.cloud.datacrunch_instance_info"].pop("base_url")
        tasks[0]["environment"] = {"DATACRUNCH_BASE_URL": url}
        found = play(tmp_path, tasks)
    assert found["refused"]["failed"]
    assert found["refused"]["error"]["code"] == "unavailable"
    rows = [found[name] for name in ("here", "delegated", "another", "later")]
    assert [row["instances"] for row in rows] == [[]] * 4
    keys = [{key for key in row if "ansible_job" not in key} for row in rows[:3]]
    assert keys[0] == keys[1] == keys[2]
    sent = sorted((tmp_path / "sent").rglob("AnsiballZ_datacrunch*"), key=os.path.getmtime)
    small = [path.stat().st_size < PAGE for path in sent]
    packed = core.startswith("2.18.")
    assert small == [not packed, not packed, False, False, not packed]
