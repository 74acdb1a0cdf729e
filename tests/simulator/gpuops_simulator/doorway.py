# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The doors of further providers that one simulator has open, on its clock and with its hosts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from .clock import Clock
from .doors.door import Door
from .doors.lambda_cloud import LambdaDoor
from .doors.runpod import RunPodDoor
from .doors.tensordock import TensorDockDoor
from .doors.vast import VastDoor
from .scenario import Scenario

KNOWN: dict[str, type[Door]] = {
    "lambda": LambdaDoor,
    "runpod": RunPodDoor,
    "tensordock": TensorDockDoor,
    "vast": VastDoor,
}


def check_names(names: Iterable[str]) -> list[str]:
    """Return names of providers, each once. Raises ValueError for one that is not known."""
    found = list(dict.fromkeys(names))
    if strange := [name for name in found if name not in KNOWN]:
        known = ", ".join(KNOWN)
        raise ValueError(f"no door for {', '.join(strange)}; there are doors for: {known}")
    return found


class Doorway:
    """All doors that are open; they share a clock, and what real hosts are made by."""

    def __init__(
        self,
        names: Iterable[str],
        clock: Clock,
        backend: Any = None,
        note: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._names = check_names(names)
        self._clock = clock
        self._backend = backend
        self._note = note
        self._listens: tuple[str, ...] = ()
        self.doors: dict[str, Door] = {}

    def made(self, scenario: Scenario) -> dict[str, Door]:
        """Return fresh doors, which nobody reaches yet. Raises ValueError for a wrong scenario."""
        check_names(scenario.providers)
        return {name: self._door(name, scenario) for name in self._names}

    def _door(self, name: str, scenario: Scenario) -> Door:
        door = KNOWN[name](self._clock)
        door.build_s, door.restocks = scenario.provision_seconds, True
        rows = scenario.providers.get(name, {}).get("offers")
        if rows is not None:
            _sell(door, name, rows)
        if self._backend is not None:
            door.house(self._backend, self._note)
        return door

    def listen(self, doors: dict[str, Door], *hosts: str) -> None:
        """Take these addresses for each door, by a free port of its own."""
        self._listens, self.doors = hosts, doors
        for door in doors.values():
            door.listen(*hosts)

    def start(self) -> None:
        """Serve in the background."""
        for door in self.doors.values():
            door.start()

    def begin(self, doors: dict[str, Door]) -> None:
        """Start afresh behind the same addresses, when no host is left."""
        for door in self.doors.values():
            door.stop()
        _vacate(self.doors)
        for name, door in doors.items():
            door.listen(*self._listens, port=self.doors[name].port)
            door.start()
        self.doors = doors

    def stop(self) -> None:
        """Close the doors, and return when no host is left."""
        for door in self.doors.values():
            door.stop()
        _vacate(self.doors)

    def addresses(self) -> dict[str, str]:
        """Return the base URL that a client takes, by provider."""
        return {name: door.base_url for name, door in self.doors.items()}

    def accounts(self) -> dict[str, Any]:
        """Return each account, as plain data."""
        return {name: door.account() for name, door in self.doors.items()}


def _vacate(doors: dict[str, Door]) -> None:
    """Remove all hosts, and wait for it."""
    for door in doors.values():
        door.vacate()
    for door in doors.values():
        door.wait_until_vacant()


def _sell(door: Door, name: str, rows: Any) -> None:
    try:
        door.sell(rows)
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"providers.{name}.offers: {error}") from None
