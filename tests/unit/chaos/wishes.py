# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the controllers of a sequence over two clouds ask for (private)."""

from __future__ import annotations

from random import Random
from typing import Any

from ansible_collections.gpuops.cloud.tests.unit.chaos.controllers import (
    ANY_GPU,
    DEPLOYMENT,
    NAMES,
    Action,
)
from ansible_collections.gpuops.cloud.tests.unit.chaos.second_account import KEY_NAME

# What is bought under a budget costs 1.29 or 1.80 per hour.
PRICED = "a100_80"
Row = dict[str, Any]


class Wishes:
    """Options of modules, by what a sequence has drawn of money and of how lists lag."""

    _lag: float
    _budget: str | None
    _money: Row

    def _draw(self, dice: Random) -> list[Action]:
        """Return what a controller is going to do."""
        kinds = dice.choices(["buy", "end", "reap", "extend"], [5, 2, 2, 1], k=dice.randint(1, 3))
        return [self._action(dice, kind) for kind in kinds]

    def _action(self, dice: Random, kind: str) -> Action:
        if kind == "buy":
            return self._purchase(dice)
        if kind == "end":
            name = {"name": dice.choice(NAMES)} if dice.random() < 0.7 else {}
            return "gpu_instance", self._end(**name)
        if kind == "reap":
            return "gpu_reap", self._reap()
        return "datacrunch_lease", {"deployment": DEPLOYMENT, "extend": "1h"}

    def _purchase(self, dice: Random) -> Action:
        """Return the purchase of one instance or of two."""
        wait = bool(self._lag) or dice.random() < 0.8
        args: Row = {
            "deployment": DEPLOYMENT,
            "name": dice.choice(NAMES),
            "count": dice.choice([1, 1, 1, 2]),
            "state": dice.choice(["present", "running"]),
            "lease": "12h" if self._budget == "total" else dice.choice(["1h", "2h", "12h"]),
        }
        return "gpu_instance", self._wish(dice.choice([None, "cheapest"]), wait, **args)

    def _wish(self, objective: str | None, wait: bool, **args: Any) -> Row:
        tier = PRICED if self._budget else ANY_GPU
        offer = {"tier": tier, **({"objective": objective} if objective else {})}
        waiting = {"until_running": wait, "interval": 20, "timeout": 300}
        volumes = {"os_gb": 50, "os": "delete"}
        more = {"owner": "me", "ssh_keys": [KEY_NAME], "volumes": volumes, "waiting": waiting}
        return {**more, "offer": offer, **self._money, **args}

    def _end(self, **name: str) -> Row:
        volumes = {"os": "delete", "data": "delete"}
        how = {"volumes": volumes, "waiting": {"interval": 20}, "ledger": self._money["ledger"]}
        return {"deployment": DEPLOYMENT, "state": "absent", "owner": "me", **how, **name}

    def _reap(self) -> Row:
        how = {"mode": "delete", "trust_cloud_clock": True, "os_volume": "delete"}
        more = {"wait_interval": 20, "ledger": self._money["ledger"]}
        budget = {"budget": self._money["budget"]} if "budget" in self._money else {}
        return {"deployments": [DEPLOYMENT], **how, **more, **budget}
