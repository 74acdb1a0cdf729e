# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What waiting for many instances costs in requests, under the rate limits of the cloud."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._providers.base import client
from ansible_collections.gpuops.cloud.tests.unit.chaos.controllers import Controller
from ansible_collections.gpuops.cloud.tests.unit.chaos.month import Scene
from ansible_collections.gpuops.cloud.tests.unit.chaos.schedule import Schedule
from ansible_collections.gpuops.cloud.tests.unit.chaos.stage import stage
from gpuops_simulator import Simulator

TYPE = "1H100.80S.32V"
PROVISION_S = 20


class Rush(Scene):
    """One controller that runs some modules, while everything else is calm."""

    def __init__(self, *runs: dict[str, Any], dialect: dict[str, Any]) -> None:
        super().__init__(1)
        self._dialect = dialect
        self.schedule = Schedule(Random("rush"))  # type: ignore[assignment]
        self._runs = runs
        self.results: list[dict[str, Any]] = []
        self.seconds: list[float] = []
        self.requests: list[Counter[str]] = []

    def begin(self, sim: Simulator, **scenario: Any) -> None:
        """Start with enough of one type, and with the limits that the cloud publishes."""
        limits = {"rate_limits": True, "provision_seconds": PROVISION_S, "dialect": self._dialect}
        most = dict.fromkeys(("gpus", "vcpus", "volumes", "storage_gb"), 10**6)
        super().begin(sim, quotas=most, **limits, **scenario)
        sim.set_stock({"FIN-03": {"on_demand": {TYPE: 999}}})

    def play(self) -> list[str]:
        """Run the modules one after the other, and count what each asked."""
        actor = Controller(1, self.seed)
        self.schedule.spawn(lambda: self._act(actor), actor)
        self.schedule.run()
        return []

    def _act(self, actor: Controller) -> None:
        for args in self._runs:
            self.sim.clear_log()
            start = self.schedule.now
            self.results.append(actor.run("datacrunch_instance", deployment="llm", **args))
            self.seconds.append(self.schedule.now - start)
            log = self.sim.log()
            kinds = (f"{row['method']} {row['path'].removeprefix('/v1')}" for row in log)
            self.requests.append(Counter(kinds))
            self.requests[-1]["429"] = sum(row["status"] == 429 for row in log)


def rush(folder: Path, *runs: dict[str, Any], **dialect: Any) -> Rush:
    """Run the modules on a stage of their own, in an account of a dialect."""
    played = Rush(*runs, dialect=dialect)
    with stage(folder) as theatre:
        theatre.perform(played)
    return played


def reads(requests: Counter[str]) -> int:
    """Return how often anything was read."""
    return sum(count for kind, count in requests.items() if kind.startswith("GET "))


WANT = {"instance_type": TYPE, "state": "running", "owner": "me"}
END = {"state": "absent", "owner": "me"}


@pytest.mark.parametrize(("machines", "most"), [(8, 25), (100, 40)])
def test_waiting_costs_one_list_a_round_however_many_wait(
    tmp_path: Path, machines: int, most: int
) -> None:
    played = rush(tmp_path, {**WANT, "count": machines})
    (result,), (requests,) = played.results, played.requests
    assert [row["status"] for row in result["instances"]] == ["running"] * machines
    assert (requests["POST /instances"], requests["429"]) == (machines, 0)
    assert reads(requests) <= most
    assert not [kind for kind in requests if kind.startswith("GET /instances/")]
    # Simulated: the limit of orders lets the last of a hundred be sent after a minute.
    assert played.seconds[0] <= 60 * (machines > 60) + PROVISION_S * 1.3


def test_fleet_of_more_than_there_are_threads_is_found_again_by_one_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "MOST_THREADS", 16)
    want = {**WANT, "count": 40}
    played = rush(tmp_path, want, want)
    first, second = ([row["id"] for row in result["instances"]] for result in played.results)
    assert len(set(first)) == 40
    assert second == first
    assert not played.results[1]["changed"]
    assert [requests["429"] for requests in played.requests] == [0, 0]
    assert [requests["POST /instances"] for requests in played.requests] == [40, 0]
    assert reads(played.requests[1]) == 1


def test_fleet_ends_with_a_proof_for_each_and_within_the_limits(tmp_path: Path) -> None:
    machines = 100
    played = rush(tmp_path, {**WANT, "count": machines}, {**END, "os_volume": "delete"})
    requests = played.requests[1]
    assert not played.results[1].get("failed")
    assert played.still_costing() == []
    assert (requests["PUT /instances"], requests["429"]) == (machines, 0)
    single = [count for kind, count in requests.items() if kind.startswith("GET /instances/")]
    assert (len(single), min(single)) == (machines, 3), "each says several times that it is gone"
    assert requests["GET /instances"] + requests["GET /volumes"] <= 60


@pytest.mark.parametrize("dialect", [{"list_lag_seconds": 45}, {"unknown_looks": 3}])
def test_list_or_record_that_lags_keeps_no_fleet_from_running(
    tmp_path: Path, dialect: dict[str, Any]
) -> None:
    played = rush(tmp_path, {**WANT, "count": 20}, **dialect)
    assert len(played.results[0]["instances"]) == 20
    assert played.requests[0]["POST /instances"] == 20
