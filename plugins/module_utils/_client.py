# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one client of the cloud: raw JSON over the vendor's SDK, server time, ids of orders (private)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from itertools import count
from typing import Any

from ._credentials import find_credentials
from ._currency import DEFAULT, remembered
from ._errors import InvalidError, UnavailableError
from ._faults import from_row
from ._purse import Balance, balance_from
from ._session import open_http
from ._shapes import is_id, rows_of
from ._traffic import Call
from ._wait import Clock, SystemClock

LONGEST_TIMEOUT_S = 86400.0


class Client:
    """Calls of the API that the collection uses. Sizes in GiB, prices per hour, times in UTC."""

    def __init__(self, http: Any, clock: Clock | None = None) -> None:
        self._http = http
        self.clock: Clock = clock or SystemClock()
        self._date: datetime | None = None
        self._date_at = 0.0

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

    def get(self, path: str, params: dict[str, Any] | None = None, **path_params: str) -> Any:
        """Return the JSON of a GET."""
        return self._read(path, params, **path_params)[0]

    def _read(
        self, path: str, params: dict[str, Any] | None, **path_params: str
    ) -> tuple[Any, Any]:
        """Return the JSON and the headers of a GET."""
        answer = self._http.get(path, params=params, path_params=path_params or None)
        self._note_date(answer)
        return rows_of(answer, f"GET {path.format(**path_params)}", path), answer.headers

    def together(self, *calls: Callable[[], Any]) -> list[Any]:
        """Run reads at the same time and return their results in order."""
        if len(calls) < 2:
            return [call() for call in calls]
        self._http.log_in()  # once, and not once for each when that fails
        with ThreadPoolExecutor(max_workers=len(calls)) as pool:
            # Each in a copy of the context, where the end of a wait stands.
            started = [pool.submit(copy_context().run, call) for call in calls]
            return [future.result() for future in started]

    # -- reads ---------------------------------------------------------------------------------

    def instances(self) -> list[dict[str, Any]]:
        return self.get("/instances")

    def ended_instances(self) -> list[dict[str, Any]]:
        return self.get("/instances", params={"status": "discontinued"})

    def instance(self, instance_id: str) -> dict[str, Any]:
        return self.get("/instances/{id}", id=instance_id)

    def _currency(self, asked: str | None) -> dict[str, str] | None:
        """Return the query for prices in a currency: the account's, as far as it is remembered."""
        currency = asked or remembered(self.account)
        return {"currency": currency} if currency and (asked or currency != DEFAULT) else None

    def instance_types(self, currency: str | None = None) -> list[dict[str, Any]]:
        return self.get("/instance-types", params=self._currency(currency))

    def availability(self, market: str) -> list[dict[str, Any]]:
        spot = "true" if market == "spot" else "false"
        return self.get("/instance-availability", params={"is_spot": spot})

    def volumes(self) -> list[dict[str, Any]]:
        return self.get("/volumes")

    def volume(self, volume_id: str) -> dict[str, Any]:
        return self.get("/volumes/{id}", id=volume_id)

    def trashed_volumes(self) -> list[dict[str, Any]]:
        return self.get("/volumes/trash")

    def volume_types(self, currency: str | None = None) -> list[dict[str, Any]]:
        return self.get("/volume-types", params=self._currency(currency))

    def ssh_keys(self) -> list[dict[str, Any]]:
        return self.get("/ssh-keys")

    def startup_scripts(self) -> list[dict[str, Any]]:
        """Return the scripts of all pages; oldest first, so that a new one moves none of them."""
        found: dict[str, dict[str, Any]] = {}
        order = {"pageSize": 100, "orderBy": "created_at", "orderDirection": "asc"}
        for page in count(1):
            rows, headers = self._read("/scripts", {"page": page, **order})
            before = len(found)
            found.update((row["id"], row) for row in rows)
            total = str(headers.get("X-Total-Count", ""))
            if len(found) == before or (total.isdigit() and len(found) >= int(total)):
                break
        return list(found.values())

    def startup_script(self, script_id: str) -> dict[str, Any]:
        return self.get("/scripts/{id}", id=script_id)

    def balance(self) -> Balance:
        return balance_from(self.get("/balance"))

    # -- writes --------------------------------------------------------------------------------

    def create(self, path: str, body: dict[str, Any]) -> str:
        """POST, and return the id of what was made; never repeated after an unclear answer.

        The id comes as bare text, as quoted text or as an object, whatever the content type says.
        """
        answer = self._http.post(path, json=body)
        self._note_date(answer)
        try:
            data = answer.json()
        except (ValueError, RecursionError):
            data = answer.text
        found = data.get("id") if isinstance(data, dict) else data
        found = str(found).strip().strip('"') if isinstance(found, (str, int)) else None
        if not is_id(found):
            raise UnavailableError(
                f"POST {path}: accepted, but the answer holds no id: {answer.excerpt()}",
                status=answer.status_code,
                request=f"POST {path}",
                unclear=True,
            )
        return str(found)

    def instance_action(self, action: str, instance_id: str, **extra: Any) -> None:
        """Run an action on one instance; a refusal inside a 207 answer is raised like any other."""
        body = {"action": action, "id": [instance_id], **extra}
        self._act("/instances", body, f"{action} {instance_id}")

    def tag(self, kind: str, item_id: str, key: str, value: str) -> dict[str, Any]:
        """Add a tag to one of ``instances`` or ``volumes``, and return it with its id."""
        body = {"key": key, "value": value}
        answer = self._http.post(f"/{kind}/{{id}}/tags", json=body, path_params={"id": item_id})
        try:
            made = answer.json()
        except ValueError:
            made = None
        if not isinstance(made, dict):
            raise UnavailableError(
                f"POST /{kind}/{item_id}/tags: accepted, but the answer is no tag: {answer.excerpt()}",
                request=f"POST /{kind}/{item_id}/tags",
                unclear=True,
            )
        return made

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
        try:
            rows = answer.json() if answer.content else []
        except ValueError:
            rows = []
        for row in rows if isinstance(rows, list) else []:
            if isinstance(row, dict) and row.get("status") == "error":
                words = answer.hide(str(row.get("error") or "refused"))[:1000]
                raise from_row({**row, "error": words}, f"PUT {path}", what)

    def delete_ssh_key(self, key_id: str) -> None:
        self._http.delete("/ssh-keys/{id}", path_params={"id": key_id})

    def delete_startup_script(self, script_id: str) -> None:
        self._http.delete("/scripts/{id}", path_params={"id": script_id})
