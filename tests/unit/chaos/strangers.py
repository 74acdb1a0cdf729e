# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances, volumes and keys of others, which look nearly like ours."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from ansible_collections.gpuops.cloud.tests.unit.plugins.first_release import WITHOUT_LIMIT
from ansible_collections.gpuops.cloud.tests.unit.plugins.modules.test_foreign import FOREIGN
from gpuops_simulator import Simulator
from gpuops_simulator.access import post_key
from gpuops_simulator.orders import post_instance
from gpuops_simulator.volumes import post_volume
from gpuops_simulator.wire import Request

TYPE, PLACE = "1V100.6V", "FIN-01"
VOLUMES = ("gpuops.llm", "gpuops.llmx.llm.os", "gpuops-llm-llm-os", "llm.llm.os", "gpuops..llm.os")
KEYS = ("gpuops.llmx.1f3a5c7e", "gpuops.llm", "llm", "gpuops-llm-1f3a5c7e")
PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDIhz2GK/XCUj4i6Q5yQJNL1MKMY0RxzPV2QrBqfHrDq you"


def move_in(sim: Simulator, dice: Random) -> None:
    """Let strangers rent some instances, volumes and keys, and wait until all is settled."""
    cloud = sim.cloud
    sim.set_stock({PLACE: {"on_demand": {TYPE: 9}, "spot": {TYPE: 9}}})
    image = cloud.catalogue.supported_os(TYPE)[0]
    habits = cloud.scenario.dialect
    sim.switch(dialect=WITHOUT_LIMIT)  # descriptions of strangers are older than limits
    with cloud.lock:
        cloud.settle()
        for name in dice.sample(sorted(FOREIGN), dice.randint(1, 4)):
            marks = FOREIGN[name] if cloud.scenario.tags_supported else _without_tags(FOREIGN[name])
            order = {"instance_type": TYPE, "location_code": PLACE, "image": image, **marks}
            spot = {"is_spot": dice.random() < 0.3}
            post_instance(cloud, _request({"hostname": "llm", **order, **spot}))
        for name in dice.sample(VOLUMES, dice.randint(0, 2)):
            body = {"name": name, "size": 50, "type": "NVMe", "location_code": PLACE}
            post_volume(cloud, _request(body))
        for name in dice.sample(KEYS, dice.randint(0, 2)):
            post_key(cloud, _request({"name": name, "key": PUBLIC}))
    sim.switch(dialect=habits)
    sim.advance(600)
    for row in sim.state()["instances"]:
        if dice.random() < 0.2:
            sim.set_status(row["id"], dice.choice(["error", "offline", "no_capacity"]))


def _without_tags(marks: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in marks.items() if key != "tags"}


def _request(body: dict[str, Any]) -> Request:
    return Request("POST", "", {}, {}, json.dumps(body).encode())
