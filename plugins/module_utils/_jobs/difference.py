# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tells a job from another one of its name (private, pure)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")
_LONGEST = 80


def difference(pairs: Iterable[tuple[str, T, T]]) -> str:
    """Return in words what differs, nothing where all is the same; what is empty is as none.

    Takes names with what is there and what is wanted.
    """
    return "; ".join(
        f"{name} {_short(json.dumps(there))} there, {_short(json.dumps(wanted))} wanted"
        for name, there, wanted in pairs
        if (there or None) != (wanted or None)
    )


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:60]}…"
