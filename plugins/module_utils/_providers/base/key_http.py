# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests of an account whose key goes in a header: no login, errors of ours (private)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..._core.errors import GpuopsError
from ..._core.version import VERSION
from ..._core.wait import Clock
from . import transport
from .account_http import AccountHttp, account_key, path_of
from .answers import Answer, hide
from .error_mapping import from_response
from .gap import Endpoint, Gaps
from .request_log import Traffic

Fault = Callable[[Answer, str], GpuopsError]


class KeyHttp(AccountHttp):
    """The requests of one account. ``fault`` makes an error of an answer that is no success.

    ``pace`` is how many requests a second the API takes of all processes of a user, zero for any;
    ``endpoints`` are those that are counted by themselves.
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        timeout: float,
        clock: Clock,
        fault: Fault = from_response,
        pace: float = 0.0,
        endpoints: tuple[Endpoint, ...] = (),
    ) -> None:
        if transport.MISSING is not None:
            raise GpuopsError(
                f"The Python package requests is needed where the modules run: {transport.MISSING}",
                hint="Install it for Ansible's Python: pip install requests.",
            )
        self._key, self._fault = key, fault
        self.traffic = Traffic()
        self.account = account_key(base_url, key)
        gaps = Gaps(self.account, 1 / pace if pace else 0.0, endpoints, clock)
        self._transport = transport.Transport(base_url, timeout, clock, self._hide, gaps.wait)

    def secrets(self) -> list[str]:
        """Return what must appear in no text."""
        return [self._key]

    def _hide(self, text: str) -> str:
        return hide(text, self.secrets())

    def log_in(self) -> None:
        """Do nothing: every request bears the key."""

    def token_seconds(self) -> float:
        """Return for how many seconds the key is good: nobody says."""
        return math.inf

    def request(
        self,
        method: str,
        url: str,
        json: Any = None,
        params: dict[str, Any] | None = None,
        path_params: dict[str, Any] | None = None,
        once: bool = False,
    ) -> Answer:
        """Return an answer of success; raises GpuopsError for every other.

        ``once`` is for what may have been executed although a rate limit has refused it.
        """
        path = path_of(method, url, path_params)
        headers = {"User-Agent": f"gpuops.cloud/{VERSION}", "Authorization": f"Bearer {self._key}"}
        asked = {"json": json, "params": params, "path_params": path_params}
        with self.traffic.timed(f"{method} {url}", **asked) as seen:
            sent = {"headers": headers, "json": json, "params": params}
            answer = seen.answer = self._transport.send(
                method, path, repeat=method == "GET", once=once, **sent
            )
        if answer.status_code >= 300:
            raise self._fault(answer, f"{method} {path}")
        return answer
