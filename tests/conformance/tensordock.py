# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The suite's worlds for TensorDock."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible_collections.gpuops.cloud.plugins.module_utils._providers.tensordock.client import (
    Client,
)
from ansible_collections.gpuops.cloud.tests.conformance.door import DoorWorld
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import KEY
from gpuops_simulator.doors.tensordock import GPU, NORTH, DescribedDoor, TensorDockDoor


class TensorDock(DoorWorld):
    """An organisation with one key, as others have seen the API."""

    provider, door_class = Client, TensorDockDoor
    price, step_cost, burst = 1.389, 0.024, 12
    environment: ClassVar = {"TENSORDOCK_API_KEY": "the-token-of-the-dock"}

    def __init__(self, door: TensorDockDoor) -> None:
        super().__init__(door)
        door.add_key("laptop", KEY)

    def wish(self, **args: Any) -> dict[str, Any]:
        return super().wish(ssh_keys=["laptop"], **args)

    def rent_for_somebody_else(self) -> str:
        resources = {"vcpu_count": 8, "ram_gb": 80, "storage_gb": 100, "gpus": {GPU: {"count": 1}}}
        facts = {"name": "shop-4711", "image": "ubuntu2404", "location_id": NORTH}
        return self.door.make(**facts, resources=resources).id


class TensorDockDescribed(TensorDock):
    """The same by the vendor's description."""

    door_class = DescribedDoor
