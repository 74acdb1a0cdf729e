# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was asked for the sake of one instance, and what came back (private)."""

from __future__ import annotations

from dataclasses import dataclass, field

from .._core.wait import Clock
from .._models.ownership import owning_deployment
from .._providers.base.answers import Answer
from .._providers.base.error_mapping import from_response
from .._providers.base.redaction import Redaction, values_in
from .._providers.base.request_log import Call, Seen
from .forms import Record, Told

_PRIVATE = ("/balance", "/instances", "/instances/{id}", "/volumes", "/volumes/trash", "/ssh-keys")


def _deployment_of(volume: Record) -> str | None:
    """Return the deployment of a volume as an answer shows it, by tag or by name."""
    tags = [tag for tag in volume.at("tags").rows() if isinstance(tag.values.get("key"), str)]
    values = {tag.values["key"]: tag.text("value") for tag in tags}
    return owning_deployment(values, volume.text("name"))


@dataclass(frozen=True)
class Exchange:
    """One request and its answer, by the client's clock; ``rows`` are those of the trial alone."""

    method: str
    path: str
    status: int | None
    at: float
    body: Record
    rows: tuple[Record, ...] = ()
    words: str = ""
    form: str = ""
    seconds: float = 0.0

    @property
    def request(self) -> str:
        """Return it as a report names it."""
        return f"{self.method} {self.path}"

    @property
    def is_good(self) -> bool:
        """Tell whether the API has done, or shown, what was asked."""
        return self.status is not None and self.status < 300 and not self.words


@dataclass
class TrialLog:
    """The requests of a trial in order. It knows its instance by a host name nobody else has."""

    name: str
    clock: Clock
    redaction: Redaction = field(default_factory=Redaction)
    exchanges: list[Exchange] = field(default_factory=list)

    def note(self, call: Call, seen: Seen) -> None:
        """Add a request; what a login answers is not looked at."""
        if call.path.startswith("/oauth2"):
            return
        body = Told(seen.asked.get("json")).record()
        rows: tuple[Record, ...] = ()
        words = form = ""
        if seen.answer is not None:
            rows, words, form = self._read(call, seen.answer)
        now = self.clock.monotonic()
        asked = (call.method, call.path, call.status, now, body)
        self.exchanges.append(Exchange(*asked, rows, words, form, call.seconds))

    def _read(self, call: Call, answer: Answer) -> tuple[tuple[Record, ...], str, str]:
        """Return the rows of the trial, the words of a refusal, and the form of the answer."""
        if answer.status_code >= 300:
            return (), from_response(answer, f"{call.method} {call.path}").words, ""
        try:
            data = answer.json()
        except ValueError:
            return (), "", "bare text"
        form = "quoted text" if isinstance(data, str) else type(data).__name__
        if call.method == "GET":
            return self._mine(call.path, Told(data).rows()), "", form
        refused = [row for row in Told(data).rows() if row.text("status") == "error"]
        words = answer.hide(refused[0].text("error") or "refused") if refused else ""
        return (), words, form

    def _mine(self, path: str, rows: list[Record]) -> tuple[Record, ...]:
        """Return the rows of the trial; what the others say must not be told."""
        mine = tuple(row for row in rows if self._is_mine(path, row))
        if path in _PRIVATE:
            others = [row.values for row in rows if row not in mine]
            # Words of our own description would be found in every refusal of it.
            ours = [row.values for row in mine]
            own = [{key: row[key] for key in row if key != "description"} for row in ours]
            self.redaction.add([self.name, *values_in(others), *values_in(own)])
        return mine

    def _is_mine(self, path: str, row: Record) -> bool:
        if path.startswith("/volumes"):
            return _deployment_of(row) == self.name
        return row.text("hostname") == self.name

    def of(self, method: str, path: str) -> list[Exchange]:
        """Return the requests of one kind."""
        return [one for one in self.exchanges if (one.method, one.path) == (method, path)]

    @property
    def last(self) -> Exchange:
        """Return the last request."""
        return self.exchanges[-1]

    @property
    def instance_rows(self) -> list[Record]:
        """Return every record of the instance that was shown."""
        paths = ("/instances", "/instances/{id}")
        found = [one for one in self.exchanges if one.method == "GET" and one.path in paths]
        return [row for one in found for row in one.rows]
