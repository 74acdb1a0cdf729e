# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoints of RunPod's REST API v2: typed answers, and ids of orders (private).

The account's list of SSH keys is never written, and the vendor's SSH proxy never used.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from ..._core.errors import GpuopsError, InvalidError
from ..._core.wait import Clock, SystemClock
from ..._models.catalogue import InstanceType, Stock, VolumeType
from ..._models.orders import Disposal, InstanceOrder, VolumeOrder
from ..._models.resources import Instance, SshKey, Volume
from ..base import client as base
from ..base.key_http import KeyHttp
from ..base.provider import Power, Volumes
from ..base.row import Row
from .capabilities import CAPABILITIES
from .credentials import OPTIONS, SECURE, find_key
from .errors import PODS, VOLUMES, error_of
from .hardware import COUNTS, USUAL_IMAGE, cuda_of
from .keys import key_id
from .orders import check_order, pod_body, volume_body, volume_of
from .parsing import (
    instance_from,
    keys_from,
    listed_gpu,
    made_id,
    next_page,
    stock_from,
    types_from,
    volume_from,
)
from .prices import VOLUME_TYPES

T = TypeVar("T")
# Prices and stock stand in the same answers: who asks for both within this time gets them once.
_FRESH_S = 1.0
_Listed = list[tuple[int, Row]]


