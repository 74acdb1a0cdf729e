# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode of every module: what it foretells is what is done, and then nothing more."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.scenes import MODULES, SCENES, Scene
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import Cloud, stock

BY_NAME = [pytest.param(scene, id=scene.name) for scene in SCENES]

# What these write is not in the cloud.
ELSEWHERE = ("ledger",)
# What these have done is gone when they are through.
EACH_TIME = ("account_probe",)


def account(cloud: Cloud) -> dict[str, Any]:
    """Return what could change in an account."""
    state = cloud.sim.state()
    return {key: state[key] for key in ("instances", "volumes", "trash", "ssh_keys", "scripts")}


def test_every_module_has_a_scene() -> None:
    shown = {f"datacrunch_{scene.module}" for scene in SCENES}
    assert [path.stem for path in MODULES if path.stem not in shown] == []


def one_of_each_on_every_core() -> list[Any]:
    """Return the scenes; one of each module, that changes something if any does, is marked."""
    chosen: dict[str, Scene] = {}
    for scene in sorted(SCENES, key=lambda scene: not scene.changes):
        chosen.setdefault(scene.module, scene)
    return [
        pytest.param(
            scene,
            id=scene.name,
            marks=[pytest.mark.every_core(f"datacrunch_{scene.module}")]
            if scene is chosen[scene.module]
            else [],
        )
        for scene in SCENES
    ]


@pytest.mark.parametrize("scene", one_of_each_on_every_core())
def test_check_mode_foretells_and_does_nothing(cloud: Cloud, scene: Scene) -> None:
    scene.prepare(cloud)
    before = account(cloud)
    cloud.sim.clear_log()
    foretold = scene.run(cloud, check=True, diff=True)
    assert cloud.sim.writes() == []
    assert account(cloud) == before
    done = scene.run(cloud, diff=True)
    assert foretold["changed"] is done["changed"] is scene.changes
    assert foretold.get("actions") == done.get("actions")
    assert bool(done.get("actions")) is scene.changes
    assert bool(cloud.sim.writes()) is (scene.changes and scene.module not in ELSEWHERE)
    assert foretold.keys() == done.keys()


@pytest.mark.parametrize("scene", [p for p in BY_NAME if p.values[0].changes])  # type: ignore[union-attr]
def test_diff_shows_what_changes(cloud: Cloud, scene: Scene) -> None:
    scene.prepare(cloud)
    diff = scene.run(cloud, check=True, diff=True)["diff"]
    assert diff["before"] != diff["after"]


@pytest.mark.parametrize("scene", [p for p in BY_NAME if p.values[0].module not in EACH_TIME])  # type: ignore[union-attr]
def test_second_run_changes_nothing(cloud: Cloud, scene: Scene) -> None:
    scene.prepare(cloud)
    scene.run(cloud)
    cloud.sim.advance(60)
    cloud.sim.clear_log()
    again = scene.run(cloud)
    assert not again["changed"]
    assert not again.get("actions")
    assert cloud.sim.writes() == []


@pytest.mark.parametrize(
    "args",
    [
        {"tier": "any_h100"},
        {"tier": "nonsense"},
        {"instance_type": "nonsense"},
        {"tier": "h200", "lease": "nonsense"},
        {"tier": "h200", "ssh_keys": ["nonsense"]},
        {"state": "stopped"},
        {},
    ],
)
def test_check_mode_fails_as_the_real_run_would(cloud: Cloud, args: dict[str, Any]) -> None:
    cloud.sim.set_stock(stock("1H200.141S.44V"))
    cloud.sim.clear_log()
    foretold = cloud.fails("datacrunch_instance", deployment="llm", check=True, **args)
    assert cloud.sim.writes() == []
    done = cloud.fails("datacrunch_instance", deployment="llm", **args)
    for result in (foretold, done):
        # Of ansible-core 2.18: a read that was answered before it was waited for has other lines.
        result.pop("exception", None)
    assert foretold == done


def test_check_mode_names_offer_and_price(cloud: Cloud) -> None:
    result = cloud.buy(tier="h200_or_less", check=True)
    assert "1H200.141S.44V (1 x H200) in FIN-03, on-demand, 4.639 usd/h" in result["actions"][0]
    machine = result["instance"]
    assert machine["price_per_hour"] == 4.639
    assert machine["id"] is machine["ip"] is machine["status"] is None
    assert (machine["name"], machine["deployment"], machine["tier"]) == ("llm", "llm", "h200")
    end = datetime.fromisoformat(machine["lease_end"].replace("Z", "+00:00"))
    assert abs(end - cloud.sim.now() - timedelta(hours=12)) < timedelta(seconds=2)
