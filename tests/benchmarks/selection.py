# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long it takes to choose a machine: ours, and by one look-up per candidate, side by side."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from unittest import mock

import lookups

from ansible_collections.gpuops.cloud.plugins.module_utils._catalog.selection import Selection
from ansible_collections.gpuops.cloud.plugins.module_utils._catalog.stock import Market
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.verda.client import Client
from gpuops_simulator import Simulator

LATENCY_S = 0.05
REPEATS = 5
CLIENT, SECRET = "benchmark", "of-no-account"
Choice = tuple[str, str] | None


@dataclass(frozen=True)
class Situation:
    """A tier group, and the only instance that is free."""

    tier: str
    instance_type: str
    location: str

    def __str__(self) -> str:
        return f"{self.tier}_or_less, {self.instance_type} free in {self.location}"


SITUATIONS = (
    Situation("h100", "1H100.80S.32V", "FIN-03"),
    Situation("a100_80", "1A100.40S.22V", "FIN-03"),
    Situation("a100_80", "1A100.40S.22V", "FIN-01"),
    Situation("h100", "1V100.6V", "FIN-01"),
    Situation("b300", "1V100.6V", "FIN-01"),
    Situation("b300", "1H100.80S.32V", "FIN-03"),
    Situation("b300", "1L40S.20V", "FIN-03"),
)


@dataclass(frozen=True)
class Measured:
    """What choosing cost: seconds (median of the repeats) and requests, log-ins included."""

    seconds: float
    requests: int


def ours(base_url: str, tier: str) -> Choice:
    """Choose as the modules do, with no token of an earlier run."""
    params = {"client_id": CLIENT, "client_secret": SECRET, "base_url": base_url}
    with tempfile.TemporaryDirectory() as folder, _cache(folder):
        client = Client.from_params(params)
        choice = Market(client, Selection(tier=f"{tier}_or_less", gpu_count=1)).look()
    best = choice.offers[0] if choice.offers else None
    return (best.instance_type, str(best.location)) if best else None


def _cache(folder: str) -> AbstractContextManager[object]:
    settings = {"XDG_CACHE_HOME": folder, "GPUOPS_LEDGER": "none"}
    return mock.patch.dict("os.environ", settings)


def one_by_one(base_url: str, tier: str) -> Choice:
    """Choose by one look-up per candidate."""
    return lookups.choose(base_url, CLIENT, SECRET, tier)


def measure(sim: Simulator, choose: Callable[[str, str], Choice], situation: Situation) -> Measured:
    """Return what choosing costs in a situation; raises RuntimeError when the choice is wrong."""
    seconds = []
    for _repeat in range(REPEATS):
        sim.clear_log()
        start = time.perf_counter()
        found = choose(f"{sim.url}/v1", situation.tier)
        seconds.append(time.perf_counter() - start)
        if found != (situation.instance_type, situation.location):
            raise RuntimeError(f"{situation}: {choose.__name__} found {found}")
    return Measured(statistics.median(seconds), len(sim.log()))


def run() -> list[tuple[str, Measured, Measured]]:
    """Return for each situation what ours and the other way cost."""
    rows = []
    with Simulator() as sim:
        sim.add_faults([{"do": "latency", "seconds": LATENCY_S, "times": None}])
        for situation in SITUATIONS:
            shelf = {"on_demand": {situation.instance_type: 1}}
            sim.set_stock({situation.location: shelf})
            measured = measure(sim, ours, situation), measure(sim, one_by_one, situation)
            rows.append((str(situation), *measured))
    return rows
