# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where sequences play: the modules in this process, whose threads, time and network are ours."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import sys
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from random import Random
from types import ModuleType, SimpleNamespace
from typing import Any, Protocol
from unittest import mock

from ansible_collections.gpuops.cloud.plugins.module_utils._instances import offer_queue
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.base import transport
from ansible_collections.gpuops.cloud.plugins.module_utils._runner import cloud
from ansible_collections.gpuops.cloud.plugins.module_utils._several.walk import Tour
from ansible_collections.gpuops.cloud.plugins.modules import (
    datacrunch_cost_info,
    datacrunch_deployment_info,
    datacrunch_instance,
    datacrunch_lease,
    datacrunch_reap,
    datacrunch_ssh_key,
    gpu_instance,
    gpu_reap,
)
from ansible_collections.gpuops.cloud.tests.unit.chaos.controllers import Controller, Module
from ansible_collections.gpuops.cloud.tests.unit.chaos.schedule import BEGIN, Clock, Schedule
from ansible_collections.gpuops.cloud.tests.unit.chaos.wire import Connection, Wire
from ansible_collections.gpuops.cloud.tests.unit.chaos.world import World
from gpuops_simulator import Simulator
from gpuops_simulator.clock import Clock as SimulatorClock

UNDER_TEST = (
    datacrunch_cost_info,
    datacrunch_deployment_info,
    datacrunch_instance,
    datacrunch_lease,
    datacrunch_reap,
    datacrunch_ssh_key,
    gpu_instance,
    gpu_reap,
)
HELPERS = transport.__name__.partition("._providers")[0]


class Setting(Protocol):
    """What can have the stage: it has a seed, a time of its own, and a way to the simulator."""

    seed: int
    wire: Wire

    @property
    def schedule(self) -> Schedule:
        """Who runs when."""

    def uuid(self) -> uuid.UUID:
        """Return the next id."""

    def doubles(self) -> dict[str, Any]:
        """Return what stands in for more names of the helpers."""

    def begin(self, sim: Simulator) -> None:
        """Set the scene."""


class Play(Setting, Protocol):
    """What can be played."""

    def play(self) -> list[str]:
        """Play; returns what was found to be wrong."""


class Stage:
    """A simulator in which one sequence after the other is played."""

    def __init__(self, folder: Path) -> None:
        self.world: Setting | None = None
        self._folder = folder
        self._played = 0
        self.sim = Simulator(clock=SimulatorClock(1.0, self.time, self.time))

    def time(self) -> float:
        """Return the time of the present sequence in seconds."""
        return self.world.schedule.now if self.world else BEGIN

    def play(self, seed: int, calm: frozenset[int] = frozenset()) -> tuple[World, list[str]]:
        """Play one sequence; returns its world and what was wrong in it."""
        world = World(seed, calm)
        return world, self.perform(world)

    def perform(self, world: Play) -> list[str]:
        """Play anything that is a world; returns what was wrong in it."""
        with self.scene(world):
            return world.play()

    @contextlib.contextmanager
    def scene(self, world: Setting) -> Iterator[None]:
        """Let a world have the stage, with its own time, ids and home, and nothing known yet."""
        self.world = world
        self._played += 1  # nothing that an earlier sequence has learnt is found again
        own = self._folder / str(self._played)
        home = {"XDG_CACHE_HOME": str(own), "XDG_DATA_HOME": str(own / "data")}
        with mock.patch.dict(os.environ, home), _replaced(world):
            world.begin(self.sim)
            Connection.wire = world.wire
            yield


@contextlib.contextmanager
def stage(folder: Path) -> Iterator[Stage]:
    """Open a stage, with a home folder of its own."""
    home = {"HOME": str(folder), "PATH": os.environ["PATH"], "NO_PROXY": "*"}
    home["GPUOPS_LEDGER"] = "none"
    with (
        mock.patch.dict(os.environ, home, clear=True),
        mock.patch.object(transport.Pool, "ConnectionCls", Connection),
        mock.patch.object(logging.getLogger("urllib3.connectionpool"), "disabled", True),
    ):
        made = Stage(folder)
        yield made
        made.sim.stop()


@contextlib.contextmanager
def _replaced(world: Setting) -> Iterator[None]:
    """Let a sequence have its own time, threads, locks and ids."""
    schedule, clock = world.schedule, Clock(world.schedule)

    def locking(start: Any) -> Any:
        def begin(self: Any, *args: Any, **more: Any) -> None:
            start(self, *args, **more)
            self._lock = schedule.lock()

        return begin

    def module_of_owner(spec: dict[str, Any], **_rules: Any) -> Module:
        controller: Controller = schedule.owner
        return Module(controller.args, spec, controller.warned)

    doubles = {
        "ThreadPoolExecutor": schedule.pool,
        "threading": SimpleNamespace(Lock=schedule.lock, local=threading.local),
        "time": schedule.time(),
        "fcntl": SimpleNamespace(flock=lambda file, how: _flock(world, file, how), **_FLAGS),
        "SystemClock": lambda: clock,
        "_JITTER": Random(f"jitter {world.seed}"),
        **world.doubles(),
    }
    with contextlib.ExitStack() as stack:
        for module in _helpers():
            for name in doubles.keys() & vars(module).keys():
                stack.enter_context(mock.patch.object(module, name, doubles[name]))
        stack.enter_context(mock.patch.object(uuid, "uuid4", world.uuid))
        for place in (cloud.CLOUD, cloud.ACCOUNTS, cloud.ELSEWHERE):
            stack.enter_context(mock.patch.object(place, "module", module_of_owner))
        for kind in (offer_queue.Walk, Tour):
            begin = locking(kind.__init__)
            stack.enter_context(mock.patch.object(kind, "__init__", begin))
        yield


_FLAGS = {"LOCK_EX": fcntl.LOCK_EX, "LOCK_UN": fcntl.LOCK_UN, "LOCK_SH": fcntl.LOCK_SH}


def _flock(world: Setting, file: Any, how: int) -> None:
    """Take a lock of the file system without blocking the others."""
    while True:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(file, how | fcntl.LOCK_NB)
            return
        world.schedule.pause(0.01)


def _helpers() -> list[ModuleType]:
    """Return the helpers of the collection that are loaded."""
    return [
        module
        for name, module in list(sys.modules.items())
        if name.startswith(HELPERS + ".") and name not in (f"{HELPERS}._core.wait",)
    ]
