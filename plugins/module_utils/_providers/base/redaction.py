# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Words of an API without what is the user's own, fit for a report that strangers read (private, pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

HIDDEN = "[hidden]"
_LONGEST = 200
# Shorter ones are found in every text.
_SHORTEST = 3
# Fields whose values are the same for every account.
_VOCABULARY = [
    "contract",
    "cpu",
    "currency",
    "gpu",
    "gpu_memory",
    "instance_type",
    "is_os_volume",
    "is_spot",
    "location",
    "memory",
    "on_spot_discontinue",
    "pricing",
    "status",
    "storage",
    "target",
    "type",
]
# Fields of which every word may come back in an answer.
_NAMES = frozenset({"description", "hostname", "key", "name", "value"})
# What API messages are made of, and names nobody.
_COMMON = [
    "account",
    "action",
    "allowed",
    "and",
    "are",
    "attached",
    "bad",
    "but",
    "cannot",
    "capacity",
    "characters",
    "conflict",
    "delete",
    "deleted",
    "deleting",
    "description",
    "detached",
    "discontinue",
    "discontinued",
    "does",
    "equal",
    "error",
    "exist",
    "field",
    "for",
    "found",
    "from",
    "hostname",
    "insufficient",
    "instance",
    "instances",
    "invalid",
    "key",
    "keys",
    "length",
    "less",
    "limit",
    "limits",
    "list",
    "maximum",
    "may",
    "must",
    "name",
    "names",
    "not",
    "number",
    "offline",
    "one",
    "only",
    "order",
    "property",
    "provisioning",
    "quota",
    "request",
    "resource",
    "running",
    "scope",
    "should",
    "shorter",
    "shut",
    "size",
    "start",
    "state",
    "status",
    "tag",
    "tags",
    "text",
    "than",
    "that",
    "the",
    "their",
    "this",
    "too",
    "trash",
    "type",
    "unknown",
    "validation",
    "value",
    "values",
    "volume",
    "volumes",
    "with",
    "yes",
]
_FIELD = re.compile(r"[a-z][a-z_]{0,39}\Z")
_PATTERNS = tuple(
    re.compile(pattern, flags)
    for pattern, flags in (
        (r"[a-z][a-z0-9+.-]*://\S+", re.I),
        (r"[\w.+-]+@[\w-]+(\.[\w-]+)+", 0),
        (r"\b(ssh|ecdsa|sk)-[a-z0-9-]+ [A-Za-z0-9+/=]+", 0),
        (r"\b[0-9a-f]{8}(-[0-9a-f]{2,12})+\b", re.I),
        (r"\b\d{1,3}(\.\d{1,3}){3}\b", 0),
        (r"(?<![\w:])[0-9a-f]{0,4}(:[0-9a-f]{0,4}){2,7}(?![\w:])", re.I),
        (r"\"[^\"]*\"|`[^`]*`|(?<!\w)'[^']*'(?!\w)", 0),
        (r"[$€£]?\b\d+[.,]\d+\b|[$€£]\d+", 0),
        (r"\b\d{5,}\b", 0),
        # A token, an id or a key: letters and digits mixed, or very long.
        (r"\b(?=\w*\d)(?=\w*[A-Za-z])[\w-]{8,}\b|\b[\w+/=-]{32,}", 0),
    )
)


def values_in(data: Any, field: str = "") -> Iterator[str]:
    """Yield what an answer holds that is the user's own: all but words that every account knows."""
    if isinstance(data, dict):
        for key, value in data.items():
            if not _FIELD.match(str(key)):
                yield str(key)
            if key not in _VOCABULARY:
                yield from values_in(value, str(key))
    elif isinstance(data, list):
        for value in data:
            yield from values_in(value, field)
    elif isinstance(data, (str, int, float)) and not isinstance(data, bool):
        yield from _pieces(str(data), field)


def _pieces(text: str, field: str) -> Iterator[str]:
    """Yield a value, and each word of one that people have worded."""
    yield text
    if field in _NAMES and len(text) <= _LONGEST:
        yield from re.split(r"[\s.:/=@,|]+", text)


def _tells(value: str) -> bool:
    """Tell whether a value may name something of the user's."""
    return len(value) >= _SHORTEST and not value.isdigit() and value.lower() not in _COMMON


class Redaction:
    """What is the user's own, taken out of texts: known values, and whatever looks like one."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._known: set[str] = set()
        self.add(known)

    def add(self, known: Iterable[str]) -> None:
        """Add what must not be told.

        A whole number may be a limit of the API as well, so those of a user are found by their form.
        """
        self._known |= {one.lower() for one in known if _tells(one)}

    def words(self, text: str) -> str:
        """Return a text that names nothing and nobody, cut where it is long."""
        text = " ".join(text.split())
        # An account may hold ten thousand names, and a text few of them.
        lowered = text.lower()
        for one in sorted((one for one in self._known if one in lowered), key=len, reverse=True):
            text = re.sub(rf"(?<!\w){re.escape(one)}(?!\w)", HIDDEN, text, flags=re.IGNORECASE)
        for pattern in _PATTERNS:
            text = pattern.sub(HIDDEN, text)
        return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def field_name(name: Any) -> str:
    """Return the name of a field, unless it may be a name of something else."""
    return str(name) if isinstance(name, str) and _FIELD.match(name) else "[name]"
