# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What any provider must show, shown by each that there is; see tests/conformance."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.gpuops.cloud.tests.conformance.checks import CHECKS
from ansible_collections.gpuops.cloud.tests.conformance.door import DoorWorld, opened
from ansible_collections.gpuops.cloud.tests.conformance.lambda_cloud import LambdaCloud
from ansible_collections.gpuops.cloud.tests.conformance.runpod import RunPod, RunPodPaged
from ansible_collections.gpuops.cloud.tests.conformance.tensordock import (
    TensorDock,
    TensorDockDescribed,
)
from ansible_collections.gpuops.cloud.tests.conformance.vast import OtherVast, Vast
from ansible_collections.gpuops.cloud.tests.conformance.verda import SCENARIO, Verda
from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start

# Where time has to pass between two orders, or both would be of the same moment.
FAST = {"two_controllers_race_for_one_name": 1000.0}

DOORS = [LambdaCloud, RunPod, RunPodPaged, TensorDock, TensorDockDescribed, Vast, OtherVast]


@pytest.mark.parametrize("name", CHECKS)
def test_verda(start: Start, name: str) -> None:
    CHECKS[name](Verda(start(FAST.get(name, 0.0), **SCENARIO).sim))


@pytest.mark.parametrize("kind", DOORS)
@pytest.mark.parametrize("name", CHECKS)
def test_doors(
    home: Path, monkeypatch: pytest.MonkeyPatch, kind: type[DoorWorld], name: str
) -> None:
    with opened(kind, FAST.get(name, 0.0), monkeypatch) as world:
        CHECKS[name](world)
