# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure and print; nothing here passes or fails by a time. Run by `nox -s benchmarks`."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / ".collections"), str(ROOT / "tests/simulator")]

from ansible.plugins.loader import init_plugin_loader

init_plugin_loader([str(ROOT / ".collections")])

import contact
import fleet
import jobs
import large_inventory
import providers
import second_run
import selection


def print_selection() -> None:
    """Print what choosing costs in each situation."""
    latency = f"{selection.LATENCY_S * 1000:.0f} ms"
    print(f"Choosing an instance, {latency} per request, median of {selection.REPEATS}\n")
    print("| situation | requests: ours | one by one | ratio | ms: ours | one by one | ratio |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name, ours, other in selection.run():
        requests = f"{ours.requests} | {other.requests} | {other.requests / ours.requests:.1f}"
        times = f"{ours.seconds * 1000:.0f} | {other.seconds * 1000:.0f}"
        print(f"| {name} | {requests} | {times} | {other.seconds / ours.seconds:.1f} |", flush=True)


def print_providers() -> None:
    """Print what choosing over three providers costs beside the slowest alone."""
    print(f"\nChoosing over three providers, median of {providers.REPEATS}\n")
    names = " | ".join(f"{name} alone" for name in providers.NAMES)
    print(f"| ms per request | ms: all three | {names} | ratio to the slowest | requests |")
    print("|---|---:|---:|---:|---:|---:|---|")
    for row in providers.run():
        delays = " / ".join(map(str, row.delays_ms))
        asked = " / ".join(map(str, row.requests.values()))
        seconds = (row.together, *row.alone.values())
        times = " | ".join(f"{one * 1000:.0f}" for one in seconds)
        print(f"| {delays} | {times} | {row.ratio:.2f} | {asked} |", flush=True)


def print_fleets() -> None:
    """Print what fleets take to run, to be found again and to be gone."""
    print(f"\nFleets, {fleet.PROVISION_S} s from an order to an instance that runs\n")
    print("| what | seconds | MB | reads | writes | refused |")
    print("|---|---:|---:|---:|---:|---:|")
    steps = {"bought": fleet.BUY, "found again": fleet.BUY, "ended": fleet.END}
    for machines, limits, names in (
        (8, True, ["bought"]),
        (100, True, ["bought"]),
        (500, False, ["bought", "found again", "ended"]),
    ):
        measured = fleet.run(machines, *(steps[name] for name in names), limits=limits)
        for name, row in zip(names, measured, strict=True):
            what = f"{machines} {name}{'' if limits else ', no limits'}"
            asked = f"{row.reads} | {row.writes} | {row.refused}"
            print(f"| {what} | {row.seconds:.1f} | {row.memory_mb:.0f} | {asked} |", flush=True)


def print_inventory() -> None:
    """Print what a large inventory takes beside ansible-core alone."""
    found, number = large_inventory.run(), large_inventory.INSTANCES
    print(
        f"\nInventory of {number} instances, processor time: {found.ours:.2f} s, of "
        f"which reading the list takes {found.read:.2f} s; ansible-core alone adds the same hosts, "
        f"variables and groups in {found.core:.2f} s",
        flush=True,
    )


def print_jobs() -> None:
    """Print what jobs and first contact take beside a plain client, on a host on this machine."""
    print("\n| what | seconds: ours | plain client | ratio | difference |")
    print("|---|---:|---:|---:|---:|")
    for row in (*jobs.run(), contact.run()):
        times = f"{row.ours:.2f} | {row.plain:.2f} | {row.ours / row.plain:.2f}"
        print(f"| {row.what} | {times} | {row.ours - row.plain:.2f} |", flush=True)


def print_second_runs() -> None:
    """Print what a bring-up takes where nothing is to be done, beside an empty play."""
    print(f"\nA second bring-up beside an empty play, each of {second_run.REPEATS} runs\n")
    print("| hosts | seconds | empty play | ratio | processor | requests | tasks | skipped |")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|")
    for hosts in (1, 4):
        with tempfile.TemporaryDirectory(prefix="gpuops-benchmark-") as folder:
            for row in second_run.run(Path(folder), hosts):
                times = f"{row.seconds:.1f} | {row.empty:.1f} | {row.seconds / row.empty:.1f}"
                did = f"{row.processor:.1f} | {row.requests} | {row.ran} | {row.skipped}"
                print(f"| {hosts} | {times} | {did} |", flush=True)


if __name__ == "__main__":
    print_selection()
    print_providers()
    print_fleets()
    print_inventory()
    print_jobs()
    if shutil.which("podman"):
        print_second_runs()
    else:
        print("\nA second bring-up was not measured: its hosts need podman")
