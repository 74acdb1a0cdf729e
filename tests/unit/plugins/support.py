# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the plugins share: a cloud in this process, and modules that run in it."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

from ansible.module_utils import basic
from ansible.module_utils.common import warnings
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase

from ansible_collections.gpuops.cloud.plugins.module_utils._core import argspecs
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.verda import client as _client
from gpuops_simulator import Simulator

PLUGINS = "ansible_collections.gpuops.cloud.plugins"
CLIENT_ID = "client-id-of-the-tests"
SECRET = "hunter2-the-client-secret"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDIhz2GK/XCUj4i6Q5yQJNL1MKMY0RxzPV2QrBqfHrDq me@home"
OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBbXcVxq0m5v4V0m4Ew3eFvZ4t2mB5b8mYw3aS9b2Q5n"
ORDERS = {"method": "POST", "path": "/v1/instances"}
LISTING = {"method": "GET", "path": "/v1/instances"}
ACTIONS = {"method": "PUT", "path": "/v1/instances"}
JUDGES_BY_THE_CLOCK = ("datacrunch_reap", "datacrunch_lease")
ENDED = ("discontinued", "deleting")


def stock(*names: str, spot: Iterable[str] = (), count: int = 4) -> dict[str, Any]:
    """Return exact stock; each name is a type with a place, such as ``1A100.22V@FIN-01``."""
    shelves: dict[str, Any] = {}
    for market, rows in (("on_demand", names), ("spot", spot)):
        for row in rows:
            name, _unused, place = row.partition("@")
            shelf = shelves.setdefault(place or "FIN-03", {"on_demand": {}, "spot": {}})
            shelf[market][name] = count
    return shelves


def run_action(plugin: Any, /, *, check: bool = False, **args: Any) -> dict[str, Any]:
    """Run the action of a module in this process, as a part of a task."""
    action = plugin.ActionModule.__new__(plugin.ActionModule)
    action._task = mock.Mock(args=args, check_mode=check, diff=True, async_val=0)
    with mock.patch.object(ActionBase, "run", return_value={}):
        return dict(action.run(task_vars={}))


def places(result: dict[str, Any]) -> list[str]:
    """Return the offers as ``type@place``."""
    return [f"{row['instance_type']}@{row['location']}" for row in result["offers"]]


def types(result: dict[str, Any]) -> list[str]:
    """Return the types of the offers."""
    return [row["instance_type"] for row in result["offers"]]


def reasons(result: dict[str, Any]) -> dict[str, str]:
    """Return the reason of each type that was not taken."""
    return {row["instance_type"]: row["reason"] for row in result["rejected"]}


class SimulatedClock:
    """The clock of a client: sleeping moves the simulator's time and takes none."""

    def __init__(self, sim: Simulator) -> None:
        self.sim = sim
        self.slept: list[float] = []
        self.on_sleep: Callable[[float], None] = lambda _seconds: None

    def monotonic(self) -> float:
        """Return seconds of simulated time."""
        return float(self.sim.cloud.now())

    def sleep(self, seconds: float) -> None:
        """Move simulated time on."""
        self.slept.append(seconds)
        self.sim.advance(max(seconds, 0))
        self.on_sleep(seconds)


class Runs(ABC):
    """Runs modules, of which it is known whether they succeed."""

    @abstractmethod
    def run(self, name: str, /, **args: Any) -> dict[str, Any]:
        """Run a module in this process, and return its whole result."""

    def ok(self, name: str, /, **args: Any) -> dict[str, Any]:
        """Run a module that succeeds."""
        result = self.run(name, **args)
        assert not result.get("failed"), result["msg"]
        return result

    def fails(self, name: str, /, **args: Any) -> dict[str, Any]:
        """Run a module that fails with a sentence of ours."""
        result = self.run(name, **args)
        assert result.get("failed"), result
        assert "Traceback" not in json.dumps(result)
        assert result["error"]["code"], result
        return result


