# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RunPod by the description of its API v2 (2.0.0): its door, and the worlds of the suite for it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from ansible_collections.gpuops.cloud.plugins.module_utils._providers.runpod.client import Client
from ansible_collections.gpuops.cloud.tests.conformance.door import (
    BUILD_S,
    Door,
    DoorWorld,
    Machine,
    Reply,
)
from ansible_collections.gpuops.cloud.tests.conformance.world import Request
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import KEY
from gpuops_simulator.clock import Clock

EACH, GPU = 1.39, "NVIDIA A100 80GB PCIe"
QUOTA, WINDOW_S = 60, 60
# The first statuses of a pod; it calls itself running some time before its ports are there.
PROVISIONING_S, STARTING_S = 5.0, 12.0
SOLD_OUT = (
    "There are no longer any instances available with the requested specifications. "
    "Please refresh and try again."
)
TITLES = {
    400: "Bad Request",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
}
_ALLOWED = {
    "RUNNING": ["stop", "restart", "terminate"],
    "EXITED": ["start", "terminate"],
    "ERROR": ["start", "terminate"],
    "PROVISIONING": ["stop", "terminate"],
    "STARTING": ["stop", "terminate"],
}
_VOLUME_FIELDS = {"name": str, "size": int, "dataCenter": str, "type": str}
_CONTAINER_FIELDS = {
    "name": str,
    "image": str,
    "args": str,
    "disk": int,
    "ports": list,
    "env": dict,
    "registry": str,
    "mounts": dict,
    "globalNetworking": bool,
    "templateId": str,
}
_POD_FIELDS = {
    **_CONTAINER_FIELDS,
    "cloud": str,
    "cpu": dict,
    "gpu": dict,
    "dataCenterIds": list,
    "startSsh": bool,
    "startJupyter": bool,
}
_PATCH_FIELDS = {**_CONTAINER_FIELDS, "locked": bool}
_GPU_FIELDS = {"id": str, "count": int, "minCudaVersion": str, "allowedCudaVersions": list}


