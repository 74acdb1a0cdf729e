# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way from a controller to the simulator: no sockets, but all that can break there."""

from __future__ import annotations

import io
import json as json_of
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from functools import partial
from typing import Any, ClassVar, Protocol
from urllib.parse import parse_qs, urlsplit

from requests import ReadTimeout
from requests import Response as Answer
from urllib3.connection import HTTPConnection
from urllib3.exceptions import NewConnectionError
from urllib3.response import HTTPResponse

from gpuops_simulator import Simulator
from gpuops_simulator.wire import Request, Response

from .schedule import Schedule


class Killed(BaseException):
    """What `kill -9` is to a controller: nothing of it runs any more."""


class Controller(Protocol):
    """Who sends a request."""

    def sends(self) -> None:
        """Take note of a request; raises Killed."""

    def served(self) -> None:
        """Take note that the last request has been served; raises Killed."""


class Weather(Protocol):
    """What goes wrong."""

    def before(self, method: str, path: str, body: bytes) -> str | None:
        """Prepare for a request; returns ``refused`` or ``late`` where the wire must act."""

    def done(self, sender: object, method: str, path: str) -> None:
        """Take note that a request was executed, if it was."""

    def after(self, method: str, path: str, response: Response | None) -> None:
        """Take note of what was answered."""


@dataclass
class Line:
    """One connection of the simulator, whose client gives up after ``patience`` seconds."""

    schedule: Schedule
    patience: float
    done: Callable[[], None]
    silent: bool = False
    broken: bool = False

    def pause(self, seconds: float) -> bool:
        """Let time pass."""
        self.schedule.pause(seconds)
        return True

    def hold(self, seconds: float) -> None:
        """Keep silent until the client gives up."""
        self.done()
        self.silent = True
        self.schedule.pause(min(seconds, self.patience))

    def reset(self) -> None:
        """Break the connection."""
        self.broken = True


class Wire:
    """Carries requests of the controllers of one sequence."""

    def __init__(self, sim: Simulator, schedule: Schedule, weather: Weather) -> None:
        self.sim, self.schedule, self.weather = sim, schedule, weather

    def to(self, _host: str) -> Wire:
        """Return the way to a host: here all lead to the same cloud."""
        return self

    def carry(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes, patience: float
    ) -> HTTPResponse:
        """Return the answer, or raise what a socket would."""
        parts = urlsplit(target)
        lower = {name.lower(): value for name, value in headers.items()}
        query = parse_qs(parts.query, keep_blank_values=True)
        request = Request(method, parts.path, query, lower, body)
        response, line = self.exchange(request, patience)
        if line.silent:
            raise TimeoutError("timed out")
        if line.broken or response is None:
            raise ConnectionResetError("connection reset by peer")
        return HTTPResponse(
            io.BytesIO(response.payload()),
            headers=self.headers(response),
            status=response.status,
            preload_content=False,
            request_method=method,
        )

    def exchange(self, request: Request, patience: float) -> tuple[Response | None, Line]:
        """Return what was answered, and what became of the line. Raises ConnectionRefusedError."""
        controller: Controller = self.schedule.owner
        self.schedule.travel()  # others may come first
        controller.sends()
        mishap = self.weather.before(request.method, request.path, request.raw)
        if mishap == "refused":
            raise ConnectionRefusedError("[Errno 111] Connection refused")
        done = partial(self.weather.done, controller, request.method, request.path)
        line = Line(self.schedule, patience, done)
        response = self._late(request, line) if mishap == "late" else self._serve(request, line)
        self._drip(response, line)
        controller.served()
        return response, line

    def headers(self, response: Response) -> dict[str, str]:
        """Return the headers of an answer."""
        headers = {"Date": formatdate(self.sim.cloud.date(), usegmt=True)}
        if response.status != 204:
            length = str(len(response.payload()))
            headers |= {"Content-Type": response.content_type, "Content-Length": length}
        return headers | response.headers

    def _serve(self, request: Request, line: Line) -> Response | None:
        response = self.sim.answer(request, line)
        line.done()
        self.weather.after(request.method, request.path, response)
        return response

    def _drip(self, response: Response | None, line: Line) -> None:
        """Let the time pass that a body takes to come; the client gives up in between."""
        if response is not None and response.drip and response.payload():
            line.silent = line.silent or response.drip > line.patience
            self.schedule.pause(min(response.drip, line.patience))

    def _late(self, request: Request, line: Line) -> Response | None:
        """Serve in the background: the client may give up before, and it is served all the same."""
        job = self.schedule.spawn(lambda: self._serve(request, line))
        limit = self.schedule.now + line.patience
        self.schedule.until(lambda: job.over, limit)
        if job.over:
            served: Response | None = job.result()
            return served
        line.silent = True
        return None


class Connection(HTTPConnection):
    """What stands in for urllib3's connection: everything above it is the real thing."""

    wire: ClassVar[Wire]
    is_closed = False
    is_connected = True

    def request(
        self, method: str, url: str, body: Any = None, headers: Any = None, **_: Any
    ) -> None:
        """Remember what to send."""
        data = body.encode() if isinstance(body, str) else body or b""
        self._asked = (method, url, headers or {}, data)

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]
        """Send it, and return what came back."""
        try:
            wire = self.wire.to(str(self.host))
            return wire.carry(*self._asked, patience=float(self.timeout or 0))
        except ConnectionRefusedError as error:  # what connecting would raise
            raise NewConnectionError(self, str(error)) from None

    def connect(self) -> None:
        """Do nothing: there is no socket."""

    def close(self) -> None:
        """Do nothing: there is no socket."""


class Session:
    """What stands in for a session of requests where none goes wrong, but that it may be slow.

    A month has tens of thousands of requests, and nothing in it that urllib3 would repeat.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        timeout: tuple[float, float],
        json: Any = None,
        params: Mapping[str, Any] | None = None,
        **_: Any,
    ) -> Answer:
        """Send a request, and return what came back."""
        lower = {name.lower(): value for name, value in headers.items()}
        query = {name: [str(value)] for name, value in (params or {}).items()}
        body = b"" if json is None else json_of.dumps(json).encode()
        request = Request(method, urlsplit(url).path, query, lower, body)
        response, line = self._wire.exchange(request, patience=timeout[1])
        if line.silent:
            raise ReadTimeout("timed out")
        assert response is not None, url
        assert not line.broken, url
        answer = Answer()
        answer.status_code, answer._content = response.status, response.payload()
        answer.headers.update(self._wire.headers(response))
        answer._content_consumed = True
        return answer
