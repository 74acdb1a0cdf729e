# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoints of Lambda Cloud: typed answers, and ids of orders (private)."""

from __future__ import annotations

import re
import threading
from typing import Any

from ..._core.errors import InvalidError, NotFoundError, RateLimitedError, WrongStateError
from ..._core.times import write_time
from ..._core.wait import Clock, SystemClock
from ..._models.catalogue import InstanceType, Stock
from ..._models.orders import Disposal, InstanceOrder
from ..._models.ownership import LEASE_TAG
from ..._models.resources import Instance, SshKey, Volume
from ..base import client as base
from ..base.gap import Gap
from ..base.key_http import KeyHttp
from ..base.provider import Keys, Labelling
from ..base.row import Row, Source
from .capabilities import CAPABILITIES, LAUNCH_GAP_S
from .credentials import OPTIONS, find_key
from .errors import LAUNCH, TERMINATE, error_of
from .parsing import (
    ORDERED_TAG,
    filesystem_from,
    instance_from,
    key_from,
    stock_from,
    type_from,
)

# Prices and stock stand in one answer, and nobody may ask for it twice within this time.
_FRESH_S = 1 / CAPABILITIES.pace
# An image is named by its id, or by the family of which the newest is meant.
_IMAGE_ID = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}\Z")


class Client(Keys, Labelling, base.Client):
    """Calls of the API that the collection uses."""

    name = "lambda"
    capabilities = CAPABILITIES
    envelope = "data"
    options = OPTIONS

    def __init__(self, http: KeyHttp, clock: Clock | None = None) -> None:
        super().__init__(http, clock)
        self._launches = Gap(f"{http.account}-launch", LAUNCH_GAP_S, self.clock)
        self._types_lock = threading.Lock()
        self._types: dict[str, Row] = {}
        self._types_at: float | None = None

    @classmethod
    def complete(cls, params: dict[str, Any]) -> dict[str, str]:
        url, key = find_key(params)
        return {**super().complete(params), "base_url": url, "api_key": key}

    @classmethod
    def from_params(cls, params: dict[str, Any]) -> Client:
        url, key = find_key(params)
        timeout, clock = float(params.get("timeout") or 30), SystemClock()
        return cls(KeyHttp(url, key, timeout, clock, error_of, CAPABILITIES.pace), clock)

    def _instances(self) -> list[Instance]:
        return self.get("/instances").rows(instance_from)

    def instance(self, instance_id: str) -> Instance:
        return self.get("/instances/{id}", id=instance_id).one(instance_from, instance_id)

    def _listed_types(self) -> dict[str, Row]:
        """Return the rows of the catalogue, by name; threads that ask together share an answer."""
        with self._types_lock:
            now = self.clock.monotonic()
            if self._types_at is None or now - self._types_at >= _FRESH_S:
                source = self.get("/instance-types")
                found = source.data()
                if not isinstance(found, dict):
                    raise source.wrong(f"an object is due, and it holds {source.shown(found)}")
                self._types = {name: Row(source, one) for name, one in found.items()}
                self._types_at = self.clock.monotonic()
            return self._types

    def instance_types(self, currency: str | None = None) -> list[InstanceType]:
        return [type_from(name, row) for name, row in self._listed_types().items()]

    def availability(self, market: str) -> list[Stock]:
        if market != "on_demand":
            return []
        return [one for name, row in self._listed_types().items() for one in stock_from(name, row)]

    def order(self, order: InstanceOrder) -> str:
        if len(order.ssh_key_ids) != 1:
            raise InvalidError(
                f"ssh_keys: {self.name} takes exactly one key, and {len(order.ssh_key_ids)} are given"
            )
        self._launches.wait()
        try:
            answer = self._http.request("POST", LAUNCH, json=self._body(order), once=True)
        except RateLimitedError as error:
            error.unclear = True  # one too many was refused, and executed, before
            raise
        self._note_date(answer)
        source = Source(f"POST {LAUNCH}", answer, self.envelope)
        made = source.one(lambda row: row.ids("instance_ids"))
        if len(made) != 1:
            raise source.wrong(f"accepted, but the answer holds no one id: {answer.excerpt()}")
        return made[0]

    def _body(self, order: InstanceOrder) -> dict[str, Any]:
        tags = [
            *({"key": tag.key, "value": tag.value} for tag in order.tags if tag.key != LEASE_TAG),
            {"key": ORDERED_TAG, "value": write_time(self.now())},
        ]
        return {
            "name": order.description,
            "hostname": order.name,
            "instance_type_name": order.instance_type,
            "region_name": order.location.lower(),
            "ssh_key_names": list(order.ssh_key_ids),
            "tags": tags,
            "image": {"id" if _IMAGE_ID.match(order.image) else "family": order.image},
        }

    def relabel(self, instance_id: str, label: str) -> None:
        self._http.request(
            "POST", "/instances/{id}", json={"name": label}, path_params={"id": instance_id}
        )

    def terminate(self, instance_id: str, disposal: Disposal, *, stuck: bool = False) -> None:
        """Ask for the end of an instance; it was accepted where the answer names it."""
        source = self.post(TERMINATE, {"instance_ids": [instance_id]})
        ended = source.one(lambda row: row.records("terminated_instances"))
        if instance_id not in [row.id() for row in ended]:
            raise WrongStateError(
                f"POST {TERMINATE}: the answer does not name {instance_id} among what it terminates",
                status=200,
                request=f"POST {TERMINATE}",
            )

    def _volumes(self) -> list[Volume]:
        """Return the filesystems: they can be seen here, and neither made nor deleted."""
        return self.get("/file-systems").rows(filesystem_from)

    def ssh_keys(self) -> list[SshKey]:
        return self.get("/ssh-keys").rows(key_from)

    def add_ssh_key(self, name: str, public_key: str) -> str:
        return self.post("/ssh-keys", {"name": name, "public_key": public_key}).one(key_from).id

    def delete_ssh_key(self, key_id: str) -> None:
        rows = self.get("/ssh-keys").rows(lambda row: (row.word("name"), row.id()))
        found = next((one for name, one in rows if name == key_id), None)
        if found is None:
            raise NotFoundError(f"{self.name} has no SSH key {key_id}")
        self._http.request("DELETE", "/ssh-keys/{id}", path_params={"id": found})
