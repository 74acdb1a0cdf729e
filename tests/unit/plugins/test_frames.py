# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many functions of ours stand between a module and the wire, when it writes."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

import pytest
import requests

from ansible_collections.gpuops.cloud.tests.unit.plugins.support import Cloud

OURS = "/gpuops/cloud/plugins/"


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], list[str]]:
    """Return our functions on the longest way of a module to each write, by its method and path."""
    seen: dict[tuple[str, str], list[str]] = {}
    send = requests.Session.request

    def watched(self: Any, method: str, url: str, **more: Any) -> Any:
        if method != "GET" and "token" not in url:
            stack = [row for row in traceback.extract_stack() if OURS in row.filename]
            names = [f"{row.filename.partition(OURS)[2]}:{row.name}" for row in stack]
            place = (names[0], f"{method} /{url.rpartition('/v1/')[2].partition('/')[0]}")
            seen[place] = max(seen.get(place, []), names, key=len)
        return send(self, method, url, **more)

    monkeypatch.setattr(requests.Session, "request", watched)
    return seen


def buy(cloud: Cloud) -> None:
    cloud.buy(tier="h200_or_less", lease="1h")


def extend(cloud: Cloud) -> None:
    buy(cloud)
    cloud.ok("datacrunch_lease", deployment="llm", extend="1h")


@pytest.mark.parametrize(
    ("work", "module", "write", "most"),
    [
        (buy, "datacrunch_instance", "POST /instances", 10),
        (extend, "datacrunch_lease", "POST /instances", 8),
        # The lease before it: by its id, then by its key.
        (extend, "datacrunch_lease", "DELETE /instances", 9),
    ],
)
def test_the_way_to_the_wire_is_short(
    cloud: Cloud,
    ways: dict[tuple[str, str], list[str]],
    work: Callable[[Cloud], None],
    module: str,
    write: str,
    most: int,
) -> None:
    work(cloud)
    way = ways[f"modules/{module}.py:main", write]
    assert way[-1] == "module_utils/_providers/base/transport.py:send"
    assert len(way) <= most, "\n".join(way)
