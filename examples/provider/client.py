# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoints of this provider: typed answers, and ids of orders (private)."""

from __future__ import annotations

from typing import Any

from ..._core.wait import SystemClock
from ..._models.catalogue import InstanceType, Stock
from ..._models.orders import Disposal, InstanceOrder
from ..._models.resources import Instance
from ..base import client as base
from ..base.key_http import KeyHttp
from .capabilities import CAPABILITIES
from .credentials import OPTIONS, find_key
from .errors import error_of


class Client(base.Client):
    """Calls of the API that the collection uses.

    For what there is more, take a mix-in of ``base.provider`` in front, and let the capabilities
    say so.
    """

    name = "name"
    capabilities = CAPABILITIES
    envelope = ""
    options = OPTIONS
    # by_default = False is for one that should be asked only where a user names it.

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
        raise NotImplementedError("every page of the list")

    def instance(self, instance_id: str) -> Instance:
        raise NotImplementedError("one instance by its id; NotFoundError for one that is gone")

    def instance_types(self, currency: str | None = None) -> list[InstanceType]:
        raise NotImplementedError("what can be rented, with prices")

    def availability(self, market: str) -> list[Stock]:
        raise NotImplementedError(
            "what is in stock, by location in capitals; nothing for a market that is not"
        )

    def order(self, order: InstanceOrder) -> str:
        raise NotImplementedError("one POST, with the ownership string of the order")

    def terminate(self, instance_id: str, disposal: Disposal, *, stuck: bool = False) -> None:
        raise NotImplementedError("one request for the end")
