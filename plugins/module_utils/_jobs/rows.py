# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the program on a host says of a job, and what the module there takes and tells (private, pure)."""

from __future__ import annotations

from typing import TypedDict


class Parameters(TypedDict):
    """What tells a task of an array from the others."""

    number: int
    parameters: dict[str, str]


class Place(TypedDict):
    """What a host is among the nodes of a job."""

    count: int
    rank: int
    head_address: str
    interface: str
    processes: int


class Options(TypedDict):
    """The options of the module."""

    name: str
    state: str
    folder: str
    command: list[str]
    folder_hash: str
    environment: str | None
    environment_wish: str
    image: str
    podman: list[str]
    env: dict[str, str]
    credential_names: list[str]
    tasks: list[Parameters]
    at_once: int
    nodes: Place | None
    seconds: float
    grace: float
    lease_end: str | None
    fetch_time: float
    done_after: float
    retries: int
    reason: str
    waiting: bool
    user: str
    program: list[str]


class _Ended(TypedDict):
    exit_code: int
    reason: str
    signal: str


class Ended(_Ended, total=False):
    """How an attempt has ended, and when, where its host says so; in seconds since 1970."""

    time: float


class AttemptRow(TypedDict):
    """An attempt; times in seconds since 1970, size in bytes."""

    number: int
    started: float | None
    this_boot: bool
    active: bool
    stop: str
    checkpoint: bool
    size: int
    last_output: float | None
    exit: Ended | None


class TaskRow(Parameters):
    """A task of an array, and how it is."""

    state: str
    exit_code: int | None
    signal: str
    seconds: float | None


class Gpu(TypedDict):
    """What a GPU was doing when the idle guard looked; memory in MB."""

    index: int
    utilization_percent: int
    memory_used_mb: int


class Noted(TypedDict, total=False):
    """What the host has noted of the job that it was given."""

    command: list[str]
    environment_wish: str
    image: str
    env: dict[str, str]
    credential_names: list[str]
    folder_hash: str
    tasks: list[Parameters]
    environment: str | None
    at_once: int
    podman: list[str]
    done_after: float
    launch: list[str]
    launch_env: dict[str, str]
    seconds: float
    limit: str


class _Shown(TypedDict):
    job: Noted
    sent: bool
    attempts: list[AttemptRow]
    tasks: list[TaskRow]
    gpus: list[Gpu]


class Shown(_Shown, total=False):
    """What the host's own program says; those of before do not say what keeps it."""

    manager: str
    command: list[str]


class Told(TypedDict):
    """The result of the module."""

    state: str
    next: str
    reason: str
    folder: str
    attempt: int
    attempts: list[AttemptRow]
    tasks: list[TaskRow]
    gpus: list[Gpu]


class Stopped(TypedDict):
    """Why something was stopped or cancelled, and when."""

    reason: str
    time: float


class Lost(TypedDict):
    """Whether an attempt that was lost has left a checkpoint, and when that was seen."""

    checkpoint: bool
    time: float
