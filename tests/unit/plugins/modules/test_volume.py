# Copyright (c) 2026, gpuops.cloud contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes: created, grown, renamed, removed and restored, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from ansible_collections.gpuops.cloud.plugins.modules import (
    datacrunch_volume,
    datacrunch_volume_info,
)
from ansible_collections.gpuops.cloud.tests.unit.plugins.conftest import Start
from ansible_collections.gpuops.cloud.tests.unit.plugins.support import SECRET, Cloud

DATA = {"deployment": "llm", "name": "data"}
NEW = {**DATA, "size_gb": 100, "location": "FIN-03"}


def volume(cloud: Cloud, **args: Any) -> dict[str, Any]:
    """Keep a volume, after check mode has told the same actions and sent nothing."""
    given = {**DATA, **args}
    cloud.sim.clear_log()
    predicted = cloud.ok("datacrunch_volume", check=True, diff=True, **given)
    assert cloud.sim.writes() == []
    result = cloud.ok("datacrunch_volume", diff=True, **given)
    assert predicted["actions"] == result["actions"]
    assert predicted["changed"] == result["changed"] == bool(cloud.sim.writes())
    assert predicted["diff"] == result["diff"]
    return result


def refused(cloud: Cloud, **args: Any) -> str:
    """Return why a volume cannot be kept; nothing was sent."""
    cloud.sim.clear_log()
    result = cloud.fails("datacrunch_volume", **{**DATA, **args})
    assert cloud.sim.writes() == []
    return str(result["msg"])


def living(cloud: Cloud) -> list[dict[str, Any]]:
    """Return the volumes outside the trash, by the simulator's own account."""
    rows = cloud.sim.state()["volumes"]
    return [row for row in rows if row["status"] not in ("deleting", "deleted")]


def make(cloud: Cloud, **body: Any) -> str:
    """Create a volume as somebody else does; returns its id."""
    wish = {"type": "NVMe", "name": "theirs", "size": 10, "location_code": "FIN-03", **body}
    volume_id = cloud.client().create("/volumes", wish)
    cloud.sim.advance(60)
    return volume_id


# -- created and kept ------------------------------------------------------------------------------


def test_create(cloud: Cloud) -> None:
    result = volume(cloud, **NEW)
    assert result["actions"] == [
        "create volume gpuops.llm.data: 100 GB NVMe in FIN-03, 20.00 usd a month"
    ]
    (row,) = living(cloud)
    shown = result["volume"]
    assert shown["id"] == row["id"]
    assert (shown["status"], shown["size_gb"], shown["type"]) == ("detached", 100, "NVMe")
    assert (shown["price_per_month"], shown["currency"]) == (20.0, "usd")
    assert shown["device"] == f"/dev/disk/by-id/virtio-{row['id'][-12:]}"
    tags = {tag["key"]: tag["value"] for tag in row["tags"]}
    assert tags.pop("gpuops-request")
    assert tags == {"gpuops-deployment": "llm", "gpuops-keep": "yes"}
    assert result["diff"]["before"] == {}
    assert result["warnings"] == result["trashed"] == []


@pytest.mark.parametrize("name", ["data", "gpuops.llm.data"])
def test_the_same_again_changes_nothing(cloud: Cloud, name: str) -> None:
    first = volume(cloud, **NEW)
    again = volume(cloud, **{**NEW, "name": name})
    assert again["actions"] == []
    assert again["volume"] == first["volume"]
    assert cloud.calls() == ["GET /volumes"] * 2


def test_tags_that_are_refused_leave_the_name(start: Start) -> None:
    cloud = start(tags_supported=False)
    result = volume(cloud, **NEW)
    assert result["volume"]["name"] == "gpuops.llm.data"
    assert result["volume"]["deployment"] == "llm"
    assert not volume(cloud, **NEW)["changed"]
    assert len(cloud.calls("/volumes", "POST")) == 0


def test_grow_and_rename(cloud: Cloud) -> None:
    made = volume(cloud, **NEW)["volume"]
    result = volume(cloud, id=made["id"], name="more", size_gb=150)
    assert result["actions"] == [
        "rename volume gpuops.llm.data to gpuops.llm.more",
        "grow volume gpuops.llm.more from 100 to 150 GB, 30.00 usd a month",
    ]
    assert result["volume"]["id"] == made["id"]
    assert result["diff"]["after"]["size_gb"] == result["volume"]["size_gb"] == 150
    assert not volume(cloud, name="more", size_gb=150)["changed"]


