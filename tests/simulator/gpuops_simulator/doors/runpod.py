# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RunPod by the description of its API v2 (2.0.0)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..clock import Clock
from .door import Reply, Request
from .runpod_pods import Pods
from .runpod_rows import (
    QUOTA,
    VOLUME_FIELDS,
    WINDOW_S,
    problem,
    wrong_in,
)


class RunPodDoor(Pods):
    """One account of RunPod."""

    title, base_path, step_s = "RunPod", "/v2", 1

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.account_keys: list[str] = []
        self.window, self.asked = -1, 0

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
            return self.pods(method, item, body)
        if kind == "network-volumes":
            return self._network_volumes(method, item, body)
        if method == "GET" and path == "/v2/catalog/gpus":
            return self._catalog(body)
        if method == "GET" and path == "/v2/account/ssh-keys":
            return Reply(200, {"keys": self.account_keys})
        return problem(405 if path.startswith("/v2/account") else 404, "resource not found")

    def _catalog(self, query: dict[str, Any]) -> Reply:
        if query.get("include") != "AVAILABILITY":
            bare = [self.bare(row) for row in self.gpus]
            return problem(400, "count requires include") if query else Reply(200, {"gpus": bare})
        if query.get("product") != "POD":
            return problem(400, "include=AVAILABILITY requires product")
        cloud, count = query.get("cloud", "SECURE").lower(), int(query.get("count", 1))
        return Reply(200, {"gpus": [self.row(row, cloud, count) for row in self.gpus]})

    # -- network volumes -----------------------------------------------------------------------

    def _network_volumes(self, method: str, item: str, body: dict[str, Any]) -> Reply:
        if not item and method == "POST":
            return self._make_volume(body)
        if not item:
            return self.paged("networkVolumes", list(self.volumes.values()), body)
        volume = self.volumes.get(item)
        if volume is None:
            return problem(404, "network volume not found")
        if method == "DELETE":
            if any(item in str(pod.facts.get("mounts")) for pod in self.living()):
                return problem(409, "network volume is in use")
            del self.volumes[item]
            return Reply(204, "")
        if method == "PATCH":
            wrong = wrong_in(body, {"name": str, "size": int})
            if wrong or body.get("size", volume["size"]) < volume["size"]:
                return wrong or problem(400, "size may only increase")
            volume.update(body)
        return Reply(200, volume)

    def _make_volume(self, body: dict[str, Any]) -> Reply:
        wrong = wrong_in(body, VOLUME_FIELDS, "name", "size", "dataCenter")
        if wrong:
            return wrong
        if not 10 <= body["size"] <= 4096:
            return problem(422, "Request validation failed.", "$.size: minimum 10, maximum 4096")
        made = {"type": "STANDARD", **body, "id": f"vol{len(self.volumes)}x{self.next_port()}"}
        self.volumes[made["id"]] = made
        return Reply(201, made)

    def refusal(self, kind: str) -> Reply:
        if kind == "end":
            return problem(409, "The pod is in transition")
        return problem(402, "Insufficient balance to deploy this pod")


class PagedDoor(RunPodDoor):
    """An account whose lists come in pages, and whose stopped pods go on telling a cost."""

    page, cost_stays = 1, True
