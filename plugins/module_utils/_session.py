# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vendor SDK's authentication and HTTP client with its gaps closed (private).

The SDK has no timeouts, no retries, no connection reuse, throws away HTTP statuses, cannot read
answers that are not JSON, and sends a part of the client id in its user agent.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import threading
import time
import warnings
from pathlib import Path
from typing import Any

from ._credentials import Credentials
from ._errors import AuthError, GpuopsError, InvalidError, UnavailableError
from ._faults import from_exception, from_response
from ._traffic import Traffic
from ._version import VERSION

SDK_ERROR: str | None = None
try:
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.util.retry import Retry

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from datacrunch.authentication.authentication import AuthenticationService
        from datacrunch.http_client.http_client import HTTPClient
except ImportError as error:  # the SDK is only needed where the modules run
    SDK_ERROR = str(error)
    AuthenticationService = HTTPClient = Retry = object  # type: ignore[assignment,misc]

TOKEN_MARGIN_S = 60
# The rate limit counts in windows of a minute.
LONGEST_PAUSE_S = 60.0
_ATTEMPTS = 3


class _ReadRetry(Retry):
    """Repeats a read, after the pause that the API asks for, but no longer than its window."""

    def get_retry_after(self, response: Any) -> float | None:
        pause: float | None = super().get_retry_after(response)
        return None if pause is None else min(pause, LONGEST_PAUSE_S)


class _OrderRetry(_ReadRetry):
    """Repeats a write only when it surely was not executed: 429, or no connection was made."""

    RETRY_AFTER_STATUS_CODES = frozenset({429})


def _session(retry: Any) -> Any:
    """Return a session that keeps connections alive and repeats what ``retry`` allows."""
    session = requests.Session()
    session.mount("http://", HTTPAdapter(max_retries=retry))
    session.mount("https://", HTTPAdapter(max_retries=retry))
    return session


def _read_session(timeout: float) -> Any:
    return _session(
        _ReadRetry(
            total=_ATTEMPTS - 1,
            status_forcelist=(429, 500, 502, 503, 504),
            allowed_methods=None,
            backoff_factor=min(0.3, timeout / 20),
            raise_on_status=False,
        )
    )


def _write_session(timeout: float) -> Any:
    return _session(
        _OrderRetry(
            total=_ATTEMPTS - 1,
            read=False,
            other=False,
            status_forcelist=(429,),
            allowed_methods=None,
            backoff_factor=min(0.3, timeout / 20),
            raise_on_status=False,
        )
    )


class TokenCache:
    """A token shared by the tasks of a run: one 0600 file a set of credentials."""

    def __init__(self, credentials: Credentials) -> None:
        root = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
        parts = (credentials.base_url, credentials.client_id, credentials.client_secret)
        name = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
        self.path = root / "gpuops.cloud" / "tokens" / f"{name}.json"

    def load(self) -> dict[str, Any] | None:
        """Return the stored token when it is ours, private and not about to expire."""
        try:
            info = self.path.stat()
            if info.st_uid != os.getuid() or info.st_mode & 0o077:
                return None
            data = json.loads(self.path.read_text(encoding="utf-8"))
            good = data["access_token"] and data["expires_at"] - TOKEN_MARGIN_S > time.time()
            return data if good else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def store(self, data: dict[str, Any]) -> None:
        """Keep a token; a cache that cannot be written costs one more login, nothing else."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self.path.parent, prefix=".token-")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(data, file)
            Path(temporary).replace(self.path)
        except OSError:
            return

    def drop(self) -> None:
        """Forget the token."""
        self.path.unlink(missing_ok=True)


class Login(AuthenticationService):  # type: ignore[misc]
    """The SDK's token service, with a timeout, a shared cache and one login at a time."""

    def __init__(self, credentials: Credentials, timeout: float) -> None:
        super().__init__(credentials.client_id, credentials.client_secret, credentials.base_url)
        self._timeout = timeout
        self.traffic = Traffic()
        self._lock = threading.Lock()
        self._cache = TokenCache(credentials)
        self._http = _read_session(timeout)
        self._expires_at = 0.0
        self._access_token = ""
        self.requests = 0

    def authenticate(self) -> dict[str, Any]:
        """Do nothing yet: the SDK calls this when a client is made, the first request logs in."""
        return {}

    def refresh(self) -> dict[str, Any]:
        """Log in again; the client-credentials grant needs no refresh token."""
        return self._take(self._ask())

    def token(self) -> str:
        """Return a token that is good for another minute."""
        with self._lock:
            if time.time() >= self._expires_at - TOKEN_MARGIN_S:
                self._take(self._cache.load() or self._ask())
            return self._access_token

    def renew(self, refused: str) -> None:
        """Replace a token that the API refused, once for all threads that used it."""
        with self._lock:
            if self._access_token == refused:
                self._cache.drop()
                self.refresh()

    def _take(self, data: dict[str, Any]) -> dict[str, Any]:
        self._access_token = data["access_token"]
        self._expires_at = data["expires_at"]
        return data

    def _ask(self) -> dict[str, Any]:
        request = "POST /oauth2/token"
        body = {
            "grant_type": "client_credentials",
            "client_id": self._client_id,
            "client_secret": self._client_secret,
        }
        self.requests += 1
        try:
            with self.traffic.timed(request) as seen:
                answer = seen.answer = self._http.post(
                    f"{self._base_url}/oauth2/token",
                    json=body,
                    headers={"User-Agent": user_agent()},
                    timeout=self._timeout / _ATTEMPTS,
                    allow_redirects=False,
                )
        except requests.RequestException as error:
            raise from_exception(error, request, self._base_url) from None
        data = self._read(answer, request)
        self._cache.store(data)
        return data

    def _read(self, answer: Any, request: str) -> dict[str, Any]:
        """Return the token of an answer, or raise an error that says what came instead."""
        if answer.status_code >= 300:
            fault = from_response(answer, request)
            if answer.status_code not in (400, 401, 403):
                raise fault
            raise AuthError(
                f"The API at {self._base_url} refused the login: {fault.message}",
                status=answer.status_code,
                request=request,
            )
        try:
            data = answer.json()
            # A short token must not count as expired for good.
            lifetime = max(float(data["expires_in"]), TOKEN_MARGIN_S + 5)
            return {"access_token": data["access_token"], "expires_at": time.time() + lifetime}
        except (ValueError, KeyError, TypeError):
            raise UnavailableError(
                f"{self._base_url} answered the login with something that is not a token",
                status=answer.status_code,
                request=request,
            ) from None


