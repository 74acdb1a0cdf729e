# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TensorDock v2: as it was seen, and as it is described."""

from __future__ import annotations

from typing import Any

from ..clock import Clock
from .door import Door, Machine, Reply

GPU = "a100-sxm4-80gb"
NORTH, SOUTH = "1a779525-4c04-4f2c-aa45-58b47d54bb38", "8dd95ff0-dff9-489c-9b02-b38a366b6ab1"
PRICES = {"per_vcpu_hr": 0.003, "per_gb_ram_hr": 0.002, "per_gb_storage_hr": 0.00005}
LIMITS = {"max_vcpus": 56, "max_ram_gb": 331, "max_storage_gb": 30200}
# How long an instance that was deleted is shown, as going and as gone.
GOING_S, SHOWN_S = 20.0, 40.0
MOST_A_MINUTE = 100
SOLD_OUT = "No available nodes found"


def location(place: str, city: str, price: float) -> dict[str, Any]:
    """Return a location with one kind of GPU."""
    features = {"dedicated_ip_available": True, "port_forwarding_available": True}
    gpu = {
        "v0Name": GPU,
        "displayName": "NVIDIA A100 SXM4 80GB",
        "max_count": 2,
        "price_per_hr": price,
        "resources": LIMITS,
        "network_features": features,
        "pricing": PRICES,
    }
    where = {"city": city, "stateprovince": "Iowa", "country": "United States", "tier": 1}
    return {"id": place, **where, "gpus": [gpu]}


