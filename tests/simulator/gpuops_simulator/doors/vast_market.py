# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be asked of Vast.ai: its paths, fields and paces, and the offers of its market."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .door import Reply

V0, LIST, SEARCH = "/api/v0", "/api/v1/instances/", "/api/v0/bundles/"
NAMES = f"{V0}/gpu_names/unique/"
BASE, STORAGE, DISK_GB = 1.0, 0.144, 100
PRICE = BASE + DISK_GB * STORAGE / 720
# Seconds between two requests to an endpoint, by who counts.
GAPS = {
    f"POST {SEARCH}": 6.0,
    f"PUT {V0}/asks/": 4.5,
    f"GET {LIST}": 1.0,
    f"GET {V0}/instances/": 2.0,
    f"PUT {V0}/instances/": 1.0,
    f"DELETE {V0}/instances/": 3.0,
}
OPERATORS = frozenset({"eq", "neq", "gt", "gte", "lt", "lte", "in", "notin"})
FILTERS = frozenset(
    {"verified", "external", "rentable", "rented", "vms_enabled", "datacenter", "num_gpus"}
    | {"gpu_name", "disk_space", "duration", "reliability", "dph_total"}
)
ORDER = frozenset(
    {"image", "disk", "label", "runtype", "target_state", "cancel_unavail", "vm", "price", "env"}
    | {"onstart", "client_id", "extra", "python_utf8", "lang_utf8", "use_jupyter_lab"}
    | {"jupyter_dir", "force", "user", "image_login", "template_hash_id"}
)
# What of an offer an instance shows as well.
OFFERED = (
    *("machine_id", "host_id", "gpu_name", "num_gpus", "gpu_ram", "gpu_total_ram", "cpu_cores"),
    *("cpu_cores_effective", "cpu_ram", "dph_base", "min_bid", "storage_cost", "inet_up_cost"),
    *("inet_down_cost", "duration", "geolocation"),
)
RUNTYPES = frozenset({"ssh_direct", "ssh_proxy", "ssh", "ssh_direc ssh_proxy", "args"})
SECRET = "of-one-instance-alone"
# What is told of an instance that cannot start.
BROKEN = "Error response from daemon: OCI runtime create failed: unable to start"
YEAR_S = 365 * 86400.0


@dataclass(frozen=True)
class Dialect:
    """What no source is sure about: which shapes and statuses the real one has."""

    ports_are_numbers: bool = False
    gone_status: int = 200
    refused_status: int = 200
    keys_are_called: str = "public_key"
    page: int = 25
    has_address: bool = True


def offer(number: int, machine: int = 4711, **more: Any) -> dict[str, Any]:
    """Return an offer: one A100 of a machine with two."""
    return {
        "id": number,
        "ask_contract_id": number,
        "bundle_id": number + 7,
        "machine_id": machine,
        "host_id": 11,
        "gpu_name": "A100 SXM4",
        "num_gpus": 1,
        "gpu_ram": 81251,
        "gpu_total_ram": 81251,
        "gpu_frac": 0.5,
        "cpu_cores": 64,
        "cpu_cores_effective": 32.0,
        "cpu_ram": 515000,
        "disk_space": 800.0,
        "dph_base": BASE,
        "dph_total": BASE + 0.01,
        "min_bid": 0.4004,
        "storage_cost": STORAGE,
        "inet_up_cost": 0.003,
        "inet_down_cost": 0.002,
        "reliability2": 0.9971,
        "verification": "verified",
        "rentable": True,
        "rented": False,
        "duration": YEAR_S,
        "geolocation": "Stockholm, SE",
        "hosting_type": 1,
        "vms_enabled": True,
        "is_bid": False,
        **more,
    }


def refused(status: int, word: str, **more: Any) -> Reply:
    return Reply(status, {"success": False, "error": word, "msg": f"Refused: {word}", **more})


def wrong_with(body: dict[str, Any]) -> str | None:
    """Return by its word what is wrong with an order, None where it is well."""
    well = {
        "invalid_args": not body.keys() - ORDER
        and bool(body.get("image"))
        and float(body.get("disk") or 0) >= 8
        and body.get("runtype") in RUNTYPES,
        "label_too_long": len(body.get("label") or "") <= 256,
        "invalid_price": body.get("price") is None or 0.001 <= body["price"] <= 128,
    }
    return next((word for word, is_well in well.items() if not is_well), None)


def matches(row: dict[str, Any], asked: dict[str, dict[str, Any]]) -> bool:
    """Tell whether an offer is what was searched for; numbers may be sent as text."""
    has = {
        **row,
        "verified": row["verification"] == "verified",
        "external": False,
        "datacenter": row["hosting_type"] == 1,
    }
    return all(
        _holds(has.get(field), operator, value)
        for field, wanted in asked.items()
        for operator, value in wanted.items()
    )


def _holds(have: Any, operator: str, value: Any) -> bool:
    if isinstance(value, str) and isinstance(have, (int, float)):
        value = float(value)
    if operator in ("in", "notin"):
        return (have in value) == (operator == "in")
    if operator in ("eq", "neq"):
        return bool(have == value) == (operator == "eq")
    if have is None:
        return False
    return {"gt": have > value, "gte": have >= value, "lt": have < value, "lte": have <= value}[
        operator
    ]
