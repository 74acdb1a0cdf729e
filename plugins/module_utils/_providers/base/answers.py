# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the API answered: read here and nowhere else, and without secrets in its words (private)."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import quote, quote_plus

HIDDEN = "[hidden]"
# Shorter ones are words, and would be found by chance.
_SHORTEST = 6
_BEARER = re.compile(r"(?i)\b(bearer|basic)(\s+|%20)[\w.~+/%-]{6,}=*")
_NAMED = re.compile(
    r"""(?ix) (\\*["']? (?:client_secret|access_token|refresh_token|jupyter_token|api_key) \\*["']? \s*[:=]\s*)
    (?: (\\*["'])(?:(?!\2)(?:\\.|[^\\]))*\2? | [^\s"'&,;<>}\]]+ )"""
)


def _spellings(secret: str) -> set[str]:
    """Return how a secret may be written in JSON, in an address, in HTML and in a header."""
    quoted = json.dumps(secret)[1:-1]
    encoded = base64.b64encode(secret.encode()).decode()
    spelled = {secret, quoted, json.dumps(quoted)[1:-1], quote(secret, safe="")}
    return spelled | {quote_plus(secret), html.escape(secret), encoded, encoded.rstrip("=")}


@cache
def _words(secrets: frozenset[str]) -> tuple[str, ...]:
    """Return how any of the secrets may be written, the longest first."""
    long = [secret for secret in secrets if len(secret) >= _SHORTEST]
    found = {spelled for secret in long for spelled in _spellings(secret)}
    return tuple(sorted(found, key=len, reverse=True))


def hide(text: str, secrets: Iterable[str]) -> str:
    """Return a text without the secrets, however they are written, and without any bearer token."""
    for word in _words(frozenset(secrets)):
        text = text.replace(word, HIDDEN)
    text = _BEARER.sub(rf"\1 {HIDDEN}", text)
    return _NAMED.sub(lambda match: f"{match[1]}{match[2] or ''}{HIDDEN}{match[2] or ''}", text)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; one that says a thing twice says nothing."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _same(text: str) -> str:
    return text


@dataclass(frozen=True)
class Answer:
    """Status, headers and body of one answer."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    hide: Callable[[str], str] = field(default=_same, repr=False)

    @property
    def text(self) -> str:
        """Return the body for the eyes of people: without secrets, whatever bytes it holds."""
        return self.hide(self.content.decode("utf-8", "replace"))

    def json(self) -> Any:
        """Return the body as data. Raises ValueError for whatever is no sound JSON."""
        try:
            return json.loads(self.content.decode("utf-8-sig"), object_pairs_hook=_once)
        except RecursionError:
            raise ValueError("too deep") from None

    def excerpt(self, length: int = 80) -> str:
        """Return the beginning of the body in quotes, or that there is none."""
        text = " ".join(self.text.split())
        return repr(text[:length]) if text else "nothing"
