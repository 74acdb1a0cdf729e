# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The suite's worlds for Vast.ai."""

from __future__ import annotations

from typing import ClassVar

from ansible_collections.gpuops.cloud.plugins.module_utils._providers.vast.client import Client
from ansible_collections.gpuops.cloud.tests.conformance.door import DoorWorld
from gpuops_simulator.doors.door import Door, Request
from gpuops_simulator.doors.vast import OtherVastDoor, VastDoor
from gpuops_simulator.doors.vast_market import PRICE, V0, offer


class Vast(DoorWorld):
    """An account of Vast.ai with one key."""

    provider, door_class = Client, VastDoor
    price, step_cost, burst = PRICE, PRICE / 3600 + 0.01, 6
    environment: ClassVar = {"VAST_API_KEY": "the-key-of-the-account"}

    def __init__(self, door: Door) -> None:
        super().__init__(door)
        text = (
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl mine"
        )
        self.door.keys["1"] = {"id": 1, "text": text, "deleted_at": None}

    def orders(self) -> int:
        rows: list[Request] = [one for one in self.requests() if one.method == "PUT"]
        return len([one for one in rows if one.path.startswith(f"{V0}/asks/")])

    def rent_for_somebody_else(self) -> str:
        theirs = self.door.make(**offer(900, machine=1), label="not yours", disk=20)
        theirs.id = "8999"
        return theirs.id

    def evict(self, instance_id: str) -> None:
        """Let somebody else bid more: the instance is stopped, and stays."""
        found = self.door.find(instance_id)
        assert found
        found.facts.update(halted=True, ran=True)


class OtherVast(Vast):
    """An account that speaks the other dialect."""

    door_class = OtherVastDoor
