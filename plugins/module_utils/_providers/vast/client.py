# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoints of Vast.ai: typed answers, and ids of orders (private)."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

from ..._core.errors import (
    GpuopsError,
    InvalidError,
    NoCapacityError,
    NotFoundError,
    UnavailableError,
    WrongStateError,
)
from ..._core.wait import Clock, SystemClock
from ..._models.balance import Balance
from ..._models.catalogue import InstanceType, Stock
from ..._models.offer import SPOT
from ..._models.orders import Disposal, InstanceOrder
from ..._models.resources import Instance, SshKey
from ..base import client as base
from ..base.key_http import KeyHttp
from ..base.provider import Keys, Labelling
from ..base.row import Source
from .capabilities import CAPABILITIES, CONTAINERS, ENDPOINTS, LIST, SEARCH_GAP_S
from .credentials import OPTIONS, find_key
from .errors import MADE, error_of, is_refusal
from .market import CONTAINER, VM, Ask, ask_from, search_for
from .parsing import balance_from, instance_from, key_from, page_from

_ONE, _ASK = "/api/v0/instances/{id}/", "/api/v0/asks/{id}/"
_KEYS = "/api/v0/ssh/"
# As many as the vendor's own command asks for.
_PAGE = 25
_MOST_PAGES, _WALKS = 400, 3
# Figures of prices are compared up to rounding.
_ROUNDING = 1e-5


