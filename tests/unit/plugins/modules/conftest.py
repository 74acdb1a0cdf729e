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
from ansible_collections.gpuops.cloud.tests.unit.plugins.clouds import (
    Clouds,
    MoodyDoor,
    MoodyLambda,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import KEY, stock


@pytest.fixture
def door(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MoodyDoor]:
    """Return an account of Lambda Cloud, where an A100 of 80 GB is free at 1.29 an hour."""
    with opened(MoodyLambda, 0.0, monkeypatch) as world:
        monkeypatch.delenv("LAMBDA_API_KEY")
        monkeypatch.setattr(registry, "DEFAULT", "verda")  # for modules that ask one cloud
        yield world.door


@pytest.fixture
def clouds(start: Start, door: MoodyDoor) -> Clouds:
    """Return both clouds; at the other one an A100 of 80 GB is free at 1.797 an hour.

    Each knows the SSH key ``mine``.
    """
    verda = start(stock=stock("1A100.22V"), provision_seconds=30)
    verda.client().add_ssh_key("mine", KEY)
    return Clouds(verda, door)
