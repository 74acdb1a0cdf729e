# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fixture `gpuops_cloud` of pytest: a simulated cloud of its own for every test.

In a conftest.py: pytest_plugins = ["gpuops_simulator.pytest_plugin"]
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from .simulator import Simulator

# Of the user: they could lead to an account of theirs, or to their ledger.
MINE = ("DATACRUNCH_", "VERDA_", "GPUOPS_LEDGER")
MARKER = "gpuops_scenario"


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    words = f"{MARKER}(**keys): how the cloud of the fixture gpuops_cloud starts, see its README"
    config.addinivalue_line("markers", words)


@pytest.fixture
def gpuops_cloud(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Simulator]:
    """Provide a simulated cloud, which every program that the test starts takes for the real one.

    Keys, ledger and cache lie below tmp_path, and no account of the user can be reached.
    """
    marker = request.node.get_closest_marker(MARKER)
    with Simulator(marker.kwargs if marker else None) as cloud:
        for name in [*os.environ]:
            if name.startswith(MINE):
                monkeypatch.delenv(name)
        for name, value in environment(cloud.url, tmp_path / "gpuops").items():
            monkeypatch.setenv(name, value)
        yield cloud


def environment(url: str, folder: Path) -> dict[str, str]:
    """Return the variables that lead to a simulated cloud, and to a folder of its own."""
    return {
        "DATACRUNCH_BASE_URL": f"{url}/v1",
        "DATACRUNCH_CLIENT_ID": "simulated",
        "DATACRUNCH_CLIENT_SECRET": "simulated-secret-1",
        "GPUOPS_HOME": str(folder / "config"),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "XDG_DATA_HOME": str(folder / "data"),
    }
