# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures for Prometheus: what they say, and who speaks of them."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._monitoring.families import (
    ERRORS,
    REAPED,
    budget_families,
    reaper_families,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.exposition import REAP, ask
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import Cloud

MONITORING = Path(__file__).resolve().parents[4] / "playbooks/files/monitoring"
BUDGET: dict[str, Any] = {"budget": {"per_hour": 10, "per_day": 4, "per_month": 100}}


def test_account_without_anything(cloud: Cloud) -> None:
    found = ask(cloud)
    assert found["gpuops_api_up"] == {(): 1}
    assert found["gpuops_balance"] == {("usd",): 500}
    assert found["gpuops_burn_per_hour"] == {("usd",): 0}
    assert found["gpuops_runway_seconds"] == {(): float("inf")}
    assert found["gpuops_machines_without_lease"] == {(): 0}
    assert "gpuops_machines" not in found


def test_money_and_machines(cloud: Cloud) -> None:
    bought = cloud.buy(tier="h200_or_less", owner="ada", lease="2h")["instance"]
    cloud.buy(deployment="other", tier="h200_or_less", market="spot", lease="none")
    cloud.sim.advance(1800)
    found = ask(cloud)
    burn = found["gpuops_burn_per_hour"][("usd",)]
    assert burn == pytest.approx(cloud.ok("datacrunch_balance")["burn_per_hour"])
    runway = found["gpuops_runway_seconds"][()] / 3600
    assert runway == pytest.approx(found["gpuops_balance"][("usd",)] / burn, abs=0.06)
    parts = found["gpuops_deployment_burn_per_hour"]
    assert {key[0] for key in parts} == {"llm", "other"}
    assert sum(parts.values()) == pytest.approx(burn, abs=1e-4)
    assert found["gpuops_machines"] == {
        ("llm", "on_demand", "running"): 1,
        ("other", "spot", "running"): 1,
    }
    ((labels, left),) = found["gpuops_lease_remaining_seconds"].items()
    assert labels == ("llm", bought["id"], "llm", "ada", "no")
    assert left == pytest.approx(2 * 3600 - 1800, abs=120)
    assert found["gpuops_machines_without_lease"] == {(): 1}
    assert sum(found["gpuops_volumes"].values()) == 2


def test_lease_that_is_over_counts_below_nought(cloud: Cloud) -> None:
    cloud.buy(tier="h200_or_less", lease="1h")
    cloud.sim.advance(5400)
    (left,) = ask(cloud)["gpuops_lease_remaining_seconds"].values()
    assert left == pytest.approx(-1800, abs=60)


def test_evicted_machine_counts_until_it_is_bought_again(cloud: Cloud) -> None:
    bought = cloud.buy(tier="h200_or_less", market="spot")
    assert ask(cloud)["gpuops_evicted_machines"] == {("llm",): 0}
    cloud.sim.evict(bought["instance"]["id"])
    found = ask(cloud)
    assert found["gpuops_evicted_machines"] == {("llm",): 1}
    assert "gpuops_machines" not in found
    cloud.buy(tier="h200_or_less", market="spot")
    assert ask(cloud)["gpuops_evicted_machines"] == {("llm",): 0}


def test_lease_that_cannot_be_read_is_counted_and_a_foreign_machine_is_no_lease(
    cloud: Cloud,
) -> None:
    marks = {"deployment": "llm", "name": "llm", "owner": "me", "lease": "soon", "request": "0"}
    tags = [{"key": f"gpuops-{key}", "value": value} for key, value in marks.items()]
    order = {"image": "24.04.cuda13.2", "location_code": "FIN-03", "hostname": "llm"}
    kind = {"instance_type": "1H200.141S.44V"}
    for more in ({"tags": tags}, {}):
        cloud.client().create("/instances", {**order, **kind, **more})
    cloud.sim.advance(60)
    found = ask(cloud)
    assert found["gpuops_machines_unclear"] == {(): 1}
    assert "gpuops_lease_remaining_seconds" not in found
    assert found["gpuops_machines"][("", "on_demand", "running")] == 1


