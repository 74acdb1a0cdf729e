# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A new instance can be listed and yet unknown by its id: that is no refusal of tags."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.support import Cloud

BY_ID = {"method": "GET", "path": "/v1/instances/*"}
TAGS = {"method": "POST", "path": "/v1/instances/*/tags"}


@pytest.fixture
def unknown(cloud: Cloud) -> Cloud:
    """Return a cloud that lists an instance, and knows nothing by its id."""
    cloud.buy(tier="h200_or_less")
    cloud.fault("status", BY_ID, status=404, body={"code": "not_found"}, times=None)
    return cloud


@pytest.mark.parametrize("lost", [True, False], ids=["answer lost", "answered"])
@pytest.mark.parametrize(
    ("args", "key"), [({"extend": "2h"}, "lease"), ({"protect": True}, "protected")]
)
def test_lease_and_protection_are_written(
    unknown: Cloud, args: dict[str, Any], key: str, lost: bool
) -> None:
    if lost:
        unknown.fault("commit_then_reset", TAGS)
    (before,) = unknown.ok("datacrunch_instance_info", deployment="llm")["instances"]
    (after,) = unknown.ok("datacrunch_lease", deployment="llm", **args)["instances"]
    assert after[key] != before[key]


def test_it_is_stopped_and_started(unknown: Cloud) -> None:
    assert unknown.buy(tier="h200_or_less", state="stopped")["instance"]["status"] == "offline"
    assert unknown.buy(tier="h200_or_less", state="running")["instance"]["status"] == "running"
