# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Purchases that probe an account, for the tests of what they tell and of what they leave."""

from __future__ import annotations

from typing import Any

from ansible_collections.gpuops.cloud.plugins.module_utils._account import rows
from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import Cloud, stock

NAME = "verify-account-1"
TYPE = "1V100.6V"


def begin(start: Start, **scenario: Any) -> Cloud:
    """Start a cloud with one cheap type in stock, where an instance takes 30 seconds."""
    return start(**{"provision_seconds": 30, "stock": stock(TYPE), **scenario})


def probe(cloud: Cloud, **args: Any) -> dict[str, dict[str, str]]:
    """Return the rows that a purchase shows by their names."""
    given = {"spend": True, "deployment": NAME, **args}
    result = cloud.ok("datacrunch_account_probe", **given)
    assert result["changed"]
    return named(result)


def named(result: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Return the rows of a result by their names; no other thing is told."""
    found = {row["name"]: row for row in result["account"]}
    assert list(found) == list(rows.BY_PURCHASE)
    return found


def assert_nothing_is_left(cloud: Cloud) -> None:
    """Look into the simulator's own books."""
    state = cloud.sim.state()
    assert cloud.machines() == []
    assert [row["id"] for row in state["volumes"] if row["status"] != "deleting"] == []
    assert state["trash"] == []
