# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two clouds in this process, for what asks several: the simulator, and Lambda Cloud."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ansible_collections.gpuops.cloud.tests.conformance.lambda_cloud import LambdaCloud
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import (
    CLIENT_ID,
    SECRET,
    Cloud,
    Runs,
    run_module,
)
from gpuops_simulator.clock import Clock
from gpuops_simulator.doors.door import Reply
from gpuops_simulator.doors.lambda_cloud import TERMINATE, LambdaDoor

LAMBDA_KEY = "the-key-of-the-account"


class MoodyDoor(LambdaDoor):
    """Lambda Cloud with what happens to users: stock that is gone, an account that refuses."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.sells = 100  # so many orders, and then the stock was none
        self.refuses = ""  # every order, with this code
        self.refuses_ends = False
        self.spoils = False  # its lists, from the first order on
        self.before: dict[str, Callable[[], None]] = {}  # a request to this path, once

    def answer(self, method: str, path: str, body: dict[str, Any]) -> Reply:
        self.before.pop(path, lambda: None)()
        if path == TERMINATE and self.refuses_ends:
            return self.refusal("end")
        if path != self.order_path:
            return super().answer(method, path, body)
        self.spoilt = self.spoilt or self.spoils
        if self.refuses:
            return Reply(400, {"error": {"code": self.refuses, "message": "Refused"}})
        if self.sells < 1:
            code = "instance-operations/launch/insufficient-capacity"
            return Reply(400, {"error": {"code": code, "message": "Sold out"}})
        reply = super().answer(method, path, body)
        self.sells -= reply.status == 200
        return reply


class MoodyLambda(LambdaCloud):
    """An account there."""

    door_class = MoodyDoor


@dataclass
class Clouds(Runs):
    """Two clouds, and a controller that has an account at each."""

    verda: Cloud
    door: MoodyDoor

    @property
    def accounts(self) -> dict[str, Any]:
        verda = {"client_id": CLIENT_ID, "client_secret": SECRET}
        return {
            "verda": {**verda, "base_url": f"{self.verda.sim.url}/v1"},
            "lambda": {"api_key": LAMBDA_KEY, "base_url": f"{self.door.url}/v1"},
        }

    def run(
        self, name: str, /, *, check: bool = False, diff: bool = False, **args: Any
    ) -> dict[str, Any]:
        given = {"accounts": self.accounts, **args}
        result, output = run_module(name, given, check=check, diff=diff)
        assert LAMBDA_KEY not in output
        assert SECRET not in output
        return result

    def ask(self, **args: Any) -> dict[str, Any]:
        """Ask what can be bought."""
        return self.ok("gpu_offers", **args)

    def wish(self, **args: Any) -> dict[str, Any]:
        """Return the options of an instance of the deployment ``llm``: the cheapest A100."""
        offer = {"tier": "a100_80_or_less", "objective": "cheapest"}
        volumes = {"os_gb": 50, **args.pop("volumes", {})}
        given = {"deployment": "llm", "offer": offer, "volumes": volumes, "ssh_keys": ["mine"]}
        return {**given, **args}

    def keep(self, **args: Any) -> dict[str, Any]:
        """Keep that instance; returns the result."""
        return self.ok("gpu_instance", **self.wish(**args))

    def end(self, **args: Any) -> dict[str, Any]:
        """Terminate everything of the deployment ``llm``, disks included."""
        volumes = {"os": "delete", "data": "delete"}
        return self.keep(**{"state": "absent", "volumes": volumes, **args})

    def ids(self) -> dict[str, list[str]]:
        """Return the ids of the instances that exist, by the books of each cloud."""
        return {
            "lambda": [one.id for one in self.door.living()],
            "verda": [row["id"] for row in self.verda.machines()],
        }

    def orders(self) -> tuple[int, int]:
        """Return how many orders were sent to each, that of Lambda Cloud last."""
        launches = [row for row in self.door.log if row.path == self.door.order_path]
        return self.verda.orders(), len(launches)

    def writes(self) -> list[str]:
        """Return every request that may have changed something."""
        calls = [call for call in self.verda.calls() if not call.startswith("GET")]
        there = [f"{row.method} {row.path}" for row in self.door.log if row.method != "GET"]
        return [call for call in calls if "oauth" not in call] + there

    def left_out(self, result: dict[str, Any]) -> dict[str, tuple[str, str]]:
        """Return why providers were left out."""
        return {
            row["provider"]: (row["reason"], row["detail"])
            for row in result["rejected"]
            if row["instance_type"] is None
        }

    def without(self, provider: str) -> dict[str, Any]:
        """Return the accounts but for one."""
        return {name: one for name, one in self.accounts.items() if name != provider}

    def lambda_down(self) -> dict[str, Any]:
        """Return the accounts, one of which leads to nobody who listens."""
        dead = {**self.accounts["lambda"], "base_url": "http://127.0.0.1:1/v1"}
        return {**self.accounts, "lambda": dead}
