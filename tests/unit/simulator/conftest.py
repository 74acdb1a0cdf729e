# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulator whose time stands still, and a client that speaks plain HTTP to it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from gpuops_simulator import Simulator
from gpuops_simulator.clock import Clock

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDIhz2GK/XCUj4i6Q5yQJNL1MKMY0RxzPV2QrBqfHrDq me@home"


@dataclass
class Watch:
    """Real time that only moves when a test moves it."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    text: str

    @property
    def data(self) -> Any:
        """The body as JSON."""
        return json.loads(self.text)

    @property
    def message(self) -> str:
        """The message of an error body."""
        return str(self.data["message"])


@dataclass
class Api:
    """A client with one kept connection and a token of its own."""

    simulator: Simulator
    watch: Watch
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        host, port = self.simulator.url.removeprefix("http://").split(":")
        self.wire = http.client.HTTPConnection(host, int(port), timeout=5)

    def login(self, client_id: str = "me", secret: str = "hush") -> Answer:
        """Take a token and send it from now on."""
        grant = {"grant_type": "client_credentials", "client_id": client_id}
        answer = self.post("/oauth2/token", {**grant, "client_secret": secret})
        if answer.status == 200:
            self.headers["Authorization"] = f"Bearer {answer.data['access_token']}"
        return answer

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send one request; a path that does not start with /_sim or /v1 is below /v1."""
        full = path if path.startswith(("/_sim", "/v1")) else f"/v1{path}"
        raw = body if isinstance(body, (str, type(None))) else json.dumps(body)
        self.wire.request(method, full, raw, {**self.headers, **headers})
        response = self.wire.getresponse()
        return Answer(response.status, response.headers, response.read().decode())

    def get(self, path: str) -> Answer:
        """Send a GET."""
        return self.call("GET", path)

    def post(self, path: str, body: Any = None) -> Answer:
        """Send a POST."""
        return self.call("POST", path, body)

    def put(self, path: str, body: Any = None) -> Answer:
        """Send a PUT."""
        return self.call("PUT", path, body)

    def delete(self, path: str, body: Any = None) -> Answer:
        """Send a DELETE."""
        return self.call("DELETE", path, body)

    def order(self, **changes: Any) -> Answer:
        """Order an instance that is in stock, with changes; None leaves a field out."""
        order = {
            "instance_type": "1A100.22V",
            "image": "ubuntu-24.04",
            "hostname": "one",
            "location_code": "FIN-01",
        }
        body = {key: value for key, value in {**order, **changes}.items() if value is not None}
        return self.post("/instances", body)

    def buy(self, **changes: Any) -> str:
        """Order an instance and return its id."""
        answer = self.order(**changes)
        assert answer.status == 202, answer.text
        return answer.text

    def instance(self, instance_id: str) -> dict[str, Any]:
        """Return an instance by id."""
        return dict(self.get(f"/instances/{instance_id}").data)

    def volume(self, volume_id: str) -> dict[str, Any]:
        """Return a volume by id."""
        return dict(self.get(f"/volumes/{volume_id}").data)

    def act(self, ids: Any, action: str, **more: Any) -> Answer:
        """Ask for an action on instances."""
        return self.put("/instances", {"action": action, "id": ids, **more})

    def act_on_volume(self, ids: Any, action: str, **more: Any) -> Answer:
        """Ask for an action on volumes."""
        return self.put("/volumes", {"action": action, "id": ids, **more})

    def balance(self) -> float:
        """Return the money left."""
        return float(self.get("/balance").data["amount"])


Start = Callable[..., Api]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start simulators with a scenario; time moves only by `advance`."""
    running: list[Api] = []

    def begin(**scenario: Any) -> Api:
        ours = {key: scenario.pop(key, None) for key in ("hosts", "state_file")}
        watch = Watch()
        simulator = Simulator(scenario, clock=Clock(speed=0, real=watch), **ours)
        simulator.start()
        running.append(Api(simulator, watch))
        running[-1].login()
        simulator.clear_log()
        return running[-1]

    yield begin
    for api in running:
        api.wire.close()
        api.simulator.stop()


@pytest.fixture
def api(start: Start) -> Api:
    """A client of a simulator with nothing special about it."""
    return start()