class TensorDockDoor(Door):
    """One organisation; ``described`` speaks as the vendor describes it, not as it was seen."""

    title = "TensorDock"
    list_path = order_path = "/v1/instances"
    described = False

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.places = [location(NORTH, "Ames", 1.2), location(SOUTH, "Pella", 1.4)]
        self.sold_out: set[str] = set()
        self.forwards: list[dict[str, Any]] = []
        # Where instances stop as soon as they were made, and how an order is answered instead.
        self.stops_in: set[str] = set()
        self.answers: list[Reply] = []
        self.sent: list[dict[str, Any]] = []

    def add_key(self, name: str, value: str, kind: str = "SSHKEY") -> str:
        """Register a secret, and return its id."""
        number = f"5ec2e700-0000-4000-8000-{len(self.keys):012}"
        self.keys[number] = {"name": name, "secret_type": kind, "value": value}
        return number

    # -- answers -------------------------------------------------------------------------------

    def answer(self, method: str, path: str, body: dict[str, Any]) -> Reply:
        if len([one for one in self.log if one.at > self.now() - 60]) >= MOST_A_MINUTE:
            return Reply(429, {"error": "Rate limit exceeded. Please try again later."})
        kind, _slash, item = path.removeprefix("/v1/").partition("/")
        if method == "GET" and not item:
            return self._list(kind)
        attributes = (body.get("data") or {}).get("attributes") or {}
        if kind == "secrets":
            return self._secret(method, item, attributes)
        if kind != "instances":
            return self.refuse(404, "Not found")
        return self._order(attributes) if method == "POST" else self._one(method, item)

    def refuse(self, status: int, words: str) -> Reply:
        """Refuse: as described, or with the words inside an answer of success."""
        if self.described:
            error = {"status": str(status), "title": "Request failed", "detail": words}
            return Reply(status, {"errors": [error]})
        return Reply(200, {"status": status, "error": words})

    def refusal(self, kind: str) -> Reply:
        words = {"order": SOLD_OUT, "end": "Instance is being provisioned"}[kind]
        return self.refuse(400, words)

    def _list(self, kind: str) -> Reply:
        if kind == "locations":
            return Reply(200, {"data": {"locations": self.places}})
        if kind == "secrets":
            rows = [self._shown_secret(number) for number in self.keys]
        elif kind == "instances":
            rows = [self._row(one) for one in self.machines if self._is_shown(one)]
        else:
            return self.refuse(404, "Not found")
        nested = self.described or kind == "secrets"
        return Reply(200, {"data": {kind: rows} if nested else rows})

    def _secret(self, method: str, item: str, attributes: dict[str, Any]) -> Reply:
        if method == "POST":
            if not {"name", "value", "secret_type"} <= set(attributes):
                return self._wrong("name", "Required")
            number = self.add_key(attributes["name"], attributes["value"])
            return Reply(201, {"data": self._shown_secret(number)})
        if item not in self.keys:
            return self.refuse(404, "Secret not found")
        if method == "DELETE":
            del self.keys[item]
        return Reply(200, {"data": {"type": "success", "message": "Secret deleted"}})

    def _shown_secret(self, number: str) -> dict[str, Any]:
        known = dict(self.keys[number])
        if known["secret_type"] != "SSHKEY":
            del known["value"]
        return {"type": "secret", "id": number, "attributes": known}

    def _one(self, method: str, item: str) -> Reply:
        found = next((one for one in self.machines if one.id == item and self._is_shown(one)), None)
        if found is None:
            return self.refuse(404, "Instance not found")
        if method == "DELETE":
            if found.deleted is not None:
                return self.refuse(400, "Instance is already being deleted")
            self.end(found)
            return Reply(200, {"data": {"type": "success", "message": "Deleting"}})
        if self.described:
            return Reply(200, {"data": self._row(found)})
        row = self._row(found)
        names = ("type", "id", "name", "status", "ipAddress", "portForwards", "rateHourly")
        told = {**row, "rateHourly": row["price_per_hour"], "portForwards": self.forwards}
        return Reply(200, {name: told[name] for name in names if name in told})

    # -- orders --------------------------------------------------------------------------------

    def _wrong(self, field: str, words: str) -> Reply:
        path = ["data", "attributes", field]
        return Reply(400, [{"code": "invalid", "message": words, "path": path}])

    def _order(self, asked: dict[str, Any]) -> Reply:
        self.sent.append(asked)
        for field in ("name", "image", "location_id", "resources", "ssh_key"):
            if not asked.get(field):
                return self._wrong(field, "Required")
        place = next((one for one in self.places if one["id"] == asked["location_id"]), None)
        if place is None:
            return self._wrong("location_id", "Invalid location_id format")
        if not asked.get("useDedicatedIp"):
            return Reply(400, {"error": "SSH port (22) must be forwarded for Ubuntu VMs"})
        wrong = self._wrong_sizes(asked["resources"], place)
        if wrong:
            return wrong
        if place["id"] in self.sold_out:
            return self.refuse(400, SOLD_OUT)
        made = self.make(**asked)
        if self.answers:
            return self.answers.pop(0)
        shown = {
            "type": "virtualmachine",
            "id": made.id,
            "name": asked["name"],
            "status": "creating",
        }
        return Reply(201 if self.described else 200, {"data": shown})

    def _wrong_sizes(self, wanted: dict[str, Any], place: dict[str, Any]) -> Reply | None:
        gpu = place["gpus"][0]
        gpus = wanted["gpus"]
        limits = gpu["resources"]
        if list(gpus) != [gpu["v0Name"]] or gpus[gpu["v0Name"]]["count"] > gpu["max_count"]:
            return self.refuse(400, SOLD_OUT)
        if not 100 <= wanted["storage_gb"] <= limits["max_storage_gb"]:
            return self._wrong("resources.storage_gb", "Must be at least 100 GB")
        if wanted["vcpu_count"] > limits["max_vcpus"] or wanted["ram_gb"] > limits["max_ram_gb"]:
            return self.refuse(400, "Insufficient capacity for this configuration")
        return None

    # -- what is shown -------------------------------------------------------------------------

    def _is_shown(self, one: Machine) -> bool:
        return one.deleted is None or self.now() < one.deleted + SHOWN_S

    def _status(self, one: Machine) -> str:
        if one.deleted is not None:
            return "deleting" if self.now() < one.deleted + GOING_S else "deleted"
        if one.facts["location_id"] in self.stops_in:
            return "stopped"
        return "running" if one.is_built(self.now()) else "creating"

    def _row(self, one: Machine) -> dict[str, Any]:
        facts, status = one.facts, self._status(one)
        sizes = facts["resources"]
        count = sizes["gpus"][GPU]["count"]
        address = {"ipAddress": "192.0.2.7"} if status == "running" else {}
        seen = {"name": facts["name"], "status": status, **address}
        kind = {"type": "virtualmachine", "id": one.id}
        rate = {"rateHourly": self.rate(facts), "location_id": facts["location_id"]}
        if self.described:
            gpus = [{"gpuV0Name": GPU, "count": count}]
            more = {
                "image": facts["image"],
                "portForwards": {},
                "resources": {**sizes, "gpus": gpus},
            }
            return {**kind, "attributes": {**seen, **rate, **more}}
        told = {"price_per_hour": rate["rateHourly"], "location_id": rate["location_id"]}
        has = {"gpu_model": GPU, "gpu_count": count, "vcpus": sizes["vcpu_count"]}
        disk = {"ram_gb": sizes["ram_gb"], "storage_gb": sizes["storage_gb"]}
        return {**kind, **seen, **told, **has, **disk, "created_at": self.created(one)}

    def price_of(self, machine: Machine) -> float:
        return self.rate(machine.facts)

    def rate(self, facts: dict[str, Any]) -> float:
        """Return what an instance costs per hour, disk and all."""
        sizes = facts["resources"]
        place = next(one for one in self.places if one["id"] == facts["location_id"])
        gpu: float = place["gpus"][0]["price_per_hr"] * sizes["gpus"][GPU]["count"]
        cpu = sizes["vcpu_count"] * PRICES["per_vcpu_hr"]
        memory = sizes["ram_gb"] * PRICES["per_gb_ram_hr"]
        return round(gpu + cpu + memory + sizes["storage_gb"] * PRICES["per_gb_storage_hr"], 6)


class DescribedDoor(TensorDockDoor):
    described = True