def user_agent() -> str:
    """Return a user agent without any part of the credentials."""
    return f"gpuops.cloud/{VERSION}"


class Http(HTTPClient):  # type: ignore[misc]
    """The SDK's HTTP client (path checks, headers) over our sessions, raising our errors."""

    def __init__(self, credentials: Credentials, timeout: float) -> None:
        self._login = Login(credentials, timeout)
        self._timeout = timeout
        self._reads = _read_session(timeout)
        self._writes = _write_session(timeout)
        self.traffic = self._login.traffic
        parts = (credentials.base_url, credentials.client_id)
        self.account = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]
        super().__init__(self._login, credentials.base_url)

    def log_in(self) -> None:
        """Log in unless there is a token that is good."""
        self._login.token()

    def _generate_user_agent(self) -> str:
        return user_agent()

    def _refresh_token_if_expired(self) -> None:
        self._login.token()

    def _request(
        self,
        method: str,
        url: str,
        json: Any = None,
        params: dict[str, Any] | None = None,
        path_params: dict[str, Any] | None = None,
        **_kwargs: Any,
    ) -> Any:
        try:
            path = self._build_path(url, path_params)
        except ValueError as error:
            raise InvalidError(f"{method} {url}: {error}") from None
        for last in (False, True):
            token = self._login.token()
            with self.traffic.timed(f"{method} {url}") as seen:
                answer = seen.answer = self._send(method, path, json, params)
            if answer.status_code != 401 or last:
                break
            self._login.renew(token)  # a 401 was not executed, so any verb may be repeated
        if answer.status_code >= 300:
            raise from_response(answer, f"{method} {path}")
        return answer

    def _send(self, method: str, path: str, body: Any, params: dict[str, Any] | None) -> Any:
        read = method == "GET"
        # Reads share the timeout between their attempts; a write gets all of it.
        wait = self._timeout / _ATTEMPTS if read else self._timeout
        try:
            return (self._reads if read else self._writes).request(
                method,
                self._add_base_url(path),
                json=body,
                params=params,
                headers=self._generate_headers(),
                timeout=(min(wait, self._timeout / _ATTEMPTS), wait),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise from_exception(
                error, f"{method} {path}", self._base_url, unclear=not read
            ) from None


def open_http(credentials: Credentials, timeout: float) -> Http:
    """Return an HTTP client that logs in when it must, or raise an error that says what is missing."""
    if SDK_ERROR is not None:
        raise GpuopsError(
            f"The Python package datacrunch is needed where the modules run: {SDK_ERROR}",
            hint="Install it for Ansible's Python, for example: pip install 'datacrunch>=1.25,<2'.",
        )
    return Http(credentials, timeout)
