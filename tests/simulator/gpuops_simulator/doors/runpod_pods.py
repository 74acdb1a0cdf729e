# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pods of an account of RunPod: how they are ordered, what they go through, how they look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..clock import Clock
from .door import BUILD_S, Door, Machine, Reply
from .runpod_rows import (
    ALLOWED,
    DISK_PRICE,
    EACH,
    GPU,
    GPU_FIELDS,
    PATCH_FIELDS,
    POD_FIELDS,
    PROVISIONING_S,
    SOLD_OUT,
    STARTING_S,
    gpu_row,
    problem,
    version_of,
    wrong_in,
)

_TOLD = frozenset({"gpu", "each", "memory", "most"})


@dataclass
class Power:
    """What a pod is like since its last start or stop."""

    since: float
    port: int
    exited: bool = False
    gpus: int | None = None
    locked: bool = False
    status: str = ""


class Pods(Door):
    """What of an account is about pods."""

    list_path = order_path = "/v2/pods"
    # How many rows a page of a list holds, None for all: both were seen.
    page: int | None = None
    # What a pod tells of its cost once it is stopped: nothing, or as before.
    cost_stays = False

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.gpus = [gpu_row()]
        self.volumes: dict[str, dict[str, Any]] = {}
        self.power: dict[str, Power] = {}
        # Of a host whose GPUs are somebody else's when a stopped pod starts again.
        self.taken = False
        self._port = 20000

    def stranger(self) -> Reply:
        return problem(401, "missing bearer token")

    def sell(self, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            if not {"gpu"} <= row.keys() <= _TOLD:
                raise ValueError(f"a GPU has gpu, and maybe each, memory, most: {row}")
        self.gpus = [gpu_row(**row) for row in rows]

    def price_of(self, machine: Machine) -> float:
        gpus: float = self._gpus_of(machine)["cost"]
        return gpus + machine.facts.get("disk", 0) * DISK_PRICE

    @staticmethod
    def bare(row: dict[str, Any]) -> dict[str, Any]:
        kinds = ("availability", "dataCenters", "cudaVersions")
        return {key: value for key, value in row.items() if key not in kinds}

    def row(self, row: dict[str, Any], cloud: str, count: int) -> dict[str, Any]:
        there = row[cloud] and count <= row["maxCount"][cloud] and row["availability"] != "NONE"
        return row if there else {**self.bare(row), "availability": "NONE"}

    def pods(self, method: str, item: str, body: dict[str, Any]) -> Reply:
        pod_id, _slash, action = item.partition("/")
        if not item:
            return self._order(body) if method == "POST" else self._list(body)
        pod = self.find(pod_id)
        if pod is None:
            return problem(404, "pod not found")
        if action == "action" and method == "POST":
            return self._act(pod, body)
        if method == "DELETE":
            return self._end(pod)
        if method == "PATCH":
            return self._change(pod, body)
        return Reply(200, self._shown(pod))

    def _list(self, query: dict[str, Any]) -> Reply:
        return self.paged("pods", [self._shown(one) for one in self.living()], query)

    def paged(self, field: str, rows: list[dict[str, Any]], query: dict[str, Any]) -> Reply:
        if self.page is None:
            return Reply(200, {field: rows})
        begin = int(str(query.get("cursor", "c0"))[1:])
        end = begin + self.page
        more = end < len(rows)
        cursor = f"c{end}" if more else None
        pagination = {"hasNextPage": more, "nextCursor": cursor}
        return Reply(200, {field: rows[begin:end], "pagination": pagination})

    def _order(self, body: dict[str, Any]) -> Reply:
        refused = wrong_in(body, POD_FIELDS, "name", "image") or self._refused(body)
        if refused:
            return refused
        pod = self.make(**body)
        self.power[pod.id] = Power(self.now(), self.next_port())
        return Reply(201, self._shown(pod))

    def _refused(self, body: dict[str, Any]) -> Reply | None:
        gpu, texts = body.get("gpu"), list((body.get("env") or {}).values())
        if not all(isinstance(one, str) for one in texts):
            return problem(422, "Request validation failed.", "$.env: want string")
        # No longest name is documented; this much is known to be taken.
        if len(body["name"]) > 60:
            return problem(422, "Request validation failed.", "$.name: maxLength")
        if body.get("cloud", "SECURE") not in ("SECURE", "COMMUNITY"):
            return problem(422, "Request validation failed.", "$.cloud: value must be one of")
        if (gpu is None) == (body.get("cpu") is None):
            return problem(400, "exactly one of gpu or cpu must be set")
        wrong = wrong_in(gpu or {}, GPU_FIELDS, "id")
        if wrong or gpu is None:
            return wrong
        return self._unmountable(body) or self._sold_out(body, gpu)

    def _unmountable(self, body: dict[str, Any]) -> Reply | None:
        mounts = body.get("mounts") or {}
        for one in mounts.get("network", []):
            volume = self.volumes.get(one.get("volumeId"))
            if len(mounts["network"]) > 1 or not one.get("path"):
                return problem(422, "Request validation failed.", "$.mounts.network: maxItems")
            if volume is None:
                return problem(404, "network volume not found")
            if body.get("dataCenterIds") != [volume["dataCenter"]]:
                return problem(400, "the network volume must be in the data center of the pod")
        return None

    def _sold_out(self, body: dict[str, Any], gpu: dict[str, Any]) -> Reply | None:
        row = next((one for one in self.gpus if one["id"] == gpu["id"]), None)
        if row is None:
            return problem(400, f"unknown GPU type {gpu['id']}")
        cloud = body.get("cloud", "SECURE").lower()
        here = self.row(row, cloud, gpu.get("count", 1)).get("dataCenters", [])
        free = [one["id"] for one in here if one["availability"] != "NONE"]
        versions = [one["version"] for one in row["cudaVersions"]]
        least = gpu.get("minCudaVersion")
        old = least and not any(version_of(one) >= version_of(str(least)) for one in versions)
        wanted = body.get("dataCenterIds") or free
        return problem(400, SOLD_OUT) if old or not set(wanted) & set(free) else None

    def next_port(self) -> int:
        self._port += 1
        return self._port

    def _end(self, pod: Machine) -> Reply:
        if self.power_of(pod).locked:
            return problem(409, "Pod is locked")
        self.end(pod)
        return Reply(204, "")

    def _act(self, pod: Machine, body: dict[str, Any]) -> Reply:
        wrong = wrong_in(body, {"action": str}, "action")
        action, power = body.get("action", ""), self.power_of(pod)
        if wrong:
            return wrong
        if action not in ALLOWED[self.status_of(pod)] or (power.locked and action == "stop"):
            return problem(409, f"action {action} is not valid for the pod's current status")
        if action == "terminate":
            return self._end(pod)
        power.exited, power.since = action == "stop", self.now()
        if action == "start":
            power.port, power.gpus = self.next_port(), 0 if self.taken else None
        return Reply(200, self._shown(pod))

    def _change(self, pod: Machine, body: dict[str, Any]) -> Reply:
        wrong = wrong_in(body, PATCH_FIELDS)
        if wrong:
            return wrong
        self.power_of(pod).locked = body.pop("locked", self.power_of(pod).locked)
        pod.facts.update(body)
        return Reply(200, self._shown(pod))

    def power_of(self, pod: Machine) -> Power:
        """Return what a pod is like; one that somebody else has made as well."""
        return self.power.setdefault(pod.id, Power(pod.created, self.next_port()))

    def status_of(self, pod: Machine) -> str:
        power = self.power_of(pod)
        age = self.now() - power.since
        if power.status or power.exited:
            return power.status or "EXITED"
        return (
            "PROVISIONING"
            if age < PROVISIONING_S
            else "STARTING"
            if age < STARTING_S
            else "RUNNING"
        )

    def _shown(self, pod: Machine) -> dict[str, Any]:
        facts, power, status = pod.facts, self.power_of(pod), self.status_of(pod)
        return {
            "id": pod.id,
            "name": facts.get("name", "not yours"),
            "status": status,
            "actions": ALLOWED.get(status, ["terminate"]),
            "image": facts.get("image", "somebody/else:1"),
            "args": facts.get("args", ""),
            "disk": facts.get("disk", 0),
            "ports": facts.get("ports", []),
            "env": facts.get("env", {"THEIR_TOKEN": "not-to-be-told"}),
            "registry": None,
            "mounts": facts.get("mounts", {}),
            "cloud": facts.get("cloud", "SECURE"),
            "dataCenterId": (facts.get("dataCenterIds") or ["US-KS-2"])[0],
            "cudaVersion": "12.8",
            "template": None,
            "locked": power.locked,
            "globalNetworking": {"enabled": False},
            "createdAt": self.created(pod),
            "startedAt": self.created(pod),
            **self._gpus_of(pod),
            **self._reached(pod, status),
        }

    def _gpus_of(self, pod: Machine) -> dict[str, Any]:
        """Return the GPUs of a pod, and what it tells of its cost."""
        power, gpu = self.power_of(pod), pod.facts.get("gpu") or {"id": GPU, "count": 1}
        count = gpu.get("count", 1) if power.gpus is None else power.gpus
        row = next((one for one in self.gpus if one["id"] == gpu["id"]), None)
        each = row["price"][pod.facts.get("cloud", "SECURE").lower()] if row else EACH
        cost = 0.0 if power.exited and not self.cost_stays else round(each * count, 4)
        return {"gpu": {"id": gpu["id"], "count": count}, "cost": cost}

    def _reached(self, pod: Machine, status: str) -> dict[str, Any]:
        """Return how a pod is reached: by the proxy always, by its own port once that is mapped."""
        power, host, login = self.power_of(pod), "203.0.113.9", f"{pod.id}-6441"
        proxy = {"host": "ssh.example.com", "port": 22, "username": login, "command": "ssh"}
        own = {"host": host, "port": power.port, "username": "root", "command": f"ssh root@{host}"}
        mapped = {"ip": host, "private": 22, "public": power.port, "type": "tcp"}
        is_up = status == "RUNNING" and self.now() - power.since >= BUILD_S
        return {
            "ssh": {"proxy": proxy, "direct": own if is_up else None},
            "runtime": {"uptime": 3, "ports": [mapped]} if is_up else None,
        }
