# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP with timeouts that hold, keep-alive, one login for all tasks, and our own errors (private).

The vendor's SDK has no timeouts, no retries, no connection reuse, throws away HTTP statuses, cannot
read answers that are not JSON, follows redirects with the secret in hand, and sends a part of the
client id in its user agent. So its requests are made here, with the library that it stands on, and
nothing rests on what is private in it.
"""

from __future__ import annotations

from typing import Any

from ..._core.errors import GpuopsError
from ..._core.wait import Clock
from ..base import transport
from ..base.account_http import AccountHttp, account_key, path_of
from ..base.answers import Answer
from ..base.error_mapping import from_response
from ..base.transport import Transport
from .credentials import Credentials
from .login import HEADERS, Login


class Http(AccountHttp):
    """The requests of one account, raising our errors."""

    def __init__(self, credentials: Credentials, timeout: float, clock: Clock) -> None:
        self._login = Login(credentials, timeout, clock)
        self._transport = Transport(credentials.base_url, timeout, clock, self._login.hide)
        self.traffic = self._login.traffic
        self.account = account_key(credentials.base_url, credentials.client_id)

    def log_in(self) -> None:
        """Log in unless there is a token that is good."""
        self._login.token()

    def token_seconds(self) -> float:
        """Return for how many seconds the token of now is good, zero without one."""
        return self._login.seconds_left()

    def secrets(self) -> list[str]:
        """Return what must appear in no text."""
        return self._login.secrets()

    def request(
        self,
        method: str,
        url: str,
        json: Any = None,
        params: dict[str, Any] | None = None,
        path_params: dict[str, Any] | None = None,
    ) -> Answer:
        """Return an answer of success; raises GpuopsError for every other."""
        path = path_of(method, url, path_params)
        for last in (False, True):
            token = self._login.token()
            asked = {"json": json, "params": params, "path_params": path_params}
            headers = {**HEADERS, "Authorization": f"Bearer {token}"}
            with self.traffic.timed(f"{method} {url}", **asked) as seen:
                answer = seen.answer = self._transport.send(
                    method,
                    path,
                    repeat=method == "GET",
                    headers=headers,
                    json=json,
                    params=params,
                )
            if answer.status_code != 401 or last:
                break
            self._login.renew(token)  # a 401 was not executed, so any verb may be repeated
        if answer.status_code >= 300:
            raise from_response(answer, f"{method} {path}")
        return answer


def open_http(credentials: Credentials, timeout: float, clock: Clock) -> Http:
    """Return an HTTP client that logs in when it must, or raise an error that says what is missing."""
    if transport.MISSING is not None:
        raise GpuopsError(
            "The Python package verda (or datacrunch, its former name) is needed where the modules "
            f"run: {transport.MISSING}",
            hint="Install it for Ansible's Python, for example: pip install 'verda>=1.25,<2'.",
        )
    return Http(credentials, timeout, clock)
