# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The suite's world for Lambda Cloud."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible_collections.gpuops.cloud.plugins.module_utils._providers.lambda_cloud.client import (
    Client,
)
from ansible_collections.gpuops.cloud.tests.conformance.door import DoorWorld
from gpuops_simulator.doors.door import Door
from gpuops_simulator.doors.lambda_cloud import CENTS, LambdaDoor


class LambdaCloud(DoorWorld):
    """An account of Lambda Cloud with one key."""

    provider, door_class = Client, LambdaDoor
    price, step_cost, burst = CENTS / 100, CENTS / 100 / 60 + 0.01, 6
    environment: ClassVar = {"LAMBDA_API_KEY": "the-key-of-the-account"}
    KEY_NAME = "mine"

    def __init__(self, door: Door) -> None:
        super().__init__(door)
        self.door.keys["0" * 32] = {"id": "0" * 32, "name": self.KEY_NAME, "public_key": "x"}

    def wish(self, **args: Any) -> dict[str, Any]:
        return super().wish(**{"ssh_keys": [self.KEY_NAME], **args})
