# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What torchrun is asked for on each of several nodes."""

from __future__ import annotations

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._jobs.nodes import Place

PLACE = Place(2, 1, "10.0.0.4", "eth1", 8)


@pytest.mark.parametrize(
    ("command", "launched"),
    [
        (["python", "train.py", "--lr", "1"], ["train.py", "--lr", "1"]),
        (["python3", "-m", "train"], ["--module", "train"]),
        (["torchrun", "--no-python", "x"], ["--no-python", "x"]),
        (["./train.sh"], ["--no-python", "./train.sh"]),
        (["python"], ["--no-python", "python"]),
    ],
)
def test_a_command_becomes_one_of_torchrun(command: list[str], launched: list[str]) -> None:
    words = PLACE.launched(command)
    assert words[:3] == ["python", "-m", "torch.distributed.run"]
    assert words[-len(launched) :] == launched
    assert {"--nnodes=2", "--node-rank=1", "--nproc-per-node=8"} <= set(words)
    assert "--master-addr=10.0.0.4" in words


def test_libraries_talk_over_the_interface_of_the_nodes() -> None:
    found = PLACE.environment
    assert (found["NCCL_SOCKET_IFNAME"], found["GLOO_SOCKET_IFNAME"]) == ("eth1", "eth1")
    assert (found["GPUOPS_NODES"], found["GPUOPS_NODE_RANK"]) == ("2", "1")