def test_plain_name_with_a_tag_of_the_deployment_is_found(cloud: Cloud) -> None:
    made = make(cloud, name="data", tags=[{"key": "gpuops-deployment", "value": "llm"}])
    assert volume(cloud)["volume"]["id"] == made
    assert volume(cloud, id=made)["actions"] == []


def test_not_waiting(cloud: Cloud) -> None:
    result = cloud.ok("datacrunch_volume", **NEW, wait=False)
    assert result["volume"]["status"] == "ordered"
    assert cloud.clock.slept == []
    again = cloud.ok("datacrunch_volume", **NEW)
    assert not again["changed"]
    assert again["volume"]["status"] == "detached"


def test_waiting_has_an_end(start: Start) -> None:
    cloud = start(volume_seconds=5000)
    result = cloud.fails("datacrunch_volume", **NEW, wait_timeout=60)
    assert result["error"]["code"] == "timeout"
    assert "last seen ordered" in result["msg"]
    assert result["volume_id"] == living(cloud)[0]["id"]
    assert result["changed"]


# -- refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"size_gb": 50}, "size_gb: it has 100 GB, wanted 50; volumes only grow"),
        ({"type": "NVMe_Shared"}, "type: it is NVMe, wanted NVMe_Shared"),
        ({"location": "FIN-01"}, "location: it is in FIN-03, wanted FIN-01"),
    ],
)
def test_what_cannot_be_changed_is_refused(cloud: Cloud, args: Any, words: str) -> None:
    volume(cloud, **NEW)
    assert words in refused(cloud, **args)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({}, "a new one needs size_gb, location (or instance)"),
        ({"size_gb": 10, "location": "FIN-03", "type": "SSD"}, "known: HDD, "),
        ({"size_gb": 0}, "at least 1"),
        ({"name": "My Data"}, "(got 'My Data')"),
        ({"deployment": "LLM"}, "(got 'LLM')"),
        ({"deployment": None}, "deployment is missing"),
        ({"foreign": True}, "foreign needs the id"),
        ({"instance": ""}, "write attached: false"),
        ({"instance": "llm"}, "has no instance 'llm'"),
        ({"attached": True}, "attached: true needs instance"),
        ({"id": "11111111-2222-3333-4444-555555555555"}, "Invalid volume id"),
    ],
)
def test_options_that_do_not_fit_are_refused(cloud: Cloud, args: Any, words: str) -> None:
    assert words in refused(cloud, **args)


def test_words_of_the_cloud_are_told(cloud: Cloud) -> None:
    result = cloud.fails("datacrunch_volume", **{**NEW, "type": "HDD"})
    assert "HDD volumes are no longer available" in result["msg"]
    assert len(cloud.calls("/volumes", "POST")) == 1


def test_foreign_volumes_are_not_touched(cloud: Cloud) -> None:
    theirs = make(cloud)
    other = make(cloud, name="gpuops.chat.data")
    assert "bears no tags" in refused(cloud, id=theirs, name=None)
    assert "belongs to deployment 'chat'" in refused(cloud, id=other, state="absent")
    assert "a new one needs" in refused(cloud, name="theirs")
    assert volume(cloud, name="theirs", state="absent")["actions"] == []


def test_foreign_volume_is_touched_when_that_is_written_out(cloud: Cloud) -> None:
    theirs = make(cloud)
    foreign = {"deployment": None, "name": None, "id": theirs, "foreign": True}
    assert volume(cloud, **foreign, size_gb=20)["volume"]["size_gb"] == 20
    assert "need deployment" in refused(cloud, **foreign, attached=False)
    adopted = volume(cloud, id=theirs, foreign=True)
    assert adopted["actions"] == ["rename volume theirs to gpuops.llm.data"]
    assert not volume(cloud)["changed"]
    assert volume(cloud, **{**foreign, "state": "absent"})["changed"]
    assert living(cloud) == []


def test_two_of_one_name_are_told_apart_by_id(cloud: Cloud) -> None:
    both = sorted(make(cloud, name="gpuops.llm.data") for _each in range(2))
    words = refused(cloud)
    assert "2 volumes of deployment 'llm' are called 'data'" in words
    assert all(volume_id in words for volume_id in both)
    assert not volume(cloud, id=both[0])["changed"]
    assert len(volume(cloud, state="absent")["actions"]) == 2
    assert living(cloud) == []


# -- removed and restored --------------------------------------------------------------------------


def test_remove_to_the_trash_and_again(cloud: Cloud) -> None:
    made = volume(cloud, **NEW)["volume"]["id"]
    result = volume(cloud, state="absent")
    assert result["actions"] == [f"move volume gpuops.llm.data ({made}, 100 GB) to the trash"]
    assert result["volume"] is None
    assert volume(cloud, state="absent")["actions"] == []
    assert [row["id"] for row in cloud.shows("/volumes/trash")] == [made]
    assert volume(cloud, id=made, state="absent")["actions"] == []


