# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The suite's world for the first provider: the simulator."""

from __future__ import annotations

from typing import Any

from ansible_collections.gpuops.cloud.plugins.module_utils._core.times import read_time
from ansible_collections.gpuops.cloud.plugins.module_utils._core.wait import SystemClock
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.verda import client
from ansible_collections.gpuops.cloud.tests.conformance.world import World
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import (
    ACTIONS,
    CLIENT_ID,
    ENDED,
    LISTING,
    ORDERS,
    SECRET,
    stock,
)
from gpuops_simulator import Simulator
from gpuops_simulator.doors.door import Request

TYPE, PRICE, STEP_H = "1A100.22V", 1.79, 1 / 6
SCENARIO = {"provision_seconds": 30, "stock": stock(TYPE, spot=[TYPE, f"{TYPE}@FIN-01"])}


class Verda(World):
    """An account of the simulator."""

    provider = client.Client
    step_cost = PRICE * STEP_H + 0.01
    burst = 40

    def __init__(self, sim: Simulator) -> None:
        self.sim = sim

    def auth(self) -> dict[str, Any]:
        return {
            "client_id": CLIENT_ID,
            "client_secret": SECRET,
            "base_url": f"{self.sim.url}/v1",
        }

    def living(self) -> list[str]:
        rows = self.sim.state()["instances"]
        return [row["id"] for row in rows if row["status"] not in ENDED]

    def cost(self) -> float:
        return sum(row["cost"] for row in self.sim.state()["bill"])

    def requests(self) -> list[Request]:
        return [
            Request(_seconds(row["time"]), row["method"], row["path"], row["status"])
            for row in self.sim.log()
        ]

    @property
    def order_path(self) -> str:
        return ORDERS["path"]

    def advance(self, seconds: float) -> None:
        self.sim.advance(seconds)

    def rent_for_somebody_else(self) -> str:
        image = self.sim.cloud.catalogue.supported_os(TYPE)[0]
        body = {"hostname": "llm", "image": image, "instance_type": TYPE, "location_code": "FIN-03"}
        rent = client.Client.from_params({**self.auth(), "timeout": 30}).create
        return rent("/instances", {**body, "description": "not yours"})

    def lose_answer(self) -> None:
        self._fault("commit_then_500", ORDERS)

    def refuse_and_create(self) -> None:
        body = {"code": "invalid_request", "message": "Not today"}
        self._fault("commit_then_500", ORDERS, status=400, body=body)

    def spoil_lists(self) -> None:
        self._fault("status", LISTING, status=200, body={"rows": None}, times=None)

    def mend(self) -> None:
        self.sim.clear_faults()

    def refuse_end(self) -> None:
        words = "Can't discontinue a provisioning instance"
        body = {"code": "invalid_request", "message": words}
        self._fault("status", ACTIONS, status=400, body=body)

    def evict(self, instance_id: str) -> None:
        self.sim.evict(instance_id)
        self.sim.advance(60)

    def enforce_limits(self) -> None:
        self.sim.switch(rate_limits={"endpoint": 30, "listing": 30, "window_s": 1})
        vars(client)["SystemClock"] = SystemClock  # the simulator's limits are of real time

    def _fault(self, do: str, match: dict[str, str], **more: Any) -> None:
        self.sim.add_faults([{"match": match, "do": do, **more}])


def _seconds(text: str) -> float:
    found = read_time(text)
    assert found
    return found.timestamp()
