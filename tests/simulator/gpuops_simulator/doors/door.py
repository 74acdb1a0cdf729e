# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small imitation of a provider: books, time and bad luck; what it is asked in is up to each.

A provider's own door says which request means what, and in which words it is answered.
"""

from __future__ import annotations

import json
import math
import threading
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from .. import wire
from ..clock import Clock, iso
from ..hosting import Hosts
from ..server import Handler, Server

BUILD_S = 30.0


@dataclass(frozen=True)
class Request:
    """One request that came in, by the imitation's time in seconds."""

    at: float
    method: str
    path: str
    status: int | None


@dataclass
class Machine:
    """One instance in the books; ``facts`` are what its order said.

    Behind it may be a real host, with an address of its own.
    """

    facts: dict[str, Any]
    created: float
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    deleted: float | None = None
    build_s: float = BUILD_S
    hostname: str = ""
    authorized_keys: list[str] = field(default_factory=list)
    host: str = "none"  # none, starting, up, failed
    ip: str | None = None

    def is_built(self, now: float) -> bool:
        return self.host in ("none", "up") and now >= self.created + self.build_s


@dataclass(frozen=True)
class Reply:
    """One answer."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


class Door(ABC):
    """One account behind an HTTP server."""

    # What the provider is called, and the path of its API, which is a part of the base URL.
    title, base_path = "", "/v1"
    list_path = ""
    order_path = ""
    # What is answered without a key.
    public: ClassVar[frozenset[str]] = frozenset()
    # Who logs in to an instance, and the step in which it is billed.
    login = "root"
    step_s: ClassVar[int] = 60

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.machines: list[Machine] = []
        self.keys: dict[str, dict[str, Any]] = {}
        self.log: list[Request] = []
        self.luck: list[str] = []
        self.spoilt = False
        self.delay_s = 0.0  # of real time, before each answer
        self.build_s = BUILD_S
        self.restocks = False  # what was terminated is offered again
        self.lock = threading.RLock()
        self._servers: list[Server] = []
        self._hosts = self._housed(None, lambda line: None)

    @property
    def url(self) -> str:
        host, port = self._servers[0].reachable
        return f"http://{host}:{port}"

    @property
    def base_url(self) -> str:
        """The address that a client of the provider takes."""
        return f"{self.url}{self.base_path}"

    @property
    def port(self) -> int:
        return self._servers[0].reachable[1]

    def listen(self, host: str = "127.0.0.1", *more: str, port: int = 0) -> None:
        """Take an address, and further ones by the same port."""
        self._servers = [Server((host, port), self._answered, self.now)]
        self._servers += [Server((one, self.port), self._answered, self.now) for one in more]

    def start(self) -> None:
        """Serve in the background, on the loopback unless another address was taken."""
        if not self._servers:
            self.listen()
        for server in self._servers:
            server.start()

    def stop(self) -> None:
        for server in self._servers:
            server.stop()

    # -- what each provider says for itself ----------------------------------------------------

    @abstractmethod
    def answer(self, method: str, path: str, body: dict[str, Any]) -> Reply:
        """Answer a request of somebody who may ask it."""

    @abstractmethod
    def refusal(self, kind: str) -> Reply:
        """Return how an ``order`` or an ``end`` is refused in this provider's words."""

    def stranger(self) -> Reply:
        """Return how somebody without a key is refused."""
        return Reply(401, {"error": "Unauthorized"})

    def sell(self, rows: list[dict[str, Any]]) -> None:
        """Offer these and nothing else. Raises ValueError for a row that cannot be read."""
        raise ValueError(f"{self.title}: what is offered cannot be changed")

    def price_of(self, machine: Machine) -> float:
        """Return what an instance costs per hour."""
        raise NotImplementedError

    # -- the books -----------------------------------------------------------------------------

    def now(self) -> float:
        return self.clock.now()

    def created(self, machine: Machine) -> str:
        return iso(machine.created)

    def make(self, **facts: Any) -> Machine:
        machine = Machine(facts, self.now(), build_s=self.build_s)
        self.machines.append(machine)
        return machine

    def end(self, machine: Machine) -> None:
        """Terminate an instance, and remove its host."""
        machine.deleted = self.now()
        self._hosts.remove(machine.id)

    def living(self) -> list[Machine]:
        return [one for one in self.machines if one.deleted is None]

    def find(self, machine_id: str) -> Machine | None:
        return next((one for one in self.living() if one.id == machine_id), None)

    def cost(self, step_s: int, price: float) -> float:
        """Return what ended machines have cost, in whole steps."""
        ended = [(one, one.deleted) for one in self.machines if one.deleted is not None]
        steps = [math.ceil((until - one.created) / step_s) for one, until in ended]
        return sum(steps) * step_s / 3600 * price

    def account(self) -> dict[str, Any]:
        """Return the whole account, with what each instance has cost so far."""
        with self.lock:
            return {
                "instances": [self._booked(one) for one in self.machines],
                "ssh_keys": list(self.keys.values()),
            }

    def _booked(self, machine: Machine) -> dict[str, Any]:
        until = self.now() if machine.deleted is None else machine.deleted
        price = self.price_of(machine)
        hours = math.ceil((until - machine.created) / self.step_s) * self.step_s / 3600
        return {
            "id": machine.id,
            "created": iso(machine.created),
            "deleted": None if machine.deleted is None else iso(machine.deleted),
            "price_per_hour": price,
            "cost": round(hours * price, 6),
            "host": machine.host,
            "ip": machine.ip,
            "order": machine.facts,
        }

    # -- real hosts ----------------------------------------------------------------------------

    def house(self, backend: Any, note: Callable[[str], None]) -> None:
        """Let a real host be behind each instance that is ordered from now on."""
        self._hosts = self._housed(backend, note)

    def _housed(self, backend: Any, note: Callable[[str], None]) -> Hosts[Machine]:
        return Hosts(backend, self._host_changed, note, lambda _machine: [], self.login)

    def bring_up(self, machine: Machine, hostname: str, keys: list[str]) -> None:
        """Begin to start the host of an instance, which the keys open."""
        machine.hostname, machine.authorized_keys = hostname, keys
        self._hosts.start(machine)

    def vacate(self) -> None:
        """Begin to remove every host."""
        self._hosts.remove_all()

    def wait_until_vacant(self) -> None:
        """Return when every host is removed that was to be."""
        self._hosts.wait()

    def _host_changed(self, machine_id: str, host: str, ip: str | None) -> None:
        with self.lock:
            for machine in self.machines:
                if machine.id == machine_id:
                    machine.host, machine.ip = host, ip

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

    def _admitted(self, request: wire.Request, body: dict[str, Any]) -> Reply:
        """Answer whoever has a key, and any key is one."""
        has_key = request.headers.get("authorization", "").removeprefix("Bearer ")
        if has_key or request.path in self.public:
            return self.serve(request.method, request.path, body)
        reply = self.stranger()
        with self.lock:
            self.log.append(Request(self.now(), request.method, request.path, reply.status))
        return reply

    def _answered(self, request: wire.Request, line: Handler) -> wire.Response | None:
        query = {name: values[-1] for name, values in request.query.items() if values[-1]}
        body = json.loads(request.raw) if request.raw else query
        if self.delay_s and not line.pause(self.delay_s):
            return None
        reply = self._admitted(request, body if isinstance(body, dict) else {})
        kind = "text/plain" if isinstance(reply.body, str) else "application/json"
        found = wire.Response(reply.status, reply.body, kind, dict(reply.headers))
        found.body = found.payload()  # while nobody can change what it shows
        return found
