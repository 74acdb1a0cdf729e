# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoints of TensorDock v2: typed answers, and ids of orders (private)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from ..._core.errors import NotFoundError
from ..._core.wait import Clock, SystemClock
from ..._models.catalogue import InstanceType, Stock
from ..._models.orders import Disposal, InstanceOrder
from ..._models.resources import Instance, SshKey
from ..base import client as base
from ..base.provider import Keys
from ..base.row import Row, Source
from .capabilities import CAPABILITIES
from .credentials import OPTIONS, find_key
from .errors import error_of
from .orders import order_body
from .parsing import (
    Shaped,
    complete,
    in_one_spelling,
    instance_from,
    key_from,
    stock_from,
    types_from,
)
from .session import Http

T = TypeVar("T")
# Types, stock and the price of disks are one answer; who asks for all of them means one moment.
_ONE_MOMENT_S = 5.0


class Client(Keys, base.Client):
    """Calls of the API that the collection uses."""

    name = "tensordock"
    capabilities = CAPABILITIES
    # Of the instances that others ordered there most never came to work, and some were paid for.
    by_default = False
    options = OPTIONS

    @classmethod
    def complete(cls, params: dict[str, Any]) -> dict[str, str]:
        url, key = find_key(params)
        return {**super().complete(params), "base_url": url, "api_key": key}

    @classmethod
    def from_params(cls, params: dict[str, Any]) -> Client:
        url, key = find_key(params)
        timeout, clock = float(params.get("timeout") or 30), SystemClock()
        return cls(Http(url, key, timeout, clock, error_of, CAPABILITIES.pace), clock)

    def __init__(self, http: Any, clock: Clock | None = None) -> None:
        super().__init__(http, clock)
        self._seen: dict[str, Instance] = {}
        self._asking = threading.Lock()
        self._places: tuple[float, Source] | None = None

    def _instances(self) -> list[Instance]:
        rows = self._listed("instances").rows(instance_from)
        self._seen = {row.id: row for row in rows}
        return rows

    def instance(self, instance_id: str) -> Instance:
        found = _shaped(self.get("/instances/{id}", id=instance_id)).one(instance_from, instance_id)
        return complete(found, self._seen.get(instance_id))

    # -- what can be bought --------------------------------------------------------------------

    def instance_types(self, currency: str | None = None) -> list[InstanceType]:
        return self._of_places(types_from)

    def availability(self, market: str) -> list[Stock]:
        if market != "on_demand":
            return []
        return self._of_places(lambda row: [stock_from(row)])

    def _of_places(self, read: Callable[[Row], list[T]]) -> list[T]:
        with self._asking:
            now = self.clock.monotonic()
            if self._places is None or not 0 <= now - self._places[0] < _ONE_MOMENT_S:
                self._places = (now, self._listed("locations"))
            source = self._places[1]
        return [one for rows in source.rows(read) for one in rows]

    # -- writes --------------------------------------------------------------------------------

    def order(self, order: InstanceOrder) -> str:
        known = {key.id: key for key in self.ssh_keys()} if order.ssh_key_ids else {}
        lost = [key_id for key_id in order.ssh_key_ids if key_id not in known]
        if lost:
            raise NotFoundError(f"TensorDock has no SSH key {', '.join(lost)}")
        body = order_body(order, [known[key_id] for key_id in order.ssh_key_ids], self.now())
        return _shaped(self.post("/instances", body)).one(_made_id)

    def terminate(self, instance_id: str, disposal: Disposal, *, stuck: bool = False) -> None:
        self._http.request("DELETE", "/instances/{id}", path_params={"id": instance_id})

    # -- keys ----------------------------------------------------------------------------------

    def ssh_keys(self) -> list[SshKey]:
        return [key for key in self._listed("secrets").rows(key_from) if key is not None]

    def add_ssh_key(self, name: str, public_key: str) -> str:
        attributes = {"name": name, "value": public_key, "secret_type": "SSHKEY"}
        body = {"data": {"type": "secret", "attributes": attributes}}
        return _shaped(self.post("/secrets", body)).one(_made_id)

    def delete_ssh_key(self, key_id: str) -> None:
        self._http.request("DELETE", "/secrets/{id}", path_params={"id": key_id})

    def _listed(self, what: str) -> Source:
        return _shaped(self.get(f"/{what}"), what)


def _shaped(source: Source, holds: str = "") -> Shaped:
    return Shaped(source.request, source.answer, source.envelope, holds)


def _made_id(row: Row) -> str:
    return in_one_spelling(row).id()
