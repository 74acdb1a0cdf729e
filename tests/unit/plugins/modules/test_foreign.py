# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances that are not ours are never touched, whatever they are called."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.first_release import WITHOUT_LIMIT
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import Cloud, stock

TYPE = "1H200.141S.44V"
REQUEST = "0" * 32
MARKS = {
    "gpuops-deployment": "llm",
    "gpuops-name": "llm",
    "gpuops-owner": "me",
    "gpuops-lease": "none",
    "gpuops-request": REQUEST,
}


def tags(**changes: str | None) -> list[dict[str, str]]:
    """Return our marks as tags, with changes; None leaves one out."""
    found = {**MARKS, **{f"gpuops-{key}": value for key, value in changes.items()}}
    return [{"key": key, "value": value} for key, value in found.items() if value is not None]


FOREIGN: dict[str, dict[str, Any]] = {
    "no tags": {},
    "of another deployment": {"tags": tags(deployment="other")},
    "with half of the tags": {"tags": tags(request=None, lease=None)},
    "with a deployment that cannot be": {"tags": tags(deployment="LLM!")},
    "with a name that cannot be": {"tags": tags(name="-")},
    "with an owner that cannot be": {"tags": tags(owner="a b")},
    "with an empty tag": {"tags": tags(owner="")},
    "with half of a marker": {"description": "[gpuops d=llm n=llm]"},
    "with a marker that does not end": {
        "description": f"[gpuops d=llm n=llm o=me l=none r={REQUEST}"
    },
    "with a marker of another deployment": {
        "description": f"[gpuops d=other n=llm o=me l=none r={REQUEST}]"
    },
    "with an ownership string of another": {"description": "gpo.other.llm.none.00000000"},
    "with a cut ownership string": {"description": "gpo.llm.llm.none.0000"},
    "with a string behind a text": {"description": "see gpo.llm.llm.none.00000000"},
    "with a shortened string and no tags": {"description": "gpo.llm-0123abcd-.llm.none.00000000"},
    "that speaks of us": {"description": "gpuops llm d=llm n=llm"},
}


def rent(cloud: Cloud, **more: Any) -> str:
    """Let somebody else rent an instance of the same host name; returns its id."""
    image = {"image": "24.04.cuda13.2", "location_code": "FIN-03", "instance_type": TYPE}
    cloud.sim.switch(dialect=WITHOUT_LIMIT)
    machine = cloud.client().create("/instances", {"hostname": "llm", **image, **more})
    cloud.sim.switch(dialect={})
    cloud.sim.advance(60)
    cloud.sim.clear_log()
    return machine


@pytest.fixture(params=list(FOREIGN.values()), ids=list(FOREIGN))
def foreign(request: pytest.FixtureRequest, cloud: Cloud) -> str:
    """Return the id of an instance that is not ours."""
    return rent(cloud, **request.param)


def test_foreign_machine_is_not_ended(cloud: Cloud, foreign: str) -> None:
    for how in ({}, {"name": "llm"}):
        assert not cloud.end(**how, os_volume="delete", data_volumes="delete")["changed"]
    assert cloud.sim.writes() == []


@pytest.mark.parametrize("state", ["present", "running", "stopped", "absent"])
def test_foreign_machine_is_not_touched_by_its_id(cloud: Cloud, foreign: str, state: str) -> None:
    result = cloud.fails("datacrunch_instance", deployment="llm", id=foreign, state=state)
    assert "Instances of others are never changed" in result["msg"]
    assert cloud.sim.writes() == []


def test_foreign_machine_is_not_stopped(cloud: Cloud, foreign: str) -> None:
    result = cloud.fails("datacrunch_instance", deployment="llm", name="llm", state="stopped")
    assert result["error"]["code"] == "not_found"
    assert cloud.sim.writes() == []


@pytest.mark.parametrize("state", ["present", "running"])
def test_foreign_machine_is_not_taken_for_ours(cloud: Cloud, foreign: str, state: str) -> None:
    cloud.sim.set_stock(stock(TYPE))
    result = cloud.buy(tier="any_h200", state=state)
    assert result["changed"]
    assert result["instance"]["id"] != foreign
    assert sorted(row["id"] for row in cloud.machines()) == sorted(
        [foreign, result["instance"]["id"]]
    )
    cloud.end(os_volume="delete")
    assert cloud.machine()["id"] == foreign


def test_foreign_machine_is_no_leftover_but_is_listed(cloud: Cloud, foreign: str) -> None:
    assert cloud.ok("datacrunch_deployment_info", deployment="llm")["leftovers"] == []
    (row,) = cloud.ok("datacrunch_instance_info")["instances"]
    assert row["id"] == foreign
    assert cloud.ok("datacrunch_instance_info", deployment="llm")["instances"] == []


@pytest.mark.parametrize("state", ["error", "no_capacity", "installation_failed"])
def test_dead_foreign_machine_is_left_where_it_is(cloud: Cloud, state: str) -> None:
    machine = rent(cloud)
    cloud.sim.set_status(machine, state)
    cloud.sim.set_stock(stock(TYPE))
    cloud.buy(tier="any_h200")
    cloud.end()
    assert machine in [row["id"] for row in cloud.sim.state()["instances"]]
    assert not [row for row in cloud.sim.writes() if machine in row["path"]]


def test_disk_of_somebody_else_stays(cloud: Cloud) -> None:
    body = {"name": "gpuops.llmx.data", "size": 50, "type": "NVMe", "location_code": "FIN-03"}
    cloud.client().create("/volumes", body)
    cloud.buy(tier="h200_or_less")
    cloud.end(os_volume="delete", data_volumes="delete")
    cloud.sim.advance(60)
    assert [row["name"] for row in cloud.sim.state()["volumes"]] == ["gpuops.llmx.data"]


def test_marker_in_the_description_is_enough(cloud: Cloud) -> None:
    rent(cloud, description=f"x [gpuops d=llm n=llm o=me l=none r={REQUEST}] y")
    assert cloud.end(owner="me")["changed"]


@pytest.mark.parametrize("other", [{"deployment": "other"}, {"name": "other.00000000"}])
def test_ownership_string_and_tags_that_differ_are_nobodys(
    cloud: Cloud, other: dict[str, str]
) -> None:
    rent(cloud, description="gpo.llm.llm.none.00000000", tags=tags(**other, owner=None))
    for deployment in ("llm", "other"):
        end = {"deployment": deployment, "state": "absent"}
        assert not cloud.ok("datacrunch_instance", **end)["changed"]


def test_ownership_string_is_enough(cloud: Cloud) -> None:
    rent(cloud, description="gpo.llm.llm.none.00000000 and a word of theirs")
    assert cloud.end(owner="me")["changed"]


def test_tags_are_enough(cloud: Cloud) -> None:
    rent(cloud, tags=tags())
    assert cloud.end(owner="me")["changed"]


def test_tags_win_over_the_marker(cloud: Cloud) -> None:
    marker = f"[gpuops d=llm n=llm o=me l=none r={REQUEST}]"
    rent(cloud, tags=tags(deployment="other"), description=marker)
    assert not cloud.end()["changed"]
    end = {"deployment": "other", "state": "absent", "owner": "me"}
    assert cloud.ok("datacrunch_instance", **end)["changed"]
