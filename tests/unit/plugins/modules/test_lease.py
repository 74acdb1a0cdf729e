# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Leases of instances that exist: longer, other, over; and safe at every moment of the change."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ansible_collections.gpuops.cloud.plugins.module_utils._core.times import write_time
from ansible_collections.gpuops.cloud.plugins.module_utils._ledger import store
from ansible_collections.gpuops.cloud.plugins.module_utils._lifecycle.tagging import Marks
from ansible_collections.gpuops.cloud.plugins.module_utils._models.ownership import Identity
from ansible_collections.gpuops.cloud.tests.unit.plugins import shown
from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.first_release import (
    REQUEST,
    buy_as_of_old,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.scenes import LATER
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import Cloud

TIER = {"tier": "h200_or_less"}
TYPE = "1H200.141S.44V"
DATE = LATER
TAGGING = {"method": "POST", "path": "/v1/instances/*"}
UNTAGGING = {"method": "DELETE", "path": "/v1/instances/*"}


def lease(cloud: Cloud, **args: Any) -> dict[str, Any]:
    """Change the lease of the deployment ``llm``."""
    return cloud.ok("datacrunch_lease", **{"deployment": "llm", **args})


def tags(row: dict[str, Any]) -> dict[str, str]:
    """Return the tags of an instance or volume as the simulator keeps them."""
    return {tag["key"]: tag["value"] for tag in row["tags"]}


def in_hours(cloud: Cloud, hours: float) -> str:
    """Return a time so many hours from now."""
    return write_time(cloud.sim.now() + timedelta(hours=hours))


def test_extension_counts_from_the_end_of_the_lease(cloud: Cloud) -> None:
    end, expected = in_hours(cloud, 3), in_hours(cloud, 5)
    cloud.buy(**TIER, lease=end)
    result = lease(cloud, extend="+2h")
    assert result["changed"]
    (shown,) = result["instances"]
    assert shown["lease_end"] == shown["lease"] == expected
    assert tags(cloud.machine())["gpuops-lease"] == expected
    assert len(tags(cloud.machine())) == 4


def test_extension_counts_from_now_when_the_lease_is_over(cloud: Cloud) -> None:
    cloud.buy(**TIER, lease="1h")
    cloud.sim.advance(5 * 3600)
    expected = in_hours(cloud, 0.5)
    assert lease(cloud, extend="30m")["instances"][0]["lease"] == expected


def test_each_machine_of_a_deployment_is_extended_from_its_own_end(cloud: Cloud) -> None:
    ends = [in_hours(cloud, hours) for hours in (1, 2, 3)]
    cloud.buy(**TIER, lease=ends[0])
    cloud.buy(**TIER, name="two", lease=ends[1])
    expected = ends[1:]
    assert [row["lease"] for row in lease(cloud, extend="1h")["instances"]] == expected
    assert [row["name"] for row in lease(cloud, extend="1h", name="two")["instances"]] == ["two"]


@pytest.mark.parametrize("text", [DATE, "none"])
def test_lease_that_is_a_date_is_set_once(cloud: Cloud, text: str) -> None:
    cloud.buy(**TIER)
    assert lease(cloud, lease=text)["instances"][0]["lease"] == text
    cloud.sim.clear_log()
    assert not lease(cloud, lease=text)["changed"]
    assert cloud.sim.writes() == []


def test_change_costs_four_writes(cloud: Cloud) -> None:
    machine = cloud.buy(**TIER)["instance"]["id"]
    volume = cloud.sim.state()["volumes"][0]["id"]
    cloud.sim.clear_log()
    lease(cloud, lease=DATE)
    mine = [row["method"] for row in cloud.sim.writes() if machine in row["path"]]
    assert mine == ["POST", "DELETE", "POST", "DELETE"]
    assert {row["path"].split("/")[3] for row in cloud.sim.writes()} == {machine, volume}


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({}, "One of the following is required"),
        ({"done": True, "protect": True}, "mutually exclusive with protect"),
        ({"done": True, "extend": "1h"}, "mutually exclusive with extend"),
        ({"extend": "soon"}, "not a duration"),
        ({"extend": "-1h"}, "not a duration"),
        ({"extend": "99999999999d"}, "extend"),
        ({"lease": "2001-01-01"}, "in the past"),
        ({"extend": "13h", "lease_max": "24h"}, "lease_max allows 24h"),
        ({"lease": "25h", "lease_max": "24h"}, "lease_max allows 24h"),
        ({"lease": "none", "lease_max": "24h"}, "lease_max allows 24h"),
    ],
)
def test_wishes_that_cannot_be(cloud: Cloud, args: dict[str, Any], words: str) -> None:
    cloud.buy(**TIER)
    cloud.sim.clear_log()
    for check in (True, False):
        result = cloud.fails("datacrunch_lease", deployment="llm", check=check, **args)
        assert result["error"]["code"] == "invalid"
        assert words in result["msg"]
    assert cloud.sim.writes() == []


