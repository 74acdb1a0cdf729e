# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules over several providers at each provider: the whole life of an instance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.conformance.door import DoorWorld, opened
from ansible_collections.gpuops.cloud.tests.conformance.lambda_cloud import LambdaCloud
from ansible_collections.gpuops.cloud.tests.conformance.runpod import RunPod
from ansible_collections.gpuops.cloud.tests.conformance.tensordock import TensorDock
from ansible_collections.gpuops.cloud.tests.conformance.vast import Vast
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import OTHER_KEY, run_module

KINDS: list[type[DoorWorld]] = [LambdaCloud, RunPod, TensorDock, Vast]
WISH = {
    "deployment": "llm",
    "ledger": "none",
    "offer": {"tier": "a100_80_or_less"},
    "ssh_keys": [OTHER_KEY],
}


class Life:
    """An account at one provider, which is named as one of several."""

    def __init__(self, world: DoorWorld) -> None:
        self.world, self.name = world, world.provider.name

    def run(self, module: str, **args: Any) -> dict[str, Any]:
        """Run a module that succeeds."""
        shared = {"providers": [self.name], "accounts": {self.name: self.world.auth()}}
        found = run_module(module, {**shared, **args})[0]
        assert not found.get("failed"), found["msg"]
        return found

    def keys(self) -> list[str]:
        """Return the names of the keys that are registered for the deployment."""
        rows = self.world.client().ssh_keys()
        return [str(row.name) for row in rows if row.deployment == "llm"]


@pytest.mark.parametrize("kind", KINDS)
def test_an_instance_lives_at_each_provider_as_at_any(
    home: Path, monkeypatch: pytest.MonkeyPatch, kind: type[DoorWorld]
) -> None:
    with opened(kind, 0.0, monkeypatch) as world:
        life = Life(world)
        assert {row["provider"] for row in life.run("gpu_offers")["offers"]} == {life.name}
        bought = life.run("gpu_instance", **WISH)
        row = bought["instance"]
        assert (row["provider"], row["rents"]) == (life.name, world.capabilities.rents)
        assert (row["ssh_user"], row["ssh_port"]) != (None, None)
        assert (world.living(), world.orders()) == ([row["id"]], 1)
        assert len(life.keys()) == (1 if world.capabilities.keys else 0)
        again = life.run("gpu_instance", **WISH)
        assert (again["changed"], again["instance"]["id"]) == (False, row["id"])
        (listed,) = life.run("gpu_instance_info", deployment="llm")["instances"]
        assert (listed["id"], listed["ssh_host"]) == (row["id"], row["ssh_host"])
        (account,) = life.run("gpu_balance", ledger="none")["accounts"]
        assert account["burn_per_hour"] == pytest.approx(row["cost_per_hour_now"], abs=0.001)
        reap = {"mode": "delete", "everything": True, "trust_cloud_clock": True, "ledger": "none"}
        assert life.run("gpu_reap", **reap, config_dir=str(home))["reaped"] == []
        ended = life.run("gpu_instance", **{**WISH, "state": "absent"})
        assert (world.living(), ended["leftovers"], life.keys()) == ([], [], [])
        assert [line["provider"] for line in ended["bill"]][:1] == [life.name]
