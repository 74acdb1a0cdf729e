# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a volume, and of a list of volumes (private, pure)."""

from __future__ import annotations

from typing import TypedDict


class VolumeOptions(TypedDict):
    """What is asked for; sizes in GiB, times in seconds."""

    state: str
    deployment: str | None
    name: str | None
    id: str | None
    size_gb: int | None
    type: str | None
    location: str | None
    instance: str | None
    attached: bool | None
    power_cycle: bool
    policy: str
    restore: bool
    foreign: bool
    wait: bool
    wait_timeout: float
    wait_interval: float
    ledger: str | None


class VolumeListOptions(TypedDict):
    """Which volumes are to be listed, and whether with those in the trash."""

    deployment: str | None
    name: str | None
    id: str | None
    status: str | None
    trash: bool
