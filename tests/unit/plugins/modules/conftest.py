# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several clouds for those tests of modules that ask for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._providers import registry
from ansible_collections.gpuops.cloud.tests.conformance.door import opened
from ansible_collections.gpuops.cloud.tests.conformance.lambda_cloud import (
    LambdaCloud,
    LambdaDoor,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.clouds import Clouds
from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import stock


@pytest.fixture
def door(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LambdaDoor]:
    """Return an account of Lambda Cloud, where an A100 of 80 GB is free at 1.29 an hour."""
    with opened(LambdaCloud, 0.0, monkeypatch) as world:
        monkeypatch.delenv("LAMBDA_API_KEY")
        monkeypatch.setattr(registry, "DEFAULT", "verda")  # for modules that ask one cloud
        yield world.door


@pytest.fixture
def clouds(start: Start, door: LambdaDoor) -> Clouds:
    """Return both clouds; at the other one an A100 of 80 GB is free at 1.797 an hour."""
    return Clouds(start(stock=stock("1A100.22V"), provision_seconds=30), door)
