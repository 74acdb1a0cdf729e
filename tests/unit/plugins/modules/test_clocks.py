# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing ends on the word of a clock that is more than a day off, unless that is asked for."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.support import KEY, Cloud

TIER = {"tier": "h200_or_less"}
YEARS = 4 * 365 * 24 * 3600
WARY = {"trust_cloud_clock": False}
REAP = {"everything": True, **WARY}


@pytest.mark.parametrize("mode", ["delete", "stop"])
@pytest.mark.parametrize("check", [True, False])
def test_reaper_refuses_a_clock_of_another_year(cloud: Cloud, mode: str, check: bool) -> None:
    cloud.buy(**TIER)
    cloud.sim.advance(YEARS)
    cloud.sim.set_balance(500)
    cloud.sim.clear_log()
    result = cloud.fails("datacrunch_reap", mode=mode, **REAP, check=check)
    assert result["error"]["code"] == "invalid"
    assert "behind the cloud's, so nothing is terminated or stopped by it" in result["msg"]
    assert "trust_cloud_clock" in result["msg"]
    assert cloud.sim.writes() == []


def test_reaper_reports_by_any_clock(cloud: Cloud) -> None:
    cloud.ok("datacrunch_ssh_key", deployment="llm", name="gpuops.llm.key", public_key=KEY)
    cloud.sim.advance(YEARS)
    result = cloud.ok("datacrunch_reap", **REAP)
    assert "behind the cloud's" in result["warnings"][0]


def test_reaper_ends_by_a_clock_that_is_trusted(cloud: Cloud) -> None:
    cloud.buy(**TIER, lease="1h")
    cloud.sim.advance(26 * 3600)
    cloud.fails("datacrunch_reap", mode="delete", **REAP)
    assert len(cloud.machines()) == 1
    cloud.ok("datacrunch_reap", mode="delete", everything=True, trust_cloud_clock=True)
    assert cloud.machines() == []


def test_reaper_ends_by_a_clock_that_is_hours_off(cloud: Cloud) -> None:
    cloud.buy(**TIER, lease="1h")
    cloud.sim.advance(23 * 3600)
    cloud.ok("datacrunch_reap", mode="delete", **REAP)
    assert cloud.machines() == []


@pytest.mark.parametrize("how", [{"extend": "1h"}, {"lease": "2h"}])
def test_lease_is_not_counted_from_a_clock_of_another_year(
    cloud: Cloud, how: dict[str, Any]
) -> None:
    machine = cloud.buy(**TIER)["instance"]
    cloud.sim.advance(2 * 24 * 3600)
    cloud.sim.clear_log()
    result = cloud.fails("datacrunch_lease", deployment="llm", **how, **WARY)
    assert "no lease is counted from it" in result["msg"]
    assert cloud.sim.writes() == []
    changed = cloud.ok("datacrunch_lease", deployment="llm", **how, trust_cloud_clock=True)
    assert changed["instances"][0]["lease"] > machine["lease"]


@pytest.mark.parametrize(
    "how",
    [
        {"lease": "2999-01-01T00:00:00Z", "budget_policy": "warn"},  # no balance lasts so long
        {"protect": True},
        {"done": True},
    ],
)
def test_what_no_clock_decides_is_not_refused(cloud: Cloud, how: dict[str, Any]) -> None:
    cloud.buy(**TIER)
    cloud.sim.advance(2 * 24 * 3600)
    assert cloud.ok("datacrunch_lease", deployment="llm", **how, **WARY)["changed"]
