# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An inventory of 5,000 instances, beside what ansible-core needs to add the same hosts."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import inventory_loader
from selection import CLIENT, SECRET

from ansible_collections.gpuops.cloud.plugins.module_utils._models.ownership import Identity
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.verda.client import Client
from gpuops_simulator import Simulator

INSTANCES, REPEATS = 5000, 3


@dataclass(frozen=True)
class Measured:
    """Seconds of processor time that each way takes; ``read`` is a part of ours."""

    ours: float
    core: float
    read: float


def account(sim: Simulator) -> list[dict[str, Any]]:
    """Return the list of a large account, made from one instance of the simulator."""
    with mock.patch.dict("os.environ", {"GPUOPS_LEDGER": "none"}):
        client = client_of(sim)
        sim.set_stock({"FIN-03": {"on_demand": {"1H100.80S.32V": 1}}})
        order = {"instance_type": "1H100.80S.32V", "image": "ubuntu-24.04-cuda-13.0-open"}
        order |= {"hostname": "llm", "description": "benchmark", "location_code": "FIN-03"}
        client.create("/instances", {**order, "os_volume": {"name": "os", "size": 50}})
        (row,) = client.get("/instances").data()
    return [{**row, "status": "running", **_own(number, row["id"])} for number in range(INSTANCES)]


def _own(number: int, instance_id: str) -> dict[str, Any]:
    """Return what differs from one instance to the next."""
    name, address = f"llm-{number}", f"10.0.{number // 250}.{number % 250 + 1}"
    mine = Identity(f"llm-{number % 50}", name, "me", "2026-12-31T00:00:00Z", f"{number:012x}")
    tags = [{"id": f"{name}-{key['key']}", **key} for key in mine.tags()]
    about = {"description": mine.label(), "tags": tags}
    return {"id": f"{number:08x}{instance_id[8:]}", "hostname": name, "ip": address, **about}


def client_of(sim: Simulator) -> Client:
    """Return a client of a simulator."""
    return Client.from_params(
        {"client_id": CLIENT, "client_secret": SECRET, "base_url": f"{sim.url}/v1"}
    )


def ours(path: Path) -> InventoryData:
    """Fill an inventory by the plugin."""
    data = InventoryData()
    plugin = inventory_loader.get("gpuops.cloud.datacrunch")
    plugin.parse(data, DataLoader(), str(path), cache=False)
    return data


def core(filled: InventoryData) -> InventoryData:
    """Add the hosts of another inventory with their variables and groups, and nothing else."""
    data = InventoryData()
    for group in filled.groups:
        data.add_group(group)
    for name, host in filled.hosts.items():
        data.add_host(name, group="datacrunch")
        for key, value in host.vars.items():
            data.set_variable(name, key, value)
        for group in host.groups:
            data.add_child(group.name, name)
    return data


def seconds(work: Callable[[], object]) -> float:
    """Return the seconds of processor time that something takes, median of the repeats."""
    found = []
    for _repeat in range(REPEATS):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return statistics.median(found)


def run() -> Measured:
    """Measure both, and how long the read of the list alone takes."""
    with tempfile.TemporaryDirectory() as folder, Simulator() as sim:
        path = Path(folder, "datacrunch.yml")
        options = {"client_id": CLIENT, "client_secret": SECRET, "base_url": f"{sim.url}/v1"}
        options |= {"plugin": "gpuops.cloud.datacrunch", "config_dir": folder}
        path.write_text("".join(f"{key}: {value}\n" for key, value in options.items()))
        with mock.patch.dict("os.environ", {"XDG_CACHE_HOME": folder}):
            match = {"method": "GET", "path": "/v1/instances"}
            body = {"do": "status", "status": 200, "body": account(sim), "times": None}
            sim.add_faults([{"match": match, **body}])
            filled = ours(path)
            if len(filled.hosts) < INSTANCES:
                raise RuntimeError(f"only {len(filled.hosts)} hosts of {INSTANCES} instances")
            client = client_of(sim)
            return Measured(
                seconds(lambda: ours(path)),
                seconds(lambda: core(filled)),
                seconds(client.instances),
            )
