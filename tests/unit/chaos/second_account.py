# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An account at a second cloud, a door of the simulator: stock, books, and the way."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from email.utils import formatdate
from typing import Any

from ansible_collections.gpuops.cloud.plugins.module_utils._models.label import Label, read_label
from ansible_collections.gpuops.cloud.tests.unit.chaos.misfortune import Misfortune, Stroke
from ansible_collections.gpuops.cloud.tests.unit.chaos.schedule import Schedule
from ansible_collections.gpuops.cloud.tests.unit.chaos.wire import Controller, Line, Wire
from gpuops_simulator.clock import Clock
from gpuops_simulator.doors.door import Machine, Reply
from gpuops_simulator.doors.lambda_cloud import CENTS, LAUNCH, LambdaDoor, type_row
from gpuops_simulator.wire import Request, Response

KEY_NAME = "mine"
TYPES = {
    "gpu_1x_a10": ("A10 (24 GB PCIe)", 75),
    "gpu_1x_a100_sxm4_80gb": ("A100 (80 GB SXM4)", CENTS),
    "gpu_1x_h100_pcie": ("H100 (80 GB PCIe)", 249),
}
# Names of strangers, some of which look nearly like ours.
STRANGERS = (
    "not yours",
    "llm",
    "gpo.other.llm.none.00000000",
    "gpo.llm.llm.none.0000",
    "see gpo.llm.llm.none.00000000",
    "gpo.llm-0123abcd-.llm.none.00000000",
)
SOLD_OUT = "instance-operations/launch/insufficient-capacity"


class Account(LambdaDoor):
    """An account with a stock, whose list shows what is new ``lag`` seconds late."""

    def __init__(self, clock: Clock, lag: float = 0.0) -> None:
        super().__init__(clock)
        self.lag = lag
        self.types = {
            name: type_row(name, gpu, cents=cents) for name, (gpu, cents) in TYPES.items()
        }
        self.stock = dict.fromkeys(TYPES, 99)
        self.lies = False  # the catalogue shows what was sold out
        self.keys["0" * 32] = {"id": "0" * 32, "name": KEY_NAME, "public_key": "x"}

    def answer(self, method: str, path: str, body: dict[str, Any]) -> Reply:
        name = str(body.get("instance_type_name"))
        if path == LAUNCH and self.stock.get(name) == 0:
            return Reply(400, {"error": {"code": SOLD_OUT, "message": "Sold out"}})
        if (method, path) == ("GET", self.list_path):
            since = self.now() - self.lag
            rows = [self._shown(one) for one in self._shown_ones() if one.created <= since]
            return Reply(200, {"data": rows})
        reply = super().answer(method, path, body)
        if path == LAUNCH and reply.status == 200:
            self.stock[name] -= 1
        if path == "/v1/instance-types" and not self.lies:
            return Reply(200, {"data": {name: self._row(name) for name in self.types}})
        return reply

    def _row(self, name: str) -> dict[str, Any]:
        gone: dict[str, Any] = {} if self.stock[name] else {"regions_with_capacity_available": []}
        return {**self.types[name], **gone}

    def price(self, machine: Machine) -> float:
        """Return what an instance costs per hour."""
        return TYPES.get(str(machine.facts.get("instance_type_name")), ("", CENTS))[1] / 100


def label_of(machine: Machine) -> Label | None:
    """Return whose an instance is."""
    return read_label(str(machine.facts.get("name")))


