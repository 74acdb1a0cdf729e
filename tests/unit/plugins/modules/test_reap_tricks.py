# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever a stranger's instance is called and bears, the reaper does not touch it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.gpuops.cloud.tests.unit.plugins.first_release import WITHOUT_LIMIT
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import Cloud

TYPE = "1H200.141S.44V"
REQUEST = "0" * 32
TIER = {"tier": "h200_or_less"}
EVERYTHING = {"everything": True, "mode": "delete", "os_volume": "delete", "data_volumes": "delete"}
PLACE = {"location_code": "FIN-03", "type": "NVMe", "size": 50}


def tags(lease: str, **changes: str | None) -> list[dict[str, str]]:
    """Return our marks as tags, with changes; None leaves one out."""
    found: dict[str, str | None] = {"deployment": "llm", "name": "llm", "owner": "me"}
    found |= {"lease": lease, "request": REQUEST, **changes}
    rows = {f"gpuops-{key.replace('_', '-')}": value for key, value in found.items()}
    return [{"key": key, "value": value} for key, value in rows.items() if value is not None]


def rent(cloud: Cloud, **more: Any) -> str:
    """Let somebody rent an instance of the host name ``llm``; returns its id."""
    image = {"image": "24.04.cuda13.2", "location_code": "FIN-03", "instance_type": TYPE}
    cloud.sim.switch(dialect=WITHOUT_LIMIT)
    machine = cloud.client().create("/instances", {"hostname": "llm", **image, **more})
    cloud.sim.switch(dialect={})
    cloud.sim.advance(60)
    return machine


def hour(cloud: Cloud) -> str:
    """Return an hour from now as a lease."""
    return f"{cloud.sim.now():%Y-%m-%d}T23:59:59Z"


def later(cloud: Cloud) -> None:
    """Let two days pass."""
    cloud.sim.advance(2 * 24 * 3600)
    cloud.sim.clear_log()


MARKER = f"[gpuops d=llm n=llm o=me l=LEASE r={REQUEST}]"
SWAPPED = MARKER.replace("d=llm n=llm", "n=llm d=llm")
# Each with whether it is worth a word in the report.
STRANGERS: dict[str, tuple[dict[str, Any], bool]] = {
    "the same host name": ({}, False),
    "words like ours": ({"description": "gpuops d=llm n=llm o=me l=LEASE r=1"}, False),
    "foreign tags": ({"tags": [{"key": "deployment", "value": "llm"}]}, False),
    "tags that begin like ours": ({"tags": [{"key": "gpuopsdeployment", "value": "llm"}]}, False),
    "half of our tags": ({"tags": tags("LEASE", request=None)}, True),
    "a tag that is empty": ({"tags": tags("LEASE", owner="")}, True),
    "a deployment that cannot be": ({"tags": tags("LEASE", deployment="LLM")}, True),
    "an owner that cannot be": ({"tags": tags("LEASE", owner="me; rm")}, True),
    "a lease without an owner": ({"tags": tags("LEASE", owner=None, name=None)}, True),
    "a marker without its end": ({"description": MARKER[:-1]}, True),
    "a marker in another order": ({"description": SWAPPED}, True),
    "a marker in two lines": ({"description": MARKER.replace(" o=", "\n o=")}, True),
    "only what may follow a marker": ({"description": "[gpuops+ p=x]"}, True),
    "a lease that nobody can read": ({"tags": tags("next tuesday")}, True),
    "a lease that is a duration": ({"tags": tags("12h")}, True),
    "a lease of long ago": ({"tags": tags("1970-01-01T00:00:00Z")}, True),
    "a lease out of this world": ({"tags": tags("0001-01-01T00:00:00+05:00")}, True),
    "a new lease that nobody can read": ({"tags": tags("LEASE", next_lease="soon")}, True),
    "a marker of long ago": ({"description": MARKER.replace("LEASE", "2001-01-01")}, True),
    "no end on purpose": ({"tags": tags("none")}, False),
    "protection": ({"tags": tags("LEASE", protect="yes")}, False),
}  # fmt: skip


def with_lease(what: Any, lease: str) -> Any:
    """Return marks with the word LEASE replaced."""
    if isinstance(what, list):
        return [with_lease(one, lease) for one in what]
    if isinstance(what, dict):
        return {key: with_lease(value, lease) for key, value in what.items()}
    return what.replace("LEASE", lease)


@pytest.mark.parametrize(("how", "told"), STRANGERS.values(), ids=list(STRANGERS))
def test_stranger_lives_on(cloud: Cloud, how: dict[str, Any], told: bool) -> None:
    machine = rent(cloud, **with_lease(how, hour(cloud)))
    later(cloud)
    report = {"id": machine, "version": 1, "at": cloud.sim.now().isoformat(), "done": True}
    unmarked = "tags" not in how or told
    for more in ({}, {"deployments": ["llm"], "everything": False}):
        reports = [report] if unmarked else []
        result = cloud.ok("datacrunch_reap", **{**EVERYTHING, **more}, idle_reports=reports)
        assert [row["outcome"] for row in result["reaped"]] in ([], ["protected"])
        assert not result["changed"]
        if told and not more:
            assert [row["id"] for row in result["unclear"]] == [machine]
    assert cloud.sim.writes() == []
    assert cloud.machine()["id"] == machine


