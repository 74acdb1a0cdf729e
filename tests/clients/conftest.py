# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated cloud for programs that know nothing of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "simulator"))

from gpuops_simulator import Simulator


@pytest.fixture
def cloud() -> Iterator[Simulator]:
    """Start a cloud whose instances are built within a second, with one kind of them in stock."""
    stock = {"FIN-01": {"on_demand": {"1A100.22V": 1}, "spot": {}}}
    with Simulator({"provision_seconds": 1, "stock": stock}) as simulator:
        yield simulator
