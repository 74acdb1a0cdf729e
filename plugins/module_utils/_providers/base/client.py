# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the clients of all providers have in common: the time, threads, shared reads (private)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar, TypeVar

from ..._core.wait import Clock, SystemClock
from ..._models.resources import Instance, Volume
from .provider import Provider
from .questions import Question
from .request_log import Call, Listener
from .row import Source
from .shared_reads import Looks

# Threads that do the same for many things: they wait most of their time.
MOST_THREADS = 256
T = TypeVar("T")
R = TypeVar("R")


class Client(Provider):
    """An account at a provider, reached over HTTP."""

    # The field of every answer that holds what was asked for.
    envelope: ClassVar[str] = ""
    # Whether it is asked where nobody says which providers are meant.
    by_default: ClassVar[bool] = True
    # The options that name its credentials, as an argument specification has them.
    options: ClassVar[dict[str, Any]] = {}

    @classmethod
    @abstractmethod
    def from_params(cls, params: dict[str, Any]) -> Client:
        """Return a client for module options, with credentials from where the user keeps them."""

    @classmethod
    def complete(cls, params: dict[str, Any]) -> dict[str, str]:
        """Return the options of ``from_params`` with what was found elsewhere, for a host that has nothing of it."""
        return {name: value for name, value in params.items() if value is not None}

    def __init__(self, http: Any, clock: Clock | None = None) -> None:
        self._http = http
        http.traffic.provider = self.name
        self.clock: Clock = clock or SystemClock()
        self._date: datetime | None = None
        self._date_at = 0.0
        self._threads = 1
        self.listed = Looks(self._instances, self.clock, lambda: self._threads)
        self._volumes_seen = Looks(self._volumes, self.clock, lambda: self._threads)

    def secrets(self) -> list[str]:
        """Return what must appear in no text: the client secret and the tokens so far."""
        return list(self._http.secrets())

    @property
    def account(self) -> str:
        """Return a short name for address and client id, without telling either."""
        return str(self._http.account)

    @property
    def calls(self) -> list[Call]:
        """Return the requests of this process."""
        return list(self._http.traffic.calls)

    def listen(self, listener: Listener) -> None:
        """Tell somebody of every request from now on, and of its answer."""
        self._http.traffic.listeners.append(listener)

    def log_in(self) -> None:
        """Log in unless there is a token that is good."""
        self._http.log_in()

    def token_seconds(self) -> float:
        """Return for how many seconds the token of now is good, zero without one."""
        return float(self._http.token_seconds())

    def now(self) -> datetime:
        """Return the API's time, so that leases do not depend on the controller's clock."""
        if self._date is None:
            return datetime.now(timezone.utc)
        passed = self.clock.monotonic() - self._date_at
        return datetime.fromtimestamp(self._date.timestamp() + passed, timezone.utc)

    def clock_skew(self) -> int:
        """Return by how many seconds the controller's clock is ahead of the API's."""
        return round((datetime.now(timezone.utc) - self.now()).total_seconds())

    def _note_date(self, answer: Any) -> None:
        try:
            self._date = parsedate_to_datetime(answer.headers["Date"])
            self._date_at = self.clock.monotonic()
        except (KeyError, TypeError, ValueError):
            return

    def get(self, path: str, params: dict[str, Any] | None = None, **path_params: str) -> Source:
        """Return the answer of a GET, nothing of it read yet."""
        answer = self._http.request("GET", path, params=params, path_params=path_params or None)
        self._note_date(answer)
        return Source(f"GET {path.format(**path_params)}", answer, self.envelope)

    def post(self, path: str, body: dict[str, Any]) -> Source:
        """Return the answer of a POST; never repeated after an unclear one."""
        answer = self._http.request("POST", path, json=body)
        self._note_date(answer)
        return Source(f"POST {path}", answer, self.envelope)

    def together(self, *calls: Callable[[], Any]) -> list[Any]:
        """Run reads at the same time and return their results in order."""
        if len(calls) < 2:
            return [call() for call in calls]
        self._http.log_in()  # once, and not once for each when that fails
        with ThreadPoolExecutor(max_workers=len(calls)) as pool:
            # Each in a copy of the context, where the end of a wait stands.
            started = [pool.submit(copy_context().run, call) for call in calls]
            return [future.result() for future in started]

    @property
    def is_crowded(self) -> bool:
        """Whether several threads do the same, so that a list serves them better than single reads."""
        return self._threads > 1

    def for_each(self, work: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """Do the same for many things at the same time, and return what came of each, in order."""
        rows = list(items)
        if len(rows) < 2:
            return [work(row) for row in rows]
        with self.crowd(len(rows)), ThreadPoolExecutor(max_workers=self._threads) as pool:
            return list(pool.map(work, rows))

    @contextmanager
    def crowd(self, threads: int) -> Iterator[None]:
        """Know that so many threads do the same for a while."""
        before, self._threads = self._threads, min(threads, MOST_THREADS)
        try:
            yield
        finally:
            self._threads = before

    # -- reads ---------------------------------------------------------------------------------

    def instances(self) -> list[Instance]:
        """Return the instances as they are now; threads that ask together share an answer."""
        return list(self.listed.fresh().told())

    def volumes(self) -> list[Volume]:
        """Return the volumes as they are now; threads that ask together share an answer."""
        return list(self._volumes_seen.fresh().told())

    @abstractmethod
    def _instances(self) -> list[Instance]:
        """Return the instances of the account, all pages of them."""

    def _volumes(self) -> list[Volume]:
        return []

    def questions(self) -> tuple[Question, ...]:
        """Return what tells which dialect an account speaks; none where all are alike."""
        return ()