class Client(Keys, Labelling, base.Client):
    """Calls of the API that the collection uses."""

    name = "vast"
    capabilities = CAPABILITIES
    options = OPTIONS

    def __init__(self, http: KeyHttp, clock: Clock | None = None) -> None:
        super().__init__(http, clock)
        self._asks_lock = threading.Lock()
        self._asks: dict[str, Ask] = {}
        self._asks_at: float | None = None

    @classmethod
    def complete(cls, params: dict[str, Any]) -> dict[str, str]:
        url, key = find_key(params)
        return {**super().complete(params), "base_url": url, "api_key": key}

    @classmethod
    def from_params(cls, params: dict[str, Any]) -> Client:
        url, key = find_key(params)
        timeout, clock = float(params.get("timeout") or 30), SystemClock()
        kind = ContainerClient if params.get("rents") == CONTAINER else cls
        return kind(KeyHttp(url, key, timeout, clock, error_of, 1.0, ENDPOINTS), clock)

    def _ask(
        self,
        request: str,
        within: str = "",
        *,
        json: dict[str, Any] | None = None,
        params: dict[str, Any] | None = None,
        once: bool = False,
        **ids: str,
    ) -> Source:
        """Return the answer of a request; one that says that it is no success is an error."""
        method, _space, path = request.partition(" ")
        answer = self._http.request(
            method, path, json=json, params=params, path_params=ids or None, once=once
        )
        self._note_date(answer)
        asked = f"{method} {path.format(**ids)}"
        if is_refusal(answer):
            raise error_of(answer, asked)
        return Source(asked, answer, within)

    def _done(self, request: str, **more: Any) -> None:
        """Send a write that makes nothing. Raises UnavailableError unless the answer says that it is done."""
        source = self._ask(request, **more)
        if source.one(lambda row: row.flag("success")) is not True:
            raise source.wrong("the answer does not say that it is done")

    # -- instances -----------------------------------------------------------------------------

    def _instances(self) -> list[Instance]:
        problem = ""
        for _walk in range(_WALKS):  # what changes between two pages is no list
            found, total = self._walk_pages()
            if len(found) == total:
                return list(found.values())
            problem = f"{len(found)} instances are listed, and {total} are told"
        raise UnavailableError(f"GET {LIST}: {problem}", request=f"GET {LIST}")

    def _walk_pages(self) -> tuple[dict[str, Instance], int]:
        """Return what all pages hold, by id, and how many there are by the last of them."""
        found: dict[str, Instance] = {}
        asked = {
            "select_filters": "{}",
            "order_by": '[{"col": "id", "dir": "asc"}]',
            "limit": str(_PAGE),
        }
        for _number in range(_MOST_PAGES):
            page = self._ask(f"GET {LIST}", params=asked).one(page_from)
            found.update({one.id: one for one in page.instances})
            if not page.token:
                return found, page.total
            if not page.instances:
                break
            asked = {**asked, "after_token": page.token}
        raise UnavailableError(
            f"GET {LIST}: the pages of the list do not end", request=f"GET {LIST}"
        )

    def instance(self, instance_id: str) -> Instance:
        """Return one instance; of one that is gone there is null in an answer of success."""
        source = self._ask(f"GET {_ONE}", "instances", id=instance_id)
        if source.data() is None:
            raise NotFoundError(f"{self.name} has no instance {instance_id}", status=200)
        return source.one(instance_from, instance_id)

    def relabel(self, instance_id: str, label: str) -> None:
        self._done(f"PUT {_ONE}", json={"label": label}, id=instance_id)

    def terminate(self, instance_id: str, disposal: Disposal, *, stuck: bool = False) -> None:
        try:
            self._done(f"DELETE {_ONE}", id=instance_id)
        except GpuopsError as error:
            if error.status == 200 and error.words and not isinstance(error, NotFoundError):
                raise WrongStateError(
                    error.message, status=200, request=error.request, words=error.words
                ) from None  # it says that nothing was done: asked for again
            raise

    # -- the market ----------------------------------------------------------------------------

    def _market(self) -> dict[str, Ask]:
        """Return the offers by the names of their types; who asks in time of one search shares it."""
        with self._asks_lock:
            now = self.clock.monotonic()
            if self._asks_at is None or now - self._asks_at >= SEARCH_GAP_S:
                found: dict[str, Ask] = {}
                rents = self.capabilities.rents
                source = self._ask("POST /api/v0/bundles/", "offers", json=search_for(rents))
                asks = source.rows(partial(ask_from, rents=rents))
                for ask in sorted(asks, key=lambda one: one.order):
                    found.setdefault(ask.type.name, ask)
                self._asks, self._asks_at = found, self.clock.monotonic()
            return self._asks

    def instance_types(self, currency: str | None = None) -> list[InstanceType]:
        return [ask.type for ask in self._market().values()]

    def availability(self, market: str) -> list[Stock]:
        return [
            Stock(ask.location, (name,))
            for name, ask in self._market().items()
            if market != SPOT or ask.bid is not None
        ]

    def order(self, order: InstanceOrder) -> str:
        """Order an instance, once; one that was made although it was refused is returned as well.

        Then it shows by itself that nothing comes of it, and is terminated as any other.
        """
        ask = self._wanted(order)
        try:
            source = self._ask(
                f"PUT {_ASK}", json=_body(order, ask, self.capabilities.rents), once=True, id=ask.id
            )
        except GpuopsError as error:
            if made := error.details.get(MADE):
                return str(made)
            raise
        return source.one(lambda row: row.int_id("new_contract"))

    def _wanted(self, order: InstanceOrder) -> Ask:
        """Return the offer that an order means. Raises NoCapacityError for one that is gone, or dearer."""
        ask = self._market().get(order.instance_type)
        size = order.boot_disk.size_gb if order.boot_disk else 0
        if ask is None or (order.market == SPOT and ask.bid is None):
            raise NoCapacityError(f"{order.instance_type} is not offered any more")
        if not order.boot_disk:
            raise InvalidError(f"{self.name} makes no instance without a new disk")
        if ask.disk_gb < size:
            raise NoCapacityError(
                f"{order.instance_type} has room for {ask.disk_gb:g} GB, and {size} are wanted"
            )
        price = ask.type.spot if order.market == SPOT else ask.type.on_demand
        now = price.known() + ask.type.disk_per_hour(size)
        if order.most_per_hour is not None and now > order.most_per_hour + _ROUNDING:
            raise NoCapacityError(
                f"{order.instance_type} costs {now:g} an hour by now, more than {order.most_per_hour:g}"
            )
        return ask

    # -- the account ---------------------------------------------------------------------------

    def balance(self) -> Balance:
        return self._ask("GET /api/v0/users/current/").one(balance_from)

    def ssh_keys(self) -> list[SshKey]:
        rows = self._ask(f"GET {_KEYS}").rows(lambda row: (key_from(row), row.text("deleted_at")))
        return [key for key, deleted in rows if not deleted]

    def add_ssh_key(self, name: str, public_key: str) -> str:
        """Register a key; its name becomes its comment, as the account has no other place for it."""
        text = " ".join([*public_key.split()[:2], name])
        if not text.isprintable():
            raise InvalidError(f"The name of an SSH key must be one line (got {name!r})")
        source = self._ask(f"POST {_KEYS}", "key", json={"ssh_key": text})
        return source.one(lambda row: row.int_id())

    def delete_ssh_key(self, key_id: str) -> None:
        self._done(f"DELETE {_KEYS}{{id}}/", id=key_id)


class ContainerClient(Client):
    """The same for containers, by an option of the account."""

    capabilities = CONTAINERS


def _body(order: InstanceOrder, ask: Ask, rents: str) -> dict[str, Any]:
    """Return what is ordered: what runs at once, or not at all.

    A login to a container ends in a terminal of its own, where no program gets an answer, unless a file
    says otherwise.
    """
    body: dict[str, Any] = {
        "image": order.image,
        "disk": order.boot_disk.size_gb if order.boot_disk else CAPABILITIES.least_boot_gb,
        "label": order.description,
        "runtype": "ssh_direct",
        "target_state": "running",
        "cancel_unavail": True,
        **({"vm": True} if rents == VM else {"onstart": "touch ~/.no_auto_tmux"}),
    }
    return {**body, "price": ask.bid} if order.market == SPOT else body
