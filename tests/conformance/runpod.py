# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The suite's worlds for RunPod."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible_collections.gpuops.cloud.plugins.module_utils._providers.runpod.client import Client
from ansible_collections.gpuops.cloud.tests.conformance.door import DoorWorld
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import KEY
from gpuops_simulator.doors.runpod import PagedDoor, RunPodDoor
from gpuops_simulator.doors.runpod_rows import DISK_PRICE, EACH, QUOTA


class RunPod(DoorWorld):
    """An account of RunPod with one key."""

    provider, door_class = Client, RunPodDoor
    # With the container disk of 100 GB, which bills beside the GPU.
    price, step_cost, burst = EACH + 100 * DISK_PRICE, 0.01, 2 * QUOTA + 5
    environment: ClassVar = {"RUNPOD_API_KEY": "the-key-of-the-account"}

    def __init__(self, door: RunPodDoor) -> None:
        super().__init__(door)
        door.account_keys = [KEY]

    def wish(self, **args: Any) -> dict[str, Any]:
        return super().wish(**{"ssh_keys": [KEY], **args})


class RunPodPaged(RunPod):
    """The same, with its lists in pages."""

    door_class = PagedDoor
