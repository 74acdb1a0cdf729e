# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The suite's world for a provider whose imitation is a door of the simulator."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._providers import registry
from ansible_collections.gpuops.cloud.tests.conformance.world import World
from gpuops_simulator.clock import Clock
from gpuops_simulator.doors.door import Door, Request


class DoorClock:
    """The clock of a client: sleeping moves the door's time and takes none."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def monotonic(self) -> float:
        return self._door.now()

    def sleep(self, seconds: float) -> None:
        self._door.clock.advance(max(seconds, 0))


@contextmanager
def opened(kind: type[DoorWorld], speed: float, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Open a world, whose provider the registry takes for the one that is meant."""
    door, client = kind.door_class(Clock(speed)), sys.modules[kind.provider.__module__]
    door.start()
    for name, value in kind.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(client, "SystemClock", lambda: DoorClock(door))
    monkeypatch.setitem(registry.PROVIDERS, kind.provider.name, kind.provider)
    monkeypatch.setattr(registry, "DEFAULT", kind.provider.name)
    try:
        yield kind(door)
    finally:
        door.stop()


class DoorWorld(World):
    """The suite's world for a provider whose imitation is a door."""

    door_class: ClassVar[type[Door]]
    # What an instance costs per hour.
    price: ClassVar[float]
    # Where a user keeps the key.
    environment: ClassVar[dict[str, str]] = {}

    def __init__(self, door: Door) -> None:
        self.door = door

    def auth(self) -> dict[str, Any]:
        return {"base_url": self.door.base_url}

    @property
    def order_path(self) -> str:
        return self.door.order_path

    def living(self) -> list[str]:
        return [one.id for one in self.door.living()]

    def cost(self) -> float:
        return self.door.cost(self.capabilities.billing_step_s, self.price)

    def requests(self) -> list[Request]:
        return list(self.door.log)

    def advance(self, seconds: float) -> None:
        self.door.clock.advance(seconds)

    def rent_for_somebody_else(self) -> str:
        return self.door.make(label="not yours", type="foreign", region="north").id

    def lose_answer(self) -> None:
        self.door.luck.append("lose")

    def refuse_and_create(self) -> None:
        self.door.luck.append("refuse")

    def spoil_lists(self) -> None:
        self.door.spoilt = True

    def mend(self) -> None:
        self.door.spoilt = False

    def refuse_end(self) -> None:
        self.door.luck.append("refuse_end")
