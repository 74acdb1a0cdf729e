# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lambda Cloud by the vendor's API description 1.10.0."""

from __future__ import annotations

import re
from typing import Any

from ..clock import Clock
from .door import Door, Machine, Reply

LAUNCH = "/v1/instance-operations/launch"
TERMINATE = "/v1/instance-operations/terminate"
LAUNCH_GAP_S, ENDING_S, CENTS = 12.0, 20.0, 129
REGIONS = ({"name": "us-west-1", "description": "California, USA"},)
_TAG = re.compile(r"[a-z][a-z0-9:-]{1,54}")


def type_row(
    name: str, gpu: str, gpus: int = 1, cents: int = CENTS, free: bool = True, **more: Any
) -> dict[str, Any]:
    """Return a row of the catalogue."""
    kind = {
        "name": name,
        "description": f"{gpus}x {gpu}",
        "gpu_description": gpu,
        "price_cents_per_hour": cents,
        "specs": {"vcpus": 30, "memory_gib": 220, "storage_gib": 512, "gpus": gpus},
        "architecture": "x86_64",
        **more,
    }
    return {"instance_type": kind, "regions_with_capacity_available": list(REGIONS) * free}


TYPE = type_row("gpu_1x_a100_sxm4_80gb", "A100 (80 GB SXM4)")
_TOLD = frozenset({"name", "gpu", "gpus", "cents", "free"})


def _refused(status: int, code: str) -> Reply:
    return Reply(status, {"error": {"code": code, "message": f"Refused: {code}"}})


class LambdaDoor(Door):
    """One account of Lambda Cloud."""

    title, login = "Lambda Cloud", "ubuntu"
    list_path, order_path = "/v1/instances", LAUNCH
    launched = -LAUNCH_GAP_S

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.types = {TYPE["instance_type"]["name"]: TYPE}
        self.filesystems: list[dict[str, Any]] = []

    def stranger(self) -> Reply:
        return _refused(401, "global/invalid-api-key")

    def sell(self, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            if not {"name", "gpu"} <= row.keys() <= _TOLD:
                raise ValueError(f"a type has name and gpu, and maybe gpus, cents, free: {row}")
        self.types = {row["name"]: type_row(**row) for row in rows}

    def price_of(self, machine: Machine) -> float:
        cents: int = self._type_of(machine)["price_cents_per_hour"]
        return cents / 100

    def _type_of(self, server: Machine) -> dict[str, Any]:
        row = self.types.get(server.facts.get("instance_type_name", ""), TYPE)
        kind: dict[str, Any] = row["instance_type"]
        return kind

    def answer(self, method: str, path: str, body: dict[str, Any]) -> Reply:
        if path == LAUNCH:
            return self._launch(body)
        if path == TERMINATE:
            return self._terminate(body)
        kind, _slash, item = path.removeprefix("/v1/").partition("/")
        if kind == "instances" and item:
            return self._one(method, item, body)
        if kind == "ssh-keys" and method != "GET":
            return self._key(method, item, body)
        there: dict[str, Any] = {
            "instance-types": self.types,
            "instances": [self._shown(one) for one in self._shown_ones()],
            "ssh-keys": list(self.keys.values()),
            "file-systems": self.filesystems,
        }
        missing = _refused(404, "global/object-does-not-exist")
        return Reply(200, {"data": there[kind]}) if kind in there else missing

    def _launch(self, body: dict[str, Any]) -> Reply:
        if self.now() < self.launched + LAUNCH_GAP_S - 0.01:
            return _refused(429, "global/rate-limit")
        self.launched = self.now()
        names = [key["name"] for key in self.keys.values()]
        row = self.types.get(body["instance_type_name"])
        free = row["regions_with_capacity_available"] if row else ()
        well = (
            len(body.get("ssh_key_names") or []) == 1
            and body["ssh_key_names"][0] in names
            and len(body.get("name") or "") <= 64
            and all(_TAG.fullmatch(tag["key"]) for tag in body.get("tags") or [])
            and all(len(tag["value"]) <= 128 for tag in body.get("tags") or [])
        )
        if not well or row is None:
            return _refused(400, "global/invalid-parameters")
        if body["region_name"] not in [region["name"] for region in free]:
            return _refused(400, "instance-operations/launch/insufficient-capacity")
        made = self.make(**body)
        chosen = [k["public_key"] for k in self.keys.values() if k["name"] in body["ssh_key_names"]]
        self.bring_up(made, body.get("hostname") or f"ip-{made.id[:8]}", chosen)
        return Reply(200, {"data": {"instance_ids": [made.id]}})

    def _terminate(self, body: dict[str, Any]) -> Reply:
        if self.luck[:1] == ["refuse_end"]:
            self.luck.pop(0)
            return self.refusal("end")
        found = [one for one in map(self.find, body["instance_ids"]) if one]
        if not found:
            return _refused(404, "global/object-does-not-exist")
        for one in found:
            self.end(one)
        return Reply(200, {"data": {"terminated_instances": [self._shown(one) for one in found]}})

    def _shown_ones(self) -> list[Machine]:
        """Return what is shown still: those that are terminated stay for a moment."""
        since = self.now() - ENDING_S
        return [one for one in self.machines if one.deleted is None or one.deleted > since]

    def _one(self, method: str, item: str, body: dict[str, Any]) -> Reply:
        server = next((one for one in self._shown_ones() if one.id == item), None)
        if server is None:
            return _refused(404, "global/object-does-not-exist")
        if method == "POST":
            server.facts["name"] = body["name"]
        return Reply(200, {"data": self._shown(server)})

    def _key(self, method: str, item: str, body: dict[str, Any]) -> Reply:
        if method == "POST":
            item = f"{len(self.keys):032x}"
            self.keys[item] = {**body, "id": item}
            return Reply(200, {"data": self.keys[item]})
        if not self.keys.pop(item, None):
            return _refused(404, "global/object-does-not-exist")
        return Reply(200, {"data": {}})

    def _status(self, server: Machine) -> str:
        if server.deleted is not None:
            return "terminating"
        if server.host == "failed":
            return "unhealthy"
        return "active" if server.is_built(self.now()) else "booting"

    def _shown(self, server: Machine) -> dict[str, Any]:
        built, facts = server.is_built(self.now()), server.facts
        return {
            "id": server.id,
            "name": facts.get("name"),
            "hostname": facts.get("hostname"),
            "status": self._status(server),
            "ip": (server.ip or "192.0.2.8") if built else None,
            "ssh_key_names": facts.get("ssh_key_names", ["theirs"]),
            "file_system_names": [],
            "region": REGIONS[0],
            "instance_type": self._type_of(server),
            "tags": facts.get("tags", []),
            "jupyter_token": "not-to-be-told",
        }

    def refusal(self, kind: str) -> Reply:
        if kind == "end":
            return _refused(409, "instance-operations/conflict")
        return _refused(400, "global/quota-exceeded")