@dataclass
class Cloud(Runs):
    """A simulator, and a controller that talks to it."""

    sim: Simulator
    clock: SimulatedClock
    timeout: float = 15.0
    said: list[str] = field(default_factory=list)

    def within_a_month(self, hours: float = 14) -> None:
        """Let a new month begin where less than some hours are left of this one."""
        now = self.sim.now()
        first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        left = ((first + timedelta(days=32)).replace(day=1) - now).total_seconds()
        if left < hours * 3600:
            self.sim.advance(left + 60)

    def run(
        self, name: str, /, *, check: bool = False, diff: bool = False, **args: Any
    ) -> dict[str, Any]:
        """Run a module in this process, as Ansible does, and return its whole result."""
        auth = {"client_id": CLIENT_ID, "client_secret": SECRET, "base_url": f"{self.sim.url}/v1"}
        # Tests move the clock of the cloud by days.
        clock = {"trust_cloud_clock": True} if name in JUDGES_BY_THE_CLOCK else {}
        given = {**auth, "timeout": self.timeout, **clock, **args}
        result, output = run_module(name, given, check=check, diff=diff)
        self.said.append(output)
        return result

    def buy(self, **args: Any) -> dict[str, Any]:
        """Keep an instance of the deployment ``llm``; returns the result."""
        return self.ok("datacrunch_instance", **{"deployment": "llm", **args})

    def ask(self, **args: Any) -> dict[str, Any]:
        """Ask what can be bought."""
        return self.ok("datacrunch_capacity", **args)

    def end(self, **args: Any) -> dict[str, Any]:
        """Terminate instances of the deployment ``llm``."""
        return self.buy(state="absent", **args)

    def client(self, **args: Any) -> _client.Client:
        """Return a client of its own."""
        auth = {"client_id": CLIENT_ID, "client_secret": SECRET, "base_url": f"{self.sim.url}/v1"}
        return _client.Client.from_params({**auth, "timeout": self.timeout, **args})

    def shows(self, path: str, **params: str) -> Any:
        """Return what the API answers to a GET."""
        return self.client().get(path, params or None).data()

    def fault(self, do: str, match: dict[str, str] | None = None, **more: Any) -> None:
        """Let the simulator fail once, or ``times`` times; who gets no answer waits 3 s for it.

        All other tests keep a long limit: a busy host may answer late.
        """
        if do in ("hang", "commit_then_hang"):
            self.timeout = min(self.timeout, 3.0)
        self.sim.add_faults([{"match": match or ORDERS, "do": do, **more}])

    def calls(self, path: str | None = None, method: str | None = None) -> list[str]:
        """Return the requests so far, as ``GET /instances``."""
        rows = [(row["method"], row["path"].removeprefix("/v1")) for row in self.sim.log()]
        return [
            f"{verb} {place}"
            for verb, place in rows
            if path in (None, place) and method in (None, verb)
        ]

    def orders(self) -> int:
        """Return how often an order was sent."""
        return len(self.calls("/instances", "POST"))

    def machines(self) -> list[dict[str, Any]]:
        """Return the instances that exist, by the simulator's own account."""
        return [row for row in self.sim.state()["instances"] if row["status"] not in ENDED]

    def machine(self) -> dict[str, Any]:
        """Return the one instance that exists."""
        (row,) = self.machines()
        return row

    def fate(self, volume_id: str) -> str:
        """Return what became of a volume: its status, ``trash`` or ``gone``."""
        state = self.sim.state()
        rows = [row for row in state["volumes"] if row["id"] == volume_id]
        if rows:
            return str(rows[0]["status"])
        return "trash" if volume_id in [row["id"] for row in state["trash"]] else "gone"


def run_module(
    name: str, args: dict[str, Any], *, check: bool = False, diff: bool = False
) -> tuple[dict[str, Any], str]:
    """Run a module's main; returns the result and everything it printed or logged."""
    module = importlib.import_module(f"{PLUGINS}.modules.{name}")
    given = {**args, "_ansible_check_mode": check, "_ansible_diff": diff, "_ansible_verbosity": 4}
    logged: list[str] = []
    output = io.StringIO()

    def log(_self: Any, text: str, log_args: Any = None) -> None:
        logged.append(f"{text} {log_args}")

    with contextlib.ExitStack() as stack:
        raw = json.dumps({"ANSIBLE_MODULE_ARGS": given}).encode()
        stack.enter_context(mock.patch.object(basic, "_ANSIBLE_ARGS", raw))
        if hasattr(basic, "_ANSIBLE_PROFILE"):  # ansible-core 2.19 and later
            stack.enter_context(mock.patch.object(basic, "_ANSIBLE_PROFILE", "legacy"))
            where = "ansible.module_utils._internal.is_controller"
            stack.enter_context(mock.patch(where, False))
        for kind in ("_global_warnings", "_global_deprecations"):
            none_yet = type(getattr(warnings, kind))()
            stack.enter_context(mock.patch.object(warnings, kind, none_yet))
        stack.enter_context(mock.patch.object(basic.AnsibleModule, "log", log))
        stack.enter_context(contextlib.redirect_stdout(output))
        stack.enter_context(contextlib.redirect_stderr(output))
        with contextlib.suppress(SystemExit):
            module.main()
    *others, last = output.getvalue().strip().splitlines()
    result = json.loads(last)
    # What ansible-core 2.22 passes to its controller to be masked; it is taken off there.
    if result.pop("_ansible_new_secrets", None):
        last = json.dumps(result)
    result.pop("invocation", None)
    result["warnings"] = [_words(warning) for warning in result.get("warnings", ())]
    return result, "\n".join([*others, last, *logged])


def _words(warning: Any) -> str:
    """Return a warning as text; ansible-core 2.19 and later put it into an object."""
    return str(warning["event"]["msg"] if isinstance(warning, dict) else warning)


def wanted(spec: dict[str, Any], **args: Any) -> dict[str, Any]:
    """Return the parameters that a module with this specification would see."""
    checked = ArgumentSpecValidator({**argspecs.AUTH_SPEC, **spec}).validate(args)
    assert not checked.error_messages
    return dict(checked.validated_parameters)


def tokens_in(folder: Path) -> list[str]:
    """Return the access tokens that were kept below a cache folder."""
    files = (folder / "gpuops.cloud" / "tokens").glob("*.json")
    return [json.loads(path.read_text())["access_token"] for path in files]
