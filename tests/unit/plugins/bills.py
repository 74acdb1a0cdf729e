# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of money share: the simulator's own bill, and ours."""

from __future__ import annotations

from typing import Any

from ansible_collections.gpuops.cloud.plugins.module_utils._core import times
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import Cloud, stock

TIER = {"tier": "h200_or_less"}
PRICE = 4.639
DISK = 100 * 0.2 / 730
PLENTY = stock("1H200.141S.44V", "1A100.22V", spot=["1H200.141S.44V", "1V100.6V"], count=20)


def own_total(cloud: Cloud) -> float:
    """Return what everything has cost by the simulator, without what is paid in advance."""
    state = cloud.sim.state()
    now = cloud.sim.now().timestamp()
    total = 0.0
    for row in state["bill"]:
        total += row["cost"]
        if row["until"] is None:
            since = _seconds(row["since"])
            begun = -(-max(now - since, 1) // 600) * 600  # steps are paid when they begin
            total -= (since + begun - now) / 3600 * row["price_per_hour"]
    return total


def _seconds(text: str) -> float:
    found = times.read_time(text)
    assert found
    return found.timestamp()


def costs(cloud: Cloud, **args: Any) -> dict[str, Any]:
    """Return what things have cost."""
    return cloud.ok("datacrunch_cost_info", **args)


def sync(cloud: Cloud, **args: Any) -> dict[str, Any]:
    """Add to the ledger what it lacks."""
    return cloud.ok("datacrunch_ledger", **args)


def disk(cloud: Cloud, **args: Any) -> dict[str, Any]:
    """Keep a volume of the deployment ``llm``."""
    where = {"deployment": "llm", "name": "data", "location": "FIN-03"}
    return cloud.ok("datacrunch_volume", **{**where, **args})


def hours(cloud: Cloud, number: float) -> None:
    """Let some hours pass."""
    cloud.sim.advance(number * 3600)
