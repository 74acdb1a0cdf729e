# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on command: which request they strike, and how often."""

from __future__ import annotations

from typing import Any

BEFORE = frozenset({"status", "latency", "hang", "reset"})
AFTER = frozenset({"commit_then_500", "commit_then_reset", "commit_then_hang"})
FATES = frozenset(
    {"no_capacity_later", "error_later", "installation_failed_later", "stuck_provisioning"}
)
Fault = dict[str, Any]


def check_fault(fault: Fault) -> Fault:
    """Return the fault, or raise ValueError for one that could never strike."""
    if fault.get("do") not in BEFORE | AFTER | FATES:
        known = ", ".join(sorted(BEFORE | AFTER | FATES))
        raise ValueError(f"unknown fault {fault.get('do')!r}; known: {known}")
    if fault["do"] == "status" and not isinstance(fault.get("status"), int):
        raise ValueError("a status fault needs a number in `status`")
    if fault["do"] == "latency" and not isinstance(fault.get("seconds"), (int, float)):
        raise ValueError("a latency fault needs a number in `seconds`")
    strange = fault.get("match", {}).keys() - {"method", "path"}
    if strange:
        raise ValueError(f"a fault cannot match on {', '.join(sorted(strange))}")
    return fault


def take_fault(faults: list[Fault], method: str, path: str) -> Fault | None:
    """Return the first fault that strikes this request, using up one of its times (default 1)."""
    for fault in faults:
        times = fault.get("times", 1)
        if times != 0 and _strikes(fault.get("match", {}), method, path):
            if times is not None:
                fault["times"] = times - 1
            return fault
    return None


def _strikes(match: dict[str, str], method: str, path: str) -> bool:
    wanted = match.get("path", "*")
    if match.get("method", "*").upper() not in {"*", method}:
        return False
    return path.startswith(wanted[:-1]) if wanted.endswith("*") else path == wanted
