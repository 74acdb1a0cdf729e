# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tells a job from another one of its name (private, pure)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

_LONGEST = 80


def difference(there: Mapping[str, Any], wanted: Mapping[str, Any], keys: Iterable[str]) -> str:
    """Return in words what differs, nothing where all is the same; what is empty is as none."""
    return "; ".join(
        f"{key} {_short(json.dumps(there.get(key)))} there, {_short(json.dumps(wanted[key]))} wanted"
        for key in keys
        if (there.get(key) or None) != (wanted[key] or None)
    )


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:60]}…"
