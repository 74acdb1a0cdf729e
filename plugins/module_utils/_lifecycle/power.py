# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances that must be off for a moment: shut down, start again, each until it is so (private)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypedDict

from .._core.errors import GpuopsError, WrongStateError
from .._core.write_once import write_once
from .._models.resources import Instance
from .._models.status import OFF, RUNNING
from .._providers.base.client import Client
from .instance_states import known_instance, wait_off, wait_running


class TimingOptions(TypedDict):
    """The options of modules that say how long to wait, in seconds."""

    wait_timeout: float
    wait_interval: float


@dataclass(frozen=True)
class Timing:
    """Limit of a wait and pause between two looks, in seconds."""

    timeout: float = 900
    interval: float = 5

    @classmethod
    def of(cls, want: TimingOptions) -> Timing:
        """Return the timing that module options ask for."""
        return cls(want["wait_timeout"], want["wait_interval"])


def act(client: Client, action: str, instance_id: str) -> None:
    """Ask for ``start`` or ``shutdown``; after an unclear answer once more, unless it took effect."""
    wanted = {"start": RUNNING, "shutdown": OFF}[action]
    send = {"start": client.start, "shutdown": client.shut_down}[action]

    def done() -> bool:
        try:
            return known_instance(client, instance_id).state == wanted
        except GpuopsError:
            return False  # both may be asked for twice

    def ask() -> bool:
        try:
            send(instance_id)
        except WrongStateError:
            if not done():  # it may be so already, by an earlier request or by somebody else
                raise
        return True

    write_once(ask, lambda _problem: done() or None)


def shut_down(client: Client, machine: Instance, timing: Timing) -> None:
    """Shut an instance down and wait until it is off; it goes on costing its full price."""
    if known_instance(client, machine.id).state != OFF:
        act(client, "shutdown", machine.id)
    wait_off(client, machine.id, str(machine.name), timing.timeout, timing.interval)


def start(client: Client, machine: Instance, timing: Timing) -> None:
    """Start an instance and wait until it runs."""
    if known_instance(client, machine.id).state != RUNNING:
        act(client, "start", machine.id)
    wait_running(client, machine.id, str(machine.name), timing.timeout, timing.interval)


def restarting(
    call: Callable[[Client], str | None], machines: Iterable[Instance], timing: Timing
) -> Callable[[Client], str | None]:
    """Return a call that starts these instances again when it fails, and says so in its error."""

    def guarded(client: Client) -> str | None:
        try:
            return call(client)
        except GpuopsError as error:
            error.hint = " ".join(
                [error.hint, *(_rescue(client, m, timing) for m in machines)]
            ).strip()
            raise

    return guarded


def _rescue(client: Client, machine: Instance, timing: Timing) -> str:
    try:
        start(client, machine, timing)
    except GpuopsError as error:
        return (
            f"{machine.name} ({machine.id}) could not be started again and costs as much "
            f"as a running one: {error.message}."
        )
    return f"{machine.name} was started again."