class Client(Power, Volumes, base.Client):
    """Calls of the API that the collection uses, in one of the vendor's two clouds."""

    name = "runpod"
    capabilities = CAPABILITIES
    options = OPTIONS

    def __init__(self, http: KeyHttp, clock: Clock | None = None, cloud: str = SECURE) -> None:
        super().__init__(http, clock)
        self._cloud = cloud
        self._gpus_lock = threading.Lock()
        self._gpus: _Listed = []
        self._gpus_at: float | None = None

    @classmethod
    def complete(cls, params: dict[str, Any]) -> dict[str, str]:
        url, key = find_key(params)
        return {**super().complete(params), "base_url": url, "api_key": key}

    @classmethod
    def from_params(cls, params: dict[str, Any]) -> Client:
        url, key = find_key(params)
        timeout, clock = float(params.get("timeout") or 30), SystemClock()
        http = KeyHttp(url, key, timeout, clock, error_of, CAPABILITIES.pace)
        return cls(http, clock, params.get("cloud") or SECURE)

    # -- reads ---------------------------------------------------------------------------------

    def _pages(
        self, path: str, field: str, read: Callable[[Row], T], **params: str
    ) -> list[tuple[str, T]]:
        """Return what all pages of a list hold, with its ids; the API may have one page alone."""
        found: dict[str, T] = {}
        cursors: set[str] = set()
        while True:
            source = replace(self.get(path, params or None), envelope=field)
            found.update(source.rows(lambda row: (row.id(), read(row))))
            cursor = next_page(source)
            if cursor is None:
                return list(found.items())
            if cursor in cursors:
                raise source.wrong(f"its pages begin again at {source.shown(cursor)}")
            cursors.add(cursor)
            params = {**params, "cursor": cursor}

    def _instances(self) -> list[Instance]:
        """Return all pods, those of clusters as well: they are paid from the same account."""
        return [
            row for _id, row in self._pages(PODS, "pods", instance_from, includeClusterPods="true")
        ]

    def instance(self, instance_id: str) -> Instance:
        return self.get(f"{PODS}/{{id}}", id=instance_id).one(instance_from, instance_id)

    def _listed_gpus(self) -> _Listed:
        """Return the catalogue for each count of GPUs; threads that ask together share the answers."""
        with self._gpus_lock:
            now = self.clock.monotonic()
            if self._gpus_at is None or now - self._gpus_at >= _FRESH_S:
                asked = self.together(*(partial(self._gpus_of, count) for count in COUNTS))
                self._gpus = [one for rows in asked for one in rows]
                self._gpus_at = self.clock.monotonic()
            return self._gpus

    def _gpus_of(self, count: int) -> _Listed:
        """Return the kinds of GPUs as one count of them is in stock, on hosts that run our image."""
        asked = {
            "include": "AVAILABILITY",
            "product": "POD",
            "count": str(count),
            "cloud": self._cloud.upper(),
            "minCudaVersion": cuda_of(USUAL_IMAGE),
        }
        source = replace(self.get("/catalog/gpus", asked), envelope="gpus")
        rows = dict(source.rows(listed_gpu))
        if next_page(source):
            raise source.wrong("the catalogue has pages, which no description tells of")
        return [(count, row) for row in rows.values()]

    def instance_types(self, currency: str | None = None) -> list[InstanceType]:
        listed = self._listed_gpus()
        return [kind for count, row in listed for kind in types_from(row, self._cloud, count)]

    def availability(self, market: str) -> list[Stock]:
        if market != "on_demand":
            return []
        return [one for count, row in self._listed_gpus() for one in stock_from(row, count)]

    # -- pods ----------------------------------------------------------------------------------

    def order(self, order: InstanceOrder) -> str:
        """Order a pod; a new data disk is a network volume, which has to be there before it.

        It goes again where the pod is refused. After an unclear answer it stays, and the same order
        finds it by its name.
        """
        check_order(order)
        volume_id, new = self._data_volume(order)
        try:
            return self.post(PODS, pod_body(order, self._cloud, volume_id)).one(made_id)
        except GpuopsError as error:
            if new and volume_id and not error.unclear:
                self._take_back(volume_id, error)
            raise

    def _data_volume(self, order: InstanceOrder) -> tuple[str | None, bool]:
        """Return the id of the network volume that a pod gets, and whether it was made for it."""
        if len(order.volume_ids) > 1:
            raise InvalidError(
                f"{self.name} attaches one network volume to an instance, not several"
            )
        if order.volume_ids or not order.data_disk:
            return next(iter(order.volume_ids), None), False
        wanted = volume_of(order.data_disk, order.location, CAPABILITIES.volume_type)
        for row in self.volumes():
            same = (row.name, row.location, row.size_gb) == (
                wanted.name,
                wanted.location,
                wanted.size_gb,
            )
            if same and not row.holders:  # of an order before whose answer was lost
                return row.id, False
        return self.add_volume(wanted), True

    def _take_back(self, volume_id: str, refusal: GpuopsError) -> None:
        """Delete what was made in vain, unless another run has found it by its name and took it."""
        try:
            if not self.volume(volume_id).holders:
                self.delete_volume(volume_id, for_good=True)
        except GpuopsError as error:
            refusal.hint = (
                f"{refusal.hint} The network volume {volume_id} was made for this order, and costs "
                f"money: it could not be removed ({error.message})."
            ).strip()

    def terminate(self, instance_id: str, disposal: Disposal, *, stuck: bool = False) -> None:
        """End a pod; network volumes are detached with it, and go by their own requests."""
        self._http.request("DELETE", f"{PODS}/{{id}}", path_params={"id": instance_id})

    def start(self, instance_id: str) -> None:
        self._act(instance_id, "start")

    def shut_down(self, instance_id: str) -> None:
        self._act(instance_id, "stop")

    def _act(self, instance_id: str, action: str) -> None:
        path, body = f"{PODS}/{{id}}/action", {"action": action}
        self._http.request("POST", path, json=body, path_params={"id": instance_id})

    # -- network volumes -----------------------------------------------------------------------

    def _volumes(self) -> list[Volume]:
        """Return the network volumes; which pods have them stands with the pods alone."""
        rows = self._pages(VOLUMES, "networkVolumes", volume_from)
        holders = self._holders() if rows else {}
        return [_held(row, holders) for _id, row in rows]

    def volume(self, volume_id: str) -> Volume:
        row = self.get(f"{VOLUMES}/{{id}}", id=volume_id).one(volume_from, volume_id)
        return _held(row, self._holders())

    def _holders(self) -> dict[str, tuple[str, ...]]:
        """Return the ids of the pods that have a volume, by its id."""
        found: dict[str, tuple[str, ...]] = {}
        for pod in self.instances():
            for volume_id in pod.volume_ids if pod.exists else ():
                found[volume_id] = (*found.get(volume_id, ()), pod.id)
        return found

    def volume_types(self, currency: str | None = None) -> list[VolumeType]:
        return list(VOLUME_TYPES)

    def add_volume(self, order: VolumeOrder) -> str:
        return self.post(VOLUMES, volume_body(order)).one(made_id)

    def attach_volume(self, volume_id: str, instance_id: str) -> None:
        raise self._fixed()

    def detach_volume(self, volume_id: str, instance_id: str | None = None) -> None:
        raise self._fixed()

    def _fixed(self) -> InvalidError:
        return InvalidError(
            f"{self.name} attaches a network volume with the order of an instance alone, "
            "and detaches it with its end"
        )

    def resize_volume(self, volume_id: str, size_gb: int) -> None:
        self._change_volume(volume_id, {"size": size_gb})

    def rename_volume(self, volume_id: str, name: str) -> None:
        self._change_volume(volume_id, {"name": name})

    def _change_volume(self, volume_id: str, body: dict[str, Any]) -> None:
        path = f"{VOLUMES}/{{id}}"
        self._http.request("PATCH", path, json=body, path_params={"id": volume_id})

    def delete_volume(self, volume_id: str, *, for_good: bool) -> None:
        """Delete a network volume; there is no trash."""
        self._http.request("DELETE", f"{VOLUMES}/{{id}}", path_params={"id": volume_id})

    # -- SSH keys ------------------------------------------------------------------------------

    def ssh_keys(self) -> list[SshKey]:
        """Return the keys of the account, of which an order may name some."""
        return self.get("/account/ssh-keys").one(keys_from)

    def unregistered_key(self, text: str) -> str | None:
        """Return the id of a public key, since an order takes keys as they are."""
        return key_id(text)


def _held(row: Volume, holders: dict[str, tuple[str, ...]]) -> Volume:
    pods = holders.get(row.id, ())
    return replace(row, holders=pods, status="attached" if pods else "detached")
