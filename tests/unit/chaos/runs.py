# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is run by the fuzz of answers: every module of the cloud, and the inventory."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest import mock

from ansible.errors import AnsibleError
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import inventory_loader
from ansible.utils.display import Display

from ansible_collections.gpuops.cloud.tests.unit.chaos.controllers import ANY_GPU
from ansible_collections.gpuops.cloud.tests.unit.chaos.month import TRUST
from ansible_collections.gpuops.cloud.tests.unit.chaos.strangers import PUBLIC
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import PLUGINS, SECRET
from gpuops_simulator.wire import Request

Row = dict[str, Any]
CEILING = 2.0  # dollars per hour: what an answer hides must not make a run pay more
PATIENCE: Row = {"wait_timeout": 60, "wait_interval": 5}
MINE: Row = {"deployment": "llm", "owner": "me", **PATIENCE}
FRESH: Row = {**MINE, "deployment": "web", "tier": ANY_GPU, "max_price_per_hour": CEILING}
DISK: Row = {"deployment": "llm", "name": "spare", **PATIENCE}
OTHER_KEY = PUBLIC.replace("IDIhz2GK", "IBbXcVxq")
LEDGER: Row = {"ledger": "sqlite:///{home}/ledger.sqlite3"}
INVENTORY = "inventory"
# What is run, by a name: module and options. Each finds the same account.
RUNS: dict[str, tuple[str, Row]] = {
    "list instances": ("datacrunch_instance_info", {"evicted": True}),
    "look at an instance": ("datacrunch_instance_info", {"id": "{llm}"}),
    "list volumes": ("datacrunch_volume_info", {"trash": True}),
    "list keys": ("datacrunch_ssh_key_info", {}),
    "list scripts": ("datacrunch_startup_script_info", {}),
    "ask for offers": ("datacrunch_capacity", {"tier": ANY_GPU, "market": "any"}),
    "ask for the balance": ("datacrunch_balance", {"budget": {"per_hour": 9}}),
    "ask for costs": ("datacrunch_cost_info", {}),
    "ask for a deployment": ("datacrunch_deployment_info", {"deployment": "llm"}),
    "write metrics": ("datacrunch_metrics", {"budget": {"per_hour": 9}}),
    "keep the ledger": ("datacrunch_ledger", {"ledger": "sqlite:///{home}/empty.sqlite3"}),
    "ask about the account": ("datacrunch_account_info", {}),
    "try the account": (
        "datacrunch_account_probe",
        {"spend": True, "deployment": "verify-account-1", "max_price_per_hour": 1, **PATIENCE},
    ),
    "fill the inventory": (INVENTORY, {}),
    "buy": (
        "datacrunch_instance",
        {**FRESH, "ssh_keys": ["mine"], "data_volume_gb": 50, "budget": {"per_hour": 50}},
    ),
    "buy any": ("datacrunch_instance", {**FRESH, "market": "any", "wait": False}),
    "buy one more": ("datacrunch_instance", {**FRESH, "deployment": "llm", "count": 2}),
    "buy with a past": ("datacrunch_instance", {**FRESH, **LEDGER, "budget": {"per_day": 900}}),
    "keep": ("datacrunch_instance", {**FRESH, "deployment": "llm", "state": "running"}),
    "replace": (
        "datacrunch_instance",
        {**MINE, "state": "running", "replace": True, "instance_type": "1L40S.20V"},
    ),
    "stop": ("datacrunch_instance", {**MINE, "state": "stopped"}),
    "end": (
        "datacrunch_instance",
        {**MINE, "state": "absent", "os_volume": "delete", "data_volumes": "trash"},
    ),
    "end by id": ("datacrunch_instance", {**MINE, "state": "absent", "id": "{llm}"}),
    "extend a lease": ("datacrunch_lease", {"deployment": "llm", "extend": "1h", **TRUST}),
    "protect": ("datacrunch_lease", {"deployment": "llm", "protect": True, **TRUST}),
    "reap": (
        "datacrunch_reap",
        {"deployments": ["llm", "old", "gone"], "mode": "delete", **PATIENCE, **TRUST},
    ),
    "register a key": ("datacrunch_ssh_key", {"deployment": "web", "public_key": OTHER_KEY}),
    "remove a key": ("datacrunch_ssh_key", {"name": "mine", "state": "absent"}),
    "register a script": (
        "datacrunch_startup_script",
        {"deployment": "web", "content": "#!/bin/sh\ntrue\n"},
    ),
    "change a script": (
        "datacrunch_startup_script",
        {"deployment": "llm", "content": "#!/bin/sh\ntrue\n"},
    ),
    "remove a script": ("datacrunch_startup_script", {"deployment": "llm", "state": "absent"}),
    "buy a disk": (
        "datacrunch_volume",
        {**DISK, "name": "new", "size_gb": 20, "location": "FIN-01"},
    ),
    "grow a disk": ("datacrunch_volume", {**DISK, "size_gb": 80}),
    "remove a disk": ("datacrunch_volume", {**DISK, "state": "absent", "policy": "delete"}),
    "restore a disk": (
        "datacrunch_volume",
        {**DISK, "name": "thrown", "size_gb": 20, "location": "FIN-01", "restore": True},
    ),
    "attach a disk": ("datacrunch_volume", {**DISK, "instance": "llm", "power_cycle": True}),
}
NAMES = list(RUNS)
for _module in {module for module, _args in RUNS.values() if module != INVENTORY}:
    importlib.import_module(f"{PLUGINS}.modules.{_module}")
importlib.import_module(f"{PLUGINS}.inventory.datacrunch")
_ID = re.compile(r"/[0-9a-f]{8}-[0-9a-f-]{27}(?=/|$)|(?<=/tags)/[^/]+$")
_TOLD = ("status", "is_spot")  # parts of a query that make another call of it


def filled(args: Row, known: Mapping[str, str]) -> Row:
    """Return options with ids and folders in the place of their names."""

    def fill(value: Any) -> Any:
        return value.format(**known) if isinstance(value, str) and "{" in value else value

    return {key: fill(value) for key, value in args.items()}


def call_of(request: Request) -> str:
    """Return which call a request is, whatever it is about."""
    path = _ID.sub("/{id}", request.path.removeprefix("/v1"))
    query = "&".join(f"{key}={request.query[key][0]}" for key in _TOLD if key in request.query)
    return f"{request.method} {path}" + (f"?{query}" if query else "")


def inventory_of(path: Path) -> Row:
    """Return what the inventory plugin makes of the account."""
    words = {"client_id": "controller-1", "client_secret": SECRET, "timeout": 30}
    words |= {"plugin": "gpuops.cloud.datacrunch", "base_url": "http://cloud.localhost/v1"}
    path.write_text(json.dumps(words), encoding="utf-8")
    data = InventoryData()
    plugin = inventory_loader.get("gpuops.cloud.datacrunch")
    said: list[str] = []

    def note(_self: Display, text: str, *_args: Any, **_more: Any) -> None:
        said.append(str(text))

    with mock.patch.object(Display, "warning", note):
        try:
            plugin.parse(data, DataLoader(), str(path), cache=False)
        except AnsibleError as error:
            return {"failed": True, "msg": str(error), "error": {"code": "inventory"}}
    hosts: Mapping[str, Any] = data.hosts
    return {"hosts": {name: dict(host.vars) for name, host in hosts.items()}, "said": said}
