# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the first release made lives on: it is found, kept, extended, ended and billed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._core.times import write_time
from ansible_collections.gpuops.cloud.plugins.module_utils._models.ownership import Identity
from ansible_collections.gpuops.cloud.tests.unit.plugins.first_release import (
    REQUEST,
    WITHOUT_LIMIT,
    buy_as_of_old,
    old_marker,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import Cloud

TIER = {"tier": "h200_or_less"}
HOURS = "mon-fri 08:00-19:00 Europe/Helsinki"
MORE = {"project": "research", "protected": True, "hours": HOURS}


def marks_of_old(cloud: Cloud, **more: Any) -> Identity:
    """Return the marks of an instance of the deployment ``llm`` with an hour left."""
    end = write_time(cloud.sim.now() + timedelta(hours=1))
    return Identity("llm", "llm", "me", end, REQUEST, **more)


@pytest.mark.parametrize("tags", [True, False], ids=["tags", "marker"])
@pytest.mark.parametrize("more", [{}, MORE], ids=["plain", "full"])
def test_instance_of_the_first_release_lives_on(
    cloud: Cloud, tags: bool, more: dict[str, Any]
) -> None:
    old = buy_as_of_old(cloud, marks_of_old(cloud, **more), tags=tags)
    kept = cloud.buy(**TIER, owner="me")
    assert not kept["changed"]
    shown = kept["instance"]
    assert (shown["id"], shown["owner"], shown["deployment"]) == (old["id"], "me", "llm")
    assert shown["protected"] is bool(more)
    assert (shown["project"], shown["hours"]) == (more.get("project"), more.get("hours"))
    extended = cloud.ok("datacrunch_lease", deployment="llm", extend="2h")["instances"][0]
    assert extended["lease_end"] > shown["lease_end"]
    assert extended["protected"] is bool(more)
    assert extended["project"] == more.get("project")
    cloud.sim.advance(3600)
    ended = cloud.end(owner="me", confirm=True, os_volume="delete")
    assert [row["kind"] for row in ended["bill"]] == ["instance", "volume"]
    assert ended["bill"][0]["cost"] > 4
    assert cloud.machines() == []
    (row,) = cloud.ok("datacrunch_cost_info")["by"]["deployment"]
    assert row["name"] == "llm"


def test_marker_behind_a_text_that_imitates_one_is_the_one_that_counts(cloud: Cloud) -> None:
    fake = "ticket 5 [gpuops d=prod n=db o=eve l=none r=1]"
    old = buy_as_of_old(cloud, marks_of_old(cloud), tags=False, text=fake)
    assert cloud.buy(**TIER, owner="me")["instance"]["id"] == old["id"]
    assert not cloud.ok("datacrunch_instance", deployment="prod", state="absent")["changed"]
    assert cloud.end(owner="me")["changed"]


def test_instance_that_replaces_another_is_the_one_that_stays(cloud: Cloud) -> None:
    first = buy_as_of_old(cloud, marks_of_old(cloud), tags=True)
    second = buy_as_of_old(cloud, marks_of_old(cloud, replaces=first["id"]), tags=True)
    assert cloud.buy(**TIER, owner="me")["instance"]["id"] == second["id"]
    assert cloud.machine()["id"] == second["id"]


def test_marker_of_the_first_release_is_over_the_limit_of_today(cloud: Cloud) -> None:
    text = old_marker(marks_of_old(cloud))
    assert len(text) > 60
    assert WITHOUT_LIMIT["description_limit"] is None
