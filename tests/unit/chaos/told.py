# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of a sequence over two clouds has told, and what of it was wrong (private)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from ansible_collections.gpuops.cloud.plugins.module_utils._core.times import read_time

Row = dict[str, Any]


def reaped_early(result: Row, now: datetime) -> Iterable[str]:
    """Yield what a reaper has ended although its lease goes on."""
    for row in result.get("reaped", []):
        end = read_time(row["lease_end"]) if row["lease_end"] else None
        ended = row["kind"] == "instance" and row["outcome"] == "ended"
        if ended and row["reason"] not in ("dead", "budget") and (end is None or end > now):
            yield f"{row['provider']}: {row['id']} was ended within its lease: {row['detail']}"


def short(args: Row) -> str:
    """Return options as few words."""
    shown = {key: value for key, value in args.items() if key != "ledger" and value is not None}
    return " ".join(f"{key}={value}" for key, value in shown.items())


def summary(result: Row) -> str:
    """Return a result in one line."""
    if result.get("failed"):
        return f"failed: {result['msg']}"
    return f"well: {'; '.join(result.get('actions', []))}"