def gpu_row(
    gpu: str = GPU,
    each: float = EACH,
    memory: int = 80,
    most: int = 8,
    places: tuple[tuple[str, str], ...] = (("US-KS-2", "HIGH"),),
    **more: Any,
) -> dict[str, Any]:
    """Return a row of the catalogue; prices are of one GPU."""
    levels = [level for _place, level in places] or ["NONE"]
    return {
        "id": gpu,
        "name": gpu.removeprefix("NVIDIA "),
        "pool": None,
        "manufacturer": "NVIDIA",
        "memory": memory,
        "secure": True,
        "community": True,
        "price": {"secure": each, "community": round(each * 0.8, 2)},
        "maxCount": {"secure": most, "community": most // 2},
        "availability": levels[0],
        "dataCenters": [{"id": one, "name": one, "availability": level} for one, level in places],
        "cudaVersions": [{"version": "12.8", "available": True}],
        **more,
    }


def problem(status: int, detail: str, *each: str) -> Reply:
    """Return a refusal as RFC 9457 has it."""
    body: dict[str, Any] = {"title": TITLES[status], "status": status, "detail": detail}
    kind = {"Content-Type": "application/problem+json"}
    return Reply(status, {**body, **({"errors": list(each)} if each else {})}, kind)


def _wrong(body: dict[str, Any], fields: dict[str, type], *due: str) -> Reply | None:
    """Return the refusal of a body with a field that is unknown, missing, or of another type."""
    each = [f"$: additional properties '{name}' not allowed" for name in body if name not in fields]
    each += [f"$: missing property '{name}'" for name in due if not body.get(name)]
    each += [
        f"$.{name}: got {type(value).__name__}, want {fields[name].__name__}"
        for name, value in body.items()
        if name in fields and type(value) is not fields[name]
    ]
    return problem(422, "Request validation failed.", *each) if each else None


@dataclass
class Power:
    """What a pod is like since its last start or stop."""

    since: float
    port: int
    exited: bool = False
    gpus: int | None = None
    locked: bool = False
    status: str = ""


class RunPodDoor(Door):
    """One account of RunPod."""

    list_path = order_path = "/v2/pods"
    # How many rows a page of a list holds, None for all: both were seen.
    page: int | None = None
    # What a pod tells of its cost once it is stopped: nothing, or as before.
    cost_stays = False

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.gpus = [gpu_row()]
        self.account_keys = [KEY]
        self.volumes: dict[str, dict[str, Any]] = {}
        self.power: dict[str, Power] = {}
        # Of a host whose GPUs are somebody else's when a stopped pod starts again.
        self.taken = False
        self.window, self.asked = -1, 0
        self._port = 20000

    # -- limits --------------------------------------------------------------------------------

    def serve(self, method: str, path: str, body: dict[str, Any]) -> Reply:
        with self.lock:
            window = int(self.now() // WINDOW_S)
            self.asked = 1 if window != self.window else self.asked + 1
            self.window = window
            again = int((window + 1) * WINDOW_S - self.now()) + 1
            if self.asked > QUOTA:
                reply = problem(429, "rate limit exceeded for the minute window")
                self.log.append(Request(self.now(), method, path, reply.status))
                told = {"Retry-After": str(again)}
            else:
                reply, told = super().serve(method, path, body), {}
            left = max(QUOTA - self.asked, 0)
            told["RateLimit"] = f'"minute";r={left};t={again}, "hour";r=2800;t=1812'
            told["RateLimit-Policy"] = f'"minute";q={QUOTA};w={WINDOW_S}, "hour";q=3000;w=3600'
            return replace(reply, headers={**reply.headers, **told})

    # -- requests ------------------------------------------------------------------------------

    def answer(self, method: str, path: str, body: dict[str, Any]) -> Reply:
        kind, _slash, item = path.removeprefix("/v2/").partition("/")
        if kind == "pods":
            return self._pods(method, item, body)
        if kind == "network-volumes":
            return self._network_volumes(method, item, body)
        if method == "GET" and path == "/v2/catalog/gpus":
            return self._catalog(body)
        if method == "GET" and path == "/v2/account/ssh-keys":
            return Reply(200, {"keys": self.account_keys})
        return problem(405 if path.startswith("/v2/account") else 404, "resource not found")

    def _catalog(self, query: dict[str, Any]) -> Reply:
        if query.get("include") != "AVAILABILITY":
            bare = [self._bare(row) for row in self.gpus]
            return problem(400, "count requires include") if query else Reply(200, {"gpus": bare})
        if query.get("product") != "POD":
            return problem(400, "include=AVAILABILITY requires product")
        cloud, count = query.get("cloud", "SECURE").lower(), int(query.get("count", 1))
        return Reply(200, {"gpus": [self._row(row, cloud, count) for row in self.gpus]})

    @staticmethod
    def _bare(row: dict[str, Any]) -> dict[str, Any]:
        kinds = ("availability", "dataCenters", "cudaVersions")
        return {key: value for key, value in row.items() if key not in kinds}

    def _row(self, row: dict[str, Any], cloud: str, count: int) -> dict[str, Any]:
        there = row[cloud] and count <= row["maxCount"][cloud] and row["availability"] != "NONE"
        return row if there else {**self._bare(row), "availability": "NONE"}

    # -- pods ----------------------------------------------------------------------------------

    def _pods(self, method: str, item: str, body: dict[str, Any]) -> Reply:
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
        return self._paged("pods", [self._shown(one) for one in self.living()], query)

    def _paged(self, field: str, rows: list[dict[str, Any]], query: dict[str, Any]) -> Reply:
        if self.page is None:
            return Reply(200, {field: rows})
        begin = int(str(query.get("cursor", "c0"))[1:])
        end = begin + self.page
        more = end < len(rows)
        cursor = f"c{end}" if more else None
        pagination = {"hasNextPage": more, "nextCursor": cursor}
        return Reply(200, {field: rows[begin:end], "pagination": pagination})

    def _order(self, body: dict[str, Any]) -> Reply:
        refused = _wrong(body, _POD_FIELDS, "name", "image") or self._refused(body)
        if refused:
            return refused
        pod = self.make(**body)
        self.power[pod.id] = Power(self.now(), self._next_port())
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
        wrong = _wrong(gpu or {}, _GPU_FIELDS, "id")
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
        here = self._row(row, cloud, gpu.get("count", 1)).get("dataCenters", [])
        free = [one["id"] for one in here if one["availability"] != "NONE"]
        versions = [one["version"] for one in row["cudaVersions"]]
        least = gpu.get("minCudaVersion")
        old = least and not any(_version(one) >= _version(str(least)) for one in versions)
        wanted = body.get("dataCenterIds") or free
        return problem(400, SOLD_OUT) if old or not set(wanted) & set(free) else None

    def _next_port(self) -> int:
        self._port += 1
        return self._port

    def _end(self, pod: Machine) -> Reply:
        if self.power_of(pod).locked:
            return problem(409, "Pod is locked")
        pod.deleted = self.now()
        return Reply(204, "")

    def _act(self, pod: Machine, body: dict[str, Any]) -> Reply:
        wrong = _wrong(body, {"action": str}, "action")
        action, power = body.get("action", ""), self.power_of(pod)
        if wrong:
            return wrong
        if action not in _ALLOWED[self.status_of(pod)] or (power.locked and action == "stop"):
            return problem(409, f"action {action} is not valid for the pod's current status")
        if action == "terminate":
            return self._end(pod)
        power.exited, power.since = action == "stop", self.now()
        if action == "start":
            power.port, power.gpus = self._next_port(), 0 if self.taken else None
        return Reply(200, self._shown(pod))

    def _change(self, pod: Machine, body: dict[str, Any]) -> Reply:
        wrong = _wrong(body, _PATCH_FIELDS)
        if wrong:
            return wrong
        self.power_of(pod).locked = body.pop("locked", self.power_of(pod).locked)
        pod.facts.update(body)
        return Reply(200, self._shown(pod))

    def power_of(self, pod: Machine) -> Power:
        """Return what a pod is like; one that somebody else has made as well."""
        return self.power.setdefault(pod.id, Power(pod.created, self._next_port()))

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
            "actions": _ALLOWED.get(status, ["terminate"]),
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

    # -- network volumes -----------------------------------------------------------------------

    def _network_volumes(self, method: str, item: str, body: dict[str, Any]) -> Reply:
        if not item and method == "POST":
            return self._make_volume(body)
        if not item:
            return self._paged("networkVolumes", list(self.volumes.values()), body)
        volume = self.volumes.get(item)
        if volume is None:
            return problem(404, "network volume not found")
        if method == "DELETE":
            if any(item in str(pod.facts.get("mounts")) for pod in self.living()):
                return problem(409, "network volume is in use")
            del self.volumes[item]
            return Reply(204, "")
        if method == "PATCH":
            wrong = _wrong(body, {"name": str, "size": int})
            if wrong or body.get("size", volume["size"]) < volume["size"]:
                return wrong or problem(400, "size may only increase")
            volume.update(body)
        return Reply(200, volume)

    def _make_volume(self, body: dict[str, Any]) -> Reply:
        wrong = _wrong(body, _VOLUME_FIELDS, "name", "size", "dataCenter")
        if wrong:
            return wrong
        if not 10 <= body["size"] <= 4096:
            return problem(422, "Request validation failed.", "$.size: minimum 10, maximum 4096")
        made = {"type": "STANDARD", **body, "id": f"vol{len(self.volumes)}x{self._next_port()}"}
        self.volumes[made["id"]] = made
        return Reply(201, made)

    def refusal(self, kind: str) -> Reply:
        if kind == "end":
            return problem(409, "The pod is in transition")
        return problem(402, "Insufficient balance to deploy this pod")


def _version(text: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", text)))


class PagedDoor(RunPodDoor):
    """An account whose lists come in pages, and whose stopped pods go on telling a cost."""

    page, cost_stays = 1, True


class RunPod(DoorWorld):
    """An account of RunPod with one key."""

    provider, door_class = Client, RunPodDoor
    # With the container disk of 100 GB, which bills beside the GPU.
    price, step_cost, burst = EACH + 100 * 0.10 / 730, 0.01, 2 * QUOTA + 5
    environment: ClassVar = {"RUNPOD_API_KEY": "the-key-of-the-account"}

    def auth(self) -> dict[str, Any]:
        return {"base_url": f"{self.door.url}/v2"}

    def wish(self, **args: Any) -> dict[str, Any]:
        return super().wish(**{"ssh_keys": [KEY], **args})


class RunPodPaged(RunPod):
    """The same, with its lists in pages."""

    door_class = PagedDoor
