# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the suite needs of a provider's imitation: its own books, and bad luck on command."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

from ansible_collections.gpuops.cloud.plugins.module_utils._providers.base.capabilities import (
    Capabilities,
)
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.base.client import Client
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import Runs, run_module
from gpuops_simulator.doors.door import Request


class World(Runs):
    """A provider's imitation, and a controller that talks to it as a user does."""

    provider: ClassVar[type[Client]]
    # What one bill may differ by: a step of the most expensive thing that is bought here.
    step_cost: ClassVar[float]
    # So many reads are more than its limits take at once.
    burst: ClassVar[int]

    @property
    def capabilities(self) -> Capabilities:
        """Return what the provider has."""
        return self.provider.capabilities

    @abstractmethod
    def auth(self) -> dict[str, Any]:
        """Return the options that lead a module to the imitation."""

    def client(self) -> Client:
        """Return a client of its own."""
        return self.provider.from_params({**self.auth(), "timeout": 30})

    def run(self, name: str, /, **args: Any) -> dict[str, Any]:
        """Run a module in this process, and return its result."""
        clock = {"trust_cloud_clock": True} if name in ("reap", "lease") else {}
        given = {**self.auth(), "timeout": 30, **clock, **args}
        return run_module(f"datacrunch_{name}", given)[0]

    def buy(self, **args: Any) -> dict[str, Any]:
        """Keep an instance of the deployment ``llm``, and return it."""
        found: dict[str, Any] = self.ok("instance", **self.wish(**args))["instance"]
        return found

    def wish(self, **args: Any) -> dict[str, Any]:
        """Return the options of a purchase."""
        return {"deployment": "llm", "tier": "a100_80_or_less", "ledger": "none", **args}

    def end(self, **args: Any) -> dict[str, Any]:
        """Terminate the instances of the deployment ``llm``, disks included."""
        policy = {"os_volume": "delete", "data_volumes": "delete", "state": "absent"}
        return self.ok("instance", **{"deployment": "llm", "ledger": "none", **policy, **args})

    # -- the imitation's own books -------------------------------------------------------------

    @abstractmethod
    def living(self) -> list[str]:
        """Return the ids of the instances that exist."""

    @abstractmethod
    def cost(self) -> float:
        """Return what everything that has ended has cost."""

    @abstractmethod
    def requests(self) -> list[Request]:
        """Return what came in, oldest first."""

    @property
    @abstractmethod
    def order_path(self) -> str:
        """Return the path to which orders are sent."""

    def orders(self) -> int:
        """Return how often an order was sent."""
        rows = [one for one in self.requests() if one.method == "POST"]
        return len([one for one in rows if one.path == self.order_path])

    @abstractmethod
    def advance(self, seconds: float) -> None:
        """Let time pass."""

    # -- others, and bad luck ------------------------------------------------------------------

    @abstractmethod
    def rent_for_somebody_else(self) -> str:
        """Let somebody rent an instance without this collection; returns its id."""

    @abstractmethod
    def lose_answer(self) -> None:
        """Execute the next order, and lose its answer."""

    @abstractmethod
    def refuse_and_create(self) -> None:
        """Refuse the next order, and execute it nevertheless."""

    @abstractmethod
    def spoil_lists(self) -> None:
        """Answer lists of instances in another shape, from now on."""

    @abstractmethod
    def mend(self) -> None:
        """Answer well again."""

    @abstractmethod
    def refuse_end(self) -> None:
        """Refuse the next request for an end because of the state of the instance."""

    def evict(self, instance_id: str) -> None:
        """Take a spot instance away."""
        raise NotImplementedError(instance_id)

    def enforce_limits(self) -> None:
        """Hold requests to the provider's limits from now on, where that is not so anyway."""
        return
