# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the playbooks show of capacity: a page, a picture, and evicted instances."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from whole_path import ROOT

from gpuops_simulator import Simulator


def run(simulator: Simulator, folder: Path, *command: str) -> str:
    """Run a program of Ansible against the simulator and return its output."""
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
        "DATACRUNCH_CLIENT_ID": "pages",
        "DATACRUNCH_CLIENT_SECRET": "pages-secret",
        "DATACRUNCH_BASE_URL": f"{simulator.url}/v1",
        "XDG_CACHE_HOME": str(folder / "cache"),
        "XDG_DATA_HOME": str(folder / "data"),
    }
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def play(simulator: Simulator, folder: Path, playbook: str, **variables: Any) -> str:
    """Run a playbook and return its output."""
    given = f"-e{json.dumps(variables)}"
    return run(simulator, folder, "ansible-playbook", f"playbooks/{playbook}.yml", given)


def ansible(simulator: Simulator, folder: Path, module: str, arguments: str) -> None:
    """Run one module of the collection."""
    name = f"gpuops.cloud.{module}"
    run(simulator, folder, "ansible", "localhost", "-m", name, "-a", arguments)


def test_capacity_page_stands_alone_and_shows_the_matrix(tmp_path: Path) -> None:
    page = tmp_path / "capacity.html"
    with Simulator() as simulator:
        play(simulator, tmp_path, "capacity", market="any", format="html", file=str(page))
    text = page.read_text(encoding="utf-8")
    assert re.findall(r'(?:src|href|url)\s*[=(]\s*["\']?(?:https?:)?//', text) == []
    (matrix,) = re.findall(r'<table id="matrix">(.*?)</table>', text, re.S)
    assert '<th class="number">FIN-03</th>' in matrix
    assert "b200" in matrix
    assert "Would be taken now: <strong>1B200.30V</strong>" in text


def test_observed_stock_is_drawn(tmp_path: Path) -> None:
    log, picture = tmp_path / "stock.jsonl", tmp_path / "observed.svg"
    with Simulator() as simulator:
        play(simulator, tmp_path, "capacity", market="any", observation_log=str(log))
        play(simulator, tmp_path, "observed", observation_log=str(log), file=str(picture))
    drawn = ElementTree.parse(picture).getroot()
    texts = [node.text or "" for node in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert any(text.startswith("B200 · FIN-03 · on-demand") for text in texts)


def test_status_tells_of_an_evicted_machine(tmp_path: Path) -> None:
    with Simulator() as simulator:
        play(simulator, tmp_path, "status")
        rent = "deployment=lost market=spot tier=h200"
        ansible(simulator, tmp_path, "datacrunch_instance", rent)
        simulator.evict(simulator.state()["instances"][0]["id"])
        output = play(simulator, tmp_path, "status")
    assert "evicted: lost of lost (1H200.141S.44V in FIN-03, spot): bringup buys it again" in output
