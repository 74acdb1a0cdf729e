# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the playbook does when the cloud is not as one would wish."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from gpuops_simulator import Simulator

PLAYBOOK = Path(__file__).parents[1] / "fleet.yml"


def play() -> subprocess.CompletedProcess[str]:
    """Run the playbook."""
    command = ["ansible-playbook", str(PLAYBOOK)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def running(cloud: Simulator) -> list[str]:
    """Return the types of the instances that run."""
    rows = cloud.state()["instances"]
    return [row["instance_type"] for row in rows if row["status"] == "running"]


def test_a_lost_answer_buys_nothing_twice(gpuops_cloud: Simulator) -> None:
    orders = {"method": "POST", "path": "/v1/instances"}
    gpuops_cloud.add_faults([{"match": orders, "do": "commit_then_reset"}])
    done = play()
    assert done.returncode == 0, done.stdout
    assert len(running(gpuops_cloud)) == 2


@pytest.mark.gpuops_scenario(stock={"FIN-01": {"on_demand": {"1A100.22V": 1}}})
def test_half_a_fleet_is_terminated_again(gpuops_cloud: Simulator) -> None:
    done = play()
    assert done.returncode != 0
    assert running(gpuops_cloud) == []
