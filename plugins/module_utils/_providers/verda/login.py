# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One login for all tasks of a run, and what must not be told of it (private)."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from ..._core.errors import AuthError, UnavailableError
from ..._core.private_files import cache_folder
from ..._core.version import VERSION
from ..._core.wait import Clock
from ..base.answers import Answer, hide
from ..base.error_mapping import from_response
from ..base.request_log import Traffic
from ..base.transport import Transport
from .credentials import Credentials

TOKEN_MARGIN_S = 60
_LONGEST_S = 86400.0
# What a header can carry.
_TOKEN = re.compile(r"[\x21-\x7e]+\Z")
HEADERS = {"User-Agent": f"gpuops.cloud/{VERSION}", "Content-Type": "application/json"}


def _is_token(value: Any) -> bool:
    return isinstance(value, str) and bool(_TOKEN.match(value))


class TokenCache:
    """A token shared by the tasks of a run: one 0600 file a set of credentials."""

    def __init__(self, credentials: Credentials) -> None:
        parts = (credentials.base_url, credentials.client_id, credentials.client_secret)
        self._name = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32] + ".json"

    def _path(self) -> Path:
        return cache_folder("tokens") / self._name

    def load(self) -> dict[str, Any] | None:
        """Return the stored token when it is ours, private and not about to expire."""
        try:
            path = self._path()
            info = path.stat()
            if info.st_uid != os.getuid() or info.st_mode & 0o077:
                return None
            data = json.loads(path.read_text(encoding="utf-8"))
            good = _is_token(data["access_token"])
            fresh = data["expires_at"] - TOKEN_MARGIN_S > time.time()
            return data if good and fresh else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def store(self, data: dict[str, Any]) -> None:
        """Keep a token; a cache that cannot be written costs one more login, nothing else."""
        try:
            path = self._path()
            handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".token-")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(data, file)
            Path(temporary).replace(path)
        except OSError:
            return

    def drop(self) -> None:
        """Forget the token."""
        try:
            self._path().unlink(missing_ok=True)
        except OSError:
            return


class Login:
    """Who we are for the API: one login at a time, for all threads and tasks."""

    def __init__(self, credentials: Credentials, timeout: float, clock: Clock) -> None:
        self._credentials = credentials
        self.traffic = Traffic()
        self._lock = threading.Lock()
        self._cache = TokenCache(credentials)
        self._tokens: list[str] = []
        self._transport = Transport(credentials.base_url, timeout, clock, self.hide)
        self._expires_at = 0.0
        self._access_token = ""

    def secrets(self) -> list[str]:
        """Return what must appear nowhere: the client secret, and every token so far."""
        return [self._credentials.client_secret, *self._tokens]

    def hide(self, text: str) -> str:
        """Return a text without secrets and tokens."""
        return hide(text, self.secrets())

    def token(self) -> str:
        """Return a token that is good for another minute."""
        with self._lock:
            if time.time() >= self._expires_at - TOKEN_MARGIN_S:
                self._take(self._cache.load() or self._ask())
            return self._access_token

    def seconds_left(self) -> float:
        """Return for how many seconds the token of now is good, zero without one."""
        return max(self._expires_at - time.time(), 0.0)

    def renew(self, refused: str) -> None:
        """Replace a token that the API refused, once for all threads that used it."""
        with self._lock:
            if self._access_token == refused:
                self._cache.drop()
                self._take(self._ask())

    def _take(self, data: dict[str, Any]) -> None:
        self._access_token = data["access_token"]
        self._expires_at = data["expires_at"]
        self._tokens.append(self._access_token)

    def _ask(self) -> dict[str, Any]:
        request = "POST /oauth2/token"
        body = {
            "grant_type": "client_credentials",
            "client_id": self._credentials.client_id,
            "client_secret": self._credentials.client_secret,
        }
        with self.traffic.timed(request) as seen:
            answer = seen.answer = self._transport.send(
                "POST", "/oauth2/token", repeat=True, headers=HEADERS, json=body
            )
        data = self._read(answer, request)
        self._cache.store(data)
        return data

    def _read(self, answer: Answer, request: str) -> dict[str, Any]:
        """Return the token of an answer, or raise an error that says what came instead."""
        where = self._credentials.base_url
        if answer.status_code >= 300:
            fault = from_response(answer, request)
            if answer.status_code not in (400, 401, 403):
                raise fault
            raise AuthError(
                f"The API at {where} refused the login: {fault.message}",
                status=answer.status_code,
                request=request,
            )
        try:
            data = answer.json()
            # A short token must not count as expired for good, and none is good for ever.
            lifetime = min(max(TOKEN_MARGIN_S + 5, float(data["expires_in"])), _LONGEST_S)
            if _is_token(data["access_token"]) and math.isfinite(lifetime):
                token = data["access_token"]
                return {"access_token": token, "expires_at": time.time() + lifetime}
        except (ValueError, KeyError, TypeError, OverflowError):
            pass
        raise UnavailableError(
            f"{where} returned an invalid token response",
            status=answer.status_code,
            request=request,
        )
