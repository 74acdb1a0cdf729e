# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cloud for each test, whose time only moves when somebody waits, and a home of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._providers import registry
from ansible_collections.gpuops.cloud.plugins.module_utils._providers.verda import client
from ansible_collections.gpuops.cloud.tests.conformance.door import opened
from ansible_collections.gpuops.cloud.tests.unit.plugins.clouds import (
    Clouds,
    MoodyDoor,
    MoodyLambda,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import (
    KEY,
    SECRET,
    Cloud,
    SimulatedClock,
    stock,
    tokens_in,
)
from gpuops_simulator import Simulator
from gpuops_simulator.clock import Clock

Start = Callable[..., Cloud]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the test a home, a cache and a place for data that it can look into."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path


@pytest.fixture
def start(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Start clouds with a scenario; nothing that is printed holds a secret or a token."""
    running: list[Cloud] = []

    def begin(speed: float = 0.0, **scenario: Any) -> Cloud:
        sim = Simulator(scenario, clock=Clock(speed))
        sim.start()
        clock = SimulatedClock(sim)
        running.append(Cloud(sim, clock))
        monkeypatch.setattr(client, "SystemClock", lambda: clock)
        return running[-1]

    yield begin
    for cloud in running:
        cloud.sim.stop()
    said = "\n".join(text for cloud in running for text in cloud.said)
    assert [word for word in (SECRET, *tokens_in(home / "cache")) if word in said] == []


@pytest.fixture
def cloud(start: Start) -> Cloud:
    """Return a cloud with the usual stock, where an instance takes 30 seconds."""
    return start(provision_seconds=30)


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
    verda.sim.clear_log()
    return Clouds(verda, door)
