# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job on two nodes, by torchrun over their private addresses: together, or not at all."""

from __future__ import annotations

import pytest
from test_job import Project, project

__all__ = ["project"]
HOST_IMAGE = "serving"  # it has PyTorch
TORCH = "/opt/vllm/0.32.0-cpu"
TRAIN = """\
import os, sys, time
import torch, torch.distributed as dist
dist.init_process_group("gloo")
rank, size = dist.get_rank(), dist.get_world_size()
print("node", os.environ["GPUOPS_NODE_RANK"], "of", os.environ["GPUOPS_NODES"], flush=True)
torch.manual_seed(rank)
model = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(4, 1))
steps = torch.optim.SGD(model.parameters(), lr=0.1)
for step in range(5):
    loss = model(torch.randn(8, 4)).pow(2).mean()
    steps.zero_grad()
    loss.backward()
    steps.step()
weights = model.module.weight.detach().flatten()
others = [torch.zeros_like(weights) for _ in range(size)]
dist.all_gather(others, weights)
print("alike", all(torch.equal(weights, one) for one in others), "of", size, flush=True)
if rank == 0:
    open("out/weights", "w").write(str(weights.tolist()))
if "fail" in sys.argv:
    time.sleep(10000) if rank == 0 else sys.exit(7)
dist.destroy_process_group()
"""
MORE = {"nodes": 2, "environment": TORCH, "env": {"OMP_NUM_THREADS": "1"}}


@pytest.mark.parametrize("fails", [False, True], ids=["together", "one_fails"])
def test_nodes_begin_and_end_together(project: Project, fails: bool) -> None:
    name = "apart" if fails else "together"
    command = ["python", f"{name}.py", *(["fail"] if fails else [])]
    project.write(name, TRAIN, command=command, **MORE)
    orders = project.orders()
    status, said = project.play("job", "-e", f"job={name}.job.yml")
    found = project.result(name)
    assert project.orders() == orders + 2
    assert project.living() == []
    assert "leftovers: none" in said
    first, second = (project.output(name, node=node) for node in ("", f".job-{name}-2"))
    for number, text in enumerate((first, second)):
        assert f"node {number} of 2" in text
        assert "alike True of 2" in text
    assert "node 0 of 2" in said
    assert "node 1 of 2" not in said, "what other nodes print is kept, and not shown"
    assert (project.folder / f"results/{name}/out/weights").exists()
    expected = (2, "failed", "exit_code", 1) if fails else (0, "succeeded", "succeeded", 0)
    assert (status, found["state"], found["reason"], found["exit_code"]) == expected
