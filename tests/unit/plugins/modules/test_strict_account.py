# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The account in which the demo is tested: each habit that a purchase can live with, at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import Cloud

SCENARIO = Path(__file__).parents[3] / "simulator/scenarios/strict.json"


def strict(start: Start) -> Cloud:
    """Start that account, with half a minute for each instance."""
    scenario: dict[str, Any] = json.loads(SCENARIO.read_text(encoding="utf-8"))
    return start(provision_seconds=30, **scenario)


def test_whole_life_of_an_instance(start: Start) -> None:
    cloud = strict(start)
    bought = cloud.buy(tier="h100_or_less", data_volume_gb=50)
    machine = bought["instance"]["id"]
    assert not cloud.buy(tier="h100_or_less")["changed"]
    for lease in ("20h", "30h"):
        assert cloud.ok("datacrunch_lease", deployment="llm", lease=lease)["changed"]
    assert cloud.buy(state="stopped")["instance"]["status"] == "offline"
    assert cloud.buy(state="running")["instance"]["id"] == machine
    assert cloud.end(data_volumes="delete")["changed"]
    left = cloud.ok("datacrunch_deployment_info", deployment="llm")
    assert left["leftovers"] == []
    assert cloud.machines() == []
