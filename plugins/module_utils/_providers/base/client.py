# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What everything above asks of a provider, and what its clients have in common (private)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from ..._core.wait import Clock, SystemClock
from ..._models.balance import Balance
from ..._models.catalogue import InstanceType, Stock, VolumeType
from ..._models.resources import Instance, SshKey, StartupScript, Tag, Volume
from .questions import Question
from .request_log import Call, Listener
from .row import Source
from .shared_reads import Looks

# Threads that do the same for many things: they wait most of their time.
MOST_THREADS = 256
T = TypeVar("T")
R = TypeVar("R")


class Client(ABC):
    """An account at a provider. Sizes in GiB, prices per hour, times in UTC.

    Errors are those of ``_core.errors``: a write raises an unclear one when it may have been executed.
    """

    def __init__(self, http: Any, clock: Clock | None = None) -> None:
        self._http = http
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
        answer = self._http.get(path, params=params, path_params=path_params or None)
        self._note_date(answer)
        return Source(f"GET {path.format(**path_params)}", answer)

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
        before, self._threads = self._threads, min(len(rows), MOST_THREADS)
        try:
            with ThreadPoolExecutor(max_workers=self._threads) as pool:
                return list(pool.map(work, rows))
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
    def _instances(self) -> list[Instance]: ...

    @abstractmethod
    def _volumes(self) -> list[Volume]: ...

    @abstractmethod
    def ended_instances(self) -> list[Instance]:
        """Return what an account still tells of instances that were terminated."""

    @abstractmethod
    def instance(self, instance_id: str) -> Instance:
        """Return one instance. Raises NotFoundError, also for one that only lags behind its order."""

    @abstractmethod
    def instance_types(self, currency: str | None = None) -> list[InstanceType]: ...

    @abstractmethod
    def availability(self, market: str) -> list[Stock]:
        """Return what is in stock, for ``on_demand`` or ``spot``."""

    @abstractmethod
    def volume(self, volume_id: str) -> Volume: ...

    @abstractmethod
    def trashed_volumes(self) -> list[Volume]:
        """Return the volumes that could be restored."""

    @abstractmethod
    def volume_types(self, currency: str | None = None) -> list[VolumeType]: ...

    @abstractmethod
    def ssh_keys(self) -> list[SshKey]: ...

    @abstractmethod
    def startup_scripts(self) -> list[StartupScript]: ...

    @abstractmethod
    def startup_script(self, script_id: str) -> StartupScript:
        """Return one script with its text."""

    @abstractmethod
    def balance(self) -> Balance: ...

    @abstractmethod
    def journal(self, instance_id: str) -> Any:
        """Return what happened to an instance as data of no fixed shape."""

    def questions(self) -> tuple[Question, ...]:
        """Return what tells which dialect an account speaks; none where all are alike."""
        return ()

    # -- writes --------------------------------------------------------------------------------

    @abstractmethod
    def create(self, path: str, body: dict[str, Any]) -> str:
        """Make something, and return its id; never repeated after an unclear answer."""

    @abstractmethod
    def instance_action(self, action: str, instance_id: str, **extra: Any) -> None:
        """Run an action on one instance."""

    @abstractmethod
    def volume_action(self, action: str, volume_id: str, **extra: Any) -> None:
        """Run an action on one volume."""

    @abstractmethod
    def tag(self, kind: str, item_id: str, key: str, value: str) -> Tag:
        """Add a tag to one of ``instances`` or ``volumes``, and return it with its id."""

    @abstractmethod
    def untag(self, kind: str, item_id: str, tag_id: str) -> None: ...

    @abstractmethod
    def delete_ssh_key(self, key_id: str) -> None: ...

    @abstractmethod
    def delete_startup_script(self, script_id: str) -> None: ...
