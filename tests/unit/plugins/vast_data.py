# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An account of Vast.ai, its door, and an order of its first offer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._models.orders import (
    InstanceOrder,
    NewDisk,
)
from ansible_collections.gpuops.cloud.tests.conformance.door import opened
from ansible_collections.gpuops.cloud.tests.conformance.vast import Vast
from gpuops_simulator.doors.vast import VastDoor

NAME = "1X-A100-SXM4-M4711"
ORDER = InstanceOrder(
    name="llm-1",
    instance_type=NAME,
    location="SE",
    market="on_demand",
    image="docker.io/vastai/kvm:ubuntu_terminal",
    description="gpo.llm.llm-1.none.5f3a9c21",
    boot_disk=NewDisk("os", 100),
    most_per_hour=2.0,
)
ASK_PATH = "PUT /api/v0/asks/101/"


@pytest.fixture
def world(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vast]:
    """Return an account of Vast.ai."""
    with opened(Vast, 0.0, monkeypatch) as found:
        yield found


def door(world: Vast) -> VastDoor:
    """Return what answers for the vendor."""
    assert isinstance(world.door, VastDoor)
    return world.door
