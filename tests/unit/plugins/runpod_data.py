# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An order for RunPod, and a pod as its answers show one."""

from __future__ import annotations

from typing import Any

from ansible_collections.gpuops.cloud.plugins.module_utils._models.orders import (
    InstanceOrder,
    NewDisk,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._models.resources import Instance, Tag
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.base.row import Row, Source
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.runpod import hardware
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.runpod.parsing import (
    instance_from,
)
from ansible_collections.gpuops.cloud.tests.conformance.runpod import RunPod
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import KEY
from gpuops_simulator.doors.runpod import RunPodDoor

ID = " ".join(KEY.split()[:2])
TYPE = "1x_NVIDIA_A100_80GB_PCIe"
ORDER = InstanceOrder(
    name="llm-1",
    instance_type=TYPE,
    location="US-KS-2",
    market="on_demand",
    image=hardware.USUAL_IMAGE,
    description="gpo.llm.llm-1.none.5f3a9c21",
    tags=(Tag("gpuops-owner", "me"), Tag("gpuops-lease", "none")),
    ssh_key_ids=(ID,),
    boot_disk=NewDisk("gpuops.llm.llm-1.os", 100),
)
DATA = NewDisk("gpuops.llm.llm-1.data", 50, (Tag("gpuops-keep", "yes"),))


def door(world: RunPod) -> RunPodDoor:
    assert isinstance(world.door, RunPodDoor)
    return world.door


def pod(**more: Any) -> dict[str, Any]:
    """Return a pod that runs, as an answer shows it."""
    return {
        "id": "7h9k2m4n6p",
        "name": "gpo.llm.llm-1.none.5f3a9c21",
        "status": "RUNNING",
        "image": "runpod/pytorch:1",
        "disk": 73,
        "env": {"PUBLIC_KEY": f"{KEY}\nno key", "GPUOPS_OWNER": "me", "TOKEN": "not-to-be-told"},
        "mounts": {},
        "gpu": {"id": "NVIDIA H100 80GB HBM3", "count": 2},
        "dataCenterId": "US-KS-2",
        "ssh": {
            "proxy": {"host": "ssh.example.com", "port": 22, "username": "x-y"},
            "direct": {"host": "203.0.113.7", "port": 34446, "username": "root"},
        },
        "cost": 5.38,
        "locked": False,
        "runtime": {"uptime": 3, "gpus": [{"util": 0}, {"util": 0}]},
        "createdAt": "2026-08-20T06:16:19.436Z",
        **more,
    }


def read(**more: Any) -> Instance:
    return instance_from(Row(Source("GET /pods"), pod(**more)))
