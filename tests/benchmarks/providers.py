# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What choosing over three providers costs beside each of them alone, in turns in one run."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.gpuops.cloud.plugins.module_utils._catalog.several import offers
from ansible_collections.gpuops.cloud.plugins.module_utils._core.argspecs import SELECTION_SPEC
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.accounts import (
    Accounts,
    accounts_spec,
)
from gpuops_simulator import Simulator
from gpuops_simulator.clock import Clock
from gpuops_simulator.doors.door import Door
from gpuops_simulator.doors.lambda_cloud import LambdaDoor
from gpuops_simulator.doors.vast import VastDoor

REPEATS = 9
NAMES = ("verda", "lambda", "vast")
# Milliseconds per request of each, in that order.
SITUATIONS = ((50, 50, 50), (50, 50, 300), (200, 50, 50))
TIER = "a100_80_or_less"
_SPEC = {**accounts_spec(), **SELECTION_SPEC}


@dataclass(frozen=True)
class Row:
    """Seconds of all together and of each alone (medians of the repeats), and requests of each."""

    delays_ms: tuple[int, ...]
    together: float
    alone: dict[str, float]
    requests: dict[str, int]

    @property
    def ratio(self) -> float:
        """How much longer all take than the slowest alone."""
        return self.together / max(self.alone.values())


@dataclass(frozen=True)
class Clouds:
    """Three imitations, and how much each is asked."""

    sim: Simulator
    doors: dict[str, Door]

    def accounts(self) -> dict[str, Any]:
        """Return the credentials of each."""
        verda = {"client_id": "benchmark", "client_secret": "of-no-account"}
        found: dict[str, Any] = {"verda": {**verda, "base_url": f"{self.sim.url}/v1"}}
        for name, path in (("lambda", "/v1"), ("vast", "")):
            found[name] = {"api_key": "of-no-account", "base_url": self.doors[name].url + path}
        return found

    def delay(self, milliseconds: tuple[int, ...]) -> None:
        """Let each take so long for an answer."""
        verda, *others = (one / 1000 for one in milliseconds)
        self.sim.clear_faults()
        self.sim.add_faults([{"do": "latency", "seconds": verda, "times": None}])
        for door, seconds in zip(self.doors.values(), others, strict=True):
            door.delay_s = seconds

    def requests(self) -> dict[str, int]:
        """Return how many requests each got since the last time, log-ins included."""
        found = {"verda": len(self.sim.log())}
        self.sim.clear_log()
        for name, door in self.doors.items():
            found[name] = len(door.log)
            door.log.clear()
            door.clock.advance(60)  # what counts requests by the minute begins anew
        return found


@contextmanager
def _clouds() -> Iterator[Clouds]:
    with ExitStack() as stack:
        sim = stack.enter_context(Simulator())
        sim.set_stock({"FIN-03": {"on_demand": {"1A100.22V": 1}}})
        doors = {"lambda": LambdaDoor(Clock(0.0)), "vast": VastDoor(Clock(0.0))}
        for door in doors.values():
            door.start()
            stack.callback(door.stop)
        yield Clouds(sim, doors)


def _choose(clouds: Clouds, *names: str) -> float:
    """Choose as the module does, with nothing known of an earlier run; returns the seconds.

    Raises RuntimeError when not everybody has offered something.
    """
    asked = {"providers": list(names), "accounts": clouds.accounts(), "tier": TIER}
    params = ArgumentSpecValidator(_SPEC).validate(asked).validated_parameters
    with tempfile.TemporaryDirectory() as folder:
        settings = {"XDG_CACHE_HOME": folder, "GPUOPS_LEDGER": "none"}
        with mock.patch.dict("os.environ", settings):
            start = time.perf_counter()
            found = offers(Accounts(params), params)
            seconds = time.perf_counter() - start
    if {row["provider"] for row in found["offers"]} != set(names):
        raise RuntimeError(f"{names}: {found['offers']}, {found['rejected']}")
    return seconds


def run() -> list[Row]:
    """Return for each situation what all together and each alone cost; they take turns."""
    rows = []
    with _clouds() as clouds:
        _choose(clouds, *NAMES)  # what is imported at the first time is imported
        for delays in SITUATIONS:
            clouds.delay(delays)
            together: list[float] = []
            alone: dict[str, list[float]] = {name: [] for name in NAMES}
            for _repeat in range(REPEATS):
                clouds.requests()
                together.append(_choose(clouds, *NAMES))
                requests = clouds.requests()
                for name in NAMES:
                    alone[name].append(_choose(clouds, name))
                    clouds.requests()
            median = {name: statistics.median(times) for name, times in alone.items()}
            rows.append(Row(delays, statistics.median(together), median, requests))
    return rows
