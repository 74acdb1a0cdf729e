# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Vast.ai by the vendor's API description: its door, and the suite's world for it.

The door refuses fields that it does not know, and counts requests by endpoint as the vendor does.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, ClassVar

from ansible_collections.gpuops.cloud.plugins.module_utils._providers.vast.client import Client
from ansible_collections.gpuops.cloud.tests.conformance.door import Door, DoorWorld, Machine, Reply
from ansible_collections.gpuops.cloud.tests.conformance.world import Request
from gpuops_simulator.clock import Clock

V0, LIST, SEARCH = "/api/v0", "/api/v1/instances/", "/api/v0/bundles/"
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
YEAR_S = 365 * 86400.0


@dataclass(frozen=True)
class Dialect:
    """What no source is sure about: which shapes and statuses the real one has."""

    ports_are_numbers: bool = False
    gone_status: int = 200
    refused_status: int = 200
    keys_are_called: str = "public_key"
    page: int = 25


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


def _refused(status: int, word: str, **more: Any) -> Reply:
    return Reply(status, {"success": False, "error": word, "msg": f"Refused: {word}", **more})


class VastDoor(Door):
    """One account of Vast.ai."""

    list_path = LIST
    dialect = Dialect()

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.offers = {one["id"]: one for one in (offer(101), offer(102), offer(103, machine=4712))}
        self.asked: dict[str, float] = {}
        self.user: dict[str, Any] = {"id": 1, "balance": 0.0, "credit": 500.0, "api_key": SECRET}
        self.numbers = iter(range(9000, 99999))
        # What wins by now, where that is more than the offer has told.
        self.least_bids: dict[int, float] = {}
        self.total_is_off = 0
        self.is_switched_off = False

    # -- who may ask what ----------------------------------------------------------------------

    def _with_luck(self, method: str, path: str, body: dict[str, Any]) -> Reply:
        if late := self._too_early(method, path):
            return late
        if path == self.list_path and self.is_switched_off:
            return _refused(410, "deprecated_endpoint")
        if path == self.list_path and self.spoilt:
            return Reply(200, {"rows": None})
        is_order = method == "PUT" and path.startswith(f"{V0}/asks/")
        if is_order and self.luck[:1] == ["lose"]:
            self.luck.pop(0)
            self.answer(method, path, body)
            return Reply(502, "<html>Bad gateway</html>")
        if is_order and self.luck[:1] == ["refuse"]:
            self.luck.pop(0)
            return self._refused_but_made(path, body)
        if method == "DELETE" and self.luck[:1] == ["refuse_end"]:
            self.luck.pop(0)
            return self.refusal("end")
        return self.answer(method, path, body)

    def _too_early(self, method: str, path: str) -> Reply | None:
        request = f"{method} {path}"
        counted = next((key for key in GAPS if request.startswith(key)), request)
        gap, last = GAPS.get(counted, 0.0), self.asked.get(counted)
        self.asked[counted] = self.now()
        if last is not None and self.now() < last + gap - 0.01:
            words = f"API requests too frequent: endpoint threshold={gap}"
            return Reply(429, words)
        return None

    def _refused_but_made(self, path: str, body: dict[str, Any]) -> Reply:
        """Refuse an order, and make of it what stands still and costs."""
        made = self.answer("PUT", path, body).body
        machine = self.find(str(made["new_contract"]))
        assert machine
        machine.facts.update(is_bid=True, halted=True)
        return _refused(self.dialect.refused_status, "bid_too_low", **_told(machine))

    def answer(self, method: str, path: str, body: dict[str, Any]) -> Reply:
        request = f"{method} {path}"
        if request == f"POST {SEARCH}":
            return self._search(body)
        if request == f"GET {LIST}":
            return self._list(body)
        if request.rstrip("/") == f"GET {V0}/users/current":
            return Reply(200, self.user)
        if request == f"GET {V0}/gpu_names/unique/":
            return Reply(200, {"gpu_names": [row["gpu_name"] for row in self.offers.values()]})
        if path == f"{V0}/instances/":
            return _refused(410, "deprecated_endpoint")
        found = re.fullmatch(rf"{V0}/(asks|instances|ssh)/(?:(\d+)/)?", path)
        if not found:
            return Reply(404, {"success": False, "msg": "There is no such thing"})
        kind, item = found[1], found[2] or ""
        serve = {"asks": self._order, "instances": self._one, "ssh": self._key}[kind]
        return serve(method, item, body)

    # -- the market ----------------------------------------------------------------------------

    def _search(self, body: dict[str, Any]) -> Reply:
        asked = {key: value for key, value in body.items() if isinstance(value, dict)}
        strange = (asked.keys() - FILTERS) or {
            one for value in asked.values() for one in value.keys() - OPERATORS
        }
        if strange or body.get("type") not in ("on-demand", "ondemand", "bid"):
            return _refused(400, "invalid_args")
        rows = [row for row in self.offers.values() if _matches(row, asked)]
        if body.get("order") == [["dph_total", "asc"]]:
            rows.sort(key=lambda row: float(row["dph_total"] or 0))
        shown = [{"end_date": self.now() + (row["duration"] or 0), **row} for row in rows]
        return Reply(200, {"offers": shown[: int(body.get("limit") or 64)]})

    def _order(self, method: str, item: str, body: dict[str, Any]) -> Reply:
        row, bid = self.offers.get(int(item)), body.get("price")
        if wrong := "invalid_args" if method != "PUT" else _wrong(body):
            return _refused(400, wrong, ask_id=int(item))
        if row is None:
            return _refused(410, "no_such_ask", ask_id=int(item))
        if body.get("vm") and not self.keys:
            return _refused(400, "no_ssh_key_for_vm")
        if body.get("vm") and not row["vms_enabled"]:
            return _refused(400, "invalid_args", ask_id=int(item))
        del self.offers[int(item)]
        made = self.make(**{**row, **body, "is_bid": bid is not None})
        made.id = str(next(self.numbers))
        if bid is not None and bid < self.least_bids.get(int(item), row["min_bid"]):
            made.facts.update(halted=True)
            return _refused(self.dialect.refused_status, "bid_too_low", **_told(made))
        return Reply(200, {"success": True, **_told(made)})

    # -- instances -----------------------------------------------------------------------------

    def _list(self, query: dict[str, Any]) -> Reply:
        known = {"select_filters", "order_by", "limit", "after_token"}
        if query.keys() - known or json.loads(query.get("select_filters") or "{}"):
            return _refused(400, "invalid_args")
        rows = sorted(self.living(), key=lambda one: int(one.id))
        begin = int(query.get("after_token") or 0)
        size = min(int(query.get("limit") or 25), self.dialect.page)
        body: dict[str, Any] = {
            "success": True,
            "instances": [self._shown(one) for one in rows[begin : begin + size]],
            "instances_found": len(rows),
            "total_instances": len(rows) + self.total_is_off,
            "label_counts": {},
        }
        if begin + size < len(rows):
            body["next_token"] = str(begin + size)
        return Reply(200, body)

    def _one(self, method: str, item: str, body: dict[str, Any]) -> Reply:
        machine = self.find(item)
        if method == "GET":
            if machine is None and self.dialect.gone_status != 200:
                return _refused(self.dialect.gone_status, "no_such_instance")
            return Reply(200, {"instances": self._shown(machine) if machine else None})
        if machine is None:
            return _refused(404, "no_such_instance")
        if method == "DELETE":
            machine.deleted = self.now()
        elif set(body) == {"label"}:
            machine.facts["label"] = body["label"]
        else:
            return _refused(400, "invalid_args")
        return Reply(200, {"success": True})

    def _shown(self, machine: Machine) -> dict[str, Any]:
        facts, built = machine.facts, machine.is_built(self.now())
        halted, wanted = facts.get("halted"), "running"
        status: str | None = "running" if built else "loading"
        if halted:
            status, wanted = ("exited" if facts.get("ran") else None), "stopped"
        bid = facts.get("price")
        gpu = facts["dph_base"] if bid is None else bid
        numbers = self.dialect.ports_are_numbers
        mapped: Any = [8080, 22] if numbers else {"22/tcp": [{"HostIp": "", "HostPort": "41022"}]}
        offered = {key: facts[key] for key in OFFERED}
        return {
            **offered,
            "id": int(machine.id),
            "label": facts.get("label"),
            "actual_status": facts.get("told", status),
            "intended_status": wanted,
            "cur_state": wanted,
            "next_state": wanted,
            "status_msg": facts.get("status_msg"),
            "is_bid": facts["is_bid"],
            "dph_total": gpu + float(facts.get("disk") or 0) * facts["storage_cost"] / 720,
            "start_date": machine.created,
            "end_date": machine.created + (facts["duration"] or 0),
            "public_ipaddr": "192.0.2.9\n" if built else None,
            "ssh_host": "ssh5.example.com",
            "ssh_port": 10022,
            "ports": mapped if built else None,
            "extra_env": [],
            "image_uuid": facts.get("image"),
            "jupyter_token": SECRET,
        }

    def _key(self, method: str, item: str, body: dict[str, Any]) -> Reply:
        called = self.dialect.keys_are_called
        if method == "GET":
            rows = [{**row, called: row["text"]} for row in self.keys.values()]
            return Reply(200, rows)
        if method == "POST":
            if set(body) != {"ssh_key"}:
                return _refused(400, "invalid_args")
            number = next(self.numbers)
            self.keys[str(number)] = {"id": number, "text": body["ssh_key"], "deleted_at": None}
            row = {"id": number, "user_id": 1, "public_key": body["ssh_key"], "deleted_at": None}
            return Reply(200, {"success": True, "key": row})
        if method != "DELETE" or not self.keys.pop(item, None):
            return _refused(404, "not_found")
        return Reply(200, {"success": True})

    def refusal(self, kind: str) -> Reply:
        if kind == "end":
            return _refused(200, "try_again")
        return _refused(400, "invalid_args")