def test_restore_tells_what_it_charges(cloud: Cloud) -> None:
    made = volume(cloud, **NEW)["volume"]["id"]
    volume(cloud, state="absent")
    cloud.sim.advance(10 * 3600)
    assert "in the trash for 86.0 more hours. restore: true" in refused(cloud, id=made)
    result = volume(cloud, restore=True, size_gb=200)
    restored, grown = result["actions"]
    assert restored.startswith(f"restore volume gpuops.llm.data ({made}) from the trash, which")
    assert restored.endswith("charges 0.0274 usd for each hour there")
    assert grown == "grow volume gpuops.llm.data from 100 to 200 GB, 40.00 usd a month"
    assert "charges about 0.274 usd" in result["warnings"][0]
    assert (result["volume"]["id"], result["volume"]["status"]) == (made, "detached")
    assert result["diff"]["before"]["trash_hours_left"] == 86.0
    assert result["trashed"] == []
    assert volume(cloud, restore=True)["actions"] == []


def test_volume_in_the_trash_is_told_of_when_a_new_one_is_created(cloud: Cloud) -> None:
    old = volume(cloud, **NEW)["volume"]["id"]
    volume(cloud, state="absent")
    result = volume(cloud, **NEW)
    assert [row["id"] for row in result["trashed"]] == [old]
    assert f"{old} for 96.0 more hours" in result["warnings"][0]
    assert result["volume"]["id"] != old
    volume(cloud, state="absent")
    assert "2 volumes of deployment 'llm'" in refused(cloud, restore=True)
    assert volume(cloud, id=old, restore=True)["volume"]["id"] == old


def test_delete_for_good_takes_the_trash_too(cloud: Cloud) -> None:
    old = volume(cloud, **NEW)["volume"]["id"]
    volume(cloud, state="absent")
    new = volume(cloud, **NEW)["volume"]["id"]
    result = volume(cloud, state="absent", policy="delete")
    assert result["actions"] == [
        f"delete volume gpuops.llm.data ({each}, 100 GB) for good" for each in (new, old)
    ]
    assert cloud.shows("/volumes/trash") == []
    assert volume(cloud, state="absent", policy="delete")["actions"] == []
    assert volume(cloud, id=new, state="absent", policy="delete")["actions"] == []
    assert f"There is no volume {new} any more" in refused(cloud, id=new)


def test_delete_for_good_while_it_goes_to_the_trash(cloud: Cloud) -> None:
    volume(cloud, **NEW)
    cloud.ok("datacrunch_volume", **DATA, state="absent", wait=False)
    assert cloud.ok("datacrunch_volume", **DATA, state="absent", policy="delete")["changed"]
    assert cloud.shows("/volumes/trash") == []


# -- listed ----------------------------------------------------------------------------------------


def test_list(cloud: Cloud) -> None:
    made = volume(cloud, **NEW)["volume"]
    theirs = make(cloud)
    volume(cloud, **{**NEW, "name": "gone"})
    volume(cloud, name="gone", state="absent")

    def listed(**args: Any) -> list[str]:
        rows = cloud.ok("datacrunch_volume_info", **args)["volumes"]
        return [row["name"] for row in rows]

    assert listed() == ["gpuops.llm.data", "theirs"]
    assert listed(deployment="llm") == listed(**DATA) == listed(id=made["id"]) == [made["name"]]
    assert listed(name="theirs") == listed(id=theirs) == ["theirs"]
    assert listed(status="attached") == listed(deployment="none") == []
    assert listed(trash=True) == ["gpuops.llm.data", "gpuops.llm.gone", "theirs"]
    rows = cloud.ok("datacrunch_volume_info", trash=True, status="deleted")["volumes"]
    assert [(row["price_per_hour"], row["trash_hours_left"]) for row in rows] == [(0.0, 96.0)]
    assert cloud.ok("datacrunch_volume_info", **DATA)["volumes"] == [made]


@pytest.mark.parametrize(
    ("module", "key"), [(datacrunch_volume, "volume"), (datacrunch_volume_info, "volumes")]
)
def test_results_are_what_is_documented(cloud: Cloud, module: Any, key: str) -> None:
    made = volume(cloud, **NEW)["volume"]
    documented = yaml.safe_load(module.RETURN)
    assert documented[key]["contains"].keys() == made.keys()
    assert SECRET not in str(made)
