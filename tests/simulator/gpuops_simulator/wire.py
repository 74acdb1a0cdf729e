# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One request and one answer, free of sockets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from .errors import invalid

JSON = "application/json; charset=utf-8"
TEXT = "text/html; charset=utf-8"


@dataclass
class Request:
    """What a client sent; `path` is without the query, names of headers are lower case."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: Mapping[str, str]
    raw: bytes = b""

    def one(self, *names: str) -> str | None:
        """Return the first value of the first of these query parameters that is there."""
        for name in names:
            if self.query.get(name):
                return self.query[name][0]
        return None

    def flag(self, *names: str) -> bool:
        """Return a query parameter as a truth value, false when it is absent."""
        return (self.one(*names) or "").lower() in {"true", "1"}

    def body(self) -> dict[str, Any]:
        """Return the JSON object of the body, or raise the API's 400."""
        try:
            data = json.loads(self.raw or b"{}")
        except ValueError:
            raise invalid("Request body is not valid JSON") from None
        if not isinstance(data, dict):
            raise invalid("Request body must be an object")
        return data

    def form(self) -> dict[str, Any]:
        """Return the body, which may be form encoded as well as JSON."""
        if "x-www-form-urlencoded" in (self.headers.get("content-type") or ""):
            return {k: v[0] for k, v in parse_qs(self.raw.decode("utf-8", "replace")).items()}
        return self.body()


@dataclass
class Response:
    """An answer; a body of str or bytes goes out as it is, anything else as JSON.

    Its body takes ``drip`` seconds to come, drop by drop.
    """

    status: int = 200
    body: Any = None
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)
    drip: float = 0.0

    def payload(self) -> bytes:
        """Return the bytes of the body."""
        if self.status == 204:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        if isinstance(self.body, str):
            return self.body.encode()
        return b"" if self.body is None else json.dumps(self.body).encode()