def _wrong(body: dict[str, Any]) -> str | None:
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


def _told(machine: Machine) -> dict[str, Any]:
    return {"new_contract": int(machine.id), "instance_api_key": SECRET}


def _matches(row: dict[str, Any], asked: dict[str, dict[str, Any]]) -> bool:
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


class Vast(DoorWorld):
    """An account of Vast.ai with one key."""

    provider, door_class = Client, VastDoor
    price, step_cost, burst = PRICE, PRICE / 3600 + 0.01, 6
    environment: ClassVar = {"VAST_API_KEY": "the-key-of-the-account"}

    def __init__(self, door: Door) -> None:
        super().__init__(door)
        text = (
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl mine"
        )
        self.door.keys["1"] = {"id": 1, "text": text, "deleted_at": None}

    def auth(self) -> dict[str, Any]:
        return {"base_url": self.door.url}

    def orders(self) -> int:
        rows: list[Request] = [one for one in self.requests() if one.method == "PUT"]
        return len([one for one in rows if one.path.startswith(f"{V0}/asks/")])

    def rent_for_somebody_else(self) -> str:
        theirs = self.door.make(**offer(900, machine=1), label="not yours", disk=20)
        theirs.id = "8999"
        return theirs.id

    def evict(self, instance_id: str) -> None:
        """Let somebody else bid more: the instance is stopped, and stays."""
        found = self.door.find(instance_id)
        assert found
        found.facts.update(halted=True, ran=True)


class OtherVastDoor(VastDoor):
    """The same where sources contradict each other."""

    dialect = Dialect(
        ports_are_numbers=True, gone_status=404, refused_status=400, keys_are_called="key", page=1
    )


class OtherVast(Vast):
    """An account that speaks the other dialect."""

    door_class = OtherVastDoor
