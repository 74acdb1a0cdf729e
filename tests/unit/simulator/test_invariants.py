# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold whatever clients do, alone or all at once."""

from __future__ import annotations

import random
import threading
from collections import Counter
from typing import Any

import pytest

ACTIONS = ("delete", "shutdown", "start", "discontinue", "hibernate", "delete_stuck")
VOLUME_ACTIONS = ("attach", "detach", "delete", "restore", "clone", "resize", "cancel")
FATES = ("no_capacity_later", "error_later", "stuck_provisioning", None, None, None)


def act_at_random(api: Any, dice: random.Random) -> None:
    """Do one thing that may or may not be allowed."""
    state = api.simulator.state()
    instances = [row["id"] for row in state["instances"]] + ["nobody"]
    volumes = [row["id"] for row in state["volumes"] + state["trash"]] + ["nothing"]
    choice = dice.randrange(7)
    if choice <= 1:
        fate = dice.choice(FATES)
        if fate:
            api.simulator.add_faults([{"match": {"method": "POST"}, "do": fate}])
        extra = [{"name": "data", "size": 20, "type": dice.choice(["NVMe", "NVMe_Shared"])}]
        image = dice.choice(["ubuntu-24.04", "ubuntu-24.04", dice.choice(volumes)])
        api.order(is_spot=dice.random() < 0.5, volumes=extra[: dice.randrange(2)], image=image)
    elif choice <= 3:
        chosen = dice.choice([None, [], [dice.choice(volumes)]])
        ids = dice.sample(instances, k=min(len(instances), dice.randint(1, 2)))
        api.act(ids, dice.choice(ACTIONS), volume_ids=chosen)
    elif choice == 4:
        body = {"instance_id": dice.choice(instances), "size": dice.randint(10, 99)}
        api.act_on_volume(dice.choice(volumes), dice.choice(VOLUME_ACTIONS), **body)
    elif choice == 5:
        api.simulator.advance(dice.choice([1, 30, 600, 7200, 400_000]))
    else:
        api.delete(f"/volumes/{dice.choice(volumes)}", {"is_permanent": dice.random() < 0.5})


def check(state: dict[str, Any], money: float, machines: int) -> None:
    """Check that money, instances and disks add up."""
    assert state["notes"] == []
    spent = sum(entry["cost"] for entry in state["bill"])
    assert state["balance"]["amount"] + spent == pytest.approx(money, abs=1e-3)
    held = sum(row["holds_stock"] for row in state["instances"])
    free = sum(n for place in state["stock"].values() for m in place.values() for n in m.values())
    assert held + free == machines
    running = {e["id"] for e in state["bill"] if e["until"] is None}
    for row in state["volumes"]:
        assert (row["id"] in running) == (row["status"] != "deleting")
        assert row["status"] != "attached" or row["instances"]
        assert row["status"] not in {"detached", "cloning"} or not row["instances"]


@pytest.mark.parametrize("seed", range(8))
def test_money_machines_and_disks_add_up(start: Any, seed: int) -> None:
    dice = random.Random(seed)
    markets = {market: {"1A100.22V": 3} for market in ("on_demand", "spot")}
    api = start(balance=3000, provision_seconds=60, stock={"FIN-01": markets})
    for _unused in range(150):
        act_at_random(api, dice)
        check(api.simulator.state(), money=3000, machines=6)


def test_the_last_machine_is_sold_once(start: Any) -> None:
    api = start(stock={"FIN-01": {"on_demand": {"1A100.22V": 3}}})
    answers: list[int] = []

    def buy() -> None:
        rival = type(api)(api.simulator, api.watch, dict(api.headers))
        answers.extend(rival.order().status for _unused in range(3))
        rival.wire.close()

    buyers = [threading.Thread(target=buy) for _unused in range(8)]
    for buyer in buyers:
        buyer.start()
    for buyer in buyers:
        buyer.join()
    assert Counter(answers) == {202: 3, 503: 21}
    check(api.simulator.state(), money=500, machines=3)
