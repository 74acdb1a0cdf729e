# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator as an object: for tests in the same process, and for the command line."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from . import control, lifecycle
from .app import App, Line
from .billing import bill
from .checks import instance as instance_by_id
from .clock import Clock, iso, moment
from .cloud import Cloud
from .disks import in_trash
from .doors.door import Door
from .doorway import Doorway, check_names
from .errors import ApiError
from .faults import check_fault
from .instances import STATUSES
from .model import Instance
from .scenario import Scenario, Stock, exact_stock
from .server import Server
from .views import instance_view, trash_view, volume_view
from .wire import Request, Response


class Simulator:
    """One imitated account behind one HTTP server; use it as a context manager."""

    def __init__(
        self,
        scenario: dict[str, Any] | None = None,
        speed: float = 1.0,
        provision_seconds: float = 0.0,
        hosts: Any = None,
        *,
        rate_limits: bool = False,
        address: tuple[str, int] = ("127.0.0.1", 0),
        also_host: str | None = None,
        state_file: Path | None = None,
        say: Callable[[str], None] = lambda line: None,
        clock: Clock | None = None,
        providers: Iterable[str] = (),
    ) -> None:
        self._defaults = {
            "provision_seconds": provision_seconds,
            "rate_limits": rate_limits,
        }
        first, names = self._read(scenario), check_names(providers)
        if names and state_file:
            raise ValueError("a state file holds the first account alone: no doors beside it")
        self.cloud = Cloud(first, clock or Clock(speed), hosts, say, state_file)
        self._doorway = Doorway(names, self.cloud.clock, hosts, self.cloud.note)
        doors = self._doorway.made(first)
        self._app = App(self.cloud)
        self._server = Server(address, self.answer, self.cloud.date)
        self._servers = [self._server]
        if also_host:
            same_port = (also_host, self._server.reachable[1])
            self._servers.append(Server(same_port, self.answer, self.cloud.date))
        self._doorway.listen(doors, address[0], *([also_host] if also_host else []))
        self._stop_wanted = threading.Event()
        self._stopped = False

    def _read(self, scenario: dict[str, Any] | None) -> Scenario:
        return Scenario.read({**self._defaults, **(scenario or {})})

    def __enter__(self) -> Simulator:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def start(self) -> None:
        """Serve in the background."""
        self._doorway.start()
        for server in self._servers:
            server.start()

    def stop(self) -> None:
        """Stop serving, remove every host, keep the account in its state file."""
        if not self._stopped:
            self._stopped = True
            for server in self._servers:
                server.stop()
            self._doorway.stop()
            with self.cloud.lock:
                self.cloud.save()
            self.cloud.hosts.close()

    def want_stop(self) -> None:
        """Let `wait` return; safe in a signal handler."""
        self._stop_wanted.set()

    def wait(self) -> None:
        """Return when somebody asked for the end."""
        self._stop_wanted.wait()

    @property
    def url(self) -> str:
        """The address to talk to, without /v1."""
        host, port = self._server.reachable
        return f"http://{host}:{port}"

    def addresses(self) -> dict[str, str]:
        """Return what a user sets as the base URL of each provider."""
        return {"verda": f"{self.url}/v1", **self._doorway.addresses()}

    def doors(self) -> dict[str, Door]:
        """Return the doors of further providers."""
        return dict(self._doorway.doors)

    def answer(self, request: Request, line: Line) -> Response | None:
        """Answer one request, for a server or for a test that needs no sockets."""
        if request.path.startswith("/_sim/"):
            return control.answer(self, request)
        return self._app.answer(request, line)

    def set_stock(self, stock: Stock) -> None:
        """Set how many instances are free, exactly; what is not named is zero."""
        with self.cloud.lock:
            self.cloud.account.stock = exact_stock(stock, self.cloud.catalogue)
            self.cloud.save()

    def add_faults(self, faults: Iterable[dict[str, Any]]) -> None:
        """Append faults; the first that matches a request and has times left strikes."""
        checked = [dict(check_fault(fault)) for fault in faults]
        with self.cloud.lock:
            self.cloud.account.faults += checked

    def clear_faults(self) -> None:
        """Forget every fault."""
        with self.cloud.lock:
            self.cloud.account.faults.clear()

    def advance(self, seconds: float) -> None:
        """Move simulated time forward, with all that falls due."""
        with self.cloud.lock:
            self.cloud.clock.advance(seconds)
            self.cloud.settle()

    def evict(self, instance_id: str) -> None:
        """Take a spot instance away; ValueError when it is not a living spot instance."""
        with self.cloud.lock:
            instance = self._living(instance_id)
            if not instance.is_spot:
                raise ValueError("only spot instances are evicted")
            lifecycle.evict(self.cloud, instance)
            self.cloud.save()

    def set_status(self, instance_id: str, status: str) -> None:
        """Force a status upon an instance, known to the API or not."""
        with self.cloud.lock:
            instance = self._living(instance_id)
            instance.plan = []
            if status in STATUSES:
                lifecycle.enter(self.cloud, instance, status)
            else:
                instance.status = status
            self.cloud.save()

    def _living(self, instance_id: str) -> Instance:
        self.cloud.settle()
        try:
            instance = instance_by_id(self.cloud, instance_id)
        except ApiError as error:
            raise ValueError(error.message) from None
        if instance.status == "discontinued":
            raise ValueError("the instance is discontinued")
        return instance

    def set_balance(self, amount: float | str) -> None:
        """Set the money that is left, in USD."""
        with self.cloud.lock:
            self.cloud.settle()
            self.cloud.account.balance = Scenario.read({"balance": amount}).balance

    def switch(self, **changes: Any) -> None:
        """Change habits of the cloud: any scenario key but the account's start."""
        with self.cloud.lock:
            self.cloud.switch(changes)

    def revoke_tokens(self) -> None:
        """Make every token worthless."""
        with self.cloud.lock:
            self.cloud.tokens.revoke()

    def reset(self, scenario: dict[str, Any] | None = None) -> None:
        """Go back to the scenario, or to another one; tokens stay good, the log is emptied."""
        with self.cloud.lock:
            again = self.cloud.start_scenario if scenario is None else self._read(scenario)
            doors = self._doorway.made(again)
            self.cloud.begin(again)
            self.cloud.save()
            self._app.log.clear()
        self._doorway.begin(doors)

    def state(self) -> dict[str, Any]:
        """Return the whole account, its bill included, as plain data of its own."""
        cloud, account = self.cloud, self.cloud.account
        with cloud.lock:
            cloud.settle()
            volumes = account.volumes.values()
            state = {
                "time": iso(cloud.moment),
                "balance": {
                    "amount": round(float(account.balance), 6),
                    "currency": cloud.catalogue.currency,
                },
                "stock": account.stock,
                "instances": [self._instance(i) for i in account.instances.values()],
                "volumes": [volume_view(cloud, v) for v in volumes if v.deleted_at is None],
                "trash": [trash_view(cloud, v) for v in volumes if in_trash(v)],
                "ssh_keys": list(account.keys.values()),
                "scripts": list(account.scripts.values()),
                "bill": bill(account),
                "faults": account.faults,
                "notes": cloud.notes,
            }
            if self._doorway.doors:
                state["providers"] = self._doorway.accounts()
            return json.loads(json.dumps(state))

    def _instance(self, instance: Instance) -> dict[str, Any]:
        hidden = ("host", "keys_injected", "holds_stock", "end_reason")
        private = {name: getattr(instance, name) for name in hidden}
        return {**instance_view(self.cloud, instance), **private}

    def log(self) -> list[dict[str, Any]]:
        """Return every request to the API, oldest first; `status` is null where none was sent."""
        with self.cloud.lock:
            return [dict(entry) for entry in self._app.log]

    def clear_log(self) -> None:
        """Forget the requests so far."""
        with self.cloud.lock:
            self._app.log.clear()

    def writes(self) -> list[dict[str, Any]]:
        """Return the requests that could have changed something."""
        return [entry for entry in self.log() if entry["write"]]

    def now(self) -> datetime:
        """Return the simulated time."""
        return moment(self.cloud.now())