def test_machine_without_an_end_has_nothing_to_extend(cloud: Cloud) -> None:
    cloud.buy(**TIER, lease="none")
    assert "no end" in cloud.fails("datacrunch_lease", deployment="llm", extend="1h")["msg"]


@pytest.mark.parametrize("how", [{"name": "other"}, {"id": "0"}, {"deployment": "other"}])
def test_machine_that_is_not_there(cloud: Cloud, how: dict[str, str]) -> None:
    cloud.buy(**TIER)
    args = {"deployment": "llm", "extend": "1h", **how}
    assert cloud.fails("datacrunch_lease", **args)["error"]["code"] == "not_found"


def test_machine_of_somebody_else_is_not_touched(cloud: Cloud) -> None:
    machine = cloud.buy(**TIER, deployment="other")["instance"]["id"]
    result = cloud.fails("datacrunch_lease", deployment="llm", id=machine, extend="1h")
    assert "Instances of others are never changed" in result["msg"]


def test_extension_is_in_the_ledger(cloud: Cloud, home: Any) -> None:
    url = f"sqlite:///{home}/ledger.sqlite3"
    cloud.buy(**TIER, ledger=url, lease="1h")
    end = lease(cloud, extend="1h", ledger=url)["instances"][0]["lease_end"]
    lease(cloud, done=True, ledger=url)
    events = [(row["event"], row["kind"], row["lease_end"]) for row in store.read(url)]
    assert ("extend", "instance", end) in events
    assert ("end", "instance", end) in events
    assert ("end", "volume", None) in events


# -- safe at every moment --------------------------------------------------------------------------


class Killed(BaseException):
    """The controller is gone."""


def changes_until(cloud: Cloud, writes: int, wanted: str) -> None:
    """Change the lease, and lose the controller after so many writes."""
    client = cloud.client()
    left = [writes]

    def guarded(call: Any) -> Any:
        def run(*args: Any) -> Any:
            if not left[0]:
                raise Killed
            left[0] -= 1
            return call(*args)

        return run

    client.tag, client.untag = guarded(client.tag), guarded(client.untag)  # type: ignore[method-assign]
    Marks(client, shown.instance(cloud.machine())).write_lease(wanted)


@pytest.mark.parametrize("writes", [0, 1, 2, 3])
def test_controller_that_dies_in_between_leaves_complete_marks(cloud: Cloud, writes: int) -> None:
    cloud.buy(**TIER, lease="1h")
    first = lease(cloud, lease=in_hours(cloud, 20))["instances"][0]["lease"]
    cloud.sim.advance(10 * 3600)  # the lease that stands in the description is over
    with pytest.raises(Killed):
        changes_until(cloud, writes, DATE)
    marks = shown.ownership(cloud.machine())
    assert marks
    assert marks.lease == (DATE if writes else first)
    reaped = cloud.ok("datacrunch_reap", everything=True, mode="delete")
    assert (reaped["reaped"], reaped["unclear"]) == ([], [])
    assert lease(cloud, lease=DATE)["instances"][0]["lease"] == DATE
    left = tags(cloud.machine())
    assert left["gpuops-lease"] == DATE
    assert lease(cloud, lease="2h")["changed"]
    assert len(tags(cloud.machine())) == 4


@pytest.mark.parametrize("match", [TAGGING, UNTAGGING], ids=["add", "remove"])
@pytest.mark.parametrize("do", ["commit_then_500", "commit_then_reset", "reset"])
def test_answer_that_was_lost_is_looked_up(cloud: Cloud, match: dict[str, str], do: str) -> None:
    cloud.buy(**TIER)
    cloud.fault(do, match, times=2)
    assert lease(cloud, lease=DATE)["instances"][0]["lease"] == DATE
    assert len(tags(cloud.machine())) == 4


