# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one client of the cloud: typed answers, the time of the API, ids of orders (private)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from itertools import count
from typing import Any, TypeVar

from ..._core.errors import InvalidError
from ..._core.wait import Clock, SystemClock
from ..._models.balance import Balance
from ..._models.catalogue import InstanceType, Stock, VolumeType
from ..._models.resources import Instance, SshKey, StartupScript, Tag, Volume
from ..base.currency import DEFAULT, remembered
from ..base.error_mapping import from_row
from ..base.request_log import Call, Listener
from ..base.row import Source
from ..base.shared_reads import Looks
from .credentials import find_credentials
from .parsing import (
    balance_of,
    instance_from,
    instance_type_from,
    made_id,
    refused_rows,
    script_from,
    ssh_key_from,
    stock_from,
    tag_from,
    trashed_from,
    volume_from,
    volume_type_from,
)
from .session import open_http

LONGEST_TIMEOUT_S = 86400.0
# Threads that do the same for many things: they wait most of their time.
MOST_THREADS = 256
T = TypeVar("T")
R = TypeVar("R")


class Client:
    """Calls of the API that the collection uses. Sizes in GiB, prices per hour, times in UTC."""

    def __init__(self, http: Any, clock: Clock | None = None) -> None:
        self._http = http
        self.clock: Clock = clock or SystemClock()
        self._date: datetime | None = None
        self._date_at = 0.0
        self._threads = 1
        self.listed = Looks(self._instances, self.clock, lambda: self._threads)
        self._volumes_seen = Looks(self._volumes, self.clock, lambda: self._threads)

    @classmethod
    def from_params(cls, params: dict[str, Any]) -> Client:
        """Return a client for module options; it logs in unless a token of the run is cached."""
        timeout, clock = float(params.get("timeout") or 30), SystemClock()
        if not 0 < timeout <= LONGEST_TIMEOUT_S:
            raise InvalidError(f"timeout {timeout:g} is not usable: seconds, up to a day")
        return cls(open_http(find_credentials(params), timeout, clock), clock)

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

    def _instances(self) -> list[Instance]:
        return self.get("/instances").rows(instance_from)

    def ended_instances(self) -> list[Instance]:
        return self.get("/instances", params={"status": "discontinued"}).rows(instance_from)

    def instance(self, instance_id: str) -> Instance:
        return self.get("/instances/{id}", id=instance_id).one(instance_from, instance_id)

    def _currency(self, asked: str | None) -> dict[str, str] | None:
        """Return the query for prices in a currency: the account's, as far as it is remembered."""
        currency = asked or remembered(self.account)
        return {"currency": currency} if currency and (asked or currency != DEFAULT) else None

    def instance_types(self, currency: str | None = None) -> list[InstanceType]:
        answer = self.get("/instance-types", params=self._currency(currency))
        return answer.rows(instance_type_from)

    def availability(self, market: str) -> list[Stock]:
        spot = "true" if market == "spot" else "false"
        return self.get("/instance-availability", params={"is_spot": spot}).rows(stock_from)

    def volumes(self) -> list[Volume]:
        """Return the volumes as they are now; threads that ask together share an answer."""
        return list(self._volumes_seen.fresh().told())

    def _volumes(self) -> list[Volume]:
        return self.get("/volumes").rows(volume_from)

    def volume(self, volume_id: str) -> Volume:
        return self.get("/volumes/{id}", id=volume_id).one(volume_from, volume_id)

    def trashed_volumes(self) -> list[Volume]:
        return self.get("/volumes/trash").rows(trashed_from)

    def volume_types(self, currency: str | None = None) -> list[VolumeType]:
        return self.get("/volume-types", params=self._currency(currency)).rows(volume_type_from)

    def ssh_keys(self) -> list[SshKey]:
        return self.get("/ssh-keys").rows(ssh_key_from)

    def startup_scripts(self) -> list[StartupScript]:
        """Return the scripts of all pages; oldest first, so that a new one moves none of them."""
        found: dict[str, StartupScript] = {}
        order = {"pageSize": 100, "orderBy": "created_at", "orderDirection": "asc"}
        for page in count(1):
            answer = self.get("/scripts", {"page": page, **order})
            before = len(found)
            found.update((script.id, script) for script in answer.rows(script_from))
            total = answer.header("X-Total-Count")
            if len(found) == before or (total.isdigit() and len(found) >= int(total)):
                break
        return list(found.values())

    def startup_script(self, script_id: str) -> StartupScript:
        return self.get("/scripts/{id}", id=script_id).one(script_from, script_id, wrapped=True)

    def balance(self) -> Balance:
        return self.get("/balance").one(balance_of)

    def journal(self, instance_id: str) -> Any:
        """Return what happened to an instance as data of no fixed shape."""
        return self.get("/journal/compute/{id}", id=instance_id).data()

    # -- writes --------------------------------------------------------------------------------

    def create(self, path: str, body: dict[str, Any]) -> str:
        """POST, and return the id of what was made; never repeated after an unclear answer."""
        answer = self._http.post(path, json=body)
        self._note_date(answer)
        source = Source(f"POST {path}", answer)
        found = made_id(source)
        if found is None:
            raise source.wrong(f"accepted, but the answer holds no id: {answer.excerpt()}")
        return found

    def instance_action(self, action: str, instance_id: str, **extra: Any) -> None:
        """Run an action on one instance; a refusal inside a 207 answer is raised like any other."""
        body = {"action": action, "id": [instance_id], **extra}
        self._act("/instances", body, f"{action} {instance_id}")

    def tag(self, kind: str, item_id: str, key: str, value: str) -> Tag:
        """Add a tag to one of ``instances`` or ``volumes``, and return it with its id."""
        body = {"key": key, "value": value}
        answer = self._http.post(f"/{kind}/{{id}}/tags", json=body, path_params={"id": item_id})
        made = Source(f"POST /{kind}/{item_id}/tags", answer).one(tag_from)
        return Tag(key, value, made.id)

    def untag(self, kind: str, item_id: str, tag_id: str) -> None:
        path_params = {"id": item_id, "tag": tag_id}
        self._http.delete(f"/{kind}/{{id}}/tags/{{tag}}", path_params=path_params)

    def volume_action(self, action: str, volume_id: str, **extra: Any) -> None:
        """Run an action on one volume."""
        body = {"action": action, "id": [volume_id], **extra}
        self._act("/volumes", body, f"{action} {volume_id}")

    def _act(self, path: str, body: dict[str, Any], what: str) -> None:
        answer = self._http.put(path, json=body)
        self._note_date(answer)
        for row in refused_rows(Source(f"PUT {path}", answer)):
            raise from_row(row, f"PUT {path}", what)

    def delete_ssh_key(self, key_id: str) -> None:
        self._http.delete("/ssh-keys/{id}", path_params={"id": key_id})

    def delete_startup_script(self, script_id: str) -> None:
        self._http.delete("/scripts/{id}", path_params={"id": script_id})
