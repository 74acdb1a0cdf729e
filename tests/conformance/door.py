# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small imitation of a provider: books, time and bad luck; what it is asked in is up to each.

A provider's own door says which request means what, and in which words it is answered.
"""

from __future__ import annotations

import json
import math
import sys
import threading
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._providers import registry
from ansible_collections.gpuops.cloud.tests.conformance.world import Request, World
from gpuops_simulator.clock import Clock, iso

BUILD_S = 30.0


@dataclass
class Machine:
    """One instance in the books; ``facts`` are what its order said."""

    facts: dict[str, Any]
    created: float
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    deleted: float | None = None

    def is_built(self, now: float) -> bool:
        return now >= self.created + BUILD_S


@dataclass(frozen=True)
class Reply:
    """One answer."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


class Door(ABC):
    """One account behind an HTTP server on the loopback."""

    list_path = ""
    order_path = ""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.machines: list[Machine] = []
        self.keys: dict[str, dict[str, Any]] = {}
        self.log: list[Request] = []
        self.luck: list[str] = []
        self.spoilt = False
        self.delay_s = 0.0  # of real time, before each answer
        self.lock = threading.RLock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.server_port}"

    def start(self) -> None:
        self._listener = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._listening = threading.Thread(target=self._listener.serve_forever, args=(0.01,))
        self._listening.start()

    def stop(self) -> None:
        self._listener.shutdown()
        self._listener.server_close()
        self._listening.join()

    # -- what each provider says for itself ----------------------------------------------------

    @abstractmethod
    def answer(self, method: str, path: str, body: dict[str, Any]) -> Reply:
        """Answer a request of somebody who may ask it."""

    @abstractmethod
    def refusal(self, kind: str) -> Reply:
        """Return how an ``order`` or an ``end`` is refused in this provider's words."""

    # -- the books -----------------------------------------------------------------------------

    def now(self) -> float:
        return self.clock.now()

    def created(self, machine: Machine) -> str:
        return iso(machine.created)

    def make(self, **facts: Any) -> Machine:
        machine = Machine(facts, self.now())
        self.machines.append(machine)
        return machine

    def living(self) -> list[Machine]:
        return [one for one in self.machines if one.deleted is None]

    def find(self, machine_id: str) -> Machine | None:
        return next((one for one in self.living() if one.id == machine_id), None)

    def cost(self, step_s: int, price: float) -> float:
        """Return what ended machines have cost, in whole steps."""
        ended = [(one, one.deleted) for one in self.machines if one.deleted is not None]
        steps = [math.ceil((until - one.created) / step_s) for one, until in ended]
        return sum(steps) * step_s / 3600 * price

    # -- requests ------------------------------------------------------------------------------

    def serve(self, method: str, path: str, body: dict[str, Any]) -> Reply:
        """Answer a request with whatever luck is due, and write it down."""
        with self.lock:
            reply = self._with_luck(method, path, body)
            self.log.append(Request(self.now(), method, path, reply.status))
        return reply

    def _with_luck(self, method: str, path: str, body: dict[str, Any]) -> Reply:
        if method == "GET" and path == self.list_path and self.spoilt:
            return Reply(200, {"rows": None})
        if method == "POST" and path == self.order_path and self.luck[:1] in (["lose"], ["refuse"]):
            self.answer(method, path, body)
            lost = self.luck.pop(0) == "lose"
            return Reply(502, "<html>Bad gateway</html>") if lost else self.refusal("order")
        if method == "DELETE" and self.luck[:1] == ["refuse_end"]:
            self.luck.pop(0)
            return self.refusal("end")
        return self.answer(method, path, body)


def _handler(door: Door) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            text = self.rfile.read(length)
            path, _mark, query = self.path.partition("?")
            body = json.loads(text) if text else dict(parse_qsl(query))
            time.sleep(door.delay_s)
            reply = door.serve(self.command, path, body if isinstance(body, dict) else {})
            is_text = isinstance(reply.body, str)
            raw = (reply.body if is_text else json.dumps(reply.body)).encode()
            self.send_response_only(reply.status)
            self.send_header("Date", formatdate(door.now(), usegmt=True))
            self.send_header("Content-Type", "text/plain" if is_text else "application/json")
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815

        def log_message(self, *_args: Any) -> None:
            """Say nothing; the log of the door is the one that counts."""

    return Handler


class DoorClock:
    """The clock of a client: sleeping moves the door's time and takes none."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def monotonic(self) -> float:
        return self._door.now()

    def sleep(self, seconds: float) -> None:
        self._door.clock.advance(max(seconds, 0))


@contextmanager
def opened(kind: type[DoorWorld], speed: float, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Open a world, whose provider the registry takes for the one that is meant."""
    door, client = kind.door_class(Clock(speed)), sys.modules[kind.provider.__module__]
    door.start()
    for name, value in kind.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(client, "SystemClock", lambda: DoorClock(door))
    monkeypatch.setitem(registry.PROVIDERS, kind.provider.name, kind.provider)
    monkeypatch.setattr(registry, "DEFAULT", kind.provider.name)
    try:
        yield kind(door)
    finally:
        door.stop()


class DoorWorld(World):
    """The suite's world for a provider whose imitation is a door."""

    door_class: ClassVar[type[Door]]
    # What an instance costs per hour.
    price: ClassVar[float]
    # Where a user keeps the key.
    environment: ClassVar[dict[str, str]] = {}

    def __init__(self, door: Door) -> None:
        self.door = door

    def auth(self) -> dict[str, Any]:
        return {"base_url": f"{self.door.url}/v1"}

    @property
    def order_path(self) -> str:
        return self.door.order_path

    def living(self) -> list[str]:
        return [one.id for one in self.door.living()]

    def cost(self) -> float:
        return self.door.cost(self.capabilities.billing_step_s, self.price)

    def requests(self) -> list[Request]:
        return list(self.door.log)

    def advance(self, seconds: float) -> None:
        self.door.clock.advance(seconds)

    def rent_for_somebody_else(self) -> str:
        return self.door.make(label="not yours", type="foreign", region="north").id

    def lose_answer(self) -> None:
        self.door.luck.append("lose")

    def refuse_and_create(self) -> None:
        self.door.luck.append("refuse")

    def spoil_lists(self) -> None:
        self.door.spoilt = True

    def mend(self) -> None:
        self.door.spoilt = False

    def refuse_end(self) -> None:
        self.door.luck.append("refuse_end")