def test_requests_are_counted_by_path_and_measured(cloud: Cloud) -> None:
    found = ask(cloud)
    assert found["gpuops_api_requests_total"] == {
        ("200", "POST", "/oauth2/token"): 1,
        ("200", "GET", "/balance"): 1,
        ("200", "GET", "/instances"): 2,
        ("200", "GET", "/volumes"): 1,
    }
    assert found["gpuops_api_request_seconds_count"][("GET", "/instances")] == 2
    assert 0 < found["gpuops_api_request_seconds_sum"][("GET", "/instances")] < 5
    assert found["gpuops_api_errors_total"] == dict.fromkeys([(name,) for name in ERRORS], 0)


def test_budget_is_used_as_the_balance_says(cloud: Cloud) -> None:
    cloud.buy(tier="h200_or_less")
    cloud.sim.advance(1800)
    used = ask(cloud, **BUDGET)["gpuops_budget_used_ratio"]
    rows = cloud.ok("datacrunch_balance", **BUDGET)["budgets"]
    shares = {(row["period"],): row["share_percent"] / 100 for row in rows}
    assert used == {period: pytest.approx(share, abs=0.01) for period, share in shares.items()}
    assert used[("hour",)] == pytest.approx(0.466, abs=0.01)
    assert "gpuops_budget_used_ratio" not in ask(cloud)


def test_what_the_reaper_returns_is_understood(cloud: Cloud, home: Path) -> None:
    price = cloud.buy(tier="h200_or_less", lease="1h")["instance"]["price_per_hour"]
    cloud.sim.advance(2 * 3600)
    reported = cloud.ok("datacrunch_reap", everything=True)
    found = ask(cloud, dest=str(home / "x.prom"), reap=reported)
    assert sum(found["gpuops_reaped_total"].values()) == 0
    assert found["gpuops_reaper_saved_per_hour"] == {(): 0}
    done = cloud.ok("datacrunch_reap", everything=True, mode="delete")
    found = ask(cloud, dest=str(home / "x.prom"), reap=done)
    assert found["gpuops_reaped_total"][("instance", "expired")] == 1
    assert found["gpuops_reaper_saved_per_hour"][()] >= price
    assert found["gpuops_reaper_runs_total"] == {("failed",): 0, ("ok",): 2}
    known = {(kind, reason) for kind, reasons in REAPED.items() for reason in reasons}
    assert set(found["gpuops_reaped_total"]) == known


# -- pure parts ----------------------------------------------------------------------------------


def test_budgets_are_shares_of_one() -> None:
    row = {"period": "day", "limit": 50.0, "used": 45.0, "share_percent": 90.0, "state": "critical"}
    limit, used, share = (family.samples for family in budget_families([row]))
    assert limit == [({"period": "day"}, 50.0)]
    assert used == [({"period": "day"}, 45.0)]
    assert share == [({"period": "day"}, 0.9)]


def test_without_a_reaper_there_is_nothing_to_tell_of_it() -> None:
    now = datetime(2026, 11, 22, tzinfo=timezone.utc)
    assert [family.name for family in reaper_families(now, None) if family.samples] == []
    assert [family.name for family in reaper_families(now, {}) if not family.samples] == []


def everything(cloud: Cloud) -> dict[str, dict[tuple[str, ...], float]]:
    """Return the samples of an account that has one of everything."""
    for deployment in ("llm", "lost"):
        cloud.buy(deployment=deployment, tier="h200_or_less", market="spot")
    lost = next(row for row in cloud.machines() if row["hostname"] == "lost")
    cloud.sim.evict(lost["id"])
    return ask(cloud, reap=REAP, **BUDGET)


@pytest.mark.parametrize("name", ["gpuops.rules.yml", "dashboard.json", "README.md"])
def test_rules_dashboard_and_text_name_only_what_is_written(cloud: Cloud, name: str) -> None:
    text = (MONITORING / name).read_text(encoding="utf-8")
    named = set(re.findall(r"\bgpuops_[a-z_]+[a-z]\b", text))
    written = set(everything(cloud))
    summaries = {one.removesuffix("_sum") for one in written if one.endswith("_sum")}
    assert named - written - summaries == set()
    if name == "README.md":
        parts = {f"{one}_{end}" for one in summaries for end in ("sum", "count")}
        assert written - named - parts == set()