def test_same_marks_with_a_good_lease_are_ours(cloud: Cloud) -> None:
    rent(cloud, tags=tags(hour(cloud)))
    later(cloud)
    assert cloud.ok("datacrunch_reap", **EVERYTHING)["changed"]
    assert cloud.machines() == []


@pytest.mark.parametrize("lease", ["LEASE", "1970-01-01T00:00:00Z", "never"])
def test_machine_of_another_deployment_is_out_of_scope(cloud: Cloud, lease: str) -> None:
    rent(cloud, tags=tags(with_lease(lease, hour(cloud)), deployment="llm-2"))
    later(cloud)
    scope = {"everything": False, "deployments": ["llm", "llm-20", "2"]}
    result = cloud.ok("datacrunch_reap", **{**EVERYTHING, **scope})
    assert (result["reaped"], result["unclear"], result["machines"]) == ([], [], 0)
    assert cloud.sim.writes() == []


def disk(cloud: Cloud, name: str, **more: Any) -> str:
    """Make a volume; returns its id."""
    volume = cloud.client().create("/volumes", {"name": name, **PLACE, **more})
    cloud.sim.advance(60)
    return volume


@pytest.mark.parametrize(
    "name", ["data", "gpuops", "gpuops.llm", "gpuops..x.os", "gpuops-llm-os", "x.gpuops.llm.os"]
)
def test_disk_of_a_stranger_stays(cloud: Cloud, name: str) -> None:
    volume = disk(cloud, name)
    later(cloud)
    assert not cloud.ok("datacrunch_reap", **EVERYTHING)["changed"]
    assert cloud.fate(volume) == "detached"


def test_disk_of_another_deployment_stays(cloud: Cloud) -> None:
    volume = disk(cloud, "gpuops.llm-2.x.os")
    later(cloud)
    scope = {"everything": False, "deployments": ["llm"]}
    assert not cloud.ok("datacrunch_reap", **{**EVERYTHING, **scope})["changed"]
    assert cloud.fate(volume) == "detached"
    assert cloud.ok("datacrunch_reap", **EVERYTHING)["changed"]


@pytest.mark.parametrize(
    ("name", "marks"),
    [
        ("data", []),
        ("gpuops.other.x.data", []),
        ("gpuops.llm.x.data", [{"key": "gpuops-deployment", "value": "other"}]),
    ],
)
def test_disk_of_a_stranger_on_our_machine_stays(
    cloud: Cloud, name: str, marks: list[dict[str, str]]
) -> None:
    cloud.buy(**TIER, lease="1h", data_volume_gb=50, locations=["FIN-03"])
    volume = disk(cloud, name, tags=marks)
    machine = cloud.machine()["id"]
    cloud.buy(state="stopped")
    cloud.client().volume_action("attach", volume, instance_id=machine)
    later(cloud)
    result = cloud.ok("datacrunch_reap", **EVERYTHING)
    assert [row["outcome"] for row in result["reaped"]] == ["ended"]
    cloud.sim.advance(60)
    (left,) = cloud.sim.state()["volumes"]
    assert (left["id"], left["status"]) == (volume, "detached")


def test_disk_that_another_machine_shares_stays(cloud: Cloud) -> None:
    first = cloud.buy(**TIER, lease="1h", locations=["FIN-03"])["instance"]["id"]
    second = cloud.buy(**TIER, name="two", lease="none", locations=["FIN-03"])["instance"]["id"]
    for name in ("llm", "two"):
        cloud.buy(name=name, state="stopped")
    marks = [{"key": "gpuops-deployment", "value": "llm"}]
    shared = disk(cloud, "gpuops.llm.files", type="NVMe_Shared", tags=marks)
    cloud.client().volume_action("attach", shared, instance_ids=[first, second])
    later(cloud)
    assert cloud.ok("datacrunch_reap", **EVERYTHING)["changed"]
    cloud.sim.advance(60)
    assert cloud.fate(shared) == "attached"


@pytest.mark.parametrize("name", ["laptop", "gpuops.llm", "gpuops-llm-1f3a5c7e.20200101t0000z"])
def test_key_of_a_stranger_stays(cloud: Cloud, name: str) -> None:
    body = {"name": name, "key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDIhz2GK"}
    cloud.client().create("/ssh-keys", body)
    cloud.client().create("/scripts", {"name": name, "script": "true"})
    later(cloud)
    result = cloud.ok("datacrunch_reap", **EVERYTHING)
    assert (result["reaped"], result["unclear"]) == ([], [])
    assert cloud.sim.writes() == []
