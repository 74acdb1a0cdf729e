# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure and print; nothing here passes or fails by a time. Run by `nox -s benchmarks`."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / ".collections"), str(ROOT / "tests/simulator")]

import fleet
import selection


def print_selection() -> None:
    """Print what choosing costs in each situation."""
    latency = f"{selection.LATENCY_S * 1000:.0f} ms"
    print(f"Choosing a machine, {latency} per request, median of {selection.REPEATS}\n")
    print("| situation | requests: ours | one by one | ratio | ms: ours | one by one | ratio |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name, ours, other in selection.run():
        requests = f"{ours.requests} | {other.requests} | {other.requests / ours.requests:.1f}"
        times = f"{ours.seconds * 1000:.0f} | {other.seconds * 1000:.0f}"
        print(f"| {name} | {requests} | {times} | {other.seconds / ours.seconds:.1f} |", flush=True)


def print_fleet() -> None:
    """Print how long a fleet takes."""
    seconds = fleet.run()
    print(
        f"\n{fleet.MACHINES} machines at once, {fleet.PROVISION_S} s from order to running: "
        f"all run {seconds:.1f} s after the start of Ansible",
        flush=True,
    )


if __name__ == "__main__":
    print_selection()
    print_fleet()