def test_protection_without_any_clear_answer_is_seen_by_its_effect(cloud: Cloud) -> None:
    cloud.buy(**TIER)
    cloud.fault("commit_then_500", TAGGING, times=None)
    assert lease(cloud, protect=True)["instances"][0]["protected"]
    assert tags(cloud.machine())["gpuops-protect"] == "yes"


def test_tag_that_is_there_and_not_shown_is_told(start: Start) -> None:
    cloud = start(provision_seconds=30, dialect={"answer_tags": False})
    cloud.buy(**TIER)
    cloud.fault("commit_then_500", TAGGING)
    result = cloud.fails("datacrunch_lease", deployment="llm", protect=True)
    assert "a tag gpuops-protect already, but does not show it" in result["msg"]
    for words in ("shows the old one", "a tag gpuops-next-lease already, but does not show it"):
        assert words in cloud.fails("datacrunch_lease", deployment="llm", extend="1h")["msg"]


def test_two_controllers_that_extend_at_once(cloud: Cloud) -> None:
    cloud.buy(**TIER)
    client, other = cloud.client(), cloud.client()
    row = shown.instance(cloud.machine())
    mine, theirs = Marks(client, row), Marks(other, row)
    add = client.tag
    turns = iter([True])

    def interrupted(*args: Any) -> Any:
        if next(turns, False):
            theirs.write_lease("2998-01-01T00:00:00Z")
        return add(*args)

    client.tag = interrupted  # type: ignore[method-assign]
    mine.write_lease(DATE)
    assert tags(cloud.machine())["gpuops-lease"] == DATE
    assert len(tags(cloud.machine())) == 4


def test_change_that_another_run_left_half_done_is_finished_first(cloud: Cloud) -> None:
    machine = cloud.buy(**TIER)["instance"]["id"]
    cloud.client().tag("instances", machine, "gpuops-next-lease", "2998-01-01T00:00:00Z")
    assert lease(cloud, lease=DATE)["instances"][0]["lease"] == DATE
    assert len(tags(cloud.machine())) == 4


def test_machine_that_has_only_an_ownership_string_gets_tags(start: Start) -> None:
    cloud = start(tags_supported=False)
    before = cloud.buy(**TIER)["instance"]
    cloud.sim.switch(tags_supported=True)
    (after,) = lease(cloud, lease=DATE)["instances"]
    same = ("deployment", "owner", "project", "protected", "hours")
    assert [after[key] for key in same] == [before[key] for key in same]
    assert after["lease"] == DATE
    for protected in (True, False):
        (after,) = lease(cloud, protect=protected)["instances"]
        assert (after["protected"], after["lease"]) == (protected, DATE)
    assert tags(cloud.machine()) == {"gpuops-lease": DATE}


def test_protection_that_stands_in_the_marker_can_be_taken_back(cloud: Cloud) -> None:
    marks = Identity("llm", "llm", "me", "2998-01-01T00:00:00Z", REQUEST, protected=True)
    buy_as_of_old(cloud, marks, tags=False)
    (after,) = lease(cloud, protect=False)["instances"]
    assert (after["protected"], after["lease"]) == (False, marks.lease)


@pytest.mark.parametrize("wish", [{"lease": DATE}, {"extend": "1h"}, {"protect": True}])
def test_account_that_refuses_tags_says_what_to_do(start: Start, wish: dict[str, Any]) -> None:
    cloud = start(tags_supported=False)
    cloud.buy(**TIER)
    result = cloud.fails("datacrunch_lease", deployment="llm", **wish)
    assert result["error"]["code"] == "forbidden"
    assert "the account refuses tags" in result["msg"]
    assert "Buy a new instance" in result["msg"]
    assert not result["changed"]
    assert lease(cloud, done=True)["changed"]


def test_cloud_that_takes_tags_and_drops_them_is_found_out(cloud: Cloud) -> None:
    cloud.buy(**TIER)
    tag = {"id": "tag_0", "key": "gpuops-next-lease", "value": DATE}
    cloud.fault("status", TAGGING, status=201, body=tag, times=None)
    cloud.fault("status", UNTAGGING, status=204, times=None)
    result = cloud.fails("datacrunch_lease", deployment="llm", lease=DATE)
    assert "shows the old one" in result["msg"] or "could not be written" in result["msg"]
