# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a request to an answer: log, faults, rate limits, token, route."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import unquote

from . import accents, routes
from .clock import iso
from .cloud import Cloud
from .errors import ApiError, missing
from .faults import FATES, Fault, take_fault
from .orders import post_instance
from .wire import TEXT, Request, Response

PREFIX = "/v1"
TOKEN_PATH = "/v1/oauth2/token"
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
HANG_SECONDS = 300.0
BAD_GATEWAY = "<html><head><title>500 Internal Server Error</title></head></html>"


class Line(Protocol):
    """The connection a request came on."""

    def pause(self, seconds: float) -> bool:
        """Wait; return false when the simulator is ending."""

    def hold(self, seconds: float) -> None:
        """Wait until the client gives up, at most this long."""

    def reset(self) -> None:
        """Break the connection without a goodbye."""


class App:
    """Answers everything outside /_sim/."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.log: list[dict[str, Any]] = []

    def answer(self, request: Request, line: Line) -> Response | None:
        """Return the answer, or None when the client shall get none."""
        with self.cloud.lock:
            fault = take_fault(self.cloud.account.faults, request.method, request.path)
            entry = self._entry(request, fault)
            self.log.append(entry)
        response = self._with_fault(request, fault, line)
        if response is not None:
            entry["status"] = response.status
            done = entry["write"] and response.status < 400
            response.drip = self.cloud.scenario.dialect.drip(write=done)
        return response

    def _entry(self, request: Request, fault: Fault | None) -> dict[str, Any]:
        query = {k: v[0] if len(v) == 1 else v for k, v in request.query.items()}
        for name in query:
            if "secret" in name or "token" in name:
                query[name] = "***"
        return {
            "time": iso(self.cloud.now()),
            "method": request.method,
            "path": request.path,
            "query": query,
            "status": None,
            "write": request.method in WRITES and request.path != TOKEN_PATH,
            "fault": fault["do"] if fault else None,
        }

    def _with_fault(self, request: Request, fault: Fault | None, line: Line) -> Response | None:
        if fault is None:
            return self._served(request)
        do, seconds = fault["do"], fault.get("seconds", HANG_SECONDS)
        if do == "status":
            return _made_up(fault, fault["status"], {})
        if do == "latency" and not line.pause(seconds):
            return None
        if do in {"hang", "reset"}:
            self._silence(do, seconds, line)
            return None
        response = self._served(request, do if do in FATES else None)
        if do == "commit_then_500":
            return _made_up(fault, fault.get("status", 500), BAD_GATEWAY)
        if do.startswith("commit_then_"):
            self._silence(do, seconds, line)
            return None
        return response

    def _silence(self, do: str, seconds: float, line: Line) -> None:
        if do.endswith("hang"):
            line.hold(seconds)
        line.reset()

    def _served(self, request: Request, fate: str | None = None) -> Response:
        with self.cloud.lock:
            try:
                self.cloud.settle()
                response = self._limited(request, fate)
            except Exception:  # noqa: BLE001 - its own faults must be seen, not swallowed
                self.cloud.note(traceback.format_exc())
                error = ApiError(500, "server_error", "The simulator failed; see its notes")
                response = Response(500, error.body())
            response.body = response.payload()  # while nobody can change what it shows
            if request.method == "GET" and response.status < 300:
                response.body = accents.spoken(self.cloud.scenario.dialect, response.body)
            return response

    def _limited(self, request: Request, fate: str | None) -> Response:
        path = request.path.removeprefix(PREFIX)
        headers, refusal = self.cloud.limits.take(request.method, path)
        response = refusal or self._routed(request, path, fate)
        response.headers.update(headers)
        return response

    def _routed(self, request: Request, path: str, fate: str | None) -> Response:
        try:
            if not request.path.startswith(f"{PREFIX}/"):
                raise missing("Not found; the API is under /v1")
            route, values = routes.find(request.method, path, self.cloud.scenario.aliases)
            if route is None or not route.free:
                self.cloud.tokens.check(request.headers.get("authorization"))
            if route is None:
                raise routes.refusal(path)
            values = {name: unquote(value) for name, value in values.items()}
            if fate and route.handler is post_instance:
                values["fate"] = fate
            return self._call(route.handler, request, values)
        except ApiError as error:
            return Response(error.status, error.body())

    def _call(
        self, handler: Callable[..., Response], request: Request, values: dict[str, str]
    ) -> Response:
        response = handler(self.cloud, request, **values)
        if request.method in WRITES:
            self.cloud.save()
        return response


def _made_up(fault: Fault, status: int, body: Any) -> Response:
    body = fault.get("body", body)
    response = Response(status, body, headers=dict(fault.get("headers", {})))
    response.content_type = fault.get("content_type") or (
        TEXT if isinstance(body, str) else response.content_type
    )
    return response