class SecondBooks:
    """What belongs to strangers there, and what orders have made since."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._foreign = {one.id: json.dumps(one.facts) for one in account.machines}
        self._buyers: dict[str, object] = {}
        self.excused: set[str] = set()
        self._blind: list[str] = []

    @property
    def made(self) -> list[Machine]:
        """What was made for us, living or not."""
        return [one for one in self.account.machines if one.id not in self._foreign]

    def living(self) -> list[Machine]:
        """Return what of that lives."""
        return [one for one in self.made if one.deleted is None]

    def made_by(self, buyer: object, before: set[str]) -> set[str]:
        """Return the ids of what a buyer has made beside what was there ``before``."""
        mine = {one for one, who in self._buyers.items() if who is buyer}
        return mine - before

    def note(self, buyer: object) -> None:
        """Take down what was made since the last look."""
        for one in self.made:
            if one.id in self._buyers:
                continue
            self._buyers[one.id] = buyer
            label = label_of(one)
            same = [other for other in self.living() if other is not one and label_of(other)]
            if label and any(label_of(other) == label for other in same):
                self._blind.append(f"the order of {one.id} was repeated blindly")

    def complaints(self) -> Iterable[str]:
        """Yield what must never be, whatever has happened."""
        yield from self._blind
        for one in self.made:
            if label_of(one) is None:
                yield f"instance {one.id} was ordered without an identity"
        now = {one.id: one for one in self.account.machines}
        for key, facts in self._foreign.items():
            if now[key].deleted is not None or json.dumps(now[key].facts) != facts:
                yield f"{now[key].facts['name']} of a stranger was touched: {key}"

    def cost(self, machine: Machine) -> float:
        """Return what an instance has cost, in the steps of a minute that are billed."""
        until = self.account.now() if machine.deleted is None else machine.deleted
        steps = -(-(until - machine.created) // 60)
        return steps / 60 * self.account.price(machine)


class SecondWire(Wire):
    """The way there."""

    def __init__(
        self, books: SecondBooks, schedule: Schedule, luck: Misfortune, trace: list[str]
    ) -> None:
        self.books, self.schedule, self.luck, self.trace = books, schedule, luck, trace
        self.account = books.account

    def exchange(self, request: Request, patience: float) -> tuple[Response | None, Line]:
        """Return what was answered, and what became of the line. Raises ConnectionRefusedError."""
        controller: Controller = self.schedule.owner
        self.schedule.travel()
        controller.sends()
        stroke = self.luck.of(request.method, request.path)
        if stroke.kind == "refused":
            raise ConnectionRefusedError("[Errno 111] Connection refused")
        line = Line(self.schedule, patience, lambda: None)
        response = self._late(request, line, stroke) if stroke.delay else None
        if not stroke.delay:
            response = self._struck(request, line, stroke, controller)
        controller.served()
        return response, line

    def _late(self, request: Request, line: Line, stroke: Stroke | None = None) -> Response | None:
        """Serve in the background: the client may give up before, and it is served all the same."""
        buyer, delay = self.schedule.owner, stroke.delay if stroke else 0.0

        def serve() -> Response:
            self.schedule.pause(delay)
            return self._execute(request, buyer)

        job = self.schedule.spawn(serve)
        self.schedule.until(lambda: job.over, self.schedule.now + line.patience)
        if job.over:
            served: Response = job.result()
            return served
        line.silent = True
        return None

    def _struck(
        self, request: Request, line: Line, stroke: Stroke, buyer: Controller
    ) -> Response | None:
        response = self._execute(request, buyer) if stroke.executes else None
        if stroke.kind == "hang":
            line.hold(600)
        elif stroke.kind == "reset":
            line.reset()
        elif stroke.kind == "answer":
            response = Response(stroke.status, stroke.body, headers=dict(stroke.headers))
        return response

    def _execute(self, request: Request, buyer: object) -> Response:
        query = {name: words[0] for name, words in request.query.items()}
        body = json.loads(request.raw) if request.raw else query
        reply = self.account.serve(request.method, request.path, body)
        if request.path == LAUNCH:
            self.books.note(buyer)
        text = f"    lambda #{self.luck.requests} {request.method} {request.path} {reply.status}"
        self.trace.append(text)
        return Response(reply.status, reply.body, headers=dict(reply.headers))

    def headers(self, response: Response) -> dict[str, str]:
        """Return the headers of an answer."""
        length = str(len(response.payload()))
        headers = {"Date": formatdate(self.account.now(), usegmt=True)}
        headers |= {"Content-Type": response.content_type, "Content-Length": length}
        return headers | response.headers


class Switchboard(Wire):
    """The ways to several clouds, by the names of their hosts."""

    def __init__(self, wires: Mapping[str, Wire]) -> None:
        self._wires = wires

    def to(self, host: str) -> Wire:
        """Return the way to a host."""
        return self._wires[host]
