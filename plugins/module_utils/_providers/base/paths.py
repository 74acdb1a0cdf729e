# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths of requests, in which an id is one segment and nothing else (private, pure)."""

from __future__ import annotations

import re
from typing import Any

_PLACE = re.compile(r"\{(\w+)\}")
# One segment of a path, and nothing that a server in between would make another path of.
_SEGMENT = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._~-]+\Z")


def build_path(template: str, values: dict[str, Any] | None) -> str:
    """Return a path with its ``{names}`` filled in. Raises ValueError for what is no segment."""
    given = dict(values or {})

    def fill(match: re.Match[str]) -> str:
        value = str(given.pop(match[1]))
        if not _SEGMENT.match(value):
            raise ValueError(f"{value!r} cannot be part of an address")
        return value

    try:
        path = _PLACE.sub(fill, template)
    except KeyError as error:
        raise ValueError(f"no value given for {error}") from None
    if given:
        raise ValueError(f"unused values {sorted(given)}")
    return path
