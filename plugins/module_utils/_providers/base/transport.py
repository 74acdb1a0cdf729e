# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests that end in time: connections kept alive, and repeats where they are safe (private).

The timeouts of ``requests`` count from byte to byte, so an answer that drips would take for ever.
"""

from __future__ import annotations

import io
import math
import threading
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from http.client import HTTPResponse
from typing import Any

from ..._core.wait import Clock, time_left
from .answers import Answer
from .error_mapping import from_exception
from .pace import LONGEST_S, MOST_AT_ONCE, Pace

MISSING: str | None = None
try:
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.connection import HTTPConnection, HTTPSConnection
    from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
except ImportError as error:  # only needed where the modules run
    MISSING = str(error)
    HTTPAdapter = HTTPConnection = HTTPSConnection = object  # type: ignore[assignment,misc]
    HTTPConnectionPool = HTTPSConnectionPool = object  # type: ignore[assignment,misc]

ATTEMPTS = 3
# The rate limit counts in windows of a minute.
LONGEST_PAUSE_S = LONGEST_S
# A list of ten thousand instances has some 20 MB.
LARGEST = 64 * 2**20
_CHUNK = 65536
# Redirects would take the token elsewhere, and a body is read as far as it may be.
_OURS = {"allow_redirects": False, "stream": True}
_turn = threading.local()


class _Timed(io.RawIOBase):
    """What comes over a socket, until the time of the request is over."""

    def __init__(self, raw: io.RawIOBase, sock: Any, until: float) -> None:
        super().__init__()
        self._raw, self._sock, self._until = raw, sock, until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(HTTPResponse):
    """An answer whose headers and body share one limit."""

    def __init__(self, sock: Any, *args: Any, **more: Any) -> None:
        super().__init__(sock, *args, **more)
        raw = self.fp.detach()
        self.fp = io.BufferedReader(_Timed(raw, sock, _turn.until))


class _Connection(HTTPConnection):
    response_class = _Response

    def connect(self) -> None:
        """Connect; too late is the same as never, as nothing was sent yet."""
        super().connect()
        _still_in_time(self)


class _SecureConnection(HTTPSConnection):
    response_class = _Response

    def connect(self) -> None:
        """Connect; too late is the same as never, as nothing was sent yet."""
        super().connect()
        _still_in_time(self)


def _still_in_time(connection: Any) -> None:
    if time.monotonic() >= _turn.until:
        connection.close()
        raise ConnectTimeoutError(connection, "Connecting timed out.")


class Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _Adapter(HTTPAdapter):
    """Gives the requests of a session connections of ours."""

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        super().init_poolmanager(*args, **more)
        self.poolmanager.pool_classes_by_scheme = {"http": Pool, "https": _SecurePool}

    def proxy_manager_for(self, *args: Any, **more: Any) -> Any:
        found = super().proxy_manager_for(*args, **more)
        found.pool_classes_by_scheme = {"http": Pool, "https": _SecurePool}
        return found


def new_session() -> Any:
    """Return a session that keeps connections alive and repeats nothing by itself."""
    session = requests.Session()
    session.mount("http://", _Adapter(pool_maxsize=MOST_AT_ONCE))
    session.mount("https://", _Adapter(pool_maxsize=MOST_AT_ONCE))
    session.auth = _as_it_is  # else a .netrc would replace the token
    return session


def _as_it_is(request: Any) -> Any:
    return request


def _never_sent(error: Exception) -> bool:
    """Tell whether a request surely did not leave: nothing was connected."""
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(error, requests.ConnectTimeout) or isinstance(reason, NewConnectionError)


def _asked_pause(answer: Answer) -> float | None:
    """Return the pause in seconds that an answer asks for, None without one that can be read."""
    text = str(answer.headers.get("Retry-After", "")).strip()
    try:
        if text.isdigit():
            pause = float(text)
        else:
            pause = parsedate_to_datetime(text).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(pause, 0.0), LONGEST_PAUSE_S) if math.isfinite(pause) else None


class Transport:
    """Sends requests to one address, each of them as a whole within ``timeout`` seconds.

    Only the pauses that a rate limit asks for come on top, a minute at most each, and the wait for
    others of this process where many ask at once.
    """

    def __init__(
        self,
        base_url: str,
        timeout: float,
        clock: Clock,
        hide: Callable[[str], str],
        wait: Callable[[str], None] = lambda _request: None,
    ) -> None:
        """Take what all requests share; ``wait`` gets the request before each attempt, and may take a while."""
        self._base_url, self._timeout, self._clock, self._hide = base_url, timeout, clock, hide
        self._wait = wait
        self._session = new_session()
        self._pace = Pace(clock)

    def send(
        self, method: str, path: str, *, repeat: bool, once: bool = False, **more: Any
    ) -> Answer:
        """Return what came back, after repeats: of anything that failed, or only what never left.

        ``once`` repeats not even what a rate limit has refused. ``more`` are headers, json and params.
        Raises UnavailableError when nothing came back.
        """
        got: Answer | Exception
        bound, now = time_left(), time.monotonic()
        hard = math.inf if bound is None else now + bound
        until = min(now + self._timeout, hard)
        for attempt in range(1, ATTEMPTS + 1):
            begin = time.monotonic()
            self._wait(f"{method} {path}")
            with self._pace.turn(f"{method} {path}", (hard - begin) / 2) as note:
                until = min(until + time.monotonic() - begin, hard)
                left = max(until - time.monotonic(), 0.001)
                # A request that may be repeated shares its time with the repeats.
                patience = left / (ATTEMPTS + 1 - attempt) if repeat else left
                connect = min(patience, self._timeout / ATTEMPTS)
                _turn.until = time.monotonic() + patience
                try:
                    with self._session.request(
                        method, self._base_url + path, timeout=(connect, patience), **_OURS, **more
                    ) as came:
                        got = Answer(came.status_code, came.headers, _body(came), self._hide)
                        note(got.headers)
                except requests.RequestException as error:
                    got = error
                    note({})
            pause = self._pause(got, attempt)
            if isinstance(got, Answer) and got.status_code == 429:
                until = min(until + pause, hard)
            late = time.monotonic() + pause >= until
            last = attempt == ATTEMPTS or late or (once and isinstance(got, Answer))
            if last or not _worth_a_repeat(got, repeat):
                break
            if pause:
                self._clock.sleep(pause)
        if isinstance(got, Answer):
            return got
        raise from_exception(got, f"{method} {path}", self._base_url, unclear=not repeat) from None

    def _pause(self, got: Any, attempt: int) -> float:
        """Return how long to wait before the next attempt, in seconds."""
        limited = isinstance(got, Answer) and got.status_code == 429
        asked = _asked_pause(got) if limited else None
        return min(0.6, self._timeout / 10) * (attempt - 1) if asked is None else asked


def _body(answer: Any) -> bytes:
    """Return the body of an answer that is neither endless nor late."""
    parts, size = [], 0
    for part in answer.iter_content(_CHUNK):
        parts.append(part)
        size += len(part)
        if size > LARGEST:
            raise requests.exceptions.ContentDecodingError("more than can be read")
        if time.monotonic() > _turn.until:
            raise requests.ReadTimeout("timed out")
    return b"".join(parts)


def _worth_a_repeat(got: Any, repeat: bool) -> bool:
    """Tell whether one more attempt is safe and may help."""
    if isinstance(got, Answer):
        status = got.status_code
        return status == 429 or (repeat and (status >= 500 or status == 408))
    return repeat or _never_sent(got)
